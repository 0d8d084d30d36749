"""Chunks of an earlier run, to be used again."""

import csv
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region, chrom_key, genome_order
from deepcohort.inputs.chunks import Cut

COLUMNS = ("chrom", "start", "end", "padded_start", "padded_end")
"""Columns of chunks.tsv that say where to cut; the others are told anew."""


@dataclass(frozen=True)
class GivenChunks:
    """Chunks of a file by the number of their row, the header being row 1."""

    file: str
    cuts: list[tuple[int, Cut]]

    @property
    def cores(self) -> list[Region]:
        """Where the chunks are."""
        return [one.core for _, one in self.cuts]

    def of(self, chrom: str) -> list[tuple[int, Cut]]:
        """Rows and chunks of one chromosome."""
        return [(row, one) for row, one in self.cuts if one.core.chrom == chrom]

    def require_chromosomes(self, panel: Container[str], target: Container[str]) -> None:
        """Refuse a chunk on a chromosome that panel or target lacks."""
        for row, one in self.cuts:
            for what, chroms in (("the panel", panel), ("the cohort", target)):
                if one.core.chrom not in chroms:
                    raise InputError(
                        f"{self.file}: row {row} is on chromosome {one.core.chrom}, which {what} lacks: take "
                        "such rows out, or leave --chunks out"
                    )


def read_chunks(path: Path) -> GivenChunks:
    """Read the table of chunks that a plan wrote.

    Raises ``InputError`` where it is no such table, a position is no whole number, a chunk ends before it
    starts, reaches beyond its own overlap, or overlaps another chunk's core.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(enumerate(reader, 2))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{path.name}: column {', '.join(missing)} is missing: give a chunks.tsv that an earlier run "
            "wrote into inputs/"
        )
    if not rows:
        raise InputError(f"{path.name}: there is no chunk in it: give another file, or leave --chunks out")
    cuts = [(number, _cut(path, number, row)) for number, row in rows]
    in_order = sorted(cuts, key=lambda cut: (genome_order(cut[1].core.chrom), cut[1].core))
    for (row, one), (other_row, other) in pairwise(in_order):
        if one.core.chrom == other.core.chrom and other.core.start <= one.core.end:
            raise InputError(
                f"{path.name}: rows {row} and {other_row} overlap ({one.core} and {other.core}), so their "
                "sites would be imputed twice: mend start and end, which leave the overlap out"
            )
    return GivenChunks(path.name, cuts)


def _cut(path: Path, number: int, row: dict[str, str | None]) -> Cut:
    positions = []
    for column in COLUMNS[1:]:
        cell = row[column]
        if cell is None or not (cell.isascii() and cell.isdecimal()) or int(cell) < 1:
            raise InputError(
                f"{path.name}: row {number}, column {column}: '{cell or ''}' is no position: write a whole "
                "number from 1 on"
            )
        positions.append(int(cell))
    start, end, padded_start, padded_end = positions
    chrom = chrom_key(row["chrom"] or "")
    if not chrom:
        raise InputError(f"{path.name}: row {number}, column chrom: it is empty: name the chromosome")
    if start > end:
        raise InputError(
            f"{path.name}: row {number} ends at {end}, before its start {start}: turn the two round"
        )
    if not padded_start <= start <= end <= padded_end:
        raise InputError(
            f"{path.name}: row {number}: padded_start to padded_end ({padded_start}-{padded_end}) does not "
            f"hold start to end ({start}-{end}): mend the row"
        )
    return Cut(Region(chrom, start, end), Region(chrom, padded_start, padded_end))
