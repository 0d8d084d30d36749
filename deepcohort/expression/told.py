"""Effects of variants on genes as a sequence model told them: where the combination is to look."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.dosages import Variant
from deepcohort.expression.genes import Gene

KEYS = ["gene", "pos", "ref", "alt"]


def mean_effects(table: pd.DataFrame) -> "pd.Series[float]":
    """Means over tracks of effects, of those on the logarithm where there are some, by ``KEYS``."""
    values = table["log2_ratio"].where(table["log2_ratio"].notna(), table["effect"])
    means: pd.Series[float] = table[KEYS].assign(value=values).groupby(KEYS, sort=False)["value"].mean()
    return means


class Told:
    """Effects by gene and variant."""

    def __init__(self, path: Path) -> None:
        """Read effects as ``predict`` writes them."""
        self.by_gene: dict[str, dict[tuple[int, str, str], float]] = {}
        for (gene, pos, ref, alt), value in mean_effects(pd.read_parquet(path)).items():
            self.by_gene.setdefault(gene, {})[pos, ref, alt] = value

    def of(self, gene: Gene, variants: Sequence[Variant]) -> NDArray[np.float64]:
        """Effects float64[variants] on a gene, 0 for those of which nothing is told."""
        known = self.by_gene.get(gene.gene, {})
        keys = ((one.pos + 1, one.ref.upper(), one.alt.upper()) for one in variants)
        return np.array([known.get(key, 0.0) for key in keys])
