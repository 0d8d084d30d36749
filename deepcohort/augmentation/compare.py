"""Accuracy of imputation with and without artificial people, in one table."""

import csv
from pathlib import Path

from deepcohort.genome.tables import write_table

ADDED = "with artificial people"


def join_accuracy(with_artificial: Path, without: Path, out: Path) -> None:
    """Write the rows of both tables; the imputer's name says which panel it had."""
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for path, said in ((without, ""), (with_artificial, f" {ADDED}")):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = list(reader.fieldnames or ())
            rows += [{**row, "imputer": f"{row['imputer']}{said}"} for row in reader]
    write_table(out, rows, columns)
