"""The panel by person: genotypes of its people, and the panel without some of them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import TargetChunk


def people_of(panel: PanelChunk) -> NDArray[np.int32]:
    """Numbers of the panel's people, int32[P], sorted."""
    return np.unique(panel.person)


def genotypes_of(panel: PanelChunk, sites: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Copies of ALT of each of the panel's people, uint8[len(sites), P]; a single allele counts twice."""
    alleles = panel.alleles(sites)
    first = np.unique(panel.person, return_index=True)[1]
    last = len(panel.person) - 1 - np.unique(panel.person[::-1], return_index=True)[1]
    return alleles[:, first] + alleles[:, last]


def without(panel: PanelChunk, people: NDArray[np.int32]) -> PanelChunk:
    """Take people out of a panel; the others keep their numbers."""
    kept = np.flatnonzero(~np.isin(panel.person, people))
    bits = np.packbits(panel.alleles(np.arange(panel.n_sites))[:, kept], axis=1)
    return replace(panel, bits=bits, n_haplotypes=len(kept), person=panel.person[kept])


def as_target(panel: PanelChunk, people: NDArray[np.int32], typed: NDArray[np.int64]) -> TargetChunk:
    """The panel's people, int32[n], as if they were to be imputed from ``typed`` sites."""
    first, last = (np.array([np.flatnonzero(panel.person == one)[end] for one in people]) for end in (0, -1))
    alleles = panel.alleles(typed).astype(np.int8)
    genotypes = np.stack([alleles[:, first], alleles[:, last]], axis=2)
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
