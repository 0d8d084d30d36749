"""The plan as files."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from deepcohort.genome.files import written_whole
from deepcohort.genome.samples import write_samples
from deepcohort.inputs.chromosome import Chunk
from deepcohort.inputs.frequencies import FlaggedSite
from deepcohort.inputs.people import FlaggedPerson
from deepcohort.inputs.plan import Plan

NOT_AVAILABLE = "NA"


@dataclass(frozen=True)
class PlanFiles:
    """Where the parts of a plan go: tables, a folder of batches, and a list of excluded sites."""

    chunks: Path
    batches: Path
    counts: Path
    qc: Path
    frequencies: Path
    people: Path
    excluded: Path


def write_plan(plan: Plan, cohort: str, files: PlanFiles) -> None:
    """Write all parts of a plan."""
    files.batches.mkdir(parents=True, exist_ok=True)
    for number, batch in enumerate(plan.batches, 1):
        write_samples(files.batches / f"batch_{number:04d}.txt", batch)
    _write_rows(files.chunks, Chunk, plan.chunks)
    _write_tsv(
        files.counts, ["cohort", "chrom", "what", "count"], [(cohort, *count) for count in plan.counts]
    )
    _write_rows(files.qc, FlaggedSite, [site for found in plan.quality.values() for site in found.flagged])
    cells = [(chrom, *cell) for chrom, found in plan.quality.items() for cell in found.cells]
    header = ["chrom", "target_af", "panel_af", "sites"]
    _write_tsv(files.frequencies, header, [[_cell(value) for value in cell] for cell in cells])
    _write_rows(files.people, FlaggedPerson, plan.people)
    with written_whole(files.excluded) as unfinished:
        unfinished.write_text("".join(f"{contig}\t{position}\n" for contig, position in plan.excluded))


def _write_rows(
    path: Path, kind: type, rows: Iterable[Chunk] | Iterable[FlaggedSite] | Iterable[FlaggedPerson]
) -> None:
    header = [field.name for field in fields(kind)]
    _write_tsv(path, header, [[_cell(value) for value in asdict(row).values()] for row in rows])


def _write_tsv(path: Path, header: list[str], rows: Iterable[Iterable[object]]) -> None:
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerow(header)
        writer.writerows(rows)


def _cell(value: object) -> object:
    """What stands in a cell: six digits of a fraction, NA where there is none."""
    if value is None:
        return NOT_AVAILABLE
    return f"{value:.6g}" if isinstance(value, float) else value
