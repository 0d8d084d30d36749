"""Populations of each superpopulation, told by what its own people alone have.

Components of everybody are those of continents first, and sites that vary within one superpopulation may be
fixed in another. So each superpopulation has a scale, components and a discriminant of its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepcohort.population.components import Components, Float64, Kernel
from deepcohort.population.pool import by_population
from deepcohort.population.study import Int8, Int64

SHARE = 0.45
"""Components for each person learnt from."""

SHRINKAGE = 0.2
COPIES = 2
LEAST_LOG = float(np.log(1e-4))
"""Of a population of whom nobody was learnt from."""


@dataclass(frozen=True)
class Group:
    """A superpopulation: its populations int64[Q], components of its people, and a discriminant of them."""

    populations: Int64
    components: Components
    first: int
    discriminant: Any

    @classmethod
    def learn(cls, copies: Int8, label: Int64, populations: Int64) -> "Group | None":
        """From its people's copies int8[n, S] and populations int64[n].

        None where there is one population, or no site at which people differ.
        """
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        varies = (np.where(copies >= 0, copies, COPIES).min(axis=0) < copies.max(axis=0)).any()
        if len(np.unique(label)) < 2 or not varies:
            return None
        components = Components(Kernel(copies))
        own = components.own
        first = min(max(1, int(SHARE * len(label))), own.shape[1])
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE)
        return cls(populations, components, first, model.fit(own[:, :first], label))

    def scores(self, people: Int8) -> Float64:
        """Log-probabilities float64[m, Q] of the populations, where people are of this superpopulation."""
        placed = self.components.of(people)[:, : self.first]
        told = by_population(self.discriminant.decision_function(placed))
        found = np.full((len(people), len(self.populations)), LEAST_LOG)
        found[:, np.searchsorted(self.populations, self.discriminant.classes_)] = told
        return found


@dataclass(frozen=True)
class NestedModel:
    """Discriminants of the superpopulations (``groups``) that have several populations; P populations."""

    groups: list[Group]
    populations: int

    @classmethod
    def learn(cls, copies: Int8, label: Int64, continent: Int64) -> "NestedModel":
        """Learn from people's copies int8[n, S] and populations int64[n].

        continent: int64[P], superpopulation of each population.
        """
        groups = []
        for upper in np.unique(continent):
            populations = np.flatnonzero(continent == upper)
            inside = np.isin(label, populations)
            if inside.any():
                groups.append(Group.learn(copies[inside], label[inside], populations))
        return cls([group for group in groups if group is not None], len(continent))

    def scores(self, people: Int8) -> Float64:
        """Logs of the chances of each population float64[m, P], were the person of its superpopulation.

        So they sum to 1 in each superpopulation, and say nothing of which it is: pool them with a model that
        does.
        """
        found = np.zeros((len(people), self.populations))
        for group in self.groups:
            found[:, group.populations] = group.scores(people)
        return found
