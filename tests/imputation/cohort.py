"""A small cohort to impute: people phased, unphased, haploid and all missing, among them names from afar."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from deepcohort.genome.command import Device
from deepcohort.imputation.chunk import Imputed, impute_chunk
from deepcohort.imputation.copying import Rates
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.parts import write_part
from deepcohort.imputation.rates import LearntRates
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from tests.imputation.haplotypes import founders, mosaics, panel_chunk

RATES = Rates(3e3, 5e-3)
UNLEARNT = LearntRates(1.0, 0.1, None, None, 0, 0, 0, 0, 1)


@dataclass(frozen=True)
class Cohort:
    """Panel, targets and the truth of all sites, int8[S, n, 2]."""

    panel: PanelChunk
    target: TargetChunk
    truth: np.ndarray

    def people(self, first: int, last: int) -> TargetChunk:
        """Some of the people."""
        part = slice(first, last)
        return replace(
            self.target,
            samples=self.target.samples[part],
            genotypes=self.target.genotypes[:, part],
            phased=self.target.phased[part],
            haploid=self.target.haploid[part],
        )

    def core(self, first: int, last: int) -> PanelChunk:
        """The panel, answering for some positions only."""
        return replace(self.panel, core=(first, last))


def cohort(seed: int = 1, n_sites: int = 90, people: int = 12, n_panel: int = 40) -> Cohort:
    """The last four: unphased, haploid, all missing, unphased with holes; every third site is typed."""
    rng = np.random.default_rng(seed)
    alleles = founders(rng, n_sites, n_panel)
    panel = panel_chunk(alleles, cm=np.cumsum(rng.exponential(0.002, n_sites)), header="##ALT=<ID=DEL>")
    truth = mosaics(rng, alleles, panel.cm, RATES, 2 * people).reshape(n_sites, people, 2)
    typed = np.arange(1, n_sites, 3)
    genotypes = truth[typed].copy()
    phased, haploid = np.ones(people, bool), np.zeros(people, bool)
    phased[[-4, -1]] = False
    genotypes[:, [-4, -1]] = np.sort(genotypes[:, [-4, -1]], axis=2)
    haploid[-3] = True
    genotypes[:, -3, 1] = -1
    genotypes[:, -2] = -1
    genotypes[rng.random(len(typed)) < 0.2, -1] = -1
    genotypes[0, 0] = -1
    samples = [f"Zoë {i}漢" for i in range(people)]
    return Cohort(panel, TargetChunk(samples, "chr20", typed, genotypes, phased, haploid), truth)


def impute(
    panel: PanelChunk,
    target: TargetChunk,
    imputer: Imputer = Imputer.copying,
    seed: int = 1,
    threads: int = 1,
) -> Imputed:
    """Impute a chunk's core; the rates are given, not learnt."""
    facts = asdict(replace(UNLEARNT, **asdict(RATES)))
    trained = Trained(imputer, facts if imputer is Imputer.copying else {})
    return impute_chunk(panel, target, trained, Settings(imputer, Device.cpu, threads, seed))


def write(
    path: Path, panel: PanelChunk, target: TargetChunk, *, with_hds: bool = True, threads: int = 1
) -> Imputed:
    """Impute and write a part; returns what was imputed."""
    imputed = impute(panel, target, threads=threads)
    write_part(path, panel, target, imputed, with_hds, threads)
    return imputed
