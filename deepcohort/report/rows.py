"""Tables of the other rooms, read row by row."""

import csv
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from deepcohort.genome.errors import InputError

Row = dict[str, str]


def read_rows(paths: list[Path], needed: Collection[str], command: str) -> list[Row]:
    """Rows of all tables, which ``command`` makes; raises ``InputError`` where columns are missing."""
    rows: list[Row] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = set(needed) - set(reader.fieldnames or ())
            if missing:
                raise InputError(
                    f"{path.name}: columns {', '.join(sorted(missing))} are missing: "
                    f"make the table with '{command}'"
                )
            rows += list(reader)
    return rows


def read_kinds(
    paths: list[Path], kinds: Mapping[str, Collection[str]], room: str, command: str
) -> dict[str, list[Row]]:
    """Rows of tables by their kind, the last part of the file's name: ``people`` of ``cohort.people.tsv``.

    kinds: columns that each needs. Raises ``InputError`` for a table that ``command`` does not make.
    """
    found: dict[str, list[Row]] = {kind: [] for kind in kinds}
    for path in sorted(paths):
        kind = path.stem.rpartition(".")[2]
        if kind not in kinds or path.suffix != ".tsv":
            raise InputError(f"{path.name}: not a table of {room}: make it with '{command}'")
        found[kind] += read_rows([path], kinds[kind], command)
    return found


def by_cohort(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows of each cohort, in the order in which cohorts come."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["cohort"]].append(row)
    return dict(found)
