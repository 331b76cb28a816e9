"""The stepper: one moment of a run, as data (view), as a picture (picture) and as text (twin)."""

from kvmlab.show.stepper.picture import stepper_svg
from kvmlab.show.stepper.twin import stepper_text
from kvmlab.show.stepper.view import StepperView, view

__all__ = ["StepperView", "stepper_svg", "stepper_text", "view"]
