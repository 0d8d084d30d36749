"""Plain haplotype copying: every site and interval by the same two learnt rates."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Sites
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Float32, Settings, make_genotypes
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.phasing import sample_phases
from deepcohort.imputation.rates import LearntRates, learn_rates
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn the two rates; see ``Model``."""
    learnt = learn_rates(panel, typed, copy_model(settings.device, settings.threads), settings.seed)
    return Trained(Imputer.copying, asdict(learnt))


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Haplotype copying; over samples of the phase for people whose phase is not known. See ``Model``."""
    typed_alleles, cm = panel.alleles(target.typed), panel.cm[target.typed]
    rates = LearntRates.of(trained.facts).rates
    asked = Sites.between(cm, panel.cm[sites])
    model = copy_model(settings.device, settings.threads)
    copier = model.prepare(typed_alleles, cm, asked, panel.carriers(sites))
    switches = rates.switches(cm, panel.n_haplotypes)

    def dosages(genotypes: NDArray[np.int8]) -> Float32:
        observed = genotypes.reshape(len(genotypes), -1)
        return copier.dosages(switches, rates.emission(observed))

    if target.phased.all():
        return dosages(target.genotypes)
    chances = np.empty((len(sites), 2 * len(target.samples)), np.float32)
    known, unknown = np.repeat(target.phased, 2), np.repeat(~target.phased, 2)
    if known.any():
        chances[:, known] = dosages(target.genotypes[:, target.phased])
    genotypes = target.genotypes[:, ~target.phased]
    total = np.zeros((len(sites), 2 * genotypes.shape[1]), np.float32)
    samples = sample_phases(typed_alleles, cm, rates, genotypes, settings.seed, settings.threads)
    for sample in samples:
        found = dosages(sample)
        make_genotypes(found, np.arange(genotypes.shape[1]))
        total += found
    total /= len(samples)
    chances[:, unknown] = total
    return chances
