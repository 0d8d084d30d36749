"""Plain haplotype copying: every site and interval by the same two learnt rates."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Copier, Prior, Rates, Sites
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.expected import FACT, expected_accuracy
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Float32, Settings
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.phasing import (
    BURN_IN,
    BURN_IN_OF_READS,
    PHASED_SAMPLES,
    SAMPLES,
    genotype_likelihoods,
    phasing_rates,
    sample_phases,
)
from deepcohort.imputation.rates import LearntRates, learn_rates
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Asked, Phase, impute_samples, phase_of


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn the two rates, then measure on people of the panel how well they do; see ``Model``."""
    model = copy_model(settings.device, settings.threads, learning=True)
    learnt = learn_rates(panel, typed, model, settings.seed)

    def imputed(kept: PanelChunk, target: TargetChunk, sites: NDArray[np.int64]) -> Float32:
        return copied(kept, target, sites, learnt.rates, settings, None)[0]

    expected = expected_accuracy(panel, typed, imputed, settings.seed)
    return Trained(Imputer.copying, asdict(learnt) | {FACT: expected})


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Copying from all panel haplotypes alike; see ``Model``."""
    return impute_with_phase(panel, target, sites, trained, settings)[0]


def impute_with_phase(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> tuple[Float32, Phase | None]:
    """The same with the phase of unphased people; see ``PhasingModel``."""
    learnt = LearntRates.of({name: fact for name, fact in trained.facts.items() if name != FACT})
    return copied(panel, target, sites, learnt.rates, settings, None)


Adapt = Callable[[Copier, Float32, Float32, NDArray[np.int64]], Prior]
"""From copier, switches, emission and the person of each target haplotype to the prior of each."""


@dataclass(frozen=True)
class Experts:
    """Several rates to copy by, and what makes one dosage, float32[U, H], of theirs."""

    rates: Sequence[Rates]
    mixed: Callable[[list[Float32]], Float32]


def copied(
    panel: PanelChunk,
    target: TargetChunk,
    sites: NDArray[np.int64],
    rates: Rates,
    settings: Settings,
    adapt: Adapt | None,
    experts: Experts | None = None,
) -> tuple[Float32, Phase | None]:
    """Haplotype copying; over samples of the phase for people whose phase is not known.

    Shapes as in ``PhasingModel``. adapt: makes the prior (of unphased people, from the first sample).
    experts: who gives the dosages in place of ``rates``.
    """
    typed_alleles, cm = panel.alleles(target.typed), panel.cm[target.typed]
    placed = Sites.between(cm, panel.cm[sites])
    model = copy_model(settings.device, settings.threads)
    copier = model.prepare(typed_alleles, cm, placed, panel.carriers(sites))
    switches = rates.switches(cm, panel.n_haplotypes)

    def prior_of(genotypes: NDArray[np.int8]) -> Prior | None:
        if adapt is None:
            return None
        owner = np.repeat(np.arange(genotypes.shape[1]), 2)
        return adapt(copier, switches, rates.emission(_flat(genotypes)), owner)

    def dosages(genotypes: NDArray[np.int8], prior: Prior | None) -> Float32:
        if experts is None:
            return copier.dosages(switches, rates.emission(_flat(genotypes)), prior)
        observed, size = _flat(genotypes), panel.n_haplotypes
        said = [
            copier.dosages(one.switches(cm, size), one.emission(observed), prior) for one in experts.rates
        ]
        found = experts.mixed(said)
        # Where nothing is observed there is nothing to calibrate: the frequencies of the panel stay.
        unknown = (observed < 0).all(axis=0)
        found[:, unknown] = said[0][:, unknown]
        return found

    if target.phased.all():
        return dosages(target.genotypes, prior_of(target.genotypes)), None
    chances = np.empty((len(sites), 2 * len(target.samples)), np.float32)
    if target.phased.any():
        genotypes = target.genotypes[:, target.phased]
        chances[:, np.repeat(target.phased, 2)] = dosages(genotypes, prior_of(genotypes))
    unphased = np.flatnonzero(~target.phased)
    given, haploid = target.likelihoods, target.haploid[unphased]
    seen = genotype_likelihoods(target.genotypes[:, unphased]) if given is None else given[:, unphased]
    number = PHASED_SAMPLES if settings.phased_output else SAMPLES
    samples = sample_phases(
        typed_alleles,
        cm,
        phasing_rates(rates),
        seen,
        haploid,
        settings.seed,
        settings.threads,
        number,
        BURN_IN if given is None else BURN_IN_OF_READS,
    )
    _, rows, typed_rows = np.intersect1d(sites, target.typed, return_indices=True)
    asked, prior = Asked(placed, rows, typed_rows), prior_of(samples.alleles[0])
    found, first, agreed = impute_samples(samples, cm, asked, haploid, lambda sample: dosages(sample, prior))
    chances[:, np.repeat(~target.phased, 2)] = found
    return chances, phase_of(unphased, target.typed, asked, first, agreed)


def _flat(genotypes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Haplotypes of all people side by side, [M, n, 2] to [M, 2n]."""
    return genotypes.reshape(len(genotypes), -1)
