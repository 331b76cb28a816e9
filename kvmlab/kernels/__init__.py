"""Kernels as data: each version is a set of paths, each patch a list of edits at named steps."""
