"""Predictions written as they are made, so that memory holds one gene."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from deepcohort.expression.people import COUNTED, Sequences
from deepcohort.expression.predict import (
    COLUMNS,
    EFFECT_COLUMNS,
    LINEAR_COLUMNS,
    TRACK_COLUMNS,
    Predicted,
)
from deepcohort.genome.files import written_whole
from deepcohort.genome.tables import write_table

COUNT_COLUMNS = ("cohort", "chrom", "what", "count")
NUMBERS = {"haplotype1", "haplotype2", "mean", "reference", "effect", "log2_ratio"}
WHOLE = {"pos", "copies", "haplotypes"}
YES_OR_NO = {"taught"}


class Rows:
    """A Parquet file that grows by tables of these columns."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        known = {
            **dict.fromkeys(NUMBERS, pyarrow.float64()),
            **dict.fromkeys(WHOLE, pyarrow.int64()),
            **dict.fromkeys(YES_OR_NO, pyarrow.bool_()),
        }
        self.schema = pyarrow.schema([(name, known.get(name, pyarrow.string())) for name in columns])
        self.writer: Any = ParquetWriter(path, self.schema)

    def add(self, table: pd.DataFrame) -> None:
        """Append rows."""
        import pyarrow

        self.writer.write_table(pyarrow.Table.from_pandas(table, self.schema, preserve_index=False))

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()


def write(
    parts: Iterable[Predicted], out: Path, tracks: Path | None, effects: Path | None, modes: Path | None
) -> None:
    """Write tables of people, and if wanted by track, of effects of variants, and how genes were predicted.

    Files are whole or not there.
    """
    rows = []
    with ExitStack() as stack:

        def opened(path: Path | None, columns: tuple[str, ...]) -> Rows | None:
            return (
                None
                if path is None
                else stack.enter_context(Rows(stack.enter_context(written_whole(path)), columns))
            )

        people = opened(out, COLUMNS)
        by_track, by_variant = opened(tracks, TRACK_COLUMNS), opened(effects, EFFECT_COLUMNS)
        for part in parts:
            for file, table in ((people, part.people), (by_track, part.tracks), (by_variant, part.effects)):
                if file is not None and table is not None:
                    file.add(table)
            rows.append(part.linear)
    if modes is not None:
        write_table(modes, rows, LINEAR_COLUMNS)


def write_effects(path: Path, tables: Iterable[pd.DataFrame]) -> None:
    """Write tables of effects of variants as one."""
    with written_whole(path) as unfinished, Rows(unfinished, EFFECT_COLUMNS) as rows:
        for table in tables:
            rows.add(table)


def count_rows(cohort: str, chrom: str, sequences: Sequences) -> list[dict[str, str]]:
    """What was met on the way, a row for each kind."""
    return [
        dict(zip(COUNT_COLUMNS, (cohort, chrom, what, str(sequences.counts[what])), strict=True))
        for what in COUNTED
    ]


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    with written_whole(path) as unfinished:
        table.to_parquet(unfinished, engine="pyarrow", index=False)
