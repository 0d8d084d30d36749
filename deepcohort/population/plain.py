"""Plain models of populations: by inner products of people (linear kernel), and by shared haplotypes."""

from dataclasses import dataclass

import numpy as np

from deepcohort.population.components import Components, Float64, Kernel, Scorer, discriminant
from deepcohort.population.nested import NestedModel
from deepcohort.population.painting import PaintingModel
from deepcohort.population.pool import LEAST_PROBABILITY, by_population
from deepcohort.population.sharing import Sharing, SharingModel
from deepcohort.population.study import Int8, Int64

LDA_COMPONENTS = 40
FOREST_COMPONENTS = 20
TREES = 200
COST = 10.0
"""Of the support vector machine, where people have a mean squared norm of 1."""

DISCRIMINANT_SHARE = 0.45
"""Components of the shrunken discriminant for each person learnt from."""

SHRINKAGE = 0.5


def _few(components: Float64, label: Int64, seed: int) -> Scorer:
    """Linear discriminant analysis of the first components."""
    return discriminant(components, label, LDA_COMPONENTS, 0.1)


def _many(components: Float64, label: Int64, seed: int) -> Scorer:
    """Discriminant of many components with a strongly shrunken covariance."""
    return discriminant(
        components, label, max(LDA_COMPONENTS, int(DISCRIMINANT_SHARE * len(label))), SHRINKAGE
    )


def _svm(components: Float64, label: Int64, seed: int) -> Scorer:
    """Linear support vector machine, one population against the rest, on all components, hence all sites."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=COST, max_iter=5000, random_state=seed).fit(components, label)
    return lambda people: by_population(model.decision_function(people))


def _forest(components: Float64, label: Int64, seed: int) -> Scorer:
    """Random forest of the first components."""
    from sklearn.ensemble import RandomForestClassifier

    first = min(FOREST_COMPONENTS, components.shape[1])
    model = RandomForestClassifier(TREES, random_state=seed).fit(components[:, :first], label)
    return lambda people: np.log(np.maximum(model.predict_proba(people[:, :first]), LEAST_PROBABILITY))


LINEAR = {"lda": _few, "svm": _svm, "forest": _forest, "discriminant": _many}
"""By name: PCA and LDA, linear SVM, PCA and random forest, shrunken discriminant."""

SHARING, PAINTING, NESTED = "sharing", "painting", "nested"
MODELS = (*LINEAR, SHARING, PAINTING, NESTED)
"""Names of all plain models."""

NAMING = "discriminant"
"""Names superpopulations beside ``NESTED``."""


@dataclass(frozen=True)
class Plain:
    """All plain models learnt from some people."""

    components: Components
    scorers: dict[str, Scorer]
    sharing: SharingModel
    painting: PaintingModel
    nested: NestedModel

    @classmethod
    def learn(cls, copies: Int8, label: Int64, continent: Int64, starts: Int64, seed: int) -> "Plain":
        """Learn from people's copies int8[n, S] and populations int64[n].

        continent: int64[P], superpopulation of each population; starts: of chromosomes.
        """
        components = Components(Kernel(copies))
        own = components.own
        scorers = {name: learn(own, label, seed) for name, learn in LINEAR.items()}
        shared = Sharing(copies, starts)
        return cls(
            components,
            scorers,
            SharingModel(shared, label),
            PaintingModel(shared, label),
            NestedModel.learn(copies, label, continent),
        )

    def scores(self, copies: Int8) -> dict[str, Float64]:
        """Log-probabilities float64[m, P] of other people by each model, not calibrated.

        Those of ``NESTED`` name no superpopulation, see ``NestedModel``.
        """
        placed = self.components.of(copies)
        linear = {name: scorer(placed) for name, scorer in self.scorers.items()}
        return {
            **linear,
            SHARING: self.sharing.scores(copies),
            PAINTING: self.painting.scores(copies),
            NESTED: self.nested.scores(copies),
        }
