"""Aligning two sequences so that as much as possible stands side by side.

The greedy algorithm of E. W. Myers, "An O(ND) difference algorithm and its variations" (1986): a shortest
list of deletions and insertions. Its cost grows with the square of their number, so after `FAR` of them the
longest way so far is taken and the search begins anew where it ends: the cost is then bounded by FAR times
the length, and the list is the shortest one piece by piece.
"""

from collections.abc import Hashable, Iterator, Sequence

FAR = 100
"""Deletions and insertions looked for at once."""

Pair = tuple[int | None, int | None]
"""Two equal elements by their places, or one that the other side lacks."""


def align(a: Sequence[Hashable], b: Sequence[Hashable], far: int = FAR) -> Iterator[Pair]:
    """Yield every place of `a` and of `b` once, in order."""
    x = y = 0
    while x < len(a) or y < len(b):
        for step in _Piece(a, b, x, y).steps(far):
            yield step
            x, y = x + (step[0] is not None), y + (step[1] is not None)


class _Piece:
    """The search from (x0, y0) on; x and y count from there, and k = x - y is a diagonal."""

    def __init__(self, a: Sequence[Hashable], b: Sequence[Hashable], x0: int, y0: int) -> None:
        self.a, self.b, self.x0, self.y0 = a, b, x0, y0
        self.n, self.m = len(a) - x0, len(b) - y0
        self.past: list[dict[int, int]] = []
        """For each number of steps, from each diagonal that was reached to the largest x on it."""

    def steps(self, far: int) -> list[Pair]:
        """Return the steps to both ends, or as far as `far` deletions and insertions go."""
        self.past = [{0: self._slide(0, 0)}]
        while self.n - self.m not in self.past[-1] or self.past[-1][self.n - self.m] < self.n:
            if len(self.past) > far:
                break
            self.past.append(self._next(self.past[-1]))
        last = self.past[-1]
        return self._back(max(last, key=lambda k: 2 * last[k] - k))

    def _slide(self, x: int, k: int) -> int:
        """Return the end of the equal elements that follow x on diagonal k."""
        a, b, n, m, x0, y0 = self.a, self.b, self.n, self.m, self.x0, self.y0 - k
        while x < n and x - k < m and a[x0 + x] == b[y0 + x]:
            x += 1
        return x

    def _next(self, before: dict[int, int]) -> dict[int, int]:
        """Return what one step more reaches."""
        reached = {}
        for k in {near for old in before for near in (old - 1, old + 1)}:
            x = self._start(before, k)
            if x >= 0:
                reached[k] = self._slide(x, k)
        return reached

    def _start(self, before: dict[int, int], k: int) -> int:
        """Return where a step enters diagonal k: by inserting of b, or by deleting of a; -1 if neither."""
        inserted, deleted = before.get(k + 1, -1), before.get(k - 1, -2) + 1
        if inserted - k > self.m:
            inserted = -1
        return max(inserted, deleted if deleted <= self.n else -1)

    def _back(self, k: int) -> list[Pair]:
        """Return the steps that led to diagonal k, first step first."""
        x, steps = self.past[-1][k], list[Pair]()
        for before in reversed(self.past[:-1]):
            start = self._start(before, k)
            steps += self._equal(start, x, k)
            deleted = before.get(k - 1, -2) + 1 == start
            place = (self.x0 + start - 1, None) if deleted else (None, self.y0 + start - k - 1)
            steps.append(place)
            k += -1 if deleted else 1
            x = before[k]
        return (steps + self._equal(0, x, 0))[::-1]

    def _equal(self, start: int, x: int, k: int) -> list[Pair]:
        """Return the equal elements of diagonal k between two places, last one first."""
        return [(self.x0 + at, self.y0 + at - k) for at in range(x - 1, start - 1, -1)]
