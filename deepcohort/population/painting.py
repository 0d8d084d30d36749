"""Populations that a person's genome is painted with, site by site, by whom the longest stretches are shared.

At each site everybody of the panel counts by the cube of the information of the stretch around it that has
no site at which both are homozygous for different alleles (see ``sharing``), relative to what all people
together count there. So regions with little to tell weigh as much as those with long haplotypes: what counts
is whose stretches are long *there*. This is the idea of chromosome painting (Lawson et al. 2012, PLoS
Genetics 8:e1002453), which needs phased genotypes, carried over to unphased ones.
"""

import numpy as np

from deepcohort.genome.compiled import compiled
from deepcohort.population.sharing import Float64, Regression, Sharing, UInt64, room, stretches
from deepcohort.population.study import Int8, Int64

FLOOR = 0.3
"""Of the share that each population has by chance: added before the log is taken."""

COST = 0.3
"""Inverse strength of the ridge penalty of the regression."""

LEAST = 1e-6
"""What a population counts at least: all have equal shares of a site where nobody shares a stretch."""


class PaintingModel:
    """Populations by the shares of the genome that each paints."""

    def __init__(self, sharing: Sharing, label: Int64) -> None:
        """Learn from those whom ``sharing`` has learnt from; their populations int64[n]."""
        self._sharing, self._label = sharing, label
        own = self.shares(None)
        self._regression = Regression(own, label, FLOOR / own.shape[1], COST)

    def scores(self, people: Int8) -> Float64:
        """Log-probabilities float64[m, P] of other people."""
        return self._regression.scores(self.shares(people))

    def shares(self, people: Int8 | None) -> Float64:
        """Shares of the genome of other people that each population paints, float64[m, P].

        None: of those learnt from, each painted by the others.
        """
        known, sizes = self._sharing, np.bincount(self._label).astype(np.float64)
        packed = known.learnt if people is None else known.packed(people)
        places, label, same = known.places, self._label, people is None
        return _painted(packed, known.learnt, known.blocks, known.information, places, label, sizes, same)


@compiled
def _painted(
    people: UInt64,
    learnt: UInt64,
    blocks: Int64,
    information: Float64,
    places: Int64,
    label: Int64,
    sizes: Float64,
    same: bool,
) -> Float64:
    """Mean over ``places`` of the shares of populations, float64[m, P], each by the mean of its people.

    label: int64[n] of those learnt from, sizes: float64[P] people of each. same: people are those learnt
    from, who do not paint themselves.
    """
    found = np.zeros((people.shape[1], len(sizes)))
    begins, ends = room(blocks)
    change = np.empty((len(sizes), len(information)))
    for i in range(people.shape[1]):
        change[:] = 0
        for j in range(learnt.shape[1]):
            if same and i == j:
                continue
            size = sizes[label[j]] - (1 if same and label[i] == label[j] else 0)
            for number in range(stretches(people, i, learnt, j, blocks, begins, ends)):
                counted = (information[ends[number]] - information[begins[number]]) ** 3 / size
                change[label[j], begins[number]] += counted
                change[label[j], ends[number]] -= counted
        found[i] = _mean_shares(change, places)
    return found


@compiled
def _mean_shares(change: Float64, places: Int64) -> Float64:
    """Mean share of populations at places, float64[P].

    change: float64[P, S + 1], by how much what counts for each grows from the site before.
    """
    kinds = len(change)
    at = np.zeros(kinds)
    found = np.zeros(kinds)
    site = 0
    for place in places:
        while site <= place:
            at += change[:, site]
            site += 1
        total = 0.0
        for kind in range(kinds):
            total += max(at[kind], LEAST)
        for kind in range(kinds):
            found[kind] += max(at[kind], LEAST) / total
    return found / len(places)
