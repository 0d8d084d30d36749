"""People whose phase is not known: imputed over samples of it, and put in one consistent phase."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.imputation.consensus import Consensus, consensus
from deepcohort.imputation.copying import Float32, Sites
from deepcohort.imputation.phasing import PhaseSamples

SURE = 0.9
"""Chance of being heterozygous from which on a site with likelihoods serves as an anchor of the phase."""

IMPUTED = 12
"""Samples that are imputed; of more of them every second, every third …"""


@dataclass(frozen=True)
class Phase:
    """How the genotypes of n people lie on their two haplotypes.

    people: int64[n], whose. first: float32[U, n], chance at each asked site that ALT is on the first
    haplotype if the genotype is heterozygous. confidence: float32[U, n], chance that the phase written is
    right, NaN where nothing comes before. typed: int64[M], panel sites that may be anchors; consensus: the
    phase there.
    """

    people: NDArray[np.int64]
    first: Float32
    confidence: Float32
    typed: NDArray[np.int64]
    consensus: Consensus


@dataclass(frozen=True)
class Asked:
    """Sites that are asked for: their place, which of them are typed, and what reads say there.

    sites: of U sites. rows, typed_rows: int64[T], which of the U and of the M sites are one.
    likelihoods: float32[U, n, 3] by copies of ALT, or None where there are genotypes.
    """

    sites: Sites
    rows: NDArray[np.int64]
    typed_rows: NDArray[np.int64]
    likelihoods: Float32 | None = None


def impute_samples(
    samples: PhaseSamples,
    cm: NDArray[np.float64],
    asked: Asked,
    haploid: NDArray[np.bool_],
    dosages: Callable[[NDArray[np.int8]], Float32],
) -> tuple[Float32, Float32, Consensus]:
    """Average what an imputer of haplotypes makes of each sample, or of some.

    cm: float64[M]. haploid: bool[n]. dosages: from alleles int8[M, n, 2] to the chance of ALT on each
    haplotype at the U sites, float32[U, 2n]. Returns chances as ``Imputed`` holds them, float32[U, 2n]; the
    share of the first haplotype in heterozygotes, float32[U, n]; and the consensus of the samples.
    """
    seen_twice = samples.alleles[0, :, :, 1] >= 0
    agreed = consensus(samples, seen_twice & (samples.chances[:, :, 0] > SURE))
    n_people = len(haploid)
    total = np.zeros((len(asked.sites.weight), n_people, 3), np.float32)
    share = np.zeros(samples.order.shape[1:], np.float32)
    none = np.ones((0, n_people, 3), np.float32)
    chosen = range(0, len(samples.alleles), max(1, len(samples.alleles) // IMPUTED))
    for number in chosen:
        alleles, order = samples.alleles[number], samples.order[number]
        turned = agreed.turned(alleles, cm)
        seen = none if asked.likelihoods is None else asked.likelihoods
        _add(dosages(alleles), turned, asked.sites.starts, asked.sites.weight, seen, haploid, total)
        share += np.float32(0.5) + turned * (order / np.float32(255) - np.float32(0.5))
    total /= len(chosen)
    share /= len(chosen)
    either = total[:, :, 0] + total[:, :, 1]
    first = np.divide(total[:, :, 0], either, out=np.full_like(either, 0.5), where=either > 0)
    chances = np.stack([either, total[:, :, 2]], axis=2)
    first[asked.rows] = share[asked.typed_rows]
    chances[asked.rows] = samples.chances[asked.typed_rows]
    return chances.reshape(len(chances), 2 * n_people), first, agreed


def phase_of(
    people: NDArray[np.int64], typed: NDArray[np.int64], asked: Asked, first: Float32, agreed: Consensus
) -> Phase:
    """Sum the phase up, with the consensus itself at its anchors."""
    confidence = np.maximum(first, 1 - first)
    order = agreed.order[asked.typed_rows]
    anchors = order != 0
    first[asked.rows] = np.where(anchors, order > 0, first[asked.rows])
    confidence[asked.rows] = np.where(anchors, agreed.confidence[asked.typed_rows], confidence[asked.rows])
    return Phase(people, first, confidence, typed, agreed)


@compiled
def _add(
    found: Float32,
    turned: Float32,
    starts: NDArray[np.int64],
    weight: Float32,
    likelihoods: Float32,
    haploid: NDArray[np.bool_],
    total: Float32,
) -> None:
    """Add one sample's chances of 1|0, 0|1 and 1|1, turned as the consensus lies, to ``total``, [U, n, 3]."""
    n_typed, n_people = turned.shape
    for interval in range(n_typed + 1):
        left, right = turned[max(interval - 1, 0)], turned[min(interval, n_typed - 1)]
        for site in range(starts[interval], starts[interval + 1]):
            for person in range(n_people):
                one, two = found[site, 2 * person], found[site, 2 * person + 1]
                if haploid[person]:
                    none, first, second, both = 1 - one, one, np.float32(0), np.float32(0)
                else:
                    none, first = (1 - one) * (1 - two), one * (1 - two)
                    second, both = (1 - one) * two, one * two
                if len(likelihoods):
                    seen = likelihoods[site, person]
                    none, both = none * seen[0], both * seen[2]
                    first, second = first * seen[1], second * seen[1]
                    scale = 1 / (none + first + second + both)
                    first, second, both = first * scale, second * scale, both * scale
                lies = (1 - weight[site]) * left[person] + weight[site] * right[person]
                straight = (1 + lies) / 2
                total[site, person, 0] += straight * first + (1 - straight) * second
                total[site, person, 1] += straight * second + (1 - straight) * first
                total[site, person, 2] += both
