"""Genotypes of several people at a site: each is weighed with what the others have.

Alleles are as frequent as neutral ones are (Ewens 1972, Theor Popul Biol 3:87): the next haplotype has one
with a chance that grows with how often it was seen before, and with how often alleles of its kind are new.
For one person alone this is the prior by which variants are called from reads. Everybody weighs by the
expected counts of the others' alleles, until these stand still (collapsed variational Bayes; Asuncion et al.
2009, UAI).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.genome.likelihoods import genotype_alleles
from deepcohort.variants.genotypes import MOST, MOST_QUAL, SECOND
from deepcohort.variants.joint_sites import SiteEvidence

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

ROUNDS, STILL = 100, 1e-4
"""Rounds at most, and the change of the counts below which nothing more is to come."""

STEPS, WIDEST = 161, 20.0
"""Frequencies that QUAL is summed over: so many, evenly on the logit scale from minus to plus this."""


class Genotypes(NamedTuple):
    """Of N people: alleles int64[N, 2], sorted, -1 where there is none or nothing is known. gq: int64[N].
    qual: phred of the chance that nobody has another allele than the reference's.
    """

    alleles: Int64
    gq: Int64
    qual: float


def genotype_people(evidence: SiteEvidence, chances: Float64) -> Genotypes:
    """The likeliest genotypes. chances: float64[A - 1], that a person is heterozygous for each allele."""
    alleles = evidence.ad.shape[1]
    pairs = genotype_alleles(alleles).astype(np.int64)
    weights = np.concatenate([[1.0], chances])
    known = _known(evidence, alleles)
    likelihoods = 10.0 ** ((evidence.pl - evidence.pl.min(axis=1, keepdims=True)) / -10)
    likelihoods[evidence.copies == 1, alleles:] = 0
    posterior, counts = _weigh(likelihoods, evidence.copies, known, pairs, weights, SECOND)
    best = posterior.argmax(axis=1)
    rest = posterior.sum(axis=1) - posterior[np.arange(len(best)), best]
    gq = np.rint(np.minimum(-10 * np.log10(np.maximum(rest, 1e-300)), MOST)).astype(np.int64)
    chosen = pairs[best]
    single = evidence.copies == 1
    chosen[single] = np.stack([best, np.full(len(best), -1)], axis=1)[single]
    chosen[~known], gq[~known] = -1, 0
    share = (weights + counts)[1:]
    qual = _nobody(likelihoods[known], evidence.copies[known], pairs, share / share.sum(), chances.sum())
    return Genotypes(chosen, gq, float(np.clip(qual, 0, MOST_QUAL)))


def _known(evidence: SiteEvidence, alleles: int) -> NDArray[np.bool_]:
    """Who has reads that tell genotypes apart."""
    diploid = evidence.pl.max(axis=1) > evidence.pl.min(axis=1)
    single = evidence.pl[:, :alleles].max(axis=1) > evidence.pl[:, :alleles].min(axis=1)
    known: NDArray[np.bool_] = np.where(evidence.copies == 1, single, diploid) & (evidence.depth != 0)
    return known


@compiled
def _weigh(
    likelihoods: Float64,
    copies: Int64,
    known: NDArray[np.bool_],
    pairs: Int64,
    weights: Float64,
    second: float,
) -> tuple[Float64, Float64]:
    """Posterior chances of genotypes, float64[N, G], and expected counts of alleles, float64[A]."""
    n, a = len(copies), len(weights)
    own, posterior = np.zeros((n, a)), np.zeros(likelihoods.shape)
    counts = np.zeros(a)
    for _ in range(ROUNDS):
        fresh = np.zeros(a)
        for i in range(n):
            if not known[i]:
                continue
            others = weights + counts - own[i]
            all_of = others.sum()
            total = 0.0
            for g in range(a if copies[i] == 1 else len(pairs)):
                one, other = pairs[g, 0], pairs[g, 1]
                if copies[i] == 1:
                    prior = others[g]
                elif one == other:
                    prior = others[one] * (others[one] + 1)
                elif one == 0:
                    prior = 2 * others[0] * others[other]
                else:
                    prior = 2 * others[one] * max(others[other], second * all_of)
                posterior[i, g] = prior * likelihoods[i, g]
                total += posterior[i, g]
            own[i] = 0
            for g in range(a if copies[i] == 1 else len(pairs)):
                posterior[i, g] /= total
                if copies[i] == 1:
                    own[i, g] += posterior[i, g]
                else:
                    own[i, pairs[g, 0]] += posterior[i, g]
                    own[i, pairs[g, 1]] += posterior[i, g]
            fresh += own[i]
        change = np.abs(fresh - counts).max()
        counts = fresh
        if change < STILL:
            break
    return posterior, counts


@compiled
def _nobody(likelihoods: Float64, copies: Int64, pairs: Int64, share: Float64, chance: float) -> float:
    """Phred of the chance that all copies are the reference's, summed over the others' frequency.

    share: of each other allele among all others.
    """
    n = len(copies)
    once, twice = np.zeros(n), np.zeros(n)
    for i in range(n):
        for g in range(1, len(share) + 1 if copies[i] == 1 else len(pairs)):
            one, other = pairs[g, 0], pairs[g, 1]
            if copies[i] == 1:
                once[i] += share[g - 1] * likelihoods[i, g]
            elif one == 0:
                once[i] += share[other - 1] * likelihoods[i, g]
            else:
                twice[i] += (1 + (one != other)) * share[one - 1] * share[other - 1] * likelihoods[i, g]
    logs = np.empty((2, STEPS + 1))
    step = 2 * WIDEST / (STEPS - 1)
    for s in range(STEPS):
        place = -WIDEST + s * step
        f = 1 / (1 + np.exp(-place))
        rest = 1 / (1 + np.exp(place))
        logs[:, s] = np.log(chance * step) + chance * np.log(f) + np.log(rest)
        for i in range(n):
            if copies[i] == 1:
                none, some = rest * likelihoods[i, 0], f * once[i]
            else:
                none = rest * rest * likelihoods[i, 0]
                some = 2 * f * rest * once[i] + f * f * twice[i]
            logs[0, s] += np.log(max(none, 1e-300))
            logs[1, s] += np.log(max(none + some, 1e-300))
    # Frequencies below the least are those of an allele that nobody has.
    rarest = -chance * WIDEST
    for i in range(n):
        rarest += np.log(max(likelihoods[i, 0], 1e-300))
    logs[:, STEPS] = rarest
    top = logs[1].max()
    nobody = np.log(np.maximum(np.exp(logs[0] - logs[0].max()), 0).sum()) + logs[0].max()
    anybody = np.log(np.exp(logs[1] - top).sum()) + top
    qual: float = -10 / np.log(10) * (nobody - anybody)
    return qual
