"""Inner products of people over their sites, principal components by them, and discriminants of these."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deepcohort.population.pool import by_population
from deepcohort.population.study import Int8, Int64, Scale

Float64 = NDArray[np.float64]
Scorer = Callable[[Float64], Float64]
"""Log-probabilities float64[m, P] of populations by coordinates float64[m, K]."""

SITES_AT_ONCE = 4096


class Kernel:
    """Inner products of people, their copies scaled by those learnt from."""

    def __init__(self, learnt: Int8) -> None:
        self.learnt = learnt
        self.scale = Scale.of(learnt)

    def with_learnt(self, people: Int8) -> Float64:
        """Float64[m, n]: each of m people with each of the n learnt from, divided by the number of sites."""
        total = np.zeros((len(people), len(self.learnt)))
        for first in range(0, people.shape[1], SITES_AT_ONCE):
            here = slice(first, first + SITES_AT_ONCE)
            part = Scale(self.scale.mean[here], self.scale.spread[here])
            total += part(people[:, here]) @ part(self.learnt[:, here]).T
        return np.asarray(total / people.shape[1])


class Components:
    """Principal components of the people learnt from, and others projected onto them."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        own = kernel.with_learnt(kernel.learnt)
        self.norm = float(np.trace(own)) / len(own)
        values, vectors = np.linalg.eigh(own / self.norm)
        kept = values > 1e-6 * values.max()
        self.root = np.sqrt(values[kept][::-1])
        self.vectors = vectors[:, kept][:, ::-1]

    @property
    def own(self) -> Float64:
        """Coordinates of those learnt from, float64[n, K], the largest component first."""
        return np.asarray(self.vectors * self.root)

    def of(self, people: Int8) -> Float64:
        """Coordinates of other people, float64[m, K]."""
        return np.asarray(self.kernel.with_learnt(people) / self.norm @ (self.vectors / self.root))


def discriminant(components: Float64, label: Int64, most: int, shrinkage: float) -> Scorer:
    """Discriminant analysis of the first components with a shrunken covariance (Friedman 1989)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    first = min(most, components.shape[1])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(components[:, :first], label)
    return lambda people: by_population(model.decision_function(people[:, :first]))
