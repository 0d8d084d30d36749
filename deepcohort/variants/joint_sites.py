"""Sites of several people: whose alleles are at one position, and what everybody's gVCF says of them.

Single bases and indels of one position make two sites, as in the VCF of one person. What a person has there
that is not of the site counts as the reference's allele: an indel at the place of a single base, the other
haplotype's deletion.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.likelihoods import genotype_alleles, genotype_number, genotypes_among
from deepcohort.variants.gvcf_reader import UNKNOWN, Allele, Record, Stretch

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

CERTAIN = 20
"""An allele that somebody has with a genotype of this quality is never left out."""

IMPOSSIBLE = 9999
"""PL of genotypes that a gVCF says nothing of, because its record has no allele for all others."""

LONGEST_REACH = 1000
"""Bases before a position in which a record begins that may reach over it."""


@dataclass
class Site:
    """A position (1-based) with the alleles there besides the reference's, sorted, each normalised.

    certain: those that may not be left out. records: of people by number, what names one of the alleles.
    """

    pos: int
    alleles: list[Allele]
    certain: set[Allele]
    records: dict[int, Record] = field(default_factory=dict)


class SiteEvidence(NamedTuple):
    """What N gVCFs say of a site with A alleles, the reference's among them.

    pl: float64[N, G], phred, genotypes in VCF's order; of people with one copy the first A count. copies:
    int64[N]. depth: int64[N], -1 unknown. ad: int64[N, A], -1 unknown. All PL are 0 where nothing is known.
    """

    pl: Float64
    copies: Int64
    depth: Int64
    ad: Int64


def find_sites(people: Sequence[Stretch], start: int, end: int) -> list[Site]:
    """Sites from ``start`` to ``end`` (1-based, inclusive) whose alleles are in somebody's genotype."""
    alleles: dict[tuple[int, bool], dict[Allele, int]] = {}
    for stretch in people:
        for record in stretch.records:
            for number in set(record.genotype) - {0}:
                allele = record.alts[number - 1]
                if allele is not None and start <= allele[0] <= end:
                    known = alleles.setdefault(_key(allele), {})
                    known[allele] = max(known.get(allele, 0), record.quality)
    sites = {
        key: Site(key[0], sorted(found), {one for one, quality in found.items() if quality >= CERTAIN})
        for key, found in sorted(alleles.items())
    }
    for person, stretch in enumerate(people):
        for record in stretch.records:
            for allele in record.alts:
                site = sites.get(_key(allele)) if allele else None
                if site and allele in site.alleles and not _better(site.records.get(person), record):
                    site.records[person] = record
    return list(sites.values())


def _key(allele: Allele) -> tuple[int, bool]:
    return allele[0], len(allele[1]) != len(allele[2])


def _better(known: Record | None, record: Record) -> bool:
    """Whether the record that is known of a person says more of a site than another one does."""
    return known is not None and (any(known.genotype) or not any(record.genotype))


class Covered(NamedTuple):
    """What blocks of N people say of S sites: pl int32[S, N, 3]; depth, copies int32[S, N], 0 without one."""

    pl: Int32
    depth: Int32
    copies: Int32


def covered(sites: Sequence[Site], people: Sequence[Stretch]) -> Covered:
    """Look up all sites in everybody's blocks."""
    pos = np.array([site.pos for site in sites], np.int64)
    shape = (len(sites), len(people))
    found = Covered(np.zeros((*shape, 3), np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    for person, stretch in enumerate(people):
        block = np.searchsorted(stretch.first, pos, side="right") - 1
        inside = np.flatnonzero(block >= 0)
        inside = inside[stretch.last[block[inside]] >= pos[inside]]
        own = block[inside]
        found.pl[inside, person] = stretch.pl[own]
        found.depth[inside, person] = stretch.depth[own]
        found.copies[inside, person] = stretch.copies[own]
    return found


def gather(number: int, site: Site, blocks: Covered, people: Sequence[Stretch]) -> SiteEvidence:
    """What everybody's gVCF says of a site's alleles; number: of the site in ``blocks``."""
    alleles = len(site.alleles) + 1
    copies = blocks.copies[number].astype(np.int64)
    told, there = blocks.pl[number].astype(np.float64), copies > 0
    pl = told[:, (genotype_alleles(alleles) > 0).sum(axis=1)]
    single = copies == 1
    pl[single, :alleles] = told[single][:, [0] + [2] * (alleles - 1)]
    found = SiteEvidence(
        pl,
        np.where(there, copies, 2),
        np.where(there, blocks.depth[number], UNKNOWN),
        np.full((len(people), alleles), UNKNOWN),
    )
    for person, record in site.records.items():
        _of_record(record, site, found, person)
    for person in np.flatnonzero(~there).tolist():
        reaching = None if person in site.records else _reaching(people[person], site.pos)
        if reaching is not None:
            _of_record(reaching, site, found, person)
    return found


def _reaching(stretch: Stretch, pos: int) -> Record | None:
    """A record that reaches over a position and has none of its alleles.

    One that begins before it and has another allele does not tell which base the other copy has.
    """
    after = bisect_right(stretch.records, pos, key=lambda record: record.pos)
    for record in reversed(stretch.records[:after]):
        if record.pos < pos - LONGEST_REACH:
            return None
        if record.end >= pos and (record.pos == pos or not any(record.genotype)):
            return record
    return None


def _of_record(record: Record, site: Site, found: SiteEvidence, person: int) -> None:
    found.copies[person], found.depth[person] = record.copies, record.depth
    own = [0, *(site.alleles.index(one) + 1 if one in site.alleles else 0 for one in record.alts)]
    absent = [number for number in range(1, len(site.alleles) + 1) if number not in own]
    stands_for = [[number] for number in own]
    if record.other is not None:
        stands_for[record.other] = absent
    if record.pl is not None:
        found.pl[person] = IMPOSSIBLE
        least = found.pl[person]
        if record.copies == 1:
            for a, value in enumerate(record.pl):
                for one in stands_for[a]:
                    least[one] = min(least[one], value)
        else:
            for value, (a, b) in zip(record.pl, genotypes_among(range(len(own))), strict=True):
                for one in stands_for[a]:
                    for other in stands_for[b]:
                        at = genotype_number(min(one, other), max(one, other))
                        least[at] = min(least[at], value)
    if record.ad is not None and len(record.ad) == len(own):
        found.ad[person] = 0
        for number, reads in enumerate(record.ad):
            if number != record.other:
                found.ad[person, own[number]] += reads


def without(evidence: SiteEvidence, kept: Sequence[int]) -> SiteEvidence:
    """The same with some of the alleles alone; the first is the reference's."""
    alleles = evidence.ad.shape[1]
    if len(kept) == alleles:
        return evidence
    chosen = [genotype_number(a, b) for a, b in genotypes_among(kept)]
    pl = evidence.pl[:, chosen]
    single = evidence.copies == 1
    pl[np.ix_(single, range(len(kept)))] = evidence.pl[np.ix_(single, list(kept))]
    return evidence._replace(pl=pl, ad=evidence.ad[:, kept])
