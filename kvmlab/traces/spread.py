"""How numbers are spread: how many, their sum, the smallest, the largest; nothing else is kept."""

from typing import NamedTuple


class Spread(NamedTuple):
    """A number of samples in one unit, which whoever took them knows."""

    samples: int
    total: int
    min: int
    max: int

    @classmethod
    def of(cls, sample: int) -> "Spread":
        """Return the spread of a single sample."""
        return cls(1, sample, sample, sample)

    @property
    def mean(self) -> int | float:
        """The sum by the number of samples: an int where the division is exact."""
        whole, rest = divmod(self.total, self.samples)
        return self.total / self.samples if rest else whole

    def add(self, sample: int) -> "Spread":
        """Return these samples and one more."""
        return Spread(self.samples + 1, self.total + sample, min(self.min, sample), max(self.max, sample))

    def shifted(self, by: int) -> "Spread":
        """Return the spread of the same samples, each larger by `by`."""
        return Spread(self.samples, self.total + by * self.samples, self.min + by, self.max + by)

    def row(self, total: str = "total") -> dict[str, int | float]:
        """Return the numbers by name, as JSON shows them; the sum is called `total`."""
        return {
            "samples": self.samples,
            total: self.total,
            "min": self.min,
            "max": self.max,
            "mean": self.mean,
        }


def more(known: Spread | None, sample: int) -> Spread:
    """Return `known`, if there is any yet, with one more sample."""
    return known.add(sample) if known else Spread.of(sample)
