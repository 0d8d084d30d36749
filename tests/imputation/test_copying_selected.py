"""The copying model over selected states against the exact one."""

import numpy as np
import pytest

from deepcohort.genome.command import Device
from deepcohort.imputation.copying import CpuCopyModel, Prior, Rates, Sites
from deepcohort.imputation.copying_selected import SelectedCopyModel
from deepcohort.imputation.devices import LARGEST_EXACT, LEARNING_STAND_INS, LEARNING_STATES, copy_model
from tests.imputation.haplotypes import founders, mosaics, panel_chunk, some_prior
from tests.imputation.test_copying import RATES, simulated


class Runs:
    """A panel with targets that any model can be run on."""

    def __init__(self, panel, typed, observed, rates=RATES, asked=None):
        cm, asked = panel.cm[typed], np.arange(panel.n_sites) if asked is None else asked
        self.prepared = panel.alleles(typed), cm, Sites.between(cm, panel.cm[asked]), panel.carriers(asked)
        self.inputs = rates.switches(cm, panel.n_haplotypes), rates.emission(observed)

    def dosages(self, model, prior=None):
        return model.prepare(*self.prepared).dosages(*self.inputs, prior)

    def occupancy(self, model, prior):
        return model.prepare(*self.prepared).occupancy(*self.inputs, prior)


@pytest.mark.parametrize(
    ("n_sites", "n_panel", "n_targets", "share"),
    [(3, 2, 1, 0.4), (40, 12, 7, 0.5), (20, 9, 3, 1.0), (300, 51, 40, 0.3), (400, 30, 33, 0.9)],
)
def test_all_states_are_the_exact_model(n_sites, n_panel, n_targets, share):
    runs = Runs(*simulated(n_sites, n_sites, n_panel, n_targets, share))
    model = SelectedCopyModel(least=0)
    for prior in (None, some_prior(n_panel, n_targets), some_prior(n_panel, n_targets, within=0.4)):
        np.testing.assert_allclose(runs.dosages(model, prior), runs.dosages(CpuCopyModel(), prior), atol=2e-5)
    np.testing.assert_allclose(runs.occupancy(model, prior), runs.occupancy(CpuCopyModel(), prior), atol=1e-5)


def large(seed=1, n_panel=600, n_targets=40):
    rng = np.random.default_rng(seed)
    alleles = founders(rng, 400, n_panel, ancestors=40)
    panel = panel_chunk(alleles, cm=np.cumsum(rng.exponential(0.004, 400)))
    observed = mosaics(rng, alleles, panel.cm, Rates(3e4, 2e-3), n_targets)
    typed = np.arange(0, 400, 2)
    runs = Runs(panel, typed, observed[typed], Rates(3e4, 2e-3), np.arange(1, 400, 2))
    return runs, observed[1::2]


def squared_correlation(dosage, truth):
    return np.corrcoef(dosage.ravel(), truth.ravel())[0, 1] ** 2


PRIORS = {
    "uniform": None,
    "by group": some_prior(600, 40),
    "within groups": some_prior(600, 40, within=0.4),
}


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS.keys())
def test_few_states_come_close_to_the_exact_model(prior):
    runs, truth = large()
    exact = runs.dosages(CpuCopyModel(), prior)
    found = runs.dosages(SelectedCopyModel(states=150, stand_ins=40, chosen=20), prior)
    assert squared_correlation(found, exact) > 0.99
    assert squared_correlation(found, truth) > squared_correlation(exact, truth) - 0.005
    blind = runs.dosages(SelectedCopyModel(states=150, stand_ins=145, chosen=1), prior)
    assert squared_correlation(blind, exact) < squared_correlation(found, exact) - 0.003


def test_stand_ins_have_the_chances_of_all_others():
    """Where nothing is observed, people have the panel's frequency, which few states alone do not know."""
    runs, _ = large()
    switches, emission = runs.inputs
    nothing = runs.inputs = switches, np.ones_like(emission)
    exact = CpuCopyModel().prepare(*runs.prepared).dosages(*nothing)
    found = runs.dosages(SelectedCopyModel(states=320, stand_ins=300, chosen=5))
    assert np.abs(found - exact).mean() < 0.03


def test_occupancy_of_few_states():
    runs, _ = large()
    even = Prior(some_prior(600, 40).group, np.ones((3, 40), np.float32))
    exact = runs.occupancy(CpuCopyModel(), even)
    found = runs.occupancy(SelectedCopyModel(states=150, stand_ins=40, chosen=20), even)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-4)
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.95


def test_threads_and_company_change_nothing():
    """A person's dosages are the same on any number of threads, and alone."""
    runs, _ = large()
    model = {"states": 150, "stand_ins": 40, "chosen": 20}
    found = runs.dosages(SelectedCopyModel(1, **model))
    np.testing.assert_array_equal(found, runs.dosages(SelectedCopyModel(2, **model)))
    switches, emission = runs.inputs
    runs.inputs = switches, np.ascontiguousarray(emission[:, :, 7:8])
    np.testing.assert_array_equal(found[:, 7:8], runs.dosages(SelectedCopyModel(2, **model)))


def test_a_copier_takes_other_targets():
    runs, _ = large()
    copier = SelectedCopyModel(states=150, stand_ins=40, chosen=20).prepare(*runs.prepared)
    switches, emission = runs.inputs
    first, other = emission[:, :, :10], emission[:, :, 10:20]
    before = copier.dosages(switches, first)
    assert not np.array_equal(copier.dosages(switches, other), before)
    np.testing.assert_array_equal(copier.dosages(switches, first), before)


def test_large_panels_are_selected_from(caplog):
    caplog.set_level("INFO")
    runs, _ = large(n_panel=40, n_targets=4)
    np.testing.assert_array_equal(runs.dosages(copy_model(Device.cpu, 1)), runs.dosages(CpuCopyModel()))
    assert "panel of 40 haplotypes: copying from all" in caplog.text
    rng = np.random.default_rng(1)
    alleles = rng.integers(0, 2, (40, LARGEST_EXACT + 1)).astype(np.uint8)
    panel, typed = panel_chunk(alleles), np.arange(0, 40, 2)
    runs = Runs(panel, typed, alleles[typed, :3].astype(np.int8))
    np.testing.assert_array_equal(runs.dosages(copy_model(Device.cpu, 1)), runs.dosages(SelectedCopyModel()))
    assert f"panel of {LARGEST_EXACT + 1} haplotypes: copying from selected ones" in caplog.text
    fewer = SelectedCopyModel(1, LEARNING_STATES, LEARNING_STAND_INS)
    learning = copy_model(Device.cpu, 1, learning=True)
    np.testing.assert_array_equal(runs.dosages(learning), runs.dosages(fewer))
