"""The genome cut into pieces that are called apart, with how many copies of each a person has."""

import csv
import logging
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from deepcohort.genome.builds import PSEUDO_AUTOSOMAL, build_of
from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.regions import Region, chrom_key, genome_order, parse_regions
from deepcohort.genome.tables import write_table
from deepcohort.genome.vcf import contig_of

log = logging.getLogger(__name__)

CHROMOSOMES = {*map(str, range(1, 23)), "X", "Y", "M", "MT"}

COLUMNS = ("piece", "region", "haploid")


class Piece(NamedTuple):
    """A piece: its name, which sorts as the genome does, where it is, and whether there is one copy of it."""

    name: str
    region: Region
    haploid: bool


def plan_pieces(
    fasta: Path, aligned_to: Collection[str], regions: str | None, bases: int, male: bool
) -> list[Piece]:
    """Cut regions into pieces of at most ``bases``, all of a region of about the same length.

    aligned_to: contigs that the reads' header names. regions: as ``parse_regions`` reads them; None: the
    chromosomes of these, or all contigs where none is named as those of people are. Y and the mitochondrion
    have one copy, and so has a man's X outside the pseudo-autosomal regions, which the build (by the
    contigs' lengths) tells.

    Raises ``InputError`` where the FASTA lacks a contig, a region begins beyond its end, or reads and FASTA
    have no contig in common.
    """
    with open_fasta(fasta) as file:
        lengths = dict(zip(file.references, file.lengths, strict=True))
    wanted = (
        _whole(lengths, aligned_to) if regions is None else _within(fasta, lengths, parse_regions(regions))
    )
    if not wanted:
        raise InputError(
            f"{fasta.name}: has none of the contigs that the reads were aligned to: give the FASTA of the "
            "alignment"
        )
    build = build_of(lengths)
    if male and build is None and any(chrom_key(region.chrom) == "X" for region in wanted):
        log.warning("%s is neither GRCh37 nor GRCh38: X of men is called as one copy throughout", fasta.name)
    cut = [
        (region, haploid)
        for whole in wanted
        for stretch, haploid in _by_copies(whole, build, male)
        for region in _cut(stretch, bases)
    ]
    return [Piece(f"{number:06d}", region, haploid) for number, (region, haploid) in enumerate(cut, 1)]


def write_pieces(path: Path, pieces: list[Piece]) -> None:
    """Write a table: name, ``contig:first-last`` and true or false."""
    rows = (
        {"piece": one.name, "region": str(one.region), "haploid": str(one.haploid).lower()} for one in pieces
    )
    write_table(path, rows, COLUMNS)


def read_pieces(path: Path) -> list[Region]:
    """Where the pieces of a table are that ``write_pieces`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [parse_regions(row["region"])[0] for row in csv.DictReader(file, delimiter="\t")]


def _whole(lengths: Mapping[str, int], aligned_to: Collection[str]) -> list[Region]:
    there = [contig for contig in lengths if contig_of(list(aligned_to), contig) is not None]
    chosen = sorted((one for one in there if chrom_key(one) in CHROMOSOMES), key=genome_order) or there
    if absent := len(lengths) - len(there):
        log.info("%d contigs of the reference are not called: the reads were not aligned to them", absent)
    if left := len(there) - len(chosen):
        log.info("%d contigs that are no chromosomes are not called: name them in --regions", left)
    return [Region(contig, 1, lengths[contig]) for contig in chosen]


def _within(fasta: Path, lengths: Mapping[str, int], regions: list[Region]) -> list[Region]:
    """Regions on the FASTA's contigs, in its names."""
    found = []
    for region in regions:
        contig = contig_of(list(lengths), region.chrom)
        if contig is None:
            raise InputError(f"--regions names {region.chrom}, which {fasta.name} lacks: correct either")
        if region.start > lengths[contig]:
            raise InputError(
                f"--regions: {region} begins beyond the end of {contig} in {fasta.name}, which is at "
                f"{lengths[contig]:,}: give one inside"
            )
        found.append(Region(contig, region.start, min(region.end, lengths[contig])))
    return found


def _by_copies(region: Region, build: str | None, male: bool) -> Iterator[tuple[Region, bool]]:
    """The region in stretches of one ploidy."""
    key = chrom_key(region.chrom)
    if key != "X" or not male:
        yield region, key in ("Y", "M", "MT")
        return
    here = region.start
    for first, last in PSEUDO_AUTOSOMAL.get(build or "", ()):
        before, shared = (here, min(region.end, first - 1)), (max(here, first), min(region.end, last))
        for (start, end), haploid in ((before, True), (shared, False)):
            if start <= end:
                yield region._replace(start=start, end=end), haploid
        here = max(here, last + 1)
    if here <= region.end:
        yield region._replace(start=here), True


def _cut(region: Region, bases: int) -> Iterator[Region]:
    length = region.end - region.start + 1
    number = -(-length // bases)
    edges = [region.start + length * i // number for i in range(number + 1)]
    for first, after in pairwise(edges):
        yield region._replace(start=first, end=after - 1)
