"""Effects of variants along a few genes, beside what people taught of them: pictures of the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from deepcohort.expression.evaluate import of_everybody
from deepcohort.expression.fit import EXPORTED
from deepcohort.expression.told import KEYS, mean_effects

COLUMNS = ("cohort", "gene", "name", "chrom", "pos", "effect", "weight")
GENES, VARIANTS = 6, 200
"""Genes of a cohort, and variants of a gene, at most: more would only hide each other."""


def locus_rows(
    table: pd.DataFrame, model: str, effects: Sequence[Path], weights: Mapping[str, Sequence[Path]]
) -> list[dict[str, str]]:
    """Rows (``COLUMNS``) of the genes whose r by the sequence model is largest in size.

    table: an evaluation; effects: files of all cohorts; weights: files by cohort. ``weight`` is that of the
    elastic net learnt from everybody, NA where it leaves the variant out.
    """
    own = of_everybody(table[table["method"] == model])
    sizes = pd.to_numeric(own["r"], errors="coerce").abs().dropna()
    chosen = own.loc[sizes.sort_values(ascending=False, kind="stable").index]
    rows: list[dict[str, str]] = []
    if not effects:
        return rows
    for cohort, genes in chosen.groupby("cohort", sort=False):
        names = dict(genes.head(GENES)[["gene", "name"]].itertuples(index=False))
        told = _of_genes(effects, names)
        told = told[(told["cohort"] == cohort) & (told["by"] != "none")]
        of_people = _of_genes(weights[str(cohort)], names)
        of_people = of_people[of_people["method"] == EXPORTED[0]].assign(pos=of_people["pos"] + 1)
        known = of_people.set_index(KEYS)["weight"].to_dict()
        for gene, some in told.groupby("gene", sort=False):
            values = mean_effects(some)
            largest = values.loc[values.abs().sort_values(ascending=False, kind="stable").index[:VARIANTS]]
            for key, value in largest.sort_index().items():
                pos, weight = str(key[1]), known.get(key, np.nan)
                cells = (cohort, gene, names[gene], some["chrom"].iloc[0], pos, f"{value:.6g}", _cell(weight))
                rows.append(dict(zip(COLUMNS, map(str, cells), strict=True)))
    return rows


def _of_genes(paths: Sequence[Path], genes: Mapping[str, str]) -> pd.DataFrame:
    """Rows of some genes in files of all."""
    tables = [pd.read_parquet(path, filters=[("gene", "in", list(genes))]) for path in paths]
    return pd.concat(tables, ignore_index=True)


def _cell(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else "NA"
