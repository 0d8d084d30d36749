"""What went in and what was dropped: files as they were checked, sites as they were harmonised."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import genome_order
from deepcohort.report.sections import PALE, Section

USED = {
    "same": ("used as they stand", "#0072b2"),
    "swapped": ("used, REF and ALT swapped", "#56b4e9"),
    "flipped": ("used, on the other strand", "#009e73"),
    "flipped_swapped": ("used, other strand and swapped", "#8fd0bb"),
}
DROPPED = {
    "dropped_palindromic": ("dropped: A/T or C/G, strand unknown", "#e69f00"),
    "dropped_alleles": ("dropped: other alleles than the panel", "#d55e00"),
    "duplicates": ("dropped: same site twice", "#cc79a7"),
    "dropped_not_in_panel": ("dropped: position not in the panel", PALE),
}

MANY_UNSHARED = 0.2
"""A larger share of target sites that the panel does not have is worth a sentence."""


@dataclass(frozen=True)
class FileCheck:
    """What a check told of a genotype file."""

    name: str
    file: str
    contigs: dict[str, str]
    samples: int
    records: int
    phased: float
    haploid_genotypes: int
    missing: int
    build: str | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SiteCount:
    """A row of harmonisation.tsv."""

    cohort: str
    chrom: str
    what: str
    count: int


def read_check(path: Path) -> FileCheck:
    """Read a check.json; raises ``InputError`` where it is something else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return FileCheck(
            name=told["name"],
            file=told["file"],
            contigs=dict(told["contigs"]),
            samples=len(told["samples"]),
            records=int(told["records"]),
            phased=float(told["phased"]),
            haploid_genotypes=int(told["haploid_genotypes"]),
            missing=int(told["missing"]),
            build=told.get("build"),
            dropped=dict(told["dropped"]),
            notes=list(told["notes"]),
        )
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path.name}: not the report of a check: make it with 'check-target'") from None


def read_harmonisation(paths: list[Path]) -> list[SiteCount]:
    """Read tables ``cohort chrom what count``; raises ``InputError`` where a row is something else."""
    counts = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 2):
                try:
                    counts.append(SiteCount(row["cohort"], row["chrom"], row["what"], int(row["count"])))
                except (KeyError, TypeError, ValueError):
                    raise InputError(
                        f"{path.name}: row {number} is not cohort, chrom, what and a count: "
                        "make the table with 'plan'"
                    ) from None
    return counts


def sections(checks: list[FileCheck], counts: list[SiteCount]) -> list[Section]:
    """Bars of harmonised sites and a table of the files."""
    return [_harmonised(counts), _files(checks)]


def _harmonised(counts: list[SiteCount]) -> Section:
    categories = {**USED, **DROPPED}
    several = len({count.cohort for count in counts}) > 1
    data: dict[str, dict[str, int]] = {}
    for count in sorted(counts, key=lambda c: (c.cohort, genome_order(c.chrom))):
        if count.what in categories:
            name = f"{count.cohort} chr{count.chrom}" if several else f"chr{count.chrom}"
            data.setdefault(name, {})[count.what] = count.count
    return Section(
        "harmonised_sites", "sites", "Target sites in the panel",
        "Sites of the input by what became of them: used for the imputation as they stand, turned round, or "
        "dropped for the reason named. Sites that are not in the panel inform nothing, but harm nothing.",
        "bargraph", data, {"ylab": "target sites"},
        categories={key: {"name": name, "color": color} for key, (name, color) in categories.items()},
    )  # fmt: skip


def _files(checks: list[FileCheck]) -> Section:
    data: dict[str, dict[str, Any]] = {}
    for check in sorted(checks, key=lambda c: c.name):
        data[f"{check.file} ({check.name})"] = {
            "chromosomes": ", ".join(sorted(check.contigs, key=genome_order)),
            "samples": check.samples,
            "records": check.records,
            "phased": 100 * check.phased,
            "missing": check.missing,
            "haploid": check.haploid_genotypes,
            "dropped": sum(check.dropped.values()),
            "reasons": ", ".join(f"{told(why)}: {n:,}" for why, n in check.dropped.items() if n) or "none",
        }
    plain: dict[str, Any] = {"format": "{:,.0f}", "scale": False}
    headers: dict[str, Any] = {
        "chromosomes": {"title": "Chromosomes"},
        "samples": {"title": "People", **plain},
        "records": {"title": "Records", **plain},
        "phased": {
            "title": "Phased", "suffix": " %", "format": "{:,.1f}", "min": 0, "max": 100, "scale": False,
            "description": "Share of heterozygous genotypes that are phased",
        },
        "missing": {"title": "Missing genotypes", **plain},
        "haploid": {"title": "Haploid genotypes", **plain},
        "dropped": {"title": "Records dropped", **plain},
        "reasons": {"title": "Reasons"},
    }  # fmt: skip
    return Section(
        "checked_files", "sites", "Files", "Every genotype file, as it was read.",
        "table", data, {"col1_header": "File", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip


def told(what: str) -> str:
    """Name of a count as words."""
    return what.removeprefix("dropped_").replace("_", " ")


def sentences(checks: list[FileCheck], counts: list[SiteCount]) -> list[str]:
    """Notes of the checks, and what is unusual in the harmonisation."""
    found = [note for check in sorted(checks, key=lambda c: c.name) for note in check.notes]
    by_chrom: dict[tuple[str, str], dict[str, int]] = {}
    for count in counts:
        by_chrom.setdefault((count.cohort, count.chrom), {})[count.what] = count.count
    for (cohort, chrom), numbers in by_chrom.items():
        target = numbers.get("target_sites", 0)
        unshared = numbers.get("dropped_not_in_panel", 0) + numbers.get("dropped_alleles", 0)
        turned = sum(numbers.get(what, 0) for what in ("swapped", "flipped", "flipped_swapped"))
        if target and unshared > MANY_UNSHARED * target:
            found.append(
                f"{cohort}, chromosome {chrom}: {unshared:,} of {target:,} target sites are not in the panel."
            )
        found += [f"{cohort}, chromosome {chrom}: {sentence}" for sentence in _of_chunks(numbers)]
        if turned:
            found.append(
                f"{cohort}, chromosome {chrom}: {turned:,} target sites had REF and ALT swapped or stood on "
                "the other strand, and were turned to the panel's way."
            )
    return found


def _of_chunks(numbers: dict[str, int]) -> list[str]:
    """What is unusual in how a chromosome was cut."""
    found = []
    if merged := numbers.get("merged_chunks", 0):
        found.append(f"chunks with few typed sites that were merged with a neighbour: {merged:,}.")
    if few := numbers.get("few_chunks", 0):
        found.append(
            f"chunks that have few typed sites in reach all the same (flagged few in chunks.tsv): {few:,} of "
            f"{numbers['chunks']:,}; expect little more of them than frequencies."
        )
    if numbers.get("x_length_unknown"):
        found.append(
            "no header tells its length, hence not the genome build, so the pseudo-autosomal regions were "
            "not kept apart: write the length into the header (bcftools reheader --fai) if this is a human X."
        )
    return found
