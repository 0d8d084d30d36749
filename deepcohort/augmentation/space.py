"""Haplotypes in a space of principal components, and the way back to alleles.

A generator draws places in the space. Such a place says, at each stretch of the region, which haplotypes of
the panel the new one resembles; alleles come from a path through the panel's haplotypes of that label that
follows the place and changes from one to another where the two are alike (a hidden Markov model, sampled
backwards and forwards). So windows join with the linkage that the panel has there.

Chromosomes have no linkage, but they share their ancestry: where there are several, each takes its haplotypes
from those that are of one ancestry with one of them, which is drawn first.
"""

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.nearest import Around
from deepcohort.augmentation.people import Float32, Int8, Int64
from deepcohort.genome.arrays import load_arrays, save_arrays

COMPONENTS = 60
WINDOW = 50
"""Sites that come from one haplotype of the panel at least."""

FLANK = 4
"""Windows on each side of a border in which two haplotypes must be alike for a change between them."""

FAR = 30
"""Windows on each side of a border that say to which of those a path changes rather."""

SOFTNESS = 1.0
"""Differing alleles that make a change of haplotypes e times rarer."""

NOISE = 30.0
"""How far, in alleles' root mean square, a haplotype may lie from the place that is followed."""

SHARPNESS = 0.02
"""As the inverse of ``SOFTNESS``, of what lies far from the border."""

STAY = 0.2
"""Weight of going on with the same haplotype beside 1 for changing to one that is equal around the border."""

MOST_CHANGES = 800**2 * 100
"""Chances of changes, over all borders, of one label: haplotypes that are copied from are so few at most."""

BALANCINGS = 30
"""Rounds in which rows and columns of the changes are made to sum to 1."""

ANCESTRY = 6
"""Leading components in which haplotypes of several chromosomes are of one ancestry."""

NEAR = 1.35
"""How near they lie there, in standard deviations of the next component, which chance alone spreads."""

ALONE = 1e-3
"""Weight of a haplotype itself among those of its ancestry: only who is like nobody goes on alone."""

AT_ONCE = 256


@dataclass(frozen=True)
class Space:
    """Means of the labels float32[L, S], axes float32[K, S], places float32[rows, K] of the panel's rows.

    Along each axis the places have variance 1; ``rows`` int8[rows, S] are haplotypes, ``label`` int64[rows],
    ``starts`` int64[C] the first site of each chromosome.
    """

    mean: Float32
    axes: Float32
    places: Float32
    rows: Int8
    label: Int64
    starts: Int64

    @classmethod
    def of(
        cls, rows: Int8, label: Int64, labels: int, components: int = COMPONENTS, starts: Int64 | None = None
    ) -> "Space":
        """Principal components of what rows int8[n, S] have beyond their label's mean."""
        values = rows.astype(np.float32)
        mean = np.stack([values[label == kind].mean(axis=0) for kind in range(labels)])
        values -= mean[label]
        sizes, vectors = np.linalg.eigh(values @ values.T)
        order = np.argsort(-sizes)[: min(components, len(rows) - labels)]
        axes = vectors[:, order].T @ values
        axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-6)
        # The sign of an axis is a matter of the library: make it one of the data.
        axes *= np.where(axes.sum(axis=1, keepdims=True) < 0, -1, 1)
        places = values @ axes.T
        scale = np.maximum(places.std(axis=0), 1e-6)
        first = np.zeros(1, np.int64) if starts is None else starts
        return cls(mean, axes * scale[:, None], places / scale, rows, label, first)

    def save(self, path: Path) -> None:
        """Write an npz archive without pickled objects."""
        save_arrays(path, vars(self))

    @classmethod
    def load(cls, path: Path) -> "Space":
        """Read what ``save`` wrote."""
        return cls(**load_arrays(path))

    def paths(self, kind: int, seed: int) -> "Paths":
        """Paths through the label's haplotypes, some of them where there are very many."""
        donors = np.flatnonzero(self.label == kind)
        many = len(self.starts) > 1
        inside = len(_edges(self.starts, self.rows.shape[1])) - 1 - len(self.starts)
        most = math.isqrt(MOST_CHANGES // max(1, inside + many))
        if len(donors) > most:
            donors = np.sort(np.random.default_rng(seed).choice(donors, most, replace=False))
        return Paths(self, donors)


class Paths:
    """Paths through the haplotypes ``donors`` of a space, window by window."""

    def __init__(self, space: Space, donors: Int64) -> None:
        self.rows, self.places, self.axes = space.rows[donors], space.places[donors], space.axes
        self.edges = _edges(space.starts, self.rows.shape[1])
        self.begins = np.isin(self.edges[:-1], space.starts)
        near, far = (Around(self.rows, self.rows, self.edges, self.begins, flank) for flank in (FLANK, FAR))
        # Half precision: they are most of the memory that drawing takes.
        self.change = {
            w: _balanced(changes(near.at(w), far.at(w))).astype(np.float16)
            for w in np.flatnonzero(~self.begins).tolist()
        }
        self.related = _balanced(related(self.axes, self.places)) if len(space.starts) > 1 else None

    @property
    def bytes(self) -> int:
        """What the chances of changes take."""
        ancestry = 0 if self.related is None else self.related.nbytes
        return ancestry + sum(change.nbytes for change in self.change.values())

    def _fit(self, places: Float32, window: int) -> Float32:
        """How well each donor fits each place in a window, float32[m, donors], the best 1."""
        return self._fit_at(places, slice(self.edges[window], self.edges[window + 1]))

    def _fit_at(self, places: Float32, sites: slice) -> Float32:
        axes = self.axes[:, sites]
        metric = axes @ axes.T
        ours, theirs = places @ metric, self.places @ metric
        far = (ours * places).sum(axis=1)[:, None] + (theirs * self.places).sum(axis=1)[None]
        far = far - 2 * ours @ self.places.T
        fit: Float32 = np.exp(-(far - far.min(axis=1, keepdims=True)) / (2 * NOISE**2)).astype(np.float32)
        return fit

    def _onward(self, fits: list[Float32]) -> list[Float32]:
        """Chance of what follows a window, for each place and donor, the best 1."""
        onward = [np.ones((1, 1), np.float32)] * len(fits)
        for window in range(len(fits) - 2, -1, -1):
            if self.begins[window + 1]:
                continue
            following = fits[window + 1]
            back = (onward[window + 1] * following) @ self.change[window + 1].T.astype(np.float32)
            onward[window] = back / back.max(axis=1, keepdims=True)
        return onward

    def sample(self, places: Float32, rng: np.random.Generator) -> Int8:
        """Alleles int8[m, S] of one path for each place float32[m, K]."""
        parts = [
            self._sample(places[first : first + AT_ONCE], rng) for first in range(0, len(places), AT_ONCE)
        ]
        return np.concatenate(parts)

    def _sample(self, places: Float32, rng: np.random.Generator) -> Int8:
        windows = len(self.edges) - 1
        fits = [self._fit(places, window) for window in range(windows)]
        onward = self._onward(fits)
        found = np.empty((len(places), self.rows.shape[1]), np.int8)
        begin = np.ones((1, 1), np.float32)
        if self.related is not None:
            begin = self.related[_draw(self._fit_at(places, slice(None)), rng)]
        donor = np.zeros(0, np.int64)
        for window in range(windows):
            before = begin if self.begins[window] else self.change[window][donor]
            donor = _draw(fits[window] * onward[window] * before, rng)
            stretch = slice(self.edges[window], self.edges[window + 1])
            found[:, stretch] = self.rows[donor, stretch]
        return found


def _edges(starts: Int64, sites: int) -> list[int]:
    """Where windows begin, chromosome by chromosome, and where the last one ends."""
    ends = [*starts.tolist()[1:], sites]
    begins = [
        range(first, max(first + 1, end - WINDOW // 2), WINDOW)
        for first, end in zip(starts.tolist(), ends, strict=True)
    ]
    return [*itertools.chain(*begins), sites]


def changes(near: Float32, far: Float32) -> Float32:
    """Weight of changing from each donor to each, float32[donors, donors], from their differing alleles.

    How likely a path changes at all is a matter of who is alike near the border. Whom it changes to is one
    also of what lies far: common haplotypes are long, and paths must not forget which of them they follow.
    """
    weight = np.exp(-near / SOFTNESS)
    np.fill_diagonal(weight, 0)
    nearest = np.where(np.eye(len(far), dtype=bool), np.inf, far).min(axis=1, keepdims=True, initial=np.inf)
    sharp = weight * np.exp(SHARPNESS * np.minimum(nearest - far, 0))
    sharp *= weight.sum(axis=1, keepdims=True) / np.maximum(sharp.sum(axis=1, keepdims=True), 1e-20)
    found: Float32 = ((sharp + sharp.T) / 2).astype(np.float32)
    np.fill_diagonal(found, STAY)
    return found


def related(axes: Float32, places: Float32) -> Float32:
    """Weight of two donors standing for one ancestry, float32[donors, donors]: a normal kernel of their
    distance along the leading components.
    """
    lengths = np.linalg.norm(axes, axis=1)
    leading = places[:, :ANCESTRY] * lengths[:ANCESTRY]
    near = NEAR * lengths[min(ANCESTRY, len(lengths) - 1)]
    norms = (leading**2).sum(axis=1)
    far = np.maximum(norms[:, None] + norms[None] - 2 * leading @ leading.T, 0)
    found: Float32 = np.exp(-far / (2 * near**2)).astype(np.float32)
    np.fill_diagonal(found, ALONE)
    return found


def _balanced(weight: Float32) -> Float32:
    """Chances of the next window's donor for each of this one's, float32[donors, donors].

    Rows and columns sum to 1 (Sinkhorn and Knopp 1967): who is like many others is not passed more often.
    """
    scale = np.ones(len(weight), np.float32)
    for _ in range(BALANCINGS):
        scale = np.sqrt(scale / np.maximum(weight @ scale, 1e-30))
    weight *= scale
    weight *= scale[:, None]
    return weight


def _draw(weights: Float32, rng: np.random.Generator) -> Int64:
    """A column of each row by its weights, int64[m]."""
    summed: NDArray[np.float64] = np.cumsum(weights, axis=1, dtype=np.float64)
    drawn = rng.random(len(summed)) * summed[:, -1]
    column: Int64 = np.minimum((summed <= drawn[:, None]).sum(axis=1), weights.shape[1] - 1)
    return column
