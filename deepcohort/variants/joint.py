"""Several people's gVCFs genotyped together: one VCF of a region."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Region, parse_regions
from deepcohort.genome.vcf import index_beside
from deepcohort.variants.candidates import LONGEST_SHIFT
from deepcohort.variants.gvcf_reader import Allele, Gvcf
from deepcohort.variants.joint_model import Genotypes, genotype_people
from deepcohort.variants.joint_sites import Site, SiteEvidence, covered, find_sites, gather, without
from deepcohort.variants.joint_vcf import OWN_LINES, site_line
from deepcohort.variants.normalise import normalised
from deepcohort.variants.priors import allele_chance
from deepcohort.variants.reference import LONGEST_REPEAT, Reference, contig_within, read_reference
from deepcohort.variants.vcf_header import header

log = logging.getLogger(__name__)

TILE = 20_000
"""Bases that are genotyped together: memory hangs on these and on the number of people, not on the region."""

AROUND = 2 * LONGEST_SHIFT + LONGEST_REPEAT
"""Bases of the reference on each side of a tile."""


def genotype_region(gvcfs: Sequence[Path], fasta: Path, region: str, out: Path) -> None:
    """Genotype people together in a region and write ``out`` (.vcf.gz) with its index.

    gvcfs: one for each person, each with its index beside it; their order does not matter. region:
    chr:from-to or a chromosome. Raises ``InputError``.
    """
    regions = parse_regions(region)
    if len(regions) != 1:
        raise InputError(f"--region {region}: {len(regions)} regions: give one")
    people = sorted((Gvcf(path) for path in gvcfs), key=lambda person: person.sample)
    for one, other in pairwise(people):
        if one.sample == other.sample:
            raise InputError(
                f"{one.path.name} and {other.path.name} are both of {one.sample}: give one gVCF for each "
                "person"
            )
    contig, inside = contig_within(fasta, regions[0])
    for person in people:
        person.require_contig(contig.name, contig.length)
    counts: Counter[str] = Counter()
    with written_whole(out) as unfinished, BgzfWriter(unfinished) as file:
        file.write(header(contig, [person.sample for person in people], OWN_LINES).encode())
        for line in _lines(people, fasta, inside, contig.name, counts):
            file.write(line.encode())
    index_beside(out, contig.length)
    log.info("%s: %d people, %d sites, %d at which nobody has the allele after all", inside, len(people),
             counts["sites"], counts["nobody"])  # fmt: skip


def _lines(
    people: Sequence[Gvcf], fasta: Path, region: Region, contig: str, counts: Counter[str]
) -> Iterator[str]:
    starts = range(region.start, region.end + 1, TILE)
    with progress("tiles", len(starts)) as bar:
        for first in starts:
            tile = region._replace(start=first, end=min(region.end, first + TILE - 1))
            reference = read_reference(fasta, tile, AROUND)
            for site, evidence, genotypes in genotype_tile(people, reference, tile):
                counts["sites" if site.alleles else "nobody"] += 1
                if site.alleles:
                    yield site_line(contig, site, evidence, genotypes)
            bar.update()


def genotype_tile(
    people: Sequence[Gvcf], reference: Reference, tile: Region
) -> Iterator[tuple[Site, SiteEvidence, Genotypes]]:
    """Sites of a tile with the alleles that somebody has; none are left of a site that nobody varies at."""

    @cache
    def normal(pos: int, ref: str, alt: str) -> Allele:
        return normalised(reference.text, reference.start, pos, ref, alt)

    read = [
        person.read(reference.contig, tile.start, min(tile.end + LONGEST_SHIFT, reference.end), normal)
        for person in people
    ]
    sites = find_sites(read, tile.start, tile.end)
    blocks = covered(sites, read)
    for number, site in enumerate(sites):
        yield _genotyped(site, gather(number, site, blocks, read), reference)


def _genotyped(
    site: Site, evidence: SiteEvidence, reference: Reference
) -> tuple[Site, SiteEvidence, Genotypes]:
    """Genotypes by the alleles that somebody then has, or is certain of before."""
    while True:
        chances = np.array([allele_chance(reference, pos - 1, ref, alt) for pos, ref, alt in site.alleles])
        found = genotype_people(evidence, chances)
        kept = [
            number
            for number, allele in enumerate(site.alleles, 1)
            if allele in site.certain or (found.alleles == number).any()
        ]
        if not kept or len(kept) == len(site.alleles):
            return Site(site.pos, [site.alleles[a - 1] for a in kept], site.certain), evidence, found
        evidence = without(evidence, [0, *kept])
        site = Site(site.pos, [site.alleles[a - 1] for a in kept], site.certain)
