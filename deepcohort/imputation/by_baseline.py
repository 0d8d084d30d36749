"""The plain imputers: of haplotypes where everybody is phased, else of genotypes split in equal halves."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation import baselines
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Float32, Settings, told_by_phase
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.panel_people import genotypes_of
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn nothing; see ``Model``."""
    return Trained(settings.imputer, {"typed": len(typed)})


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """See ``Model``."""
    n_targets = 2 * len(target.samples)
    if settings.imputer is Imputer.naive:
        haplotypes = baselines.naive(panel.alt_frequency()[sites], n_targets, None)
    else:
        by_person = not target.phased.all()
        of = partial(genotypes_of, panel) if by_person else panel.alleles
        typed, asked = (of(chosen).T for chosen in (target.typed, sites))
        observed = np.where(target.genotypes < 0, np.nan, target.genotypes).astype(np.float32)
        if by_person:
            observed[:, target.haploid, 1] = observed[:, target.haploid, 0]
            rows = observed.sum(axis=2).T
        else:
            rows = observed.reshape(len(target.typed), n_targets).T
        if settings.imputer is Imputer.knn:
            found = baselines.nearest(typed, asked, rows)
        else:
            found = baselines.truncated_svd(typed, asked, rows, settings.seed)
        haplotypes = (np.repeat(found / 2, 2, axis=0) if by_person else found).T.astype(np.float32)
    return told_by_phase(np.clip(haplotypes, 0, 1, out=haplotypes), target)
