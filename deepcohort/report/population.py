"""Populations: where people come from, how sure that is, and which people of the panel to impute from."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from deepcohort.report.rows import Row, by_cohort, read_kinds
from deepcohort.report.sections import PALETTE, Section

KINDS = {
    "assignments": {
        "cohort",
        "sample",
        "population",
        "superpopulation",
        "p_superpopulation",
        "flags",
        "method",
    },
    "figures": {"cohort", "method", "taken", "people", "accuracy", "super_accuracy", "calibration_error"},
    "confusion": {"cohort", "population", "superpopulation", "called", "people"},
    "places": {"cohort", "sample", "group", "label", "pc1", "pc2"},
    "mixture": {"cohort", "sample", "superpopulation", "probability"},
    "counts": {"cohort", "what", "count"},
    "panel_recommendation": {
        "cohort",
        "what",
        "name",
        "value",
        "full",
        "recommended",
        "same_population",
        "advice",
    },
}
"""Tables of the population step by the end of their names, with columns they must have."""

UNASSIGNED = "unassigned"

METHODS = {
    "lda": "PCA and LDA",
    "svm": "linear SVM",
    "forest": "PCA and random forest",
    "discriminant": "shrunken discriminant",
    "sharing": "shared haplotypes",
    "painting": "painted genomes",
    "nested": "discriminants within superpopulations",
    "cnn": "networks (CNN)",
    "ensemble": "all together",
}

SHOWN = 300
"""People in the bars, and of each panel group in the picture: more would only hide each other."""

Tables = dict[str, list[Row]]


def read(paths: list[Path]) -> Tables:
    """Rows by kind of table; raises ``InputError`` where a table is something else."""
    return read_kinds(paths, KINDS, "populations", "assign")


def _method(name: str) -> str:
    """A method in words; plain models may have learnt from artificial people too."""
    alone, added, _ = name.partition("+artificial")
    return METHODS[alone] + (", with artificial people" if added else "")


def sections(tables: Tables) -> list[Section]:
    """Figures, confusion of the held-out people, components, bars of who is what, and the panel's "
    "recommendation."""
    return [
        _figures(tables["figures"]),
        _confusion(tables["confusion"]),
        _places(tables["places"]),
        _bars(tables["mixture"]),
        _panels(tables["panel_recommendation"]),
    ]


def facts(tables: Tables) -> list[str]:
    """What was done, in words."""
    taken = {row["cohort"]: row for row in tables["figures"] if row["taken"] == "yes"}
    found = []
    for cohort, rows in by_cohort(tables["assignments"]).items():
        known = sum(row["superpopulation"] != UNASSIGNED for row in rows)
        fine = sum(row["population"] != UNASSIGNED for row in rows)
        said = (
            f"{cohort}: of {len(rows):,} people, {known:,} were assigned to a superpopulation and {fine:,} "
            "to a "
            "population"
        )
        if row := taken.get(cohort):
            said += (
                f", by {_method(row['method'])}, which named the population of {_percent(row['accuracy'])} "
                "and the "
                f"superpopulation of {_percent(row['super_accuracy'])} of the panel's held-out people rightly"
            )
        found.append(f"{said}.")
    return found


def sentences(tables: Tables) -> list[str]:
    """What to know: who is flagged, what was dropped, which panel to use."""
    found = []
    for cohort, rows in by_cohort(tables["assignments"]).items():
        flags: Counter[str] = Counter(
            flag.partition(":")[0] for row in rows for flag in row["flags"].split(",") if flag != "none"
        )
        if number := flags["all_missing"]:
            found.append(
                f"{cohort}: {number:,} people have no genotype at the sites used and are unassigned."
            )
        if number := flags["few_sites"]:
            found.append(
                f"{cohort}: {number:,} people have genotypes at less than a tenth of the sites used."
            )
        if number := flags["in_panel"]:
            found.append(
                f"{cohort}: {number:,} people have the genotypes of somebody in the panel: what is said of "
                "them is "
                "surer than it would be of others."
            )
    for cohort, rows in by_cohort(tables["counts"]).items():
        found += [
            f"{cohort}: {sentence}" for sentence in _of_sites({r["what"]: int(r["count"]) for r in rows})
        ]
    for row in tables["panel_recommendation"]:
        if row["name"] == "all":
            found.append(
                f"{row['cohort']}: {row['advice']} for imputation: hidden typed sites were told with an R² "
                "of "
                f"{row['full']} from the full panel, {row['recommended']} from the people likest to the "
                "cohort and "
                f"{row['same_population']} from each person's own population."
            )
    return found


def _of_sites(counts: dict[str, int]) -> list[str]:
    found = [f"people were assigned by {counts.get('used', 0):,} sites that panel and input share."]
    reasons = {
        "dropped_multiallelic": "have several ALT",
        "dropped_not_varying": "vary little in the panel (MAF below 1 %)",
        "dropped_never_called": "have no genotype in the input",
        "thinned": "were more than are needed, and every so many was taken",
    }
    told = [f"{counts[what]:,} {why}" for what, why in reasons.items() if counts.get(what)]
    if told:
        found.append(f"sites not used for populations: {'; '.join(told)}.")
    if pairs := counts.get("duplicates_in_panel"):
        who = "two people of the panel have" if pairs == 1 else f"{pairs:,} pairs of the panel's people have"
        found.append(f"{who} the same genotypes: they were held out together.")
    return found


def _percent(share: str) -> str:
    return f"{100 * float(share):.1f} %"


def _figures(rows: list[Row]) -> Section:
    share: dict[str, Any] = {"suffix": " %", "format": "{:,.1f}", "min": 0, "max": 100, "scale": False}
    headers: dict[str, Any] = {
        "cohort": {"title": "Cohort"},
        "method": {"title": "Method"},
        "taken": {"title": "Taken"},
        "people": {"title": "People held out", "format": "{:,.0f}", "scale": False},
        "accuracy": {"title": "Population right", **share},
        "error": {"title": "± SE", **share},
        "super_accuracy": {"title": "Superpopulation right", **share},
        "macro_f1": {"title": "Macro F1", **share},
        "calibration_error": {
            "title": "ECE", **share, "format": "{:,.2f}",
            "description": "Expected calibration error: how far probabilities are from shares that are right",
        },
    }  # fmt: skip
    data = {
        str(number): {
            "cohort": row["cohort"],
            "method": _method(row["method"]),
            "taken": row["taken"],
            "people": int(row["people"]),
            "error": 100 * float(row["accuracy_error"]),
            **{
                name: 100 * float(row[name])
                for name in ("accuracy", "super_accuracy", "macro_f1", "calibration_error")
            },
        }
        for number, row in enumerate(rows, 1)
    }
    return Section(
        "population_figures", "population", "Methods beside each other",
        "The panel's people, each told by models that had not learnt from them or their relatives. The "
        "answer is by the method that is taken. Where artificial people are learnt from as well, the people "
        "told of are those whom their generator had not seen.",
        "table", data, {"col1_header": "", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip


def _confusion(rows: list[Row]) -> Section:
    home = {row["population"]: row["superpopulation"] for row in rows}
    order = sorted(home, key=lambda population: (home[population], population))
    cohort = rows[0]["cohort"] if rows else ""
    counted = {
        (row["population"], row["called"]): int(row["people"]) for row in rows if row["cohort"] == cohort
    }
    totals: Counter[str] = Counter()
    for (population, _), number in counted.items():
        totals[population] += number
    data = {
        one: {other: round(100 * counted.get((one, other), 0) / totals[one], 1) for other in order}
        for one in order
    }
    return Section(
        "population_confusion", "population", f"Confusion of held-out people ({cohort})",
        "Of each population of the panel (row) the share in percent that was called another (column), by the "
        "method taken. Neighbouring populations are confused; that is how near they are.",
        "heatmap", data,
        {"xlab": "called", "ylab": "is", "min": 0, "max": 100, "square": True, "zlab": "%",
         "cluster_rows": False,
         "cluster_cols": False, "display_values": False},
    )  # fmt: skip


def _places(rows: list[Row]) -> Section:
    labels = sorted({row["label"] for row in rows if row["group"] == "panel"})
    color = dict(zip(labels, PALETTE * (1 + len(labels) // len(PALETTE)), strict=False))
    tabs = [_dots(own, color) for own in by_cohort(rows).values()]
    settings: dict[str, Any] = {"xlab": "PC1", "ylab": "PC2", "showlegend": True}
    if len(tabs) > 1:
        settings["data_labels"] = [{"name": cohort} for cohort in by_cohort(rows)]
    return Section(
        "population_components", "population", "Principal components of panel and input",
        "Components are of the panel's people (pale dots), the input's people (dark) are projected onto "
        "them; "
        f"colours are superpopulations. Up to {SHOWN} people of each group are drawn.",
        "scatter", tabs, settings,
    )  # fmt: skip


def _dots(rows: list[Row], color: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Named dots, one a person; each group's superpopulation has one more under its first, for the legend."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["group"], row["label"]].append(row)
    dots: dict[str, list[dict[str, Any]]] = {}
    for (group, label), own in sorted(groups.items(), reverse=True):
        ours = group == "input"
        look = {
            "color": color.get(label, "#000000"), "marker_size": 8 if ours else 5,
            "opacity": 0.95 if ours else 0.3, "marker_line_width": 1 if ours else 0, "annotate": False,
        }  # fmt: skip
        shown = own[:: max(1, len(own) // SHOWN)]
        dots[f"{label} ({group})"] = [_place(shown[0]) | look]
        # MultiQC joins the names of all dots of one look and group in the legend.
        hidden = look | {"group": "people", "hide_in_legend": True}
        for row in shown:
            dots[f"{row['sample']} ({group}, {label})"] = [_place(row) | hidden]
    return dots


def _place(row: Row) -> dict[str, Any]:
    return {"x": float(row["pc1"]), "y": float(row["pc2"])}


def _bars(rows: list[Row]) -> Section:
    names = sorted({row["superpopulation"] for row in rows})
    colors = dict(zip(names, PALETTE * (1 + len(names) // len(PALETTE)), strict=False))
    several = len(by_cohort(rows)) > 1
    mixtures: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        name = f"{row['cohort']} {row['sample']}" if several else row["sample"]
        mixtures[name][row["superpopulation"]] = float(row["probability"])
    ordered = sorted(
        mixtures.items(), key=lambda one: (max(one[1], key=lambda k: one[1][k]), -max(one[1].values()))
    )
    data = dict(ordered[:: -(-len(ordered) // SHOWN)]) if ordered else {}
    return Section(
        "population_bars", "population", "Probabilities of superpopulations",
        f"A bar for each person of the input, the alike beside each other (up to {SHOWN} people, evenly "
        "taken; "
        "the first choices of all stand in population/assignments.tsv).",
        "bargraph", data, {"ylab": "probability", "cpswitch": False, "sort_samples": False, "ymax": 1},
        categories={name: {"name": name, "color": colors[name]} for name in names},
    )  # fmt: skip


def _panels(rows: list[Row]) -> Section:
    headers: dict[str, Any] = {
        "cohort": {"title": "Cohort"},
        "maf": {"title": "MAF in the panel"},
        "genotypes": {"title": "Hidden genotypes", "format": "{:,.0f}", "scale": False},
        **{
            name: {"title": title, "format": "{:,.3f}", "min": 0, "max": 1, "scale": False}
            for name, title in (
                ("full", "Full panel"), ("recommended", "Likest people"),
                ("same_population", "Same population"),
            )
        },
    }  # fmt: skip
    data = {
        str(number): {
            "cohort": row["cohort"],
            "maf": row["name"],
            "genotypes": int(row["value"]),
            **{
                name: float(row[name])
                for name in ("full", "recommended", "same_population")
                if row[name] not in ("NA", "nan")
            },
        }
        for number, row in enumerate((row for row in rows if row["what"] == "r2"), 1)
    }
    return Section(
        "population_panels", "population", "Which panel to impute from",
        "R² of typed sites that were hidden from some people of the cohort and told from people of the panel "
        "who are like them nearby: a plain stand-in for an imputer, the same for the three panels.",
        "table", data, {"col1_header": "", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip
