"""Distances between people, and what they tell: adversarial accuracy, privacy loss, membership.

Nearest-neighbour adversarial accuracy after Yale et al. (2020): near 0.5 where artificial people lie among
real ones as real ones do; near 1 where they lie apart, near 0 where they are copies.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Float32, Int8

Float64 = NDArray[np.float64]

AT_ONCE = 1024
"""Rows whose distances are computed at once."""


class Accuracy(NamedTuple):
    """How often a real row is nearer to a real than to an artificial one (``truth``), and the other way."""

    truth: float
    artificial: float

    @property
    def mean(self) -> float:
        """Adversarial accuracy."""
        return (self.truth + self.artificial) / 2


def distances(ours: Int8, theirs: Int8) -> Float32:
    """Number of alleles in which each of n rows differs from each of m, float32[n, m] (1-norm of copies)."""
    deepest = max(int(ours.max(initial=1)), int(theirs.max(initial=1)))
    found = np.zeros((len(ours), len(theirs)), np.float32)
    for copies in range(1, deepest + 1):
        one, other = (ours >= copies).astype(np.float32), (theirs >= copies).astype(np.float32)
        found += one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - 2 * (one @ other.T)
    return np.rint(found)


def blocks(ours: Int8, theirs: Int8) -> Iterator[tuple[slice, Float32]]:
    """``distances`` of some of ``ours`` after others, and which they are."""
    for first in range(0, len(ours), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        yield rows, distances(ours[rows], theirs)


def nearest(ours: Int8, theirs: Int8, *, same: bool = False) -> Float32:
    """Distance of each of n rows to the nearest of ``theirs``, float32[n]; with ``same``, other than
    itself.
    """
    found = np.empty(len(ours), np.float32)
    for rows, block in blocks(ours, theirs):
        if same:
            block[np.arange(len(block)), rows.start + np.arange(len(block))] = np.inf
        found[rows] = block.min(axis=1)
    return found


class Around:
    """Alleles in which rows differ in so many windows on each side of a border, from border to border.

    edges: where windows begin, and where the last one ends; begins: bool[W], windows that begin a
    chromosome.
    """

    def __init__(
        self, ours: Int8, theirs: Int8, edges: Sequence[int], begins: NDArray[np.bool_], flank: int
    ) -> None:
        self.ours, self.theirs, self.edges, self.flank = ours, theirs, edges, flank
        ends = [*np.flatnonzero(begins).tolist(), len(begins)]
        self.bounds = [bounds for bounds in itertools.pairwise(ends) for _ in range(*bounds)]
        self.differ = np.zeros((len(ours), len(theirs)), np.float32)
        self.begin = self.end = 0

    def at(self, border: int) -> Float32:
        """Differing alleles float32[ours, theirs] around the begin of a window, on its chromosome; ask in
        their order.
        """
        first, last = self.bounds[border]
        begin, end = max(first, border - self.flank), min(last, border + self.flank)
        for window in range(self.end, end):
            self.differ += self._within(window)
        for window in range(self.begin, begin):
            self.differ -= self._within(window)
        self.begin, self.end = begin, end
        return self.differ

    def _within(self, window: int) -> Float32:
        stretch = slice(self.edges[window], self.edges[window + 1])
        return distances(self.ours[:, stretch], self.theirs[:, stretch])


def adversarial_accuracy(real: Int8, artificial: Int8) -> Accuracy:
    """Both halves of the accuracy; give as many rows of the one as of the other. A tie counts half."""
    return Accuracy(
        _farther(nearest(real, artificial), nearest(real, real, same=True)),
        _farther(nearest(artificial, real), nearest(artificial, artificial, same=True)),
    )


def _farther(other: Float32, own: Float32) -> float:
    return float((other > own).mean() + (other == own).mean() / 2)


def area_under_curve(score: Float32, member: NDArray[np.bool_]) -> float:
    """Chance that a member scores above one who is none (Mann and Whitney 1947); ties count half."""
    values, place = np.unique(score, return_inverse=True)
    members = np.bincount(place[member], minlength=len(values))
    others = np.bincount(place[~member], minlength=len(values))
    below = np.cumsum(others) - others
    return float((members * (below + others / 2)).sum() / max(1, members.sum() * others.sum()))
