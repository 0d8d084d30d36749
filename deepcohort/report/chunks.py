"""Chunks of the genome: what was imputed in each, by which learnt rates, and which could not be."""

import csv
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcohort.genome.errors import InputError
from deepcohort.report.sections import Section

ADDED_OVER_BATCHES = {"people", "unphased_people", "haploid_people", "missing_genotypes_filled"}
"""Counts that batches of people add to; the others are of sites and the same in every batch."""


@dataclass
class Chunk:
    """One chunk of one cohort, over all batches."""

    counts: dict[str, int] = field(default_factory=dict)
    effective_size: float | None = None
    error: float | None = None
    gain: float | None = None
    """How much the loss fell by learning, in %."""
    learnt_from: int = 0
    expected: dict[str, list[float]] = field(default_factory=dict)
    """By MAF bin: number, x, y, xx, yy, xy summed over people of the panel who were hidden and imputed."""

    @property
    def filled_by_frequency(self) -> bool:
        """Whether no typed site was in reach, so that the panel's frequencies were filled in."""
        return self.counts.get("sites_filled_by_frequency", 0) > 0


def read(counts: list[Path], models: list[Path]) -> dict[str, Chunk]:
    """Read what was counted and learnt, by chunk in the genome's order.

    Files do not name their cohort: a chunk name that comes again is of the next cohort, and is told as
    ``name (2)``. Raises ``InputError`` where a file is something else.
    """
    chunks: dict[str, Chunk] = defaultdict(Chunk)
    seen: Counter[str] = Counter()
    for path in models:
        name = path.name.removesuffix(".model")
        seen[name] += 1
        _add_learnt(chunks[_numbered(name, seen[name])], path)
    seen = Counter()
    for path in counts:
        rows = _read_counts(path)
        if rows:
            key = f"{rows[0]['chunk']} {rows[0]['batch']}"
            seen[key] += 1
            _add_counts(chunks[_numbered(rows[0]["chunk"], seen[key])], rows)
    return {name: chunks[name] for name in sorted(chunks)}


def _numbered(name: str, occurrence: int) -> str:
    return name if occurrence == 1 else f"{name} ({occurrence})"


def _add_learnt(chunk: Chunk, folder: Path) -> None:
    """Add what the sidecar of a trained model says; models that learn nothing say little."""
    try:
        learnt = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        chunk.learnt_from = int(learnt.get("people", 0))
        chunk.expected = {
            name: [float(value) for value in sums]
            for name, sums in learnt.get("expected", {}).get("bins", {}).items()
        }
        if chunk.learnt_from:
            chunk.effective_size, chunk.error = (
                float(learnt[name]) if name in learnt else None for name in ("effective_size", "error")
            )
            chunk.gain = 100 * (1 - float(learnt["loss"]) / float(learnt["start_loss"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        raise InputError(f"{folder.name}: not a trained model: make it with 'train-chunk'") from None


def _read_counts(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(reader)
        if reader.fieldnames != ["chunk", "batch", "what", "count"]:
            raise InputError(
                f"{path.name}: its columns are not chunk, batch, what, count: make it with 'impute-chunk'"
            )
    return rows


def _add_counts(chunk: Chunk, rows: list[dict[str, str]]) -> None:
    for row in rows:
        what, count = row["what"], int(row["count"])
        before = chunk.counts.get(what, 0)
        chunk.counts[what] = before + count if what in ADDED_OVER_BATCHES else max(before, count)


def expected_r2(chunks: list[Chunk]) -> dict[str, float]:
    """Aggregated R² by MAF bin over all chunks, of hidden people of the panel; none without variance."""
    found = {}
    names = dict.fromkeys(name for chunk in chunks for name in chunk.expected)
    for name in sorted(names, key=lambda name: float(name.split("-")[0])):
        sums = (chunk.expected[name] for chunk in chunks if name in chunk.expected)
        n, x, y, xx, yy, xy = map(sum, zip(*sums, strict=True))
        variances = (n * xx - x * x) * (n * yy - y * y)
        if variances > 0:  # by hand: the image of the report has no NumPy of its own
            found[name] = (n * xy - x * y) ** 2 / variances
    return found


def facts(chunks: dict[str, Chunk]) -> list[str]:
    """What was learnt, and what it leads one to expect, in words."""
    said = []
    learnt = sum(chunk.learnt_from > 0 for chunk in chunks.values())
    if learnt:
        said.append(f"The model learnt its rates from the panel in {learnt} of {len(chunks)} chunks.")
    expected = expected_r2(list(chunks.values()))
    if expected:
        figures = ", ".join(f"{value:.2f} at {name}" for name, value in expected.items())
        said.append(
            "What to expect without a truth: people of the panel, hidden and imputed from its other people "
            f"at the same typed sites, reach an aggregated R² by MAF of {figures}. People who are less like "
            "the panel, or not phased, are imputed worse."
        )
    return said


def sections(chunks: dict[str, Chunk]) -> list[Section]:
    """Table of the chunks."""
    names = list(dict.fromkeys(what for chunk in chunks.values() for what in chunk.counts))
    data: dict[str, dict[str, Any]] = {}
    for name, chunk in chunks.items():
        cells: dict[str, Any] = {"flag": "no typed sites" if chunk.filled_by_frequency else "ok"}
        cells |= chunk.counts
        learnt = {"effective_size": chunk.effective_size, "error": chunk.error, "gain": chunk.gain}
        cells |= {key: value for key, value in learnt.items() if value is not None}
        data[name] = cells
    headers: dict[str, Any] = {
        "flag": {
            "title": "Flag", "description": "no typed sites: filled from the panel's frequencies",
            "cond_formatting_rules": {"warn": [{"s_eq": "no typed sites"}]}, "scale": False,
        }
    }  # fmt: skip
    headers |= LEARNT_HEADERS
    for what in names:
        title = what.replace("_", " ").capitalize()
        always_zero = not any(chunk.counts.get(what) for chunk in chunks.values())
        headers[what] = {"title": title, "format": "{:,.0f}", "scale": False, "hidden": always_zero}
    return [
        Section(
            "chunk_table", "chunks", "Chunks and learnt rates",
            "What was imputed in each chunk, and the rates of the haplotype-copying model that were learnt "
            "there by imputing some of the panel's own people from the others: its effective size (the "
            "larger, the more often a haplotype switches to another one to copy) and the chance that a "
            "copied allele differs. Gain: how much learning lowered the loss on the hidden people. Chunks "
            "with too little to learn from keep the starting values, and their cells are empty.",
            "table", data, {"col1_header": "Chunk", "no_violin": True, "sort_rows": False}, headers,
        )
    ]  # fmt: skip


LEARNT_HEADERS: dict[str, Any] = {
    "effective_size": {"title": "Effective size", "format": "{:,.0f}", "scale": "Purples"},
    "error": {"title": "Error rate", "format": "{:.5f}", "scale": "Oranges"},
    "gain": {"title": "Gain", "suffix": " %", "format": "{:.2f}", "scale": "Greens", "min": 0},
}


def sentences(chunks: dict[str, Chunk]) -> list[str]:
    """Chunks that need a look."""
    found = []
    empty = [name for name, chunk in chunks.items() if chunk.filled_by_frequency]
    if empty:
        named = ", ".join(empty[:5]) + (" and more" if len(empty) > 5 else "")
        found.append(
            f"{len(empty)} of {len(chunks)} chunks had no typed site in reach ({named}): everybody was given "
            "the panel's frequencies there, which says nothing about the person (INFO flag BYFREQ)."
        )
    filled = sum(chunk.counts.get("missing_genotypes_filled", 0) for chunk in chunks.values())
    if filled:
        found.append(f"{filled:,} genotypes that were missing at typed sites of the input were imputed.")
    unphased = max((chunk.counts.get("unphased_people", 0) for chunk in chunks.values()), default=0)
    if unphased:
        found.append(
            f"People without known phase in the input: {unphased:,}. Their genotypes were imputed over "
            "samples of the phase and stand unphased in the output."
        )
    return found
