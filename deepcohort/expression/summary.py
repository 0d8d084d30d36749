"""Means over genes of what was scored across people, and, apart from them, correlation across genes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.baselines import COMBINATION, METHODS
from deepcohort.expression.evaluate import DRAWS, of_everybody

COLUMNS = (
    "cohort", "split", "group", "genes", "method", "number", "mean_r", "low", "high", "mean_abs_r",
    "negative", "surely_negative", "above_0.1", "above_0.3", "note",
)  # fmt: skip
ACROSS = "across_genes"
REFUSED = (
    "refused: levels of genes cannot be compared, as expression is normalised gene by gene, or the model was "
    "taught differences between people"
)


def summarise(table: pd.DataFrame, model: str, seed: int) -> list[dict[str, str]]:
    """Rows (``COLUMNS``) of means over genes; ``table`` has the columns of an evaluation.

    ``genes`` is ``with_sequence`` for genes that every method has, so that their means can be compared, and
    ``all`` for all those of a plain method. Genes whose expression is constant count nowhere. Intervals of
    95 % are of a bootstrap over genes; ``surely_negative`` is the share whose own interval is below 0.
    """
    table = table.assign(r=_numbers(table["r"]), high=_numbers(table["high"]))
    rows: list[dict[str, str]] = []
    for (cohort, split, group), some in table.dropna(subset="r").groupby(
        ["cohort", "split", "group"], sort=False
    ):
        key = (str(cohort), str(split), str(group))
        by_method = some.pivot(index="gene", columns="method", values="r")
        high = some.pivot(index="gene", columns="method", values="high")
        shared = by_method.dropna()
        if model in by_method and len(shared):
            rows += _means((*key, "with_sequence"), shared, high, seed)
        plain = [name for name in (*METHODS, COMBINATION) if name in by_method]
        rows += _means((*key, "all"), by_method[plain], high, seed)
    for cohort, some in table.groupby("cohort", sort=False):
        rows += _across(str(cohort), some, model)
    return rows


def _means(
    key: tuple[str, ...], by_method: pd.DataFrame, high: pd.DataFrame, seed: int
) -> Iterator[dict[str, str]]:
    for method in by_method.columns:
        known = by_method[method].dropna()
        r: NDArray[np.float64] = known.to_numpy()
        if len(r) == 0:
            continue
        draws = np.random.default_rng(seed).integers(len(r), size=(DRAWS, len(r)))
        low, upper = np.quantile(r[draws].mean(axis=1), (0.025, 0.975))
        ends = high.loc[known.index, method]
        surely = (ends < 0).mean() if ends.notna().any() else np.nan
        shares = (np.abs(r).mean(), (r < 0).mean(), surely, (r > 0.1).mean(), (r > 0.3).mean())
        cells = (*key, str(method), str(len(r)), *map(_cell, (r.mean(), low, upper, *shares)), "")
        yield dict(zip(COLUMNS, cells, strict=True))


def _across(cohort: str, table: pd.DataFrame, model: str) -> Iterator[dict[str, str]]:
    """The sequence model's mean prediction of each gene beside the gene's mean expression."""
    own = of_everybody(table[table["method"] == model])
    if own.empty:
        return
    pairs = pd.DataFrame({name: _numbers(own[name]) for name in ("mean_predicted", "mean_measured")}).dropna()
    note, r = "", np.nan
    if pairs.empty:
        note = REFUSED
    elif len(pairs) < 3:
        note = "fewer than 3 genes"
    else:
        r = float(np.corrcoef(pairs.to_numpy().T)[0, 1])
    empty = ["NA"] * 7
    cells = (cohort, ACROSS, "all", "with_sequence", model, str(len(own)), _cell(r), *empty, note)
    yield dict(zip(COLUMNS, cells, strict=True))


def _numbers(column: "pd.Series[str]") -> "pd.Series[float]":
    made: pd.Series[float] = pd.to_numeric(column, errors="coerce")
    return made


def _cell(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else "NA"
