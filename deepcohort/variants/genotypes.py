"""Genotypes by what reads say of haplotypes: likelihoods, and chances with what is known before any read.

All pairs of a window's haplotypes are weighed: a fragment is from either of the pair alike. What is said of a
site sums over the pairs with each of its genotypes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.likelihoods import genotype_number, genotypes_among
from deepcohort.variants.windows import Window

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

MOST = 99
"""Genotype quality is told up to here."""

LARGEST_PL = MOST_QUAL = 9999

LEAST_LOG = -20.0
"""Log of the least chance that haplotypes are trusted with where something else judges too: they know
nothing of reads that are from elsewhere alike."""

CLOSE, FOLLOWS = 10, 0.01
"""Candidates at most so many bases apart are on the same haplotypes with at least this chance: changes come
in clusters, as of several neighbouring bases at once."""

SECOND = 0.01
"""Least chance of a candidate where the other haplotype has one that it excludes: sites have company."""


@dataclass(frozen=True)
class Diplotypes:
    """P pairs of a window's haplotypes (or single ones, where the person has one copy).

    members: int64[P, ploidy]; logs: float64[P], natural logs of the likelihoods; own: float64[P, A], log of
    what each candidate alone adds to the prior; prior: float64[P], log of the whole.
    """

    members: Int64
    logs: Float64
    own: Float64
    prior: Float64


@dataclass(frozen=True)
class Genotype:
    """What is said of a site with K alleles besides the reference's.

    alleles: which copies are there, 0 or one of ``kept``, counted from 1; sorted. kept: candidates of the
    window that the site tells of. pl: int64[G], in the order of VCF. gq, qual: phred.
    """

    alleles: tuple[int, ...]
    kept: list[int]
    pl: Int64
    gq: int
    qual: float


def diplotypes(window: Window, fragment: Int64, chance: Float64, pos: Int64, ploidy: int = 2) -> Diplotypes:
    """Weigh the pairs of a window's haplotypes.

    fragment: int64[R], of the window's reads: mates count together. chance: float64[A], that a person is
    heterozygous for each candidate; half of it is that of two copies. pos: int64[A], theirs.
    """
    _, of = np.unique(fragment, return_inverse=True)
    by_fragment = np.zeros((of.max(initial=-1) + 1, window.by_haplotype.shape[1]))
    np.add.at(by_fragment, of, window.by_haplotype)
    carries = window.haplotypes.carries.astype(np.int64)
    if ploidy == 1:
        members = np.arange(len(carries))[:, None]
        logs = by_fragment.sum(axis=0)
    else:
        members = np.stack(np.triu_indices(len(carries)), axis=1)
        one, other = by_fragment[:, members[:, 0]], by_fragment[:, members[:, 1]]
        logs = (np.logaddexp(one, other) - np.log(2)).sum(axis=0)
    own = _prior(carries[members], chance, window.excluded)
    together = _together(carries[members], chance, pos)
    return Diplotypes(members, logs, own, own.sum(axis=1) + together)


def _prior(carried: Int64, chance: Float64, excluded: Bool) -> Float64:
    """Log of what each candidate adds to a pair's prior, float64[P, A]. carried: int64[P, ploidy, A]."""
    copies = carried.sum(axis=1)
    once = np.where(copies == 0, 0.0, np.log(chance))
    prior = np.where(copies == 2, np.log(chance / 2), once)
    # The second of two candidates that exclude each other, one on each haplotype.
    later = np.tril(excluded, -1).astype(np.int64)
    second = (copies == 1) & ((copies == 1).astype(np.int64) @ later.T > 0)
    return np.where(second, np.log(np.maximum(chance, SECOND)), prior)


def _together(carried: Int64, chance: Float64, pos: Int64) -> Float64:
    """Log of how much likelier pairs are because candidates close together are on the same haplotypes."""
    close: Bool = np.tril(np.abs(pos[:, None] - pos[None, :]) <= CLOSE, -1)
    there: Bool = np.any(carried, axis=1)
    same = (carried[:, :, :, None] == carried[:, :, None, :]).all(axis=1)
    follows = (same & close).any(axis=2) & there
    likelier = np.log(np.maximum(chance, FOLLOWS)) - np.log(chance)
    together: Float64 = np.where(follows, likelier, 0.0).sum(axis=1)
    return together


def copies_of(weighed: Diplotypes, window: Window) -> tuple[Float64, Float64]:
    """Logs of the chance, and of the likelihood, that a person has 0, 1 or 2 copies of each candidate.

    float64[A, 3] each: chances sum to 1, likelihoods are relative to that of no copy, and -inf where no
    haplotype has it. The one copy of a haploid person counts as two.
    """
    carried = window.haplotypes.carries[weighed.members]
    copies = carried.sum(axis=1) * (2 // carried.shape[1])
    shape = (copies.shape[1], 3)
    posterior, likelihood = np.full(shape, -np.inf), np.full(shape, -np.inf)
    for a, many in np.ndindex(shape):
        has = copies[:, a] == many
        elsewhere = weighed.prior[has] - weighed.own[has, a]
        posterior[a, many] = _total(weighed.logs[has] + weighed.prior[has])
        likelihood[a, many] = (
            _total(weighed.logs[has] + elsewhere) - _total(elsewhere) if has.any() else -np.inf
        )
    posterior -= np.logaddexp.reduce(posterior, axis=1, keepdims=True)
    return posterior, likelihood - likelihood[:, :1]


def genotype_of(
    weighed: Diplotypes,
    window: Window,
    site: list[int],
    ploidy: int = 2,
    judged: Float64 | None = None,
    votes: Float64 | None = None,
) -> Genotype:
    """The genotype of a site: of some candidates of the window of which a haplotype has at most one.

    judged: float64[A, 3], logs of the chances of 0, 1 and 2 copies of each candidate as somebody else has
    them, which then count instead: those of the site's alleles are taken together as if one did not hang on
    the other. votes: float64[A, 3], logs of how much likelier 0, 1 and 2 copies of each candidate are by what
    others say.
    """
    member_allele = _allele_of(window.haplotypes.carries, site)[weighed.members]
    genotypes = np.sort(member_allele, axis=1)
    own = weighed.own[:, site].sum(axis=1)
    elsewhere = weighed.prior - own
    logs = weighed.logs + elsewhere
    number = _number(genotypes)
    count = _number(np.full((1, ploidy), len(site)))[0] + 1
    likelihood = np.array([_total(logs[number == g]) for g in range(count)])
    # What is elsewhere, given the genotype here, is a distribution.
    likelihood -= np.array([_total(elsewhere[number == g]) for g in range(count)])
    prior = np.array([own[number == g].max(initial=-np.inf) for g in range(count)])
    likelihood[~np.isfinite(prior)] = -np.inf
    posterior = likelihood + prior
    posterior -= _total(posterior)
    if judged is not None:
        possible = np.isfinite(posterior)
        posterior = np.where(possible, _together_judged(judged[site], ploidy), -np.inf)
        posterior -= _total(posterior)
        likelihood = np.where(possible, posterior - np.where(possible, prior, 0.0), -np.inf)
    if votes is not None:
        added = _together_judged(votes[site], ploidy)
        likelihood, posterior = likelihood + added, posterior + added
        posterior -= _total(posterior)
    best = int(posterior.argmax())
    alleles = tuple(int(a) for a in genotypes[number == best][0])
    kept = sorted({a for a in alleles if a}) or [_likeliest(posterior, number, genotypes, len(site))]
    chosen = genotypes_among([0, *kept], ploidy)
    pl = _phred(likelihood[[_number(np.array([g]))[0] for g in chosen]])
    others = np.delete(posterior, best)
    renamed = tuple(0 if a == 0 else kept.index(a) + 1 for a in alleles)
    return Genotype(
        renamed,
        [site[a - 1] for a in kept],
        pl,
        round(min(MOST, -10 / np.log(10) * _total(others))),
        float(np.clip(-10 / np.log(10) * posterior[0], 0.0, MOST_QUAL)) + 0.0,
    )


def _together_judged(judged: Float64, ploidy: int) -> Float64:
    """Logs of a site's genotypes, in VCF's order. judged: float64[K, 3], of its alleles."""
    genotypes = genotypes_among(range(len(judged) + 1), ploidy)
    copies = np.array(
        [[one.count(a) * (2 // ploidy) for a in range(1, len(judged) + 1)] for one in genotypes]
    )
    logs: Float64 = judged[np.arange(len(judged)), copies].sum(axis=1)
    return logs


def _allele_of(carries: Bool, site: list[int]) -> Int64:
    """Which of the site's candidates each haplotype has, counted from 1; 0 for none."""
    allele: Int64 = (carries[:, site] * np.arange(1, len(site) + 1)).max(axis=1)
    return allele


def _number(genotypes: Int64) -> Int64:
    """A genotype's place in VCF's order; its alleles are sorted."""
    return genotypes[:, 0] if genotypes.shape[1] == 1 else genotype_number(*genotypes.T)


def _likeliest(posterior: Float64, number: Int64, genotypes: Int64, n: int) -> int:
    """The candidate that is most likely there where none is called."""
    chance = [_total(posterior[np.unique(number[(genotypes == a).any(axis=1)])]) for a in range(1, n + 1)]
    return int(np.argmax(chance)) + 1


def _total(logs: Float64) -> float:
    top = logs.max(initial=-np.inf)
    return float(top + np.log(np.exp(logs - top).sum())) if np.isfinite(top) else -np.inf


def _phred(logs: Float64) -> Int64:
    scaled = -10 / np.log(10) * (logs - logs.max())
    whole: Int64 = np.rint(np.minimum(scaled, LARGEST_PL)).astype(np.int64)
    return whole
