"""Tables that tasks hand on and users read: TSV with a header."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deepcohort.genome.files import written_whole


def write_table(path: Path, rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Write rows as TSV with these columns."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns) + "\n")
        for row in rows:
            file.write("\t".join(row[column] for column in columns) + "\n")
