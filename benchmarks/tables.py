"""Tables of figures, as files and on the screen."""

import csv
from pathlib import Path

import typer


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows of one shape as TSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def show(rows: list[dict[str, str]]) -> None:
    """Print rows of one shape, aligned."""
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    for row in [{key: key for key in widths}, *rows]:
        typer.echo("  ".join(row[key].rjust(width) for key, width in widths.items()))
