"""Accuracy to expect, before any truth: people of the panel imputed from all the others."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.accuracy_table import MAF_BINS, maf_bin
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.panel_people import as_target, genotypes_of, people_of, without
from deepcohort.imputation.targets import TargetChunk

Float32 = NDArray[np.float32]

PEOPLE, LARGEST_SHARE, SITES = 64, 0.1, 10_000
"""People hidden at most, as a share of the panel at most, and untyped sites looked at."""

FACT = "expected"
"""Under which a trained model tells it."""


def expected_accuracy(
    panel: PanelChunk,
    typed: NDArray[np.int64],
    impute: Callable[[PanelChunk, TargetChunk, NDArray[np.int64]], Float32],
    seed: int,
) -> dict[str, Any]:
    """Hide some people of the panel, impute them, and compare; JSON for the sidecar.

    impute: from a panel, people who are not in it, and sites to chances of ALT by haplotype, float32[U, 2n].

    Returns:
        ``people``, how many were hidden (0 where there are too few people or sites), and ``bins``: for each
        bin of the panel's minor allele frequency that has sites, the sums over people and sites from which
        ``squared_correlation`` gives aggregated R²: number, dosage x, truth y, xx, yy, xy, in copies of
        the minor allele. Sums of chunks add up.
    """
    rng = np.random.default_rng((seed, 2))
    everyone, untyped = people_of(panel), np.setdiff1d(np.arange(panel.n_sites), typed)
    number = min(PEOPLE, int(LARGEST_SHARE * len(everyone)))
    if not len(typed) or not len(untyped) or not number:
        return {"people": 0, "bins": {}}
    hidden = np.sort(rng.choice(everyone, number, replace=False))
    asked = np.sort(rng.choice(untyped, min(SITES, len(untyped)), replace=False))
    kept, target = without(panel, hidden), as_target(panel, hidden, typed)
    chances = impute(kept, target, asked).astype(np.float64)
    x, ploidy = chances[:, 0::2] + np.where(target.haploid, 0, chances[:, 1::2]), 2.0 - target.haploid
    y = genotypes_of(panel, asked, hidden) * (ploidy / 2)
    frequency = kept.alt_frequency()[asked]
    minor_is_ref = frequency[:, None] > 0.5
    x, y = np.where(minor_is_ref, ploidy - x, x), np.where(minor_is_ref, ploidy - y, y)
    sums = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]).sum(axis=2)
    bins = [maf_bin(value) for value in frequency.tolist()]
    found = {
        name: sums[:, [here == place for here in bins]].sum(axis=1).tolist()
        for place, name in enumerate(MAF_BINS)
        if place in bins
    }
    return {"people": number, "bins": found}
