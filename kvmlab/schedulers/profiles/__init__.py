"""Machines as tables: parameters of each, and the steps at which they stand, which all of them share."""
