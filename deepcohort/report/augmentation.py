"""Artificial people: what they are worth and what they reveal, beside plain generators and held-out
people.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from deepcohort.report.rows import Row, read_kinds
from deepcohort.report.sections import PALE, PALETTE, Line, Section, lines

KINDS = {
    "quality": {"generator", "against", "figure", "label", "value"},
    "counts": {"what", "count"},
    "training": {"step", "critic_loss", "generator_loss", "score"},
    "pca": {"group", "label", "pc1", "pc2"},
    "frequencies": {"label", "site", "real", "artificial"},
    "linkage": {"row", "column", "r2"},
    "decay": {"distance", "real", "artificial"},
    "spectrum": {"maf", "real", "artificial"},
}
"""Tables of the augmentation by name, with columns they must have."""

GENERATORS = {
    "generator": "the generator",
    "held_out_people": "held-out people",
    "independent": "independent sites",
    "mosaic": "mosaic",
    "gaussian": "PCA and normal distribution",
    "copies": "copies of the panel",
}

FIGURES = {
    ("train", "af_r"): ("AF r", "Correlation of ALT frequencies with the people learnt from"),
    ("train", "af_r_by_label"): ("AF r by label", "The same within labels, their mean"),
    ("train", "ld_r"): ("LD r", "Correlation of the r² of pairs of sites"),
    ("train", "three_point_r"): ("3-point r", "Correlation of third moments of triplets of sites"),
    ("held_out", "adversarial_truth"): (
        "AA real",
        "Share of held-out people nearer to each other than to artificial ones; 0.5 is best",
    ),
    ("held_out", "adversarial_artificial"): (
        "AA artificial",
        "Share of artificial people nearer to each other than to held-out ones; 0.5 is best",
    ),
    ("held_out", "privacy_loss"): (
        "Privacy loss",
        "Adversarial accuracy against held-out people minus that against people learnt from; 0 is best",
    ),
    ("held_out", "identical_people"): ("Identical", "Artificial people who are somebody of the panel"),
    ("held_out", "near_people"): (
        "Near",
        "Artificial people nearer to somebody of the panel than all but 1 % of its people are to each other",
    ),
    ("held_out", "membership_auc"): (
        "Membership AUC",
        "How well nearness to artificial people tells who was learnt from; 0.5 tells nothing",
    ),
    ("held_out", "heterozygosity_ratio"): ("Heterozygosity", "Mean, divided by that of held-out people"),
    ("held_out", "pc_wasserstein"): ("PC distance", "Wasserstein distance on six components, in SD"),
    ("held_out", "told_by_artificial"): (
        "Told by artificial",
        "Held-out people whose label a machine names that learnt from artificial people alone",
    ),
    ("held_out", "told_by_real"): ("Told by real", "The same, learnt from the panel's people"),
    ("held_out", "told_by_both"): ("Told by both", "The same, learnt from both"),
}

Tables = dict[str, list[Row]]


def read(paths: list[Path]) -> Tables:
    """Rows by kind of table; raises ``InputError`` where a table is something else."""
    return read_kinds(paths, KINDS, "artificial people", "generate")


def sections(tables: Tables) -> list[Section]:
    """Figures beside plain generators, components, frequencies, linkage, spectrum, training."""
    return [
        _figures(tables["quality"]),
        _components(tables["pca"]),
        _frequencies(tables["frequencies"]),
        _linkage(tables["linkage"]),
        _curve("decay", "LD by distance", "distance in bases, up to", "mean r²", tables["decay"], "distance"),
        _curve("spectrum", "Site frequencies", "minor allele frequency", "share of the sites",
               tables["spectrum"], "maf"),
        _training(tables["training"]),
    ]  # fmt: skip


def facts(tables: Tables) -> list[str]:
    """What was done, in words."""
    counts = _counts(tables)
    if "artificial" not in counts:
        return []
    return [
        f"{counts['artificial']:,} artificial people were made by a generator that learnt from "
        f"{counts['learnt_from']:,} people of the panel at {counts['sites']:,} sites; "
        f"{counts['held_out']:,} people were held out to judge it."
    ]


def sentences(tables: Tables) -> list[str]:
    """What to know: who was rejected, what was left out."""
    counts = _counts(tables)
    if "artificial" not in counts:
        return []
    found = [
        f"{counts['rejected']:,} artificial people were nearer to somebody of the panel than nine tenths of "
        "his or her distance to the nearest other one, and were drawn anew."
    ]
    told = {
        "given_up": "artificial people stayed too near and were left out",
        "people_without_label": "people of the panel have no label and were not learnt from",
        "labels_without_person": "labels are of people who are not in the panel",
        "sites_not_biallelic": "sites have several ALT or a symbolic one, and artificial people lack them",
        "genotypes_missing": "missing genotypes of the panel were drawn from its frequencies",
    }
    found += [f"{counts[what]:,} {words}." for what, words in told.items() if counts.get(what)]
    found += [
        row["what"].removeprefix("note: ") for row in tables["counts"] if row["what"].startswith("note: ")
    ]
    return found


def _counts(tables: Tables) -> dict[str, int]:
    return {row["what"]: int(row["count"]) for row in tables["counts"]}


def _figures(rows: list[Row]) -> Section:
    data: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        key = row["against"], row["figure"]
        of_themselves = row["generator"] == "held_out_people" and row["against"] == "held_out"
        # Held-out people beside themselves say nothing.
        if row["label"] == "all" and key in FIGURES and row["value"] != "nan" and not of_themselves:
            name = GENERATORS.get(row["generator"], row["generator"])
            data[name]["_".join(key)] = float(row["value"])
    headers: dict[str, Any] = {
        "_".join(key): {"title": title, "description": text, "format": "{:,.3f}", "scale": False}
        for key, (title, text) in FIGURES.items()
    }
    for counted in ("identical_people", "near_people"):
        headers[f"held_out_{counted}"]["format"] = "{:,.0f}"
    return Section(
        "augmentation_figures", "augmentation", "Quality beside plain generators",
        "Frequencies and linkage are compared with the people learnt from, all else with "
        "held-out people; the "
        "row of held-out people shows what real people reach. All figures stand in augmentation/quality.tsv.",
        "table", dict(data), {"col1_header": "Generator", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip


def _components(rows: list[Row]) -> Section:
    labels = sorted({row["label"] for row in rows})
    color = dict(zip(labels, PALETTE * (1 + len(labels) // len(PALETTE)), strict=False))
    tabs = [
        {label: _dots([row for row in rows if (row["group"], row["label"]) == (group, label)], color[label])
         for label in labels}
        for group in ("held_out", "artificial")
    ]  # fmt: skip
    return Section(
        "augmentation_components", "augmentation", "Principal components, real and artificial",
        "Components are of held-out people; colours are labels. The tabs should look alike.",
        "scatter", tabs if rows else [],
        {"xlab": "PC1", "ylab": "PC2", "showlegend": True,
         "data_labels": [{"name": "held-out people"}, {"name": "artificial people"}],
         **_limits(rows)},
    )  # fmt: skip


def _dots(rows: list[Row], color: str) -> list[dict[str, Any]]:
    """A label's people; the first of them stands for it in the legend."""
    return [
        {"x": float(row["pc1"]), "y": float(row["pc2"]), "color": color, "marker_size": 5, "opacity": 0.7,
         "annotate": False, "hide_in_legend": number > 0}
        for number, row in enumerate(rows)
    ]  # fmt: skip


def _limits(rows: list[Row]) -> dict[str, float]:
    """The same axes in both tabs."""
    if not rows:
        return {}
    found: dict[str, float] = {}
    for axis, column in (("x", "pc1"), ("y", "pc2")):
        values = [float(row[column]) for row in rows]
        margin = 0.05 * (max(values) - min(values))
        found |= {f"{axis}min": min(values) - margin, f"{axis}max": max(values) + margin}
    return found


def _frequencies(rows: list[Row]) -> Section:
    labels = sorted({row["label"] for row in rows})
    tabs = [
        {
            f"sites, {label}": [
                {"x": float(row["real"]), "y": float(row["artificial"]), "color": PALETTE[0],
                 "marker_size": 4, "opacity": 0.6, "annotate": False, "hide_in_legend": True}
                for row in rows if row["label"] == label
            ]
        }
        for label in labels
    ]  # fmt: skip
    settings: dict[str, Any] = {
        "xlab": "held-out people", "ylab": "artificial people", "xmin": 0, "xmax": 1, "ymin": 0, "ymax": 1,
        "data_labels": [{"name": label} for label in labels],
    }  # fmt: skip
    return Section(
        "augmentation_frequencies", "augmentation", "Allele frequencies, real and artificial",
        "A dot for each of some sites, evenly taken: ALT frequency in held-out and in artificial people.",
        "scatter", tabs, settings,
    )  # fmt: skip


def _linkage(rows: list[Row]) -> Section:
    data: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        data[row["row"]][row["column"]] = float(row["r2"])
    order = list(data)  # as the sites lie
    matrix = {one: {other: data[one].get(other, 1.0) for other in order} for one in order}
    return Section(
        "augmentation_linkage", "augmentation", "LD, real | artificial",
        "r² of pairs of sites (by position): held-out people below the diagonal, artificial people above it.",
        "heatmap", matrix,
        {"xlab": "site", "ylab": "site", "min": 0, "max": 1, "square": True, "zlab": "r²",
         "cluster_rows": False, "cluster_cols": False, "display_values": False},
    )  # fmt: skip


def _curve(name: str, title: str, x_label: str, y_label: str, rows: list[Row], column: str) -> Section:
    tab = [
        Line("held-out people", [(float(row[column]), float(row["real"])) for row in rows], PALE, width=3),
        Line(
            "artificial people", [(float(row[column]), float(row["artificial"])) for row in rows], PALETTE[0]
        ),
    ]
    data, settings = lines({title: tab}, y_label, xlab=x_label, ymin=0) if rows else ([], {})
    if name == "decay":
        settings["xlog"] = True
    return Section(
        f"augmentation_{name}",
        "augmentation",
        title,
        "Held-out and artificial people.",
        "linegraph",
        data,
        settings,
    )


def _training(rows: list[Row]) -> Section:
    tabs = {
        title: [Line(title, [(int(row["step"]), float(row[column])) for row in rows], PALETTE[number])]
        for number, (column, title) in enumerate(
            (
                ("score", "score on validating people"),
                ("critic_loss", "critic"),
                ("generator_loss", "generator"),
            )
        )
    }
    data, settings = lines(tabs, "loss or score", xlab="step") if rows else ([], {})
    return Section(
        "augmentation_training", "augmentation", "Training",
        "The generator with the best score on people who only judge is taken, not the last one. Step 0 is "
        "the generator before training.",
        "linegraph", data, settings,
    )  # fmt: skip
