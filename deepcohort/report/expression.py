"""Expression: what was predicted of people's genes, how well that fits, and what was dropped on the way."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from deepcohort.report.accuracy import number
from deepcohort.report.rows import Row, by_cohort, read_kinds
from deepcohort.report.sections import PALE, PALETTE, Line, Section, lines

KINDS = {
    "evaluation": {"cohort", "gene", "name", "split", "group", "method", "r", "high"},
    "evaluation_summary": {"cohort", "split", "group", "genes", "method", "number", "mean_r", "mean_abs_r"},
    "counts": {"cohort", "what", "count"},
    "modes": {"cohort", "gene", "linear_ok", "used"},
    "notes": {"cohort", "what"},
    "shown": {"cohort", "gene", "name", "person", "predicted", "elastic_net", "measured"},
    "loci": {"cohort", "gene", "name", "chrom", "pos", "effect", "weight"},
}
"""Tables of the expression step by their names, with columns they must have."""

PLAIN = {
    "top_snp": "top SNP", "elastic_net": "elastic net", "blup": "BLUP", "predictdb": "given weights",
    "combination": "combination", "stacked": "tracks stacked",
}  # fmt: skip
SPLITS = {
    "people": "people held out", "population": "population held out", "permuted": "null: genomes shuffled",
    "curve": "taught by", "across_genes": "across genes", "unseen_genes": "people and genes held out",
}  # fmt: skip
LIMIT = (
    "Sequence models are trained on one reference genome: they rank genes well and people badly. Across "
    "people their correlations are near zero for most genes and often of the wrong sign, where linear models "
    "of the same people do better. Take no prediction without the plain models beside it, and no sign on "
    "trust."
)
DROPPED = {
    "genes_unstranded": "genes without a strand",
    "genes_beyond_contig": "genes that start beyond the contig's end",
    "genes_without_bases": "genes without known bases around their start",
    "records_ref_mismatch": "records whose REF is not the reference's", "records_symbolic": "records with "
    "symbolic alleles", "records_star": "records with the allele *", "genotypes_missing": "missing genotypes",
    "genotypes_unphased_left_out": "unphased heterozygotes whose alleles differ in length",
    "alleles_overlapping": "alleles that overlap one before them",
}  # fmt: skip
"""What was dropped, or taken as the reference, in words."""
SCATTERED = 8
"""Genes in the scatter of people."""

Tables = dict[str, list[Row]]


def read(paths: list[Path]) -> Tables:
    """Rows by kind of table; raises ``InputError`` where a table is something else."""
    return read_kinds(paths, KINDS, "expression", "collect")


def sections(tables: Tables) -> list[Section]:
    """Methods, ranks of genes, scatter beside elastic net, signs, loci, people, heat map, and counts."""
    rows = [row for row in tables["evaluation"] if row["split"] == "people" and row["group"] == "all"]
    return [
        _methods(tables["evaluation_summary"]),
        _ranks(rows),
        _beside(rows),
        _signs(rows),
        _loci(tables["loci"]),
        _people(tables["shown"]),
        _heat(tables["shown"]),
        _counts(tables["counts"]),
    ]


def facts(tables: Tables) -> list[str]:
    """What was done, in words."""
    counts = by_cohort(tables["counts"])
    found = []
    for cohort, rows in counts.items():
        known = {row["what"]: int(row["count"]) for row in rows}
        without = sum(n for what, n in known.items() if what in DROPPED and what.startswith("genes_"))
        found.append(
            f"{cohort}: expression of {known['genes'] - without:,} of {known['genes']:,} genes was "
            f"predicted, from {known['haplotypes_unique']:,} different sequences of {known['haplotypes']:,} "
            "haplotypes."
        )
    for row in tables["evaluation_summary"]:
        if (row["split"], row["group"], row["genes"]) == ("people", "all", "with_sequence"):
            found.append(
                f"{row['cohort']}: across people {_name(row['method'])} has a mean r of {row['mean_r']} over "
                f"{int(row['number']):,} genes, below 0 at {100 * float(row['negative']):.0f} % of them."
            )
    return found


def sentences(tables: Tables) -> list[str]:
    """What to know: what sequence models cannot do, linear predictions that failed, what was dropped."""
    if not tables["counts"]:
        return []
    found = [LIMIT]
    found += [f"{row['cohort']}: {row['what']}".removeprefix(": ") for row in tables["notes"]]
    for cohort, rows in by_cohort(tables["modes"]).items():
        poor = [row for row in rows if row["linear_ok"] == "no"]
        if poor:
            kept = sum(row["used"] == "linear" for row in poor)
            found.append(
                f"{cohort}: at {len(poor):,} of {len(rows):,} genes a linear prediction was too far from the "
                f"model; {kept:,} of them keep it."
            )
    for cohort, rows in by_cohort(tables["counts"]).items():
        told = [
            f"{int(row['count']):,} {DROPPED[row['what']]}"
            for row in rows
            if row["what"] in DROPPED and int(row["count"])
        ]
        if told:
            found.append(f"{cohort}: not used, or taken as the reference: {', '.join(told)}.")
    return found


def _name(method: str) -> str:
    return PLAIN.get(method, method)


def _model(rows: list[Row]) -> str | None:
    """The sequence model among the methods."""
    return next((row["method"] for row in rows if row["method"] not in PLAIN), None)


def _scores(rows: list[Row]) -> dict[str, dict[str, float]]:
    """r by method and gene, of genes where it is known."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        value = number(row["r"])
        if value is not None:
            found[row["method"]][f"{row['cohort']} {row['gene']} {row['name']}"] = value
    return dict(found)


def _methods(rows: list[Row]) -> Section:
    share: dict[str, Any] = {"format": "{:,.3f}", "min": -1, "max": 1, "scale": False}
    part: dict[str, Any] = {"format": "{:,.0f}", "suffix": " %", "min": 0, "max": 100, "scale": False}
    headers: dict[str, Any] = {
        "cohort": {"title": "Cohort"},
        "split": {"title": "Held out"},
        "genes": {"title": "Genes"},
        "method": {"title": "Method"},
        "number": {"title": "Number of genes", "format": "{:,.0f}", "scale": False},
        "mean_r": {"title": "Mean r", **share},
        "low": {"title": "from", **share, "description": "95 %, bootstrap over genes"},
        "high": {"title": "to", **share, "description": "95 %, bootstrap over genes"},
        "mean_abs_r": {"title": "Mean |r|", **share},
        "negative": {"title": "r below 0", **part},
        "surely_negative": {"title": "surely below 0", **part},
        "note": {"title": "Note"},
    }
    data = {}
    for place, row in enumerate(rows, 1):
        cells: dict[str, Any] = {
            "cohort": row["cohort"], "method": _name(row["method"]), "number": int(row["number"]),
            "split": f"{SPLITS[row['split']]} ({row['group']})", "note": row["note"],
            "genes": row["genes"].replace("_", " "),
        }  # fmt: skip
        for name in ("mean_r", "low", "high", "mean_abs_r", "negative", "surely_negative"):
            value = number(row[name])
            if value is not None:
                cells[name] = 100 * value if "negative" in name else value
        data[str(place)] = cells
    return Section(
        "expression_methods", "expression", "Methods beside each other",
        "Pearson's r of predicted and measured expression across people, gene by gene, and its mean over "
        f"genes. Plain models are asked of people whom they have not learnt from. {LIMIT}",
        "table", data, {"col1_header": "", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip


def _ranks(rows: list[Row]) -> Section:
    drawn = [
        Line(_name(method), list(enumerate(sorted(scores.values(), reverse=True), 1)), color)
        for (method, scores), color in zip(_scores(rows).items(), PALETTE, strict=False)
    ]
    data, settings = lines({"r": drawn}, "r across people", xlab="rank of the gene") if drawn else ([], {})
    return Section(
        "expression_ranks", "expression", "Genes by rank",
        "r of each gene, from the best to the worst, for each method by itself. A method that knows nothing "
        "has as many genes above 0 as below.",
        "linegraph", data, settings,
    )  # fmt: skip


def _beside(rows: list[Row]) -> Section:
    scores = _scores(rows)
    plain = scores.get("elastic_net", {})
    shown = [name for name in (_model(rows), "combination") if name in scores]
    tabs = [
        {
            gene: [{"x": plain[gene], "y": value, "color": PALETTE[0] if value > 0 else PALETTE[1]}]
            for gene, value in scores[name].items()
            if gene in plain
        }
        for name in shown
    ]
    axes = [{"xlab": "r of elastic net", "ylab": f"r of {_name(name)}"} for name in shown]
    settings: dict[str, Any] = {"marker_size": 6, **(axes[0] if axes else {})}
    if len(axes) > 1:
        settings["data_labels"] = [{"name": name, **own} for name, own in zip(shown, axes, strict=True)]
    return Section(
        "expression_beside", "expression", "Sequence model beside elastic net",
        "Each gene's r by elastic net of held-out people (across) and by the sequence model, or by the "
        "combination of both (upwards), of which those below 0 have another colour.",
        "scatter", tabs, settings,
    )  # fmt: skip


def _signs(rows: list[Row]) -> Section:
    data: dict[str, dict[str, int]] = {}
    for row in rows:
        value, high, low = (number(row[name]) for name in ("r", "high", "low"))
        if value is None:
            continue
        of = data.setdefault(
            _name(row["method"]), {"surely_below": 0, "below": 0, "above": 0, "surely_above": 0}
        )
        sure = (high is not None and high < 0) or (low is not None and low > 0)
        of[("surely_" if sure else "") + ("above" if value > 0 else "below")] += 1
    names = {
        "surely_below": ("surely wrong", PALETTE[1]), "below": ("below 0", PALETTE[4]),
        "above": ("above 0", PALETTE[5]), "surely_above": ("surely right", PALETTE[0]),
    }  # fmt: skip
    return Section(
        "expression_signs", "expression", "Signs",
        "Genes whose predictions rise with measured expression, and genes where they fall; sure where the "
        "interval of 95 % over people leaves 0 out.",
        "bargraph", data, {"ylab": "genes", "cpswitch_counts_label": "Genes"},
        categories={key: {"name": name, "color": color} for key, (name, color) in names.items()},
    )  # fmt: skip


def _loci(rows: list[Row]) -> Section:
    by_gene: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_gene[f"{row['cohort']} {row['name']}"].append(row)
    tabs = []
    for own in by_gene.values():
        dots: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in own:
            dot = {"x": int(row["pos"]), "y": float(row["effect"]), "color": _agreement(row)}
            dots[f"{row['chrom']}:{int(row['pos']):,}"].append(dot)
        tabs.append(dict(dots))
    settings: dict[str, Any] = {"xlab": "position", "ylab": "effect", "marker_size": 6}
    if len(tabs) > 1:
        settings["data_labels"] = [{"name": name, "xlab": "position", "ylab": "effect"} for name in by_gene]
    return Section(
        "expression_loci", "expression", "Effects along genes",
        "What the sequence model expects of each variant in its window, at the genes where its r across "
        "people is largest in size, of either sign. Blue variants have a weight of the same sign in the "
        "elastic net of everybody, orange ones of the other sign, and grey ones none.",
        "scatter", tabs, settings,
    )  # fmt: skip


def _agreement(row: Row) -> str:
    """A dot's colour: whether people taught the elastic net the sign that the sequence model tells."""
    weight = number(row["weight"])
    if weight is None:
        return PALE
    return PALETTE[0] if weight * float(row["effect"]) > 0 else PALETTE[1]


def _people(rows: list[Row]) -> Section:
    by_gene: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_gene[f"{row['cohort']} {row['name']}"].append(row)
    some = dict(list(by_gene.items())[:SCATTERED])
    tabs = [
        {
            row["person"]: [{"x": float(row["measured"]), "y": float(row["predicted"]), "color": PALETTE[0]}]
            for row in own
            if number(row["measured"]) is not None
        }
        for own in some.values()
    ]
    settings: dict[str, Any] = {"xlab": "measured", "ylab": "predicted", "marker_size": 6}
    if len(tabs) > 1:
        settings["data_labels"] = [{"name": name, "xlab": "measured", "ylab": "predicted"} for name in some]
    return Section(
        "expression_people", "expression", "Predicted and measured",
        f"A dot for each person, at the {len(some)} genes whose predictions differ most between people: they "
        "are chosen without a look at what was measured.",
        "scatter", tabs, settings,
    )  # fmt: skip


def _heat(rows: list[Row]) -> Section:
    cohort = rows[0]["cohort"] if rows else ""
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row["cohort"] == cohort:
            values[row["name"]][row["person"]] = float(row["predicted"])
    data: dict[str, dict[str, float]] = defaultdict(dict)
    for gene, of_people in values.items():
        mean = sum(of_people.values()) / len(of_people)
        spread = (sum((value - mean) ** 2 for value in of_people.values()) / len(of_people)) ** 0.5
        for person, value in of_people.items():
            data[person][gene] = round((value - mean) / spread, 2) if spread else 0.0
    return Section(
        "expression_heat", "expression", f"People and genes ({cohort})",
        "Predicted expression of some people (rows) at the genes whose predictions differ most (columns), in "
        "standard deviations from each gene's mean.",
        "heatmap", dict(data),
        {"xlab": "gene", "ylab": "person", "min": -3, "max": 3, "square": False, "zlab": "SD",
         "cluster_rows": False, "cluster_cols": False, "display_values": False,
         "colstops": [[0, PALETTE[0]], [0.5, "#ffffff"], [1, PALETTE[1]]]},
    )  # fmt: skip


def _counts(rows: list[Row]) -> Section:
    cohorts = by_cohort(rows)
    headers: dict[str, Any] = {"what": {"title": "What"}}
    headers |= {cohort: {"title": cohort, "format": "{:,.0f}", "scale": False} for cohort in cohorts}
    data: dict[str, dict[str, Any]] = defaultdict(dict)
    for cohort, own in cohorts.items():
        for place, row in enumerate(own, 1):
            data[str(place)]["what"] = DROPPED.get(row["what"], row["what"].replace("_", " "))
            data[str(place)][cohort] = int(row["count"])
    return Section(
        "expression_counts", "expression", "Counted on the way",
        "Records, genotypes, alleles and haplotypes count once for every gene near them.",
        "table", dict(data), {"col1_header": "", "no_violin": True, "sort_rows": False}, headers,
    )  # fmt: skip
