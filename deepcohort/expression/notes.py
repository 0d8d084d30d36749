"""Sentences that tasks leave for the report."""

from collections.abc import Iterable
from pathlib import Path

from deepcohort.genome.tables import write_table

COLUMNS = ("cohort", "what")


def write_notes(path: Path, cohort: str, sentences: Iterable[str]) -> None:
    """Write sentences on a cohort, or on the run where ``cohort`` is empty."""
    write_table(path, [{"cohort": cohort, "what": sentence} for sentence in sentences], COLUMNS)
