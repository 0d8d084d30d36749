"""Predictions, evaluations and counts of all chromosomes as one table each, and the means over genes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from deepcohort.expression import evaluate, predict
from deepcohort.expression.baselines import METHODS
from deepcohort.genome.tables import write_table

SUMMARY_COLUMNS = ("cohort", "genes", "method", "number", "mean_r", "low", "high", "mean_abs_r", "negative")


def collect_predictions(parts: Sequence[Path], out: Path) -> None:
    """Join Parquet files in the order given."""
    predict.write_parquet(out, pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True))


def collect_counts(parts: Sequence[Path], out: Path) -> None:
    """Add up what was counted on all chromosomes of each cohort."""
    table = pd.concat([pd.read_csv(part, sep="\t", dtype={"cohort": str, "chrom": str}) for part in parts])
    sums = table.groupby(["cohort", "what"], sort=False)["count"].sum().reset_index()
    columns = ("cohort", "what", "count")
    rows = [dict(zip(columns, map(str, row), strict=True)) for row in sums.itertuples(index=False)]
    write_table(out, rows, columns)


def collect_evaluations(parts: Sequence[Path], out: Path, out_summary: Path, seed: int) -> None:
    """Join tables of genes, and write means over genes.

    ``genes`` is ``with_sequence`` for genes that every method has, so that their means can be compared, and
    ``all`` for all those of a plain method. Genes whose expression is constant count nowhere.
    """
    table = pd.concat([pd.read_csv(part, sep="\t", dtype=str, keep_default_na=False) for part in parts])
    names = evaluate.COLUMNS
    write_table(out, [dict(zip(names, row, strict=True)) for row in table.itertuples(index=False)], names)
    table["r"] = pd.to_numeric(table["r"], errors="coerce")
    rows = []
    for cohort, genes in table.dropna(subset="r").groupby("cohort"):
        by_method = genes.pivot(index="gene", columns="method", values="r")
        rows += _summary(str(cohort), "with_sequence", by_method.dropna(), seed)
        rows += _summary(str(cohort), "all", by_method[[name for name in METHODS if name in by_method]], seed)
    write_table(out_summary, rows, SUMMARY_COLUMNS)


def _summary(cohort: str, genes: str, by_method: pd.DataFrame, seed: int) -> list[dict[str, str]]:
    """A row for each method; the interval of 95 % is of a bootstrap over genes."""
    rows = []
    for method in by_method.columns:
        r = by_method[method].dropna().to_numpy()
        if len(r) == 0 or (genes == "with_sequence" and by_method.shape[1] <= len(METHODS)):
            continue
        draws = np.random.default_rng(seed).integers(len(r), size=(evaluate.DRAWS, len(r)))
        low, high = np.quantile(r[draws].mean(axis=1), (0.025, 0.975))
        numbers = (r.mean(), low, high, np.abs(r).mean(), (r < 0).mean())
        cells = (cohort, genes, str(method), str(len(r)), *(f"{value:.4f}" for value in numbers))
        rows.append(dict(zip(SUMMARY_COLUMNS, cells, strict=True)))
    return rows
