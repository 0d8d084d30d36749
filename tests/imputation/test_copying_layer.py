"""The differentiable copying layer: the exact model's dosages, and the gradients of finite differences."""

import numpy as np
import pytest

from deepcohort.imputation.copying import CpuCopyModel, Rates, Sites
from tests.imputation.haplotypes import some_prior
from tests.imputation.test_copying import simulated

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the copying layer is NOT tested here")

from deepcohort.imputation.copying_layer import Stretch, copied  # noqa: E402
from deepcohort.imputation.copying_torch import TorchChoice, dense_carriers  # noqa: E402

RATES = Rates(3e3, 5e-3)


def layer(seed, n_sites, n_panel, n_lanes, within):
    """The layer's inputs in float64, and the dosages of the minor allele by the model that imputes."""
    panel, typed, observed = simulated(seed, n_sites, n_panel, n_lanes, 0.4)
    asked = np.setdiff1d(np.arange(n_sites), typed)
    cm = panel.cm[typed]
    sites, carriers = Sites.between(cm, panel.cm[asked]), panel.carriers(asked)
    prior = some_prior(n_panel, n_lanes, within=within)
    switches = RATES.switches(cm, n_panel)
    copier = CpuCopyModel().prepare(panel.alleles(typed), cm, sites, carriers)
    expected = copier.dosages(switches, RATES.emission(observed), prior)
    expected[carriers.flipped] = 1 - expected[carriers.flipped]
    stretch = Stretch(
        torch.from_numpy(panel.alleles(typed)).bool(),
        dense_carriers(carriers, n_panel, "cpu"),
        sites.starts.tolist(),
        torch.from_numpy(sites.weight).double()[:, None],
    )
    known = TorchChoice.of(prior, "cpu")
    choice = TorchChoice(
        known.entry.double(), known.member.double(), known.size.double(), torch.tensor(within).double()
    )
    error = torch.full((len(typed),), RATES.error, dtype=torch.float64)
    return (stretch, torch.from_numpy(switches).double(), error, choice, torch.from_numpy(observed)), expected


@pytest.mark.parametrize("within", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(40, 12, 7), (5, 3, 1), (120, 31, 9)])
def test_dosages_are_those_of_the_model_that_imputes(shape, within):
    inputs, expected = layer(1, *shape, within)
    np.testing.assert_allclose(copied(*inputs).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("within", [0.3, 0.8])
def test_gradients_are_those_of_finite_differences(within):
    (stretch, switch, error, choice, observed), _ = layer(2, 24, 7, 3, within)

    def dosage(switch, error, weight, within):
        # the first site's switch does not count; whom a choice takes sums to one
        switch = torch.cat([torch.ones(1, dtype=torch.float64), switch])
        entry = weight / weight.sum(dim=0)
        return copied(
            stretch, switch, error, TorchChoice(entry, choice.member, choice.size, within), observed
        )

    inputs = [value.clone().requires_grad_() for value in (switch[1:], error, choice.entry, choice.within)]
    assert torch.autograd.gradcheck(dosage, inputs)
