"""The copying model in PyTorch equals that of numba; the rest of the tests holds that to the mathematics."""

import numpy as np
import pytest

from deepcohort.imputation.copying import CpuCopyModel, Rates, Sites
from tests.imputation.haplotypes import some_prior
from tests.imputation.test_copying import simulated

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the GPU model is NOT tested here")

from deepcohort.imputation.copying_torch import TorchCopyModel  # noqa: E402

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")),
]


def both(device, panel, typed, observed, rates, asked):
    sites, carriers = Sites.between(panel.cm[typed], panel.cm[asked]), panel.carriers(asked)
    arguments = panel.alleles(typed), panel.cm[typed], sites, carriers
    emission, switches = rates.emission(observed), rates.switches(panel.cm[typed], panel.n_haplotypes)
    copiers = [model.prepare(*arguments) for model in (TorchCopyModel(device), CpuCopyModel())]
    prior = some_prior(panel.n_haplotypes, observed.shape[1], within=0.4)
    occupancies = [copier.occupancy(switches, emission, prior) for copier in copiers]
    np.testing.assert_allclose(*occupancies, atol=1e-5)
    np.testing.assert_allclose(occupancies[0].sum(axis=0), 1, atol=1e-5)
    return [copier.dosages(switches, emission, prior) for copier in copiers]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("n_sites", "n_panel", "n_targets", "share"),
    [(40, 12, 7, 0.5), (3, 2, 1, 0.4), (300, 51, 40, 0.3), (20, 9, 3, 1.0)],
)
def test_same_dosages(device, n_sites, n_panel, n_targets, share):
    panel, typed, observed = simulated(1, n_sites, n_panel, n_targets, share)
    asked = np.arange(1, n_sites)
    gpu, cpu = both(device, panel, typed, observed, Rates(3e3, 1e-3), asked)
    assert gpu.dtype == np.float32
    np.testing.assert_allclose(gpu, cpu, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_batches_that_fill_little_memory(device, monkeypatch):
    panel, typed, observed = simulated(2, 60, 21, 10)
    monkeypatch.setattr(TorchCopyModel, "_lanes", lambda *_: 3)
    gpu, cpu = both(device, panel, typed, observed, Rates(3e3, 1e-3), np.arange(60))
    np.testing.assert_allclose(gpu, cpu, atol=1e-5)


def test_lanes_shrink_with_the_panel():
    model = TorchCopyModel("cpu")
    few, many = model._lanes(20_000, 10_000), model._lanes(100, 100)
    assert 1 <= few < many


@pytest.mark.parametrize("device", DEVICES)
def test_long_runs_of_mismatches_at_one_place(device):
    panel, _, _ = simulated(3, 200, 40, 1)
    typed = np.arange(0, 200, 2)
    observed = np.random.default_rng(1).integers(0, 2, (100, 5)).astype(np.int8)
    gpu, cpu = both(device, panel, typed, observed, Rates(1.0, 1e-4), np.arange(200))
    assert np.isfinite(gpu).all()
    np.testing.assert_allclose(gpu, cpu, atol=1e-4)
