"""Whom a person is likely to copy: a prior over groups of panel people, adapted to each person.

The panel's people are grouped by their genotypes alone, so no labels are needed. A first pass of the copying
model tells how much of a person's two haplotypes is copied from each group; at a switch the second pass
prefers those groups. People of one ancestry share more and longer haplotypes, which the plain model, where a
switch leads to every panel haplotype alike, cannot know.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from deepcohort.imputation.copying import Copier, Float32, Prior
from deepcohort.imputation.panel import PanelChunk

GROUPS, COMPONENTS = 30, 10
"""Groups of panel people, and principal components of their genotypes that they are found in."""

PEOPLE_IN_A_GROUP = 4
"""On average at least so many: smaller panels have fewer groups."""

SITES, CELLS = 4_000, 100_000_000
"""Common sites that people are grouped by at most, and genotypes in all."""

COMMON = 0.05


def group_people(
    panel: PanelChunk, seed: int, haplotypes: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Groups of the panel's haplotypes (or of some of them), int32[K], alike for those of one person.

    K-means of the principal components of the standardised genotypes at common sites, evenly taken.
    """
    chosen = np.arange(panel.n_haplotypes) if haplotypes is None else haplotypes
    _, person = np.unique(panel.person[chosen], return_inverse=True)
    people = int(person.max()) + 1
    frequency = panel.alt_frequency()
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) > COMMON)
    n_sites = min(SITES, CELLS // people, len(common))
    groups = min(GROUPS, people // PEOPLE_IN_A_GROUP)
    if groups < 2 or n_sites < 2:
        return np.zeros(len(chosen), np.int32)
    taken = common[np.linspace(0, len(common) - 1, n_sites).astype(np.int64)]
    genotypes = np.zeros((people, n_sites), np.float32)
    np.add.at(genotypes, person, panel.alleles(taken)[:, chosen].T)
    genotypes -= genotypes.mean(axis=0)
    deviation = genotypes.std(axis=0)
    genotypes /= np.where(deviation > 0, deviation, 1)
    components = min(COMPONENTS, n_sites, people)
    places = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(genotypes)
    found = KMeans(groups, n_init=3, random_state=seed).fit_predict(places)
    return np.asarray(found[person], np.int32)


def adapted_prior(
    copier: Copier,
    switches: Float32,
    emission: Float32,
    owner: NDArray[np.int64],
    group: NDArray[np.int32],
    strength: float,
) -> Prior:
    """Prior of each target haplotype (lane) by what the first pass copies for its owner.

    group: int32[K]. owner: int64[H], the person whose haplotype a lane is; the haplotypes of one person
    share their prior. strength: share of the prior that goes by the person, from 0 (the plain model) to 1.
    """
    n_groups = int(group.max()) + 1
    even = Prior(group, np.ones((n_groups, emission.shape[2]), np.float32))
    occupancy = copier.occupancy(switches, emission, even)
    _, person = np.unique(owner, return_inverse=True)
    total = np.zeros((n_groups, int(person.max()) + 1), np.float32)
    np.add.at(total.T, person, occupancy.T)
    of_person = (total / total.sum(axis=0))[:, person]
    share = np.bincount(group, minlength=n_groups)[:, None] / len(group)
    often = np.divide(of_person, share, where=share > 0, out=np.ones_like(of_person))
    return Prior(group, ((1 - strength) + strength * often).astype(np.float32))
