"""Impute one batch of people over one chunk, by the model that the user named."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import CopyModel, Rates, Sites
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.phasing import sample_phases
from deepcohort.imputation.targets import TargetChunk

log = logging.getLogger(__name__)

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """What an imputer may need besides the data: learnt rates, a device, threads and a seed."""

    imputer: Imputer
    rates: Rates
    model: CopyModel
    seed: int
    threads: int


@dataclass(frozen=True)
class Imputed:
    """Imputed genotypes of a chunk's core.

    sites: int64[U] indices of panel sites. chances: float32[U, 2n]: of phased people the chance of ALT on
    each haplotype, of unphased ones the chances of one and of two ALT (see ``imputed_entries``).
    typed: bool[U]. by_frequency: True where no typed site was in reach and the panel's frequencies
    were filled in. counts: what happened, for the report.
    """

    sites: NDArray[np.int64]
    chances: Float32
    typed: NDArray[np.bool_]
    by_frequency: bool
    counts: dict[str, int]


def impute_chunk(panel: PanelChunk, target: TargetChunk, settings: Settings) -> Imputed:
    """Impute all sites of the core, or of a masked target only the sites that were hidden."""
    sites = np.flatnonzero(panel.in_core)
    if target.masked is not None:
        sites = np.intersect1d(sites, target.masked)
    by_frequency = not len(target.typed)
    if by_frequency:
        frequency = panel.alt_frequency()[sites].astype(np.float32)
        haplotypes = np.repeat(frequency[:, None], 2 * len(target.samples), axis=1)
        chances = _told_by_phase(haplotypes, target)
    elif settings.imputer is Imputer.copying:
        chances = _by_copying(panel, target, sites, settings)
    else:
        chances = _by_baseline(panel, target, sites, settings)
    if not np.isfinite(chances).all():
        raise FloatingPointError("a dosage is not a number: the model's arithmetic broke down")
    typed = np.isin(sites, target.typed)
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
    return Imputed(sites, chances, typed, by_frequency, counts)


def _make_genotypes(chances: Float32, people: NDArray[np.int64]) -> None:
    """Turn the chances of ALT on people's two haplotypes into those of one and of two ALT, in place."""
    for person in people:
        first, second = chances[:, 2 * person], chances[:, 2 * person + 1]
        both = first * second
        first += second
        first -= 2 * both
        second[:] = both


def _told_by_phase(haplotypes: Float32, target: TargetChunk) -> Float32:
    """Chances as ``Imputed`` holds them, by genotype of people without phase, in place of ``haplotypes``."""
    _make_genotypes(haplotypes, np.flatnonzero(~target.phased))
    return haplotypes


def _by_copying(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], settings: Settings
) -> Float32:
    """Haplotype copying; over samples of the phase for people whose phase is not known."""
    typed_alleles, cm = panel.alleles(target.typed), panel.cm[target.typed]
    asked = Sites.between(cm, panel.cm[sites])
    impute = settings.model.prepare(typed_alleles, cm, asked, panel.carriers(sites))

    def dosages(genotypes: NDArray[np.int8]) -> Float32:
        observed = genotypes.reshape(len(genotypes), -1)
        return impute(settings.rates, settings.rates.emission(observed))

    if target.phased.all():
        return dosages(target.genotypes)
    chances = np.empty((len(sites), 2 * len(target.samples)), np.float32)
    known, unknown = np.repeat(target.phased, 2), np.repeat(~target.phased, 2)
    if known.any():
        chances[:, known] = dosages(target.genotypes[:, target.phased])
    genotypes = target.genotypes[:, ~target.phased]
    total = np.zeros((len(sites), 2 * genotypes.shape[1]), np.float32)
    samples = sample_phases(typed_alleles, cm, settings.rates, genotypes, settings.seed, settings.threads)
    for sample in samples:
        found = dosages(sample)
        _make_genotypes(found, np.arange(genotypes.shape[1]))
        total += found
    total /= len(samples)
    chances[:, unknown] = total
    return chances


def _by_baseline(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], settings: Settings
) -> Float32:
    """Plain imputers: of haplotypes where everybody is phased, else of genotypes split in equal halves."""
    from deepcohort.imputation import baselines  # scikit-learn takes seconds to import

    n_targets = 2 * len(target.samples)
    if settings.imputer is Imputer.naive:
        haplotypes = baselines.naive(panel.alt_frequency()[sites], n_targets, None)
    else:
        typed, asked = (panel.alleles(chosen).T for chosen in (target.typed, sites))
        by_person = not target.phased.all()
        observed = np.where(target.genotypes < 0, np.nan, target.genotypes).astype(np.float32)
        if by_person:
            typed, asked = _by_person(typed, panel.person), _by_person(asked, panel.person)
            observed[:, target.haploid, 1] = observed[:, target.haploid, 0]
            rows = observed.sum(axis=2).T
        else:
            rows = observed.reshape(len(target.typed), n_targets).T
        if settings.imputer is Imputer.knn:
            found = baselines.nearest(typed, asked, rows)
        else:
            found = baselines.truncated_svd(typed, asked, rows, settings.seed)
        haplotypes = (np.repeat(found / 2, 2, axis=0) if by_person else found).T.astype(np.float32)
    return _told_by_phase(np.clip(haplotypes, 0, 1, out=haplotypes), target)


def _by_person(haplotypes: NDArray[np.uint8], person: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Add up the haplotypes of each person, [K, S] to [people, S]; a single one counts twice."""
    first = np.unique(person, return_index=True)[1]
    last = len(person) - 1 - np.unique(person[::-1], return_index=True)[1]
    return haplotypes[first] + haplotypes[last]


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
