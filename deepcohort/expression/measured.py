"""Measured expression: genes by people, from a BED as FastQTL and tensorQTL read it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.genes import gene_key, open_text
from deepcohort.genome.errors import InputError

ANNOTATION = {"gene_name", "name", "strand", "score", "length", "gid", "group_id", "pid"}
"""Columns, in small letters, that may stand between the gene and the people."""


@dataclass(frozen=True)
class Measured:
    """Expression float64[genes, people], NaN where missing; ``places`` of genes in the file, 0-based."""

    genes: list[str]
    people: list[str]
    values: NDArray[np.float64]
    places: dict[str, int]


def read_measured(path: Path) -> Measured:
    """Read a BED of expression: ``#chr``, start, end, gene, perhaps name and strand, then a column a person.

    Raises ``InputError`` for a table without header or people, a person or gene named twice, and cells that
    are no numbers (``NA`` and empty ones are missing).
    """
    lines = open_text(path)
    header = next(lines, "").split("\t")
    first = 4
    while first < len(header) and header[first].lower() in ANNOTATION:
        first += 1
    people = header[first:]
    if not header[0].startswith("#") or not people:
        raise InputError(
            f"{path.name}: the first row must be a header: #chr, start, end, gene_id, and a column for each "
            "person"
        )
    rows: dict[str, list[float]] = {}
    places: dict[str, int] = {}
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise InputError(
                f"{path.name}: row {number} has {len(cells)} cells, the header {len(header)}: mend it"
            )
        gene = gene_key(cells[3])
        if gene in rows:
            raise InputError(
                f"{path.name}: row {number}: the gene {gene} stands in a row before: keep one of them"
            )
        rows[gene] = [_number(path, number, cell) for cell in cells[first:]]
        places[gene] = int(cells[1]) if cells[1].isdecimal() else -1
    if len(set(people)) < len(people):
        raise InputError(f"{path.name}: a person has two columns: keep one of them")
    return Measured(list(rows), people, np.array(list(rows.values())).reshape(-1, len(people)), places)


def _number(path: Path, number: int, cell: str) -> float:
    if cell in ("", "NA", "nan", "NaN"):
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        value = float("inf")
    if not np.isfinite(value):
        raise InputError(f"{path.name}: row {number}: '{cell}' is no number: write a number, or NA")
    return value
