"""Where things are in a vCPU's lane: alarms, labels, the band, labels again, from top to bottom."""

from dataclasses import dataclass

from kvmlab.show.timeline_band import STOREY
from kvmlab.show.timeline_data import Lane

ROW = 15
"""Height of a row of labels."""
ABOVE, BELOW = 2, 3
"""Rows of labels above a band and below it."""
TRACK = 14
"""Height of an alarm's track."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lane is: ``top`` of all of it, ``roof`` and ``floor`` of its band, ``bottom``."""

    lane: Lane
    top: float

    @property
    def tracks(self) -> list[str]:
        """Who holds an alarm at some time in this run: the hrtimer above, as in every picture of an alarm."""
        return sorted({alarm.holder for alarm in self.lane.alarms})

    @property
    def roof(self) -> float:
        """The upper edge of the band."""
        return self.top + TRACK * len(self.tracks) + ROW * ABOVE + 6

    @property
    def floor(self) -> float:
        """The line the band stands on."""
        return self.roof + STOREY * (2 + max(1, self.lane.depth))

    @property
    def middle(self) -> float:
        """Where interrupts for the guest are drawn: above root's storey."""
        return self.floor - 2 * STOREY

    @property
    def bottom(self) -> float:
        """The lower edge of the lane."""
        return self.floor + 8 + ROW * BELOW
