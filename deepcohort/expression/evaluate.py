"""Predicted beside measured expression across people, gene by gene, and plain models on the same people."""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.fit import KEYS
from deepcohort.expression.genes import Gene
from deepcohort.expression.study import LEAST_PEOPLE, Kind, Study, groups_to_hold_out

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
COLUMNS = (
    "cohort", "gene", "name", "chrom", "split", "group", "method", "people", "variants", "r", "low", "high",
    "p", "mean_predicted", "mean_measured", "note",
)  # fmt: skip
UNSEEN = "unseen_genes"
"""Split of people held out, in genes of chromosomes that nobody taught."""
DRAWS = 1000
"""Bootstrap samples of people for an interval of 95 %."""


class Correlation(NamedTuple):
    """Pearson's r across people, its interval of 95 %, p for r = 0; 0 with a note for flat predictions."""

    r: float
    low: float
    high: float
    p: float
    note: str


def correlation(predicted: Floats, measured: Floats, seed: int, *, interval: bool = True) -> Correlation:
    """Correlate over people; the interval is of a bootstrap over people. NaN where expression is constant."""
    from scipy.stats import pearsonr

    if len(measured) < LEAST_PEOPLE:
        return Correlation(np.nan, np.nan, np.nan, np.nan, f"fewer than {LEAST_PEOPLE} people")
    if np.ptp(measured) == 0:
        return Correlation(np.nan, np.nan, np.nan, np.nan, "expression is constant")
    if np.ptp(predicted) <= 1e-9:
        return Correlation(0.0, np.nan, np.nan, np.nan, "predictions are constant")
    found = pearsonr(predicted, measured)
    low, high = np.nan, np.nan
    if interval:
        draws = np.random.default_rng(seed).integers(len(measured), size=(DRAWS, len(measured)))
        low, high = np.nanquantile(_pearson(predicted[draws], measured[draws]), (0.025, 0.975))
    return Correlation(float(found.statistic), float(low), float(high), float(found.pvalue), "")


def _pearson(x: Floats, y: Floats) -> Floats:
    """Correlation of each row; NaN where one side is constant."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        r: Floats = (x * y).sum(axis=1) / scale
    return r


def evaluate(
    cohort: str, model: str, predictions: pd.DataFrame, heldout: pd.DataFrame, genes: Sequence[Gene],
    study: Study, *, seed: int, unseen: Sequence[str] | None = None,
) -> list[dict[str, str]]:  # fmt: skip
    """Rows (``COLUMNS``) of each gene with measured expression, each split, and each method.

    Plain models are asked of people held out in turn, and so is the sequence model where these people taught
    it: ``unseen`` are then the chromosomes held out of that, whose genes it has rows of under ``UNSEEN``
    alone, and it has none for populations. Else it was trained elsewhere and is asked as it is; it is not
    scored where anybody scored has taught it. All methods are scored on the same people and the same
    adjusted expression.
    """
    knowing = set(predictions["person"][predictions["taught"]]) if "taught" in predictions else set()
    if knowing & set(study.people):
        log.warning(
            "%s was trained on %d people with expression: it is not scored where one of them is", model,
            len(knowing & set(study.people)),
        )  # fmt: skip
    by_gene = {str(name): rows.set_index("person")["mean"] for name, rows in predictions.groupby("gene")}
    label = dict(zip(study.people, study.populations, strict=True))
    parts = {str(name): rows for name, rows in heldout.groupby("gene")}
    methods = [name for name in heldout.columns if name not in KEYS]
    rows: list[dict[str, str]] = []
    for gene in genes:
        if gene.gene not in parts:
            continue
        for split, group, some in _scored(parts[gene.gene], label, study, gene.chrom in (unseen or ())):
            made = {name: some[name].to_numpy(float) for name in methods}
            asked = split in _asked_in(gene, unseen) and not knowing & set(some["genome"])
            if gene.gene in by_gene and asked:
                made = {model: by_gene[gene.gene].loc[some["genome"]].to_numpy(float)} | made
            for method, predicted in made.items():
                if np.isfinite(predicted).all():
                    # People who teach a model here teach it differences between them, and no levels.
                    levels = not study.per_gene and (unseen is None or method != model)
                    row = _row(cohort, gene, split, group, method, predicted, some, seed, levels=levels)
                    rows.append(row)
    return rows


def of_everybody(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of an evaluation in which everybody was held out once, by chance, and all are scored together."""
    return table[(table["split"] == Kind.people) & (table["group"] == "all")]


def _asked_in(gene: Gene, unseen: Sequence[str] | None) -> set[str]:
    """Splits that a sequence model has rows of."""
    if unseen is None:
        return {Kind.people, Kind.population, Kind.permuted}
    return {UNSEEN} if gene.chrom in unseen else {Kind.people, Kind.permuted}


def _scored(
    rows: pd.DataFrame, label: dict[str, str], study: Study, unseen: bool
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Held-out people to score together: of each split and group, and each population of those by chance."""
    for (kind, group), some in rows.groupby(["kind", "group"], sort=False):
        yield str(kind), str(group), some
        if kind == Kind.people:
            if unseen:
                yield UNSEEN, str(group), some
            of = some["person"].map(label)
            for name in groups_to_hold_out(study.populations):
                yield str(kind), name, some[of == name]


def _row(
    cohort: str, gene: Gene, split: str, group: str, method: str, predicted: Floats, some: pd.DataFrame,
    seed: int, *, levels: bool,
) -> dict[str, str]:  # fmt: skip
    measured = some["measured"].to_numpy(float)
    whole = split == Kind.people and group == "all"
    found = correlation(predicted, measured, seed, interval=whole)
    means = (predicted.mean(), measured.mean()) if whole and levels else (np.nan, np.nan)
    numbers = [f"{value:.4f}" if np.isfinite(value) else "NA" for value in (*found[:3], *means)]
    p = f"{found.p:.3g}" if np.isfinite(found.p) else "NA"
    variants = int(some["variants"].max()) if len(some) else 0
    cells = (
        cohort, gene.gene, gene.name, gene.chrom, split, group, method, str(len(some)), str(variants),
        *numbers[:3], p, *numbers[3:], found.note,
    )  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))
