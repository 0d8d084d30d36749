"""Measured accuracy: R² by MAF bin, the model beside the baseline, for everybody and by population."""

from pathlib import Path

from deepcohort.report.rows import Row, read_rows
from deepcohort.report.sections import PALE, PALETTE, Line, Section, lines

Cells = dict[str, float | str | None]

EVERYONE = "all"
NOT_AVAILABLE = "NA"
NEEDED = {"cohort", "imputer", "source", "population", "maf_bin", "r2", "r2_low", "r2_high", "baseline_r2"}

LEVELS = {"superpopulation": "Superpopulations", "population": "Populations"}
"""Tabs below that of everybody, by what the table's column ``level`` says."""

MEASURED = {
    "truth": "the genotypes given by --truth, at sites that were not typed",
    "masked": "typed sites of the input that were hidden from the model",
}


GOOD_R2 = 0.8
"""R² from which single variants of a bin are commonly used."""


def read(paths: list[Path]) -> list[Row]:
    """Read accuracy tables; raises ``InputError`` where columns are missing."""
    return read_rows(paths, NEEDED, "combine-accuracy")


def number(cell: str | None) -> float | None:
    """Value of a cell, None where it is not available."""
    return None if cell in (None, "", NOT_AVAILABLE) else float(str(cell))


def facts(rows: list[Row]) -> list[str]:
    """Which bins are imputed well, in words."""
    said = []
    everyone = [row for row in rows if row["population"] == EVERYONE]
    for key in dict.fromkeys(_key(row) for row in everyone):
        bins = [row for row in everyone if _key(row) == key]
        measured = [(row["maf_bin"], value) for row in bins if (value := number(row["r2"])) is not None]
        if not measured:
            continue
        good = [name for name, value in measured if value >= GOOD_R2]
        cohort, imputer, source = key
        reach = (
            f"reaches {GOOD_R2} at MAF {', '.join(good)}" if good else f"stays below {GOOD_R2} at every MAF"
        )
        said.append(
            f"{cohort}, imputer {imputer}, measured on {MEASURED.get(source, source)}: "
            f"aggregated R² {reach} ({', '.join(f'{value:.2f} at {name}' for name, value in measured)})."
        )
    return said


def sentences(rows: list[Row]) -> list[str]:
    """Who and what was not scored, in words."""
    found = []
    for cohort in dict.fromkeys(row["cohort"] for row in rows):
        own = [row for row in rows if row["cohort"] == cohort]
        unlabelled = max((number(row.get("unlabelled_people")) or 0 for row in own), default=0)
        without = max((number(row.get("people_without_truth")) or 0 for row in own), default=0)
        unknown = sum(
            number(row.get("sites_without_truth")) or 0 for row in own if row["population"] == EVERYONE
        )
        multi = max((number(row.get("multiallelic_sites")) or 0 for row in own), default=0)
        constant = max((number(row.get("monomorphic_sites")) or 0 for row in own), default=0)
        if unlabelled:
            found.append(f"{cohort}: {unlabelled:,.0f} people have no population label; they count in 'all'.")
        if without:
            found.append(f"{cohort}: {without:,.0f} imputed people are not in the truth and were not scored.")
        if unknown:
            found.append(f"{cohort}: {unknown:,.0f} imputed sites are not in the truth and were not scored.")
        if multi or constant:
            found.append(
                f"{cohort}: not scored were {multi:,.0f} multi-allelic sites and {constant:,.0f} sites at "
                "which the panel does not vary."
            )
        if any(row["source"] == "masked" for row in own):
            found.append(
                f"{cohort}: accuracy was measured on hidden typed sites. These are mostly common variants in "
                "well-covered stretches, so rare variants are imputed worse than these figures suggest; "
                "--truth measures them."
            )
    return found


def sections(rows: list[Row]) -> list[Section]:
    """Curve of R² by MAF, table of all figures for everybody, table of R² by population."""
    if not rows:
        return []
    return [_curve(rows), _figures(rows), _populations(rows)]


def _measured(rows: list[Row]) -> str:
    sources = sorted({row["source"] for row in rows})
    return " and ".join(MEASURED.get(source, source) for source in sources)


def _titles(rows: list[Row]) -> dict[tuple[str, str, str], str]:
    """Shortest name of each cohort, imputer and source that tells it from the others."""
    keys = list(dict.fromkeys((row["cohort"], row["imputer"], row["source"]) for row in rows))
    told = [len({key[part] for key in keys}) > 1 for part in range(3)]
    told[1] = True
    return {key: " · ".join(value for value, tell in zip(key, told, strict=True) if tell) for key in keys}


def _points(rows: list[Row], column: str) -> list[tuple[str, float]]:
    values = [(row["maf_bin"], number(row.get(column))) for row in rows]
    return [(name, value) for name, value in values if value is not None]


def _curve(rows: list[Row]) -> Section:
    titles = _titles(rows)
    tabs: dict[str, list[Line]] = {"All people": []}
    for count, (key, title) in enumerate(titles.items()):
        color = PALETTE[count % len(PALETTE)]
        chosen = [r for r in rows if _key(r) == key and r["population"] == EVERYONE]
        tabs["All people"] += _with_interval(title, chosen, color)
    for level, tab in LEVELS.items():
        names = list(dict.fromkeys(r["population"] for r in rows if r.get("level") == level))
        for count, name in enumerate(names):
            for key, title in titles.items():
                chosen = [r for r in rows if _key(r) == key and r["population"] == name]
                label = name if len(titles) == 1 else f"{name} · {title}"
                color = PALETTE[count % len(PALETTE)]
                tabs.setdefault(tab, []).extend(
                    [
                        Line(label, _points(chosen, "r2"), color, DASHES[count // len(PALETTE) % 3]),
                        Line(f"{label}: baseline", _points(chosen, "baseline_r2"), color, "dot", 1, False),
                    ]
                )
    tabs = {tab: kept for tab, drawn in tabs.items() if (kept := [line for line in drawn if line.points])}
    data, settings = lines(
        tabs, "aggregated R²", xlab="minor allele frequency in the panel", categories=True, ymin=0, ymax=1
    )
    return Section(
        "r2_by_maf", "imputation", "Accuracy by allele frequency",
        f"Aggregated R²: the squared correlation of imputed and true dosage over all people and sites of a "
        f"bin, measured on {_measured(rows)}. Thin dashed lines: 95 % interval of a bootstrap over people. "
        f"Dotted: the baseline, which gives everybody the panel's frequency. Rare variants are hard for "
        f"every method: few people of the panel carry them.",
        "linegraph", data, settings,
    )  # fmt: skip


DASHES = ("solid", "dash", "dashdot")


def _key(row: Row) -> tuple[str, str, str]:
    return row["cohort"], row["imputer"], row["source"]


def _with_interval(title: str, rows: list[Row], color: str) -> list[Line]:
    return [
        Line(title, _points(rows, "r2"), color, width=3),
        Line(f"{title}: 95 % from", _points(rows, "r2_low"), color, "dash", 1, False),
        Line(f"{title}: 95 % to", _points(rows, "r2_high"), color, "dash", 1, False),
        Line(f"{title}: baseline (panel frequency)", _points(rows, "baseline_r2"), PALE, "dot", 2),
    ]


def _figures(rows: list[Row]) -> Section:
    titles = _titles(rows)
    chosen = [row for row in rows if row["population"] == EVERYONE]
    data: dict[str, Cells] = {}
    for row in chosen:
        name = f"{row['maf_bin']} · {titles[_key(row)]}" if len(titles) > 1 else row["maf_bin"]
        data[name] = {column: number(row.get(column)) for column in FIGURES}
    return Section(
        "accuracy_figures", "imputation", "Accuracy by allele frequency, in figures",
        "Everybody. The same figures for each population are in imputation/accuracy.tsv.",
        "table", _without_gaps(data), {"col1_header": "MAF", "sort_rows": False, "no_violin": True}, FIGURES,
    )  # fmt: skip


def _share(title: str, description: str, scale: str | bool = False) -> dict[str, object]:
    return {
        "title": title, "description": description, "min": 0, "max": 1, "scale": scale, "format": "{:,.3f}"
    }  # fmt: skip


FIGURES: dict[str, dict[str, object]] = {
    "sites": {"title": "Sites", "description": "Sites scored", "format": "{:,.0f}", "scale": False},
    "people": {"title": "People", "description": "People scored", "format": "{:,.0f}", "scale": False},
    "r2": _share("R²", "Aggregated dosage R²", "Blues"),
    "r2_low": _share("from", "Lower end of the 95 % interval"),
    "r2_high": _share("to", "Upper end of the 95 % interval"),
    "baseline_r2": _share("Baseline R²", "R² of the panel's frequency as everybody's dosage"),
    "concordance": _share("Concordance", "Share of best guesses that are right") | {"format": "{:,.4f}"},
    "nonref_concordance": _share(
        "Non-reference concordance", "The same where truth or guess is not homozygous for REF"
    ),
    "mean_abs_info_error": _share(
        "|INFO R2 - true R²|", "Mean error of the estimated R2 of single sites; smaller is better"
    ),
}


def _populations(rows: list[Row]) -> Section:
    titles = _titles(rows)
    bins = list(dict.fromkeys(row["maf_bin"] for row in rows if row["population"] == EVERYONE))
    data: dict[str, Cells] = {}
    people: dict[str, float] = {}
    for row in rows:
        name = f"{row['population']} · {titles[_key(row)]}" if len(titles) > 1 else row["population"]
        people[name] = max(people.get(name, 0.0), number(row.get("people")) or 0.0)
        cells = data.setdefault(name, {})
        cells["people"] = people[name]
        cells[f"r2 {row['maf_bin']}"] = number(row["r2"])
        low, high = number(row["r2_low"]), number(row["r2_high"])
        cells[f"interval {row['maf_bin']}"] = None if low is None else f"{low:.2f} to {high:.2f}"
    headers: dict[str, dict[str, object]] = {"people": FIGURES["people"]}
    for name in bins:
        headers[f"r2 {name}"] = _share(name, f"Aggregated R² at MAF {name}", "Blues")
        headers[f"interval {name}"] = {
            "title": f"{name}: 95 %", "description": f"Interval of R² at MAF {name}", "hidden": True
        }  # fmt: skip
    only_everyone = all(row["population"] == EVERYONE for row in rows)
    return Section(
        "r2_by_population", "imputation", "R² by population",
        "Aggregated R² by minor allele frequency in the panel. People without a label count in 'all' only. "
        "Few people make wide intervals: show them by 'Configure columns'.",
        "table", {} if only_everyone else _without_gaps(data),
        {"col1_header": "Population", "sort_rows": False, "no_violin": True}, headers,
    )  # fmt: skip


def _without_gaps(data: dict[str, Cells]) -> dict[str, dict[str, float | str]]:
    return {
        name: {k: v for k, v in cells.items() if v is not None}  # an empty cell says: not available
        for name, cells in data.items()
    }
