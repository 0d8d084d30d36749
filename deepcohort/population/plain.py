"""Plain models of populations: by inner products of people (linear kernel), and by shared haplotypes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.population.pool import log_softmax
from deepcohort.population.sharing import SharingModel
from deepcohort.population.study import Int8, Int64, Scale

Float64 = NDArray[np.float64]

LDA_COMPONENTS = 40
FOREST_COMPONENTS = 20
TREES = 200
COST = 10.0
"""Of the support vector machine, where people have a mean squared norm of 1."""

DISCRIMINANT_SHARE = 0.45
"""Components of the shrunken discriminant for each person learnt from."""

SHRINKAGE = 0.5
SITES_AT_ONCE = 4096
LEAST_PROBABILITY = 1e-4


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


Scorer = Callable[[Float64], Float64]


def _by_population(odds: Any) -> Float64:
    """Log-probabilities of what ``decision_function`` gives, which for two populations is one column."""
    return log_softmax(np.stack([-odds, odds], axis=1) / 2 if odds.ndim == 1 else odds)


def _discriminant(components: Float64, label: Int64, most: int, shrinkage: float) -> Scorer:
    """Discriminant analysis of the first components with a shrunken covariance (Friedman 1989)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    first = min(most, components.shape[1])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(components[:, :first], label)
    return lambda people: _by_population(model.decision_function(people[:, :first]))


def _few(components: Float64, label: Int64, seed: int) -> Scorer:
    """Linear discriminant analysis of the first components."""
    return _discriminant(components, label, LDA_COMPONENTS, 0.1)


def _many(components: Float64, label: Int64, seed: int) -> Scorer:
    """Discriminant of many components with a strongly shrunken covariance."""
    return _discriminant(
        components, label, max(LDA_COMPONENTS, int(DISCRIMINANT_SHARE * len(label))), SHRINKAGE
    )


def _svm(components: Float64, label: Int64, seed: int) -> Scorer:
    """Linear support vector machine, one population against the rest, on all components, hence all sites."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=COST, max_iter=5000, random_state=seed).fit(components, label)
    return lambda people: _by_population(model.decision_function(people))


def _forest(components: Float64, label: Int64, seed: int) -> Scorer:
    """Random forest of the first components."""
    from sklearn.ensemble import RandomForestClassifier

    first = min(FOREST_COMPONENTS, components.shape[1])
    model = RandomForestClassifier(TREES, random_state=seed).fit(components[:, :first], label)
    return lambda people: np.log(np.maximum(model.predict_proba(people[:, :first]), LEAST_PROBABILITY))


LINEAR = {"lda": _few, "svm": _svm, "forest": _forest, "discriminant": _many}
"""By name: PCA and LDA, linear SVM, PCA and random forest, shrunken discriminant."""

SHARING = "sharing"
MODELS = (*LINEAR, SHARING)
"""Names of all plain models."""


@dataclass(frozen=True)
class Plain:
    """All plain models learnt from some people."""

    components: Components
    scorers: dict[str, Scorer]
    sharing: SharingModel

    @classmethod
    def learn(cls, copies: Int8, label: Int64, starts: Int64, seed: int) -> "Plain":
        """Learn from people's copies int8[n, S] and populations int64[n]; starts: of chromosomes."""
        components = Components(Kernel(copies))
        own = components.own
        scorers = {name: learn(own, label, seed) for name, learn in LINEAR.items()}
        return cls(components, scorers, SharingModel(copies, label, starts))

    def scores(self, copies: Int8) -> dict[str, Float64]:
        """Log-probabilities float64[m, P] of other people by each model, not calibrated."""
        placed = self.components.of(copies)
        linear = {name: scorer(placed) for name, scorer in self.scorers.items()}
        return {**linear, SHARING: self.sharing.scores(copies)}
