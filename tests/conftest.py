"""Hypothesis draws the same examples everywhere."""

from hypothesis import settings

settings.register_profile("kvmlab", deadline=None, derandomize=True)
settings.load_profile("kvmlab")
