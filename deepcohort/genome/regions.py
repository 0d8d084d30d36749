"""Chromosome names and regions: read from a command line or a BED file, ordered as the genome is."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from deepcohort.genome.errors import InputError

TO_THE_END = 2**31 - 1
"""End of a region whose end was not given: the largest position that BCF and CSI can hold."""


class Region(NamedTuple):
    """A stretch of one chromosome; 1-based, both ends included.

    ``chrom`` is the chromosome's key (``chrom_key``), not the name that some file gives it.
    """

    chrom: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end if self.end < TO_THE_END else ''}"


def chrom_key(contig: str) -> str:
    """Name of a chromosome without the ``chr`` that some builds and tools write before it."""
    return contig[3:] if contig[:3].lower() == "chr" and len(contig) > 3 else contig


def genome_order(chrom: str) -> tuple[int, int, str]:
    """Sort key of a chromosome: numbers by size, then X, Y, M(T), then the rest by name."""
    key = chrom_key(chrom)
    if key.isdecimal():
        return (0, int(key), "")
    last = {"X": 0, "Y": 1, "M": 2, "MT": 2}
    return (1, last[key], "") if key in last else (2, 0, key)


def chunk_name(core: Region) -> str:
    """Name of the chunk with this core; names of one chromosome sort as their positions do."""
    return f"{core.chrom}.{core.start:09d}-{core.end:09d}"


def merged(regions: Iterable[Region]) -> list[Region]:
    """Return the same stretches in genome order, overlapping and touching ones made one."""
    result: list[Region] = []
    for region in sorted(regions, key=lambda r: (genome_order(r.chrom), r.start, r.end)):
        last = result[-1] if result else None
        if last and last.chrom == region.chrom and region.start <= last.end + 1:
            result[-1] = last._replace(end=max(last.end, region.end))
        else:
            result.append(region)
    return result


def parse_regions(text: str) -> list[Region]:
    """Read ``20``, ``chr20:1-5000``, several of them with commas between, or the name of a BED file.

    Returns merged regions in genome order. Raises ``InputError`` where the text is none of these, a
    region ends before it starts, or nothing is left.
    """
    path = Path(text)
    if text.lower().endswith(".bed") or path.is_file():
        return _read_bed(path)
    regions = [_parse_one(part.strip(), text) for part in text.split(",") if part.strip()]
    if not regions:
        raise InputError("--regions is empty: give chr:from-to, several with commas between, or a BED file")
    return merged(regions)


def _parse_one(part: str, text: str) -> Region:
    match = re.fullmatch(r"([^:\s]+)(?::(\d+)-(\d+)?)?", part)
    if not match:
        raise InputError(
            f"--regions {text}: '{part}' is not a region: write chr:from-to with plain numbers "
            "(as in chr20:1000000-2000000), a chromosome, or the name of a BED file"
        )
    contig, start, end = match.groups()
    region = Region(chrom_key(contig), int(start or 1), int(end or TO_THE_END))
    if not 1 <= region.start <= region.end:
        raise InputError(
            f"--regions {text}: '{part}' ends before it starts (positions count from 1): turn the two round"
        )
    return region


class Inside:
    """Tells what lies inside regions, which are merged and in order as ``parse_regions`` returns them."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self._spans: dict[str, tuple[list[int], list[int]]] = {}
        for region in regions:
            starts, ends = self._spans.setdefault(region.chrom, ([], []))
            starts.append(region.start)
            ends.append(region.end)

    def __call__(self, contig: str, first: int, last: int) -> bool:
        """Whether the bases from ``first`` to ``last`` (1-based, both included) are in one region."""
        starts, ends = self._spans.get(chrom_key(contig), ([], []))
        place = bisect_right(starts, first) - 1
        return place >= 0 and last <= ends[place]


def _read_bed(path: Path) -> list[Region]:
    if not path.is_file():
        raise InputError(f"--regions {path}: there is no such BED file: correct the path")
    regions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        fields = line.split()
        if len(fields) < 3 or not (fields[1].isdecimal() and fields[2].isdecimal()):
            raise InputError(
                f"{path}: line {number} does not start with chromosome, start and end: write a BED file "
                "of at least three columns"
            )
        start, end = int(fields[1]), int(fields[2])
        if start >= end:
            raise InputError(
                f"{path}: line {number} ends at {end}, not after its start {start}: BED counts the start "
                "from 0 and leaves the end out"
            )
        regions.append(Region(chrom_key(fields[0]), start + 1, end))
    if not regions:
        raise InputError(f"{path}: the BED file holds no region: add one, or leave --regions out")
    return merged(regions)
