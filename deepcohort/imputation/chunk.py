"""Impute one batch of people over one chunk, by the model that the user named."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.imputation.imputers import PHASING
from deepcohort.imputation.left_out import left_out, left_out_sums
from deepcohort.imputation.models import (
    Float32,
    Settings,
    as_told_by,
    model,
    own_errors,
    phasing_model,
    told_by_phase,
)
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.sums import LeftOutSums
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Phase

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Imputed:
    """Imputed genotypes of a chunk's core.

    sites: int64[U] indices of panel sites. chances: float32[U, 2n]: of phased people the chance of ALT on
    each haplotype, of unphased ones the chances of one and of two ALT (see ``imputed_entries``).
    typed: bool[U]. by_frequency: True where no typed site was in reach and the panel's frequencies
    were filled in. counts: what happened, for the report. phase: how people lie whose input is not phased,
    where it was asked for and can be told. left_out: of each typed site, by its row, what its phased
    haplotypes are imputed as without it; empty where the model cannot tell.
    """

    sites: NDArray[np.int64]
    chances: Float32
    typed: NDArray[np.bool_]
    by_frequency: bool
    counts: dict[str, int]
    phase: Phase | None = None
    left_out: dict[int, LeftOutSums] = field(default_factory=dict)


def impute_chunk(panel: PanelChunk, target: TargetChunk, trained: Trained, settings: Settings) -> Imputed:
    """Impute all sites of the core, or of a masked target only the sites that were hidden.

    What comes out is of the target that ``as_told_by`` makes.
    """

    if target.likelihoods is not None and settings.imputer not in PHASING:
        raise InputError(
            f"the target has likelihoods of genotypes (PL, GL) and no GT, which --imputer {settings.imputer} "
            f"cannot use: take {', '.join(PHASING)}, or call genotypes first"
        )
    phase: list[Phase | None] = [None]

    def chances(sites: NDArray[np.int64]) -> Float32:
        if not settings.phased_output:
            return model(settings.imputer).impute(panel, target, sites, trained, settings)
        phasing = phasing_model(settings.imputer)
        found, phase[0] = phasing.impute_with_phase(panel, target, sites, trained, settings)
        return found

    told = as_told_by(settings.imputer, target)
    return replace(completed(panel, told, chances, errors=own_errors(trained, target.typed)), phase=phase[0])


def typed_positions(panel: PanelChunk, target: TargetChunk) -> int:
    """Count the positions with typed sites."""
    return len(np.unique(panel.pos[target.typed]))


def completed(
    panel: PanelChunk,
    target: TargetChunk,
    chances_at: Callable[[NDArray[np.int64]], Float32],
    fewest_typed: int = 1,
    errors: Float32 | None = None,
) -> Imputed:
    """Make the chunk's genotypes of what an imputer says about the sites it is asked for.

    chances_at: from int64[U] sites of the panel to chances as ``Imputed`` holds them. It is not asked where
    fewer than ``fewest_typed`` positions are typed; the panel's frequencies stand in. errors:
    see ``own_errors``.
    """
    sites = np.flatnonzero(panel.in_core)
    if target.masked is not None:
        sites = np.intersect1d(sites, target.masked)
    by_frequency = typed_positions(panel, target) < fewest_typed
    if by_frequency:
        frequency = panel.alt_frequency()[sites].astype(np.float32)
        haplotypes = np.repeat(frequency[:, None], 2 * len(target.samples), axis=1)
        chances = told_by_phase(haplotypes, target)
    else:
        chances = chances_at(sites)
    if not np.isfinite(chances).all():
        raise FloatingPointError("a dosage is not a number: the model's arithmetic broke down")
    if target.likelihoods is not None:  # reads are no genotypes that could be kept as they are
        target = replace(target, typed=target.typed[:0], genotypes=target.genotypes[:0])
    typed = np.isin(sites, target.typed)
    left_out = {} if errors is None else _left_out(chances, sites, target, errors)
    filled = _keep_observed(chances, sites, target)
    counts = {
        "people": len(target.samples),
        "unphased_people": int((~target.phased).sum()),
        "haploid_people": int(target.haploid.sum()),
        "typed_sites": int(typed.sum()),
        "imputed_sites": int((~typed).sum()),
        "missing_genotypes_filled": filled,
        "sites_filled_by_frequency": len(sites) if by_frequency else 0,
    }
    log.info("%s", ", ".join(f"{name} {value}" for name, value in counts.items()))
    return Imputed(sites, chances, typed, by_frequency, counts, left_out=left_out)


def _left_out(
    chances: Float32, sites: NDArray[np.int64], target: TargetChunk, errors: Float32
) -> dict[int, LeftOutSums]:
    """Sums of each typed site left out, by its row in ``chances``, which have not been overwritten yet."""
    _, rows, typed_rows = np.intersect1d(sites, target.typed, return_indices=True)
    haplotypes = np.flatnonzero(np.repeat(target.phased, 2))
    observed = target.genotypes[typed_rows].reshape(len(rows), 2 * len(target.samples))[:, haplotypes]
    found = left_out(chances[np.ix_(rows, haplotypes)], observed, errors[typed_rows, None])
    return dict(zip(rows.tolist(), left_out_sums(found, observed), strict=True))


def _keep_observed(chances: Float32, sites: NDArray[np.int64], target: TargetChunk) -> int:
    """Put the observed genotypes in at typed sites, in place; returns how many were missing there."""
    _, rows, typed_rows = np.intersect1d(sites, target.typed, return_indices=True)
    genotypes = target.genotypes[typed_rows].astype(np.float32)
    complete = (genotypes >= 0).all(axis=2)
    copies = genotypes.sum(axis=2)
    flat = (len(rows), 2 * genotypes.shape[1])
    one_by_one = genotypes.reshape(flat)
    by_genotype = np.stack([copies == 1, copies == 2], axis=2).reshape(flat)
    phased = np.repeat(target.phased, 2)
    observed = np.where(phased, one_by_one, by_genotype)
    known = np.where(phased, one_by_one >= 0, np.repeat(complete, 2, axis=1))
    chances[rows] = np.where(known, observed, chances[rows])
    single = np.where(target.haploid, genotypes[:, :, 0] >= 0, complete)
    return int((~single).sum())
