"""Whom a person is likely to copy: a prior over groups of panel people, adapted to each person.

The panel's people are grouped by their genotypes alone, so no labels are needed. People of one ancestry share
more and longer haplotypes, which the plain model, where a switch leads to every panel haplotype alike, cannot
know. Two things follow, and either can be used alone. Ancestry changes less often along a chromosome than the
haplotype that is copied: a switch mostly stays within its group. And what a person copies elsewhere, on both
haplotypes, tells where a switch out of the group leads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Copier, Float32, Prior
from deepcohort.imputation.panel import PanelChunk

COMPONENTS = 10
"""Principal components of the panel people's genotypes, in which groups are found."""

PEOPLE_IN_A_GROUP = 4
"""On average at least so many: smaller panels have fewer groups."""

SITES, CELLS = 4_000, 100_000_000
"""Common sites that people are grouped by at most, and genotypes in all."""

COMMON = 0.05


def group_people(
    panel: PanelChunk, seed: int, numbers: Sequence[int], haplotypes: NDArray[np.int64] | None = None
) -> list[NDArray[np.int32]]:
    """Groups of the panel's haplotypes (or of some of them), int32[K], alike for those of one person.

    One grouping for each of ``numbers``, how many groups there are to be: k-means of the principal components
    of the standardised genotypes at common sites, evenly taken. Small panels have fewer groups.
    """
    # It takes seconds to import, which only training needs to spend.
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    chosen = np.arange(panel.n_haplotypes) if haplotypes is None else haplotypes
    _, person = np.unique(panel.person[chosen], return_inverse=True)
    people = int(person.max()) + 1
    frequency = panel.alt_frequency()
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) > COMMON)
    n_sites = min(SITES, CELLS // people, len(common))
    fitting = [min(number, people // PEOPLE_IN_A_GROUP) for number in numbers]
    if max(fitting) < 2 or n_sites < 2:
        return [np.zeros(len(chosen), np.int32) for _ in numbers]
    taken = common[np.linspace(0, len(common) - 1, n_sites).astype(np.int64)]
    genotypes = np.zeros((people, n_sites), np.float32)
    np.add.at(genotypes, person, panel.alleles(taken)[:, chosen].T)
    genotypes -= genotypes.mean(axis=0)
    deviation = genotypes.std(axis=0)
    genotypes /= np.where(deviation > 0, deviation, 1)
    components = min(COMPONENTS, n_sites, people)
    places = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(genotypes)
    found = [KMeans(max(n, 1), n_init=3, random_state=seed).fit_predict(places) for n in fitting]
    return [np.asarray(one[person], np.int32) for one in found]


@dataclass(frozen=True)
class GroupPrior:
    """How a prior over groups is made; both 0: the plain model.

    within: chance that a switch stays within its group. strength: how much of the other switches goes by the
    person, from 0 (as the plain model has it) to 1.
    """

    within: float
    strength: float

    def even(self, group: NDArray[np.int32], n_lanes: int) -> Prior:
        """What it is before anything is known of the person; group: int32[K]."""
        return Prior(group, np.ones((int(group.max()) + 1, n_lanes), np.float32), self.within)

    def adapted(self, group: NDArray[np.int32], often: Float32) -> Prior:
        """What it is when ``often_copied`` is known."""
        weight = (1 - self.strength) + self.strength * often
        return Prior(group, weight.astype(np.float32), self.within)


def often_copied(
    copier: Copier, switches: Float32, emission: Float32, owner: NDArray[np.int64], even: Prior
) -> Float32:
    """How many times more often than by chance each lane's owner copies from each group, float32[C, H].

    owner: int64[H], the person whose haplotype a lane is: what its two haplotypes copy is put together.
    """
    n_groups = len(even.weight)
    occupancy = copier.occupancy(switches, emission, even)
    _, person = np.unique(owner, return_inverse=True)
    total = np.zeros((n_groups, int(person.max()) + 1), np.float32)
    np.add.at(total.T, person, occupancy.T)
    of_person = (total / total.sum(axis=0))[:, person]
    share = np.bincount(even.group, minlength=n_groups)[:, None] / len(even.group)
    found: Float32 = np.divide(of_person, share, where=share > 0, out=np.ones_like(of_person))
    return found


def adapted_prior(
    copier: Copier,
    switches: Float32,
    emission: Float32,
    owner: NDArray[np.int64],
    group: NDArray[np.int32],
    how: GroupPrior,
) -> Prior:
    """Prior of each target haplotype (lane), after a first pass where it goes by the person.

    group: int32[K]. owner: int64[H], as in ``often_copied``.
    """
    even = how.even(group, emission.shape[2])
    if not how.strength:
        return even
    return how.adapted(group, often_copied(copier, switches, emission, owner, even))
