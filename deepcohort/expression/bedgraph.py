"""Effects of variants along the genome, as browsers draw them: a bedGraph for each cohort and track."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import TextIO

import pandas as pd

from deepcohort.genome.files import written_whole

NEEDED = ["cohort", "chrom", "pos", "track", "effect", "by"]


def write_bedgraphs(parts: Sequence[Path], out: Path) -> None:
    """Write ``<cohort>.<track>.bedgraph`` into ``out`` from effects of shards, in the genome's order.

    A variant stands at its first base. A base has one value there: of all alleles at it, and all genes that
    have it in their window, the effect that is largest in size.
    """
    taken: set[str] = set()
    files: dict[tuple[str, str], TextIO] = {}
    with ExitStack() as stack:
        for table in _chromosomes(parts):
            for (cohort, track), rows in table.groupby(["cohort", "track"], sort=False):
                key = (str(cohort), str(track))
                if key not in files:
                    path = stack.enter_context(written_whole(out / _name(key, taken)))
                    files[key] = stack.enter_context(path.open("w", encoding="utf-8"))
                _write(files[key], rows)


def _chromosomes(parts: Sequence[Path]) -> Iterator[pd.DataFrame]:
    """Effects of one chromosome of a cohort after the other: genes of neighbouring shards share variants."""
    tables = (pd.read_parquet(part, columns=NEEDED) for part in parts)
    some = (table for table in tables if len(table))
    for _, of_one in groupby(some, lambda table: (table["cohort"].iloc[0], table["chrom"].iloc[0])):
        yield pd.concat(of_one, ignore_index=True)


def _write(file: TextIO, rows: pd.DataFrame) -> None:
    known = rows[rows["by"] != "none"]
    order = known["effect"].abs().sort_values(ascending=False, kind="stable").index
    largest = known.loc[order].drop_duplicates("pos").sort_values("pos")
    columns = (largest["chrom"], largest["pos"] - 1, largest["pos"], largest["effect"])
    for chrom, start, end, effect in zip(*columns, strict=True):
        file.write(f"{chrom}\t{start}\t{end}\t{effect:.6g}\n")


def _name(key: tuple[str, str], taken: set[str]) -> str:
    """A file's name, of letters, digits and ``._+-``, that is not taken; it is then."""
    name = stem = re.sub(r"[^\w.+-]+", "_", ".".join(key))
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}.{number}"
    taken.add(name)
    return f"{name}.bedgraph"
