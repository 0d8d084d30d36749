"""The panel by person: genotypes of its people, and the panel without some of them."""

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import TargetChunk


def people_of(panel: PanelChunk) -> NDArray[np.int32]:
    """Numbers of the panel's people, int32[P], sorted."""
    return np.unique(panel.person)


def genotypes_of(
    panel: PanelChunk, sites: NDArray[np.int64], people: NDArray[np.int32] | None = None
) -> NDArray[np.uint8]:
    """Copies of ALT of all or some of the panel's people (sorted), uint8[len(sites), P].

    A single allele counts twice.
    """
    found, first = np.unique(panel.person, return_index=True)
    last = len(panel.person) - 1 - np.unique(panel.person[::-1], return_index=True)[1]
    if people is not None:
        places = np.searchsorted(found, people)
        first, last = first[places], last[places]
    return panel.alleles(sites, first) + panel.alleles(sites, last)


def without(panel: PanelChunk, people: NDArray[np.int32]) -> PanelChunk:
    """Take people out of a panel; the others keep their numbers."""
    return panel.among(np.flatnonzero(~np.isin(panel.person, people)))


def as_target(panel: PanelChunk, people: NDArray[np.int32], typed: NDArray[np.int64]) -> TargetChunk:
    """The panel's people, int32[n], as if they were to be imputed from ``typed`` sites."""
    first, last = (np.array([np.flatnonzero(panel.person == one)[end] for one in people]) for end in (0, -1))
    genotypes = np.stack([panel.alleles(typed, first), panel.alleles(typed, last)], axis=2).astype(np.int8)
    haploid = first == last
    genotypes[:, haploid, 1] = -1
    return TargetChunk(
        samples=[str(one) for one in people],
        contig=panel.contig,
        typed=typed,
        genotypes=genotypes,
        phased=np.ones(len(people), bool),
        haploid=haploid,
    )
