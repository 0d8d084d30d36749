"""Populations of each superpopulation, told by what its own people alone have.

Components of everybody are those of continents first, and sites that vary within one superpopulation may be
fixed in another. So each superpopulation has a scale, components and a discriminant of its own.
"""

from dataclasses import dataclass

import numpy as np

from deepcohort.population.components import Components, Float64, Kernel, Scorer, discriminant
from deepcohort.population.pool import LEAST_PROBABILITY
from deepcohort.population.study import Int8, Int64

SHARE = 0.45
"""Components for each person learnt from."""

SHRINKAGE = 0.2
COPIES = 2


@dataclass(frozen=True)
class Group:
    """A superpopulation: its populations int64[Q], those ``present`` among its people, and a model."""

    populations: Int64
    present: Int64
    components: Components
    scorer: Scorer

    @classmethod
    def learn(cls, copies: Int8, label: Int64, populations: Int64) -> "Group | None":
        """From its people's copies int8[n, S] and populations int64[n].

        None where there is one population, or no site at which people differ.
        """
        varies = (np.where(copies >= 0, copies, COPIES).min(axis=0) < copies.max(axis=0)).any()
        present = np.unique(label)
        if len(present) < 2 or not varies:
            return None
        components = Components(Kernel(copies))
        most = max(1, int(SHARE * len(label)))
        return cls(populations, present, components, discriminant(components.own, label, most, SHRINKAGE))

    def scores(self, people: Int8) -> Float64:
        """Log-probabilities float64[m, Q] of the populations, where people are of this superpopulation."""
        found = np.full((len(people), len(self.populations)), np.log(LEAST_PROBABILITY))
        found[:, np.searchsorted(self.populations, self.present)] = self.scorer(self.components.of(people))
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
