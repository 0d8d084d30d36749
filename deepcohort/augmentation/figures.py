"""Figures of how like real people artificial ones are: frequencies, linkage, variety, populations."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Int8, Int64, People

Float64 = NDArray[np.float64]

STEPS = (1, 4, 16, 64, 256, 512, 1024)
"""Sites between the members of triplets whose third moments are compared (as Yelmen et al. 2023)."""

TRIPLETS = 2000
"""Triplets of each step, and random ones."""

SPECTRUM_BINS = 20
COMPONENTS = 6
DECAY = (0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000)
"""Distances in bases between which linkage is averaged."""


def correlation(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Pearson's r, NaN where one of the two does not vary."""
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else float("nan")


def frequencies(people: People) -> Float64:
    """ALT frequency by label, float64[labels, S]; NaN for a label of nobody."""
    copies = people.copies()
    found = np.full((len(people.labels), copies.shape[1]), np.nan)
    for kind in np.unique(people.label):
        found[kind] = copies[people.label == kind].mean(axis=0, dtype=np.float64) / 2
    return found


def linkage(rows: Int8) -> Float64:
    """Squared correlation of all pairs of sites, float64[S, S]; 0 where a site does not vary."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    spread = np.sqrt((centred**2).sum(axis=0))
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    squared: Float64 = (scaled.T @ scaled) ** 2
    return squared


def linkage_correlation(one: Float64, other: Float64) -> float:
    """Correlation of two matrices of linkage over their pairs of sites."""
    pairs = np.triu_indices(len(one), 1)
    return correlation(one[pairs], other[pairs])


def decay(matrix: Float64, pos: Int64) -> Float64:
    """Mean linkage of pairs of sites by distance, float64[len(DECAY) - 1]; NaN where there is no such
    pair.
    """
    one, other = np.triu_indices(len(matrix), 1)
    bins = np.digitize(pos[other] - pos[one], DECAY) - 1
    inside = bins < len(DECAY) - 1
    pairs = np.bincount(bins[inside], minlength=len(DECAY) - 1)
    sums = np.bincount(bins[inside], matrix[one, other][inside], len(DECAY) - 1)
    return np.where(pairs > 0, sums / np.maximum(pairs, 1), np.nan)


def triplets(sites: int, seed: int) -> Int64:
    """Triplets of sites, int64[t, 3]: evenly spaced ones of each step, and random ones."""
    rng = np.random.default_rng(seed)
    chosen = []
    for step in STEPS:
        if 2 * step < sites:
            first = rng.integers(0, sites - 2 * step, TRIPLETS)
            chosen.append(np.stack([first, first + step, first + 2 * step], axis=1))
    chosen.append(rng.integers(0, sites, (TRIPLETS, 3)))
    return np.concatenate(chosen)


def third_moments(rows: Int8, chosen: Int64) -> Float64:
    """Mean product of what three sites have above their means, float64[t]."""
    centred = (rows - rows.mean(axis=0, dtype=np.float64)).astype(np.float32)
    found = np.empty(len(chosen))
    for first in range(0, len(chosen), TRIPLETS):
        here = chosen[first : first + TRIPLETS]
        product = centred[:, here[:, 0]] * centred[:, here[:, 1]] * centred[:, here[:, 2]]
        found[first : first + TRIPLETS] = product.mean(axis=0)
    return found


def spectrum(frequency: Float64) -> Float64:
    """Share of the sites in bins of minor allele frequency, float64[SPECTRUM_BINS]."""
    minor = np.minimum(frequency, 1 - frequency)
    counted, _ = np.histogram(minor, bins=SPECTRUM_BINS, range=(0, 0.5))
    return counted / max(1, len(minor))


def heterozygosity(people: People) -> Float64:
    """Share of heterozygous sites of each person, float64[n]."""
    varied = (people.classes == 1) | (people.phased & (people.classes == 2))
    share: Float64 = varied.mean(axis=1, dtype=np.float64)
    return share


def fst(one: Float64, other: Float64, sizes: tuple[int, int]) -> float:
    """Hudson's FST of two samples of so many alleles from frequencies, as a ratio of sums (Bhatia et
    al. 2013).
    """
    within = one * (1 - one) / max(1, sizes[0] - 1) + other * (1 - other) / max(1, sizes[1] - 1)
    between = one * (1 - other) + other * (1 - one)
    total = float(between.sum())
    return float(((one - other) ** 2 - within).sum()) / total if total else 0.0


def fst_matrix(people: People) -> Float64:
    """FST between all pairs of labels, float64[labels, labels]."""
    found, sizes = frequencies(people), 2 * np.bincount(people.label, minlength=len(people.labels))
    matrix = np.zeros((len(sizes), len(sizes)))
    for i, j in _pairs(len(sizes)):
        matrix[i, j] = matrix[j, i] = fst(found[i], found[j], (int(sizes[i]), int(sizes[j])))
    return matrix


def _pairs(number: int) -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(number) for j in range(i))


class Components:
    """Principal components of some people's scaled copies, onto which others are projected."""

    def __init__(self, copies: Int8, number: int = COMPONENTS) -> None:
        self.mean = copies.mean(axis=0, dtype=np.float64)
        spread = copies.std(axis=0, dtype=np.float64)
        self.scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
        scaled = (copies - self.mean) * self.scale
        _, vectors = np.linalg.eigh(scaled @ scaled.T)
        axes = scaled.T @ vectors[:, ::-1][:, :number]
        self.axes = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-9)

    def __call__(self, copies: Int8) -> Float64:
        """Places of people, float64[n, number]."""
        placed: Float64 = ((copies - self.mean) * self.scale) @ self.axes
        return placed


def wasserstein(one: Float64, other: Float64) -> float:
    """Mean over columns of the distance between two distributions, in standard deviations of ``one``."""
    quantiles = (np.arange(512) + 0.5) / 512
    ours, theirs = np.quantile(one, quantiles, axis=0), np.quantile(other, quantiles, axis=0)
    return float((np.abs(ours - theirs).mean(axis=0) / np.maximum(one.std(axis=0), 1e-9)).mean())


def sliced(one: Float64, other: Float64, seed: int, directions: int = 100) -> float:
    """Sliced Wasserstein distance (Rabin et al. 2012) of columns that are scaled to those of ``one``."""
    scale = np.maximum(one.std(axis=0), 1e-9)
    drawn = np.random.default_rng(seed).normal(size=(one.shape[1], directions))
    drawn /= np.linalg.norm(drawn, axis=0)
    return wasserstein((one / scale) @ drawn, (other / scale) @ drawn)


def told_apart(train: People, test: People, seed: int) -> float:
    """Share of ``test`` whose label a linear support vector machine names that learnt from ``train``."""
    from sklearn.svm import LinearSVC

    ours, theirs = train.copies().astype(np.float32), test.copies().astype(np.float32)
    mean, spread = ours.mean(axis=0), np.maximum(ours.std(axis=0), 0.05)
    scale = spread * np.sqrt(ours.shape[1])
    machine = LinearSVC(C=1.0, random_state=seed).fit((ours - mean) / scale, train.label)
    return float((machine.predict((theirs - mean) / scale) == test.label).mean())
