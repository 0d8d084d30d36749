"""The compiled recursions against the copying model in float64 with whole transition matrices."""

import numpy as np
import pytest

from deepcohort.imputation.copying import Prior, Rates
from deepcohort.imputation.hmm import backward_step, forward_step, move_back, read_out, sums_by_group
from tests.imputation.haplotypes import backwards, enumerated, forwards, leads, posteriors, some_prior

RATES = Rates(effective_size=1e5, error=0.01)

SHAPES = [(2, 1), (3, 7), (1, 4), (17, 8), (33, 130)]
"""Panel haplotypes and lanes: few, odd, and more than a vector holds."""


def simulated(n_typed, n_panel, n_lanes, seed=1):
    """Panel, switches and observed alleles with a few missing."""
    rng = np.random.default_rng(seed)
    typed = rng.integers(0, 2, (n_typed, n_panel), dtype=np.uint8)
    switches = rng.uniform(0, 0.3, n_typed).astype(np.float32)
    observed = rng.choice([0, 1, -1], (n_typed, n_lanes), p=[0.45, 0.45, 0.1]).astype(np.int8)
    observed[:, 0] = -1
    return typed, switches, observed


def run_forward(typed, switches, emission, prior=None):
    """Forward variables [M, K, L] and their sums [M, L]."""
    (n_typed, n_panel), n_lanes = typed.shape, emission.shape[2]
    states = np.empty((n_typed, n_panel, n_lanes), np.float32)
    prior = prior or Prior.uniform(n_panel, n_lanes)
    before = prior.entry()
    sums = sums_by_group(before, prior.choice)
    totals = []
    for m in range(n_typed):
        switch = switches[m] if m else 0.0
        forward_step(before, states[m], typed[m], switch, emission[m], prior.choice, sums)
        before = states[m]
        totals.append(sums.sum(axis=0))
    return states, np.array(totals)


def run_posterior(typed, switches, emission, prior=None):
    states, _ = run_forward(typed, switches, emission, prior)
    prior = prior or Prior.uniform(*states.shape[1:])
    beta = np.ones(states.shape[1:], np.float32)
    sums = sums_by_group(beta, prior.choice)
    ahead = 0.0
    for m in reversed(range(len(typed))):
        total = backward_step(states[m], beta, typed[m], ahead, emission[m], prior.choice, sums)
        states[m] /= total
        ahead = switches[m]
    return states


def test_the_reference_itself_by_enumeration_of_all_paths():
    typed, switches, observed = simulated(5, 3, 4)
    led = leads(some_prior(3, 1, n_groups=2, within=0.7), 0)
    for haplotype in observed.T:
        for choice in ((), (np.array([0.6, 0.1, 0.3]),), (np.array([0.6, 0.1, 0.3]), led)):
            expected = enumerated(typed, switches, 0.01, haplotype, *choice)
            found = posteriors(typed, switches, 0.01, haplotype, *choice)
            np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(("n_panel", "n_lanes"), SHAPES)
def test_forward(n_panel, n_lanes):
    typed, switches, observed = simulated(12, n_panel, n_lanes)
    states, totals = run_forward(typed, switches, RATES.emission(observed))
    np.testing.assert_allclose(states.sum(axis=1), totals, rtol=1e-5)
    for lane in range(n_lanes):
        expected = forwards(typed, switches, RATES.error, observed[:, lane])
        np.testing.assert_allclose(states[:, :, lane] / totals[:, lane, None], expected, atol=1e-5)


@pytest.mark.parametrize(("n_panel", "n_lanes"), SHAPES)
def test_posterior(n_panel, n_lanes):
    typed, switches, observed = simulated(12, n_panel, n_lanes, seed=2)
    found = run_posterior(typed, switches, RATES.emission(observed))
    for lane in range(n_lanes):
        expected = posteriors(typed, switches, RATES.error, observed[:, lane])
        np.testing.assert_allclose(found[:, :, lane], expected, atol=1e-5)


@pytest.mark.parametrize("within", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(("n_panel", "n_lanes"), SHAPES)
def test_posterior_with_a_prior(n_panel, n_lanes, within):
    typed, switches, observed = simulated(12, n_panel, n_lanes, seed=5)
    prior = some_prior(n_panel, n_lanes, within=within)
    found = run_posterior(typed, switches, RATES.emission(observed), prior)
    for lane in range(n_lanes):
        entry = prior.weight[prior.group, lane] / n_panel
        expected = posteriors(typed, switches, RATES.error, observed[:, lane], entry, leads(prior, lane))
        np.testing.assert_allclose(found[:, :, lane], expected, atol=1e-5)


@pytest.mark.parametrize(("n_panel", "n_lanes"), SHAPES)
def test_backward(n_panel, n_lanes):
    typed, switches, observed = simulated(12, n_panel, n_lanes, seed=3)
    emission = RATES.emission(observed)
    beta = np.ones((n_panel, n_lanes), np.float32)
    for m in range(11, 0, -1):
        move_back(beta, typed[m], switches[m], emission[m])
        for lane in range(n_lanes):
            expected = backwards(typed, switches, RATES.error, observed[:, lane])[m - 1]
            np.testing.assert_allclose(beta[:, lane] / beta[:, lane].mean(), expected, rtol=2e-4)


def test_nothing_observed_leaves_every_haplotype_as_likely():
    typed, switches, _ = simulated(9, 5, 3)
    found = run_posterior(typed, switches, RATES.emission(np.full((9, 3), -1, np.int8)))
    np.testing.assert_allclose(found, 1 / 5, atol=1e-6)


def test_read_out_sums_over_carriers_between_two_posteriors():
    rng = np.random.default_rng(4)
    n_panel, n_lanes = 11, 9
    left, right = rng.random((2, n_panel, n_lanes)).astype(np.float32)
    minor = rng.random((4, n_panel)) < 0.4
    minor[2] = False
    starts = np.concatenate([[0], minor.sum(axis=1).cumsum()])
    weight = np.array([0, 0.25, 0.7, 1], np.float32)
    found = np.empty((4, n_lanes), np.float32)
    carriers = np.nonzero(minor)[1].astype(np.int32)
    read_out(left, left.sum(axis=0), right, right.sum(axis=0), weight, starts, carriers, found)
    share = weight[:, None]
    expected = (1 - share) * (minor @ (left / left.sum(axis=0))) + share * (
        minor @ (right / right.sum(axis=0))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("n_panel", [2, 10_000])
def test_long_runs_of_mismatches_stay_finite_and_right(n_panel):
    """Hundreds of alleles that no panel haplotype has, at the smallest error rate that is ever used."""
    rates = Rates(effective_size=1e5, error=1e-4)
    typed = np.zeros((300, n_panel), np.uint8)
    typed[:, 0] = 1
    observed = np.zeros((300, 8), np.int8)
    observed[:, 1:] = 1
    typed[100:200, 0] = 0
    switches = rates.switches(np.linspace(0, 0.3, 300), n_panel)
    found = run_posterior(typed, switches, rates.emission(observed))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-4)
    if n_panel == 2:
        expected = posteriors(typed, switches, rates.error, observed[:, 1])
        np.testing.assert_allclose(found[:, :, 1], expected, atol=1e-5)
