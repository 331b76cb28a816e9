"""Scenarios: actors, guest programs, budgets, and what must hold."""
