"""Problems in the design of a published study of autoregressive imputation, cut from other data.

The study (github.com/parth-shettiwar/Genomic_Imputation_using_Deep_Learning) takes 500 people, chunks of 500
sites of one allele frequency, and lets the first 100 sites be observed. Its data is not public.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Dataset, everyone_of, simulated
from benchmarks.genotypes import Genotypes
from deepcohort.genome.maps import constant_map
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.panel_people import as_target, genotypes_of
from deepcohort.imputation.targets import TargetChunk

BANDS = {"0.1": (0.05, 0.15), "0.6": (0.5, 0.7)}
"""Frequencies of ALT among all people of a source that count as one of the study's."""


class Source(StrEnum):
    """Where people come from; chr15 and chr22 of ``Dataset`` have too few sites of one frequency."""

    par1 = "par1"
    chr20 = "chr20"
    chr22 = "chr22-whole"
    simulated = "simulated"

    def people(self) -> Genotypes:
        """Everybody, at all sites."""
        return simulated(2_000_000, 60, seed=1) if self is Source.simulated else everyone_of(Dataset(self))


class Design(StrEnum):
    """Which sites are observed: the first fifth of the chunk (the study's), or every fifth site."""

    first = "first"
    spread = "spread"

    def observed(self, n_sites: int, share: float) -> NDArray[np.int64]:
        """Numbers of the observed sites."""
        number = round(share * n_sites)
        if self is Design.first:
            return np.arange(number)
        return ((np.arange(number) + 0.5) * n_sites / number).astype(np.int64)


@dataclass(frozen=True)
class Sizes:
    """people: of whom ``targets`` are imputed from the others. sites: of a chunk; share: of them observed."""

    people: int = 500
    targets: int = 100
    sites: int = 500
    share: float = 0.2


QUICK = Sizes(people=60, targets=12, sites=60)


@dataclass(frozen=True)
class Problem:
    """A chunk of the panel, people whose phase nobody knows, and what is asked about them.

    asked: int64[U] unobserved sites; truth: uint8[U, n], genotypes there.
    """

    name: str
    panel: PanelChunk
    target: TargetChunk
    asked: NDArray[np.int64]
    truth: NDArray[np.uint8]


def problems(
    source: Source, everyone: Genotypes, band: str, design: Design, sizes: Sizes, chunks: int
) -> Iterator[Problem]:
    """Cut at most ``chunks`` chunks side by side, of people that the source's name draws.

    A source with fewer sites than a chunk needs makes one shorter chunk.
    """
    low, high = BANDS[band]
    frequency = everyone.alt_frequency()
    fit = np.flatnonzero(everyone.biallelic_snps() & (frequency >= low) & (frequency <= high))
    rng = np.random.default_rng([ord(letter) for letter in source])
    people = rng.permutation(everyone.samples.size)[: sizes.people]
    for number in range(min(chunks, max(1, len(fit) // sizes.sites))):
        sites = fit[number * sizes.sites : (number + 1) * sizes.sites]
        part = everyone.sites(sites).people(people)
        panel = as_chunk(part.people(np.arange(sizes.targets, len(people))))
        others = as_chunk(part.people(np.arange(sizes.targets)))
        typed = design.observed(len(sites), sizes.share)
        target = as_target(others, np.arange(sizes.targets, dtype=np.int32), typed)
        asked = np.setdiff1d(np.arange(len(sites)), typed)
        name = f"{source}.{band}.{design}.{number + 1}"
        unphased = replace(target, phased=np.zeros(sizes.targets, bool))
        yield Problem(name, panel, unphased, asked, genotypes_of(others, asked))


def as_chunk(genotypes: Genotypes) -> PanelChunk:
    """Genotypes as a packed chunk, with 1 cM/Mb."""
    alleles = (genotypes.haplotypes > 0).reshape(len(genotypes.pos), -1)
    return PanelChunk(
        contig=genotypes.contig,
        header="",
        core=(int(genotypes.pos[0]), int(genotypes.pos[-1])),
        pos=genotypes.pos,
        ref=genotypes.ref,
        alt=genotypes.alt,
        ids=genotypes.ids,
        cm=constant_map().interpolate(genotypes.pos),
        bits=np.packbits(alleles, axis=1),
        n_haplotypes=alleles.shape[1],
        person=np.repeat(np.arange(genotypes.samples.size, dtype=np.int32), 2),
    )
