"""A stacked model: ridge regression of measured expression on a sequence model's outputs, across people.

A model with many tracks (cell types, assays) is right for a gene in some of them; which ones, and with what
sign, the people trained on tell (Wolpert 1992, Neural Networks 5:241).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STACKED = "stacked"
"""Its name among the methods."""
PENALTIES = np.logspace(-1, 5, 13)
"""Of squared weights of standardised tracks; the one is taken that leaves least error of people left out one
by one."""


class Tracks:
    """What a sequence model says of people by gene and track."""

    def __init__(self, path: Path) -> None:
        """Read tracks as ``predict`` writes them."""
        table = pd.read_parquet(path, columns=["gene", "track", "person", "mean"])
        self.by_gene = {
            str(gene): rows.pivot(index="person", columns="track", values="mean")
            for gene, rows in table.groupby("gene")
        }

    def of(self, gene: str, people: list[str]) -> Floats | None:
        """Predictions float64[people, tracks]; None where there are fewer than two tracks."""
        found = self.by_gene.get(gene)
        return None if found is None or found.shape[1] < 2 else found.loc[people].to_numpy(np.float64)


def stacked(tracks: Floats, y: Floats, train: Bools) -> Floats:
    """Predictions float64[people] of everybody, as differences from the mean expression.

    tracks: float64[people, tracks]; y: float64[people], of which only that of ``train`` is read, NaN where
    it is missing.
    """
    from sklearn.linear_model import RidgeCV

    some = train & ~np.isnan(y)
    made = np.zeros(len(y))
    # What is said alike of all people is told apart by rounding alone.
    varies = np.ptp(tracks[some], axis=0) > 1e-9 if some.any() else np.zeros(tracks.shape[1], np.bool_)
    if varies.any() and np.ptp(y[some]) > 0:
        own = tracks[:, varies]
        z = (own - own[some].mean(axis=0)) / own[some].std(axis=0)
        model: Any = RidgeCV(PENALTIES, fit_intercept=False).fit(z[some], y[some] - y[some].mean())
        made = np.asarray(z @ model.coef_)
    return made
