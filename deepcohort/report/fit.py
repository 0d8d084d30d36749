"""Whether the cohort fits the panel: frequencies beside each other, sites and people that need a look."""

import csv
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepcohort.genome.errors import InputError
from deepcohort.report.dropped import SiteCount
from deepcohort.report.sections import PALETTE, Section

KINDS = {
    ".qc.tsv": ("chrom", "pos", "ref", "alt", "reason", "target_af", "panel_af", "chi_square", "missing"),
    ".frequencies.tsv": ("chrom", "target_af", "panel_af", "sites"),
    ".people.tsv": ("person", "reason", "other", "value"),
}
"""Tables of the plan by the end of their names, with their columns."""

SHOWN = 100
"""Outliers in the picture, people in the table: more would only hide each other."""

NAMED = 5
"""People named in a sentence."""

MUCH_DRIFT = 20
"""Thousandths of p (1 - p) by which frequencies vary between cohort and panel, from which on that is told."""

Row = dict[str, str]


@dataclass
class Fit:
    """The three tables of one cohort."""

    sites: list[Row] = field(default_factory=list)
    frequencies: list[Row] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)


def read(paths: list[Path]) -> dict[str, Fit]:
    """Read the tables by cohort; raises ``InputError`` where one is something else."""
    found: dict[str, Fit] = defaultdict(Fit)
    for path in sorted(paths):
        kind = next((kind for kind in KINDS if path.name.endswith(kind)), None)
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            rows = list(reader)
        if kind is None or tuple(reader.fieldnames or ()) != KINDS[kind]:
            raise InputError(f"{path.name}: not a table of sites or people to look at: make it with 'plan'")
        fit = found[path.name.removesuffix(kind)]
        if kind == ".qc.tsv":
            fit.sites = rows
        elif kind == ".people.tsv":
            fit.people = rows
        else:
            fit.frequencies = rows
    return dict(found)


def sections(fits: dict[str, Fit]) -> list[Section]:
    """Picture of the frequencies, and table of the people."""
    return [_picture(fits), _people(fits)]


def _picture(fits: dict[str, Fit]) -> Section:
    drawn = {cohort: points for cohort, fit in fits.items() if (points := _points(fit))}
    settings: dict[str, Any] = {
        "xlab": "frequency of ALT in the panel", "ylab": "frequency of ALT in the input",
        "xmin": 0, "xmax": 1, "ymin": 0, "ymax": 1, "square": True, "showlegend": False,
    }  # fmt: skip
    if len(drawn) > 1:
        settings["data_labels"] = [{"name": cohort} for cohort in drawn]
    return Section(
        "frequencies", "sites", "Allele frequencies in the input and in the panel",
        "Sites that both have; the larger a dot, the more sites have these frequencies. Where people are "
        "like those of the panel, sites lie along the diagonal. Orange: frequencies that do not fit even if "
        "the general difference of the two groups of people is allowed for; red: A/T or C/G sites that would "
        f"fit on the other strand. The {SHOWN} farthest of these are drawn; all of them stand in "
        "inputs/&lt;cohort&gt;.qc.tsv.",
        "scatter", list(drawn.values()), settings,
    )  # fmt: skip


def _points(fit: Fit) -> dict[str, list[dict[str, Any]]]:
    """Dots by what they are called."""
    cells: Counter[tuple[float, float]] = Counter()
    for row in fit.frequencies:
        cells[float(row["panel_af"]), float(row["target_af"])] += int(row["sites"])
    dots = {
        f"{count:,} sites near {x:.2f} and {y:.2f}": [_dot(x, y, PALETTE[0], 3 + 2 * math.log10(count))]
        for (x, y), count in sorted(cells.items())
    }
    colors = {"frequency": PALETTE[4], "strand": PALETTE[1]}
    outliers = [row for row in fit.sites if row["reason"] in colors]
    outliers.sort(key=lambda row: -float(row["chi_square"]))
    for row in outliers[:SHOWN]:
        name = f"{row['chrom']}:{row['pos']} {row['ref'][:20]}>{row['alt'][:20]}"
        dots[name] = [_dot(float(row["panel_af"]), float(row["target_af"]), colors[row["reason"]], 7)]
    return dots


def _dot(x: float, y: float, color: str, size: float) -> dict[str, Any]:
    look = {"marker_size": round(size, 1), "marker_line_width": 0, "opacity": 0.6, "annotate": False}
    return {"x": x, "y": y, "color": color, "hide_in_legend": True, **look}


WHY = {
    "in_cohort": "same genotypes as another of the cohort",
    "in_panel": "same genotypes as one of the panel",
    "missing": "many genotypes missing",
}


def _people(fits: dict[str, Fit]) -> Section:
    data: dict[str, dict[str, Any]] = {}
    rows = [(cohort, row) for cohort, fit in fits.items() for row in fit.people]
    for number, (cohort, row) in enumerate(rows[:SHOWN], 1):
        data[str(number)] = {
            "cohort": cohort, "person": row["person"], "why": WHY.get(row["reason"], row["reason"]),
            "other": row["other"], "value": 100 * float(row["value"]),
        }  # fmt: skip
    headers: dict[str, Any] = {
        "cohort": {"title": "Cohort"},
        "person": {"title": "Person"},
        "why": {"title": "Why"},
        "other": {"title": "Like"},
        "value": {
            "title": "Share", "suffix": " %", "format": "{:,.1f}", "scale": False,
            "description": "Of compared sites with the same genotype, or of genotypes that are missing",
        },
    }  # fmt: skip
    return Section(
        "people_to_look_at", "sites", "People to look at",
        f"Nobody was left out. The first {SHOWN}; all of them stand in inputs/&lt;cohort&gt;.people.tsv.",
        "table", data, {"col1_header": "", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip


def sentences(fits: dict[str, Fit], counts: list[SiteCount]) -> list[str]:
    """What to know about sites and people that do not fit."""
    found: list[str] = []
    for cohort, fit in fits.items():
        totals: Counter[str] = Counter()
        drift = 0
        for count in counts:
            if count.cohort == cohort:
                totals[count.what] += count.count
                drift = max(drift, count.count) if count.what == "qc_drift_permille" else drift
        found += [f"{cohort}: {sentence}" for sentence in _of_people(fit) + _of_sites(totals, drift)]
    return found


def _of_people(fit: Fit) -> list[str]:
    found = []
    by_reason: dict[str, list[Row]] = defaultdict(list)
    for row in fit.people:
        by_reason[row["reason"]].append(row)
    if rows := by_reason["in_panel"]:
        found.append(
            f"{_those(rows)} in the panel too, by their genotypes ({_pairs(rows)}): they copy "
            "themselves, so accuracy measured on them means nothing; leave them out of panel or cohort."
        )
    if rows := by_reason["in_cohort"]:
        found.append(
            f"{_those(rows)} in the cohort twice, by their genotypes ({_pairs(rows)}): the same person, "
            "twins, or on short stretches close relatives."
        )
    if rows := by_reason["missing"]:
        named = _listed([row["person"] for row in rows])
        found.append(
            f"more than a tenth of the genotypes is missing in {_count(len(rows), 'person', 'people')} "
            f"({named}), imputed all the same."
        )
    return found


def _those(rows: list[Row]) -> str:
    return _count(len({row["person"] for row in rows}), "person is", "people are")


def _pairs(rows: list[Row]) -> str:
    return _listed([f"{row['person']} is {row['other']}" for row in rows])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" and more" if len(names) > NAMED else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _of_sites(totals: Counter[str], drift: int) -> list[str]:
    found = []
    if outliers := totals["qc_frequency"] + totals["qc_strand"]:
        left = (
            "left out" if totals["qc_excluded"] else "used all the same (--exclude_outliers leaves them out)"
        )
        found.append(
            f"the allele frequency does not fit the panel's at {_count(outliers, 'site', 'sites')} of "
            f"{totals['qc_compared']:,} compared, {left}; {totals['qc_strand']:,} of them, of A/T or C/G, "
            "would fit on the other strand."
        )
    if drift >= MUCH_DRIFT:
        found.append(
            "allele frequencies differ from the panel's in general (their difference has a variance of "
            f"{drift / 1000:.2f} p (1 - p) beyond that of counting): the cohort and the panel are of other "
            "populations, or of other shares of them, and few wrong sites can be told."
        )
    if seldom := totals["qc_missing"]:
        found.append(
            "more than a tenth of the people have no genotype at "
            f"{_count(seldom, 'typed site', 'typed sites')}, used all the same."
        )
    if constant := totals["qc_monomorphic"]:
        found.append(f"everybody has the same genotype at {_count(constant, 'typed site', 'typed sites')}.")
    return found
