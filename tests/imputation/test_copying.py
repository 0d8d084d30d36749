"""Dosages of the whole copying model against one that keeps every matrix, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.imputation.copying import (
    LANES,
    SMALLEST_SWITCH,
    STATES_BYTES,
    CpuCopyModel,
    Rates,
    Sites,
    lanes_at_once,
)
from tests.imputation.haplotypes import dosages, founders, mosaics, panel_chunk, posteriors, some_prior

RATES = Rates(effective_size=3e3, error=5e-3)


def imputed(panel, typed, observed, rates=RATES, threads=1, asked=None):
    """Dosages at the asked (else all) sites of a panel chunk."""
    asked = np.arange(panel.n_sites) if asked is None else asked
    cm = panel.cm[typed]
    sites = Sites.between(cm, panel.cm[asked])
    copier = CpuCopyModel(threads).prepare(panel.alleles(typed), cm, sites, panel.carriers(asked))
    return copier.dosages(rates.switches(cm, panel.n_haplotypes), rates.emission(observed))


def expected(panel, typed, observed, rates=RATES):
    every = panel.alleles(np.arange(panel.n_sites))
    return dosages(every[typed], panel.cm[typed], rates, observed, every, panel.cm)


def simulated(seed, n_sites, n_panel, n_targets, typed_share=0.5):
    """Panel, typed sites (not the outermost ones where there are enough) and observed alleles."""
    rng = np.random.default_rng(seed)
    alleles = founders(rng, n_sites, n_panel)
    # Minor alleles that are REF are half the work of the flipped read-out.
    turned = rng.random(n_sites) < 0.3
    panel = panel_chunk(alleles ^ turned[:, None], cm=np.cumsum(rng.exponential(0.002, n_sites)))
    typed = np.sort(rng.choice(n_sites, max(1, int(typed_share * n_sites)), replace=False))
    observed = mosaics(rng, panel.alleles(np.arange(n_sites)), panel.cm, RATES, n_targets)[typed]
    observed[rng.random(observed.shape) < 0.05] = -1
    return panel, typed, observed


@pytest.mark.parametrize("n_typed", [1, 2, 3, 4, 5, 15, 16, 17, 70])
def test_any_number_of_typed_sites(n_typed):
    panel, typed, observed = simulated(n_typed, 2 * n_typed + 3, 9, 3, n_typed / (2 * n_typed + 3) + 1e-9)
    assert len(typed) == n_typed
    np.testing.assert_allclose(imputed(panel, typed, observed), expected(panel, typed, observed), atol=2e-5)


@pytest.mark.parametrize("n_panel", [2, 3, 33])
@pytest.mark.parametrize("n_targets", [1, 2, 15, LANES - 1, LANES, LANES + 1])
def test_any_number_of_haplotypes(n_panel, n_targets):
    panel, typed, observed = simulated(5, 20, n_panel, n_targets)
    few = np.unique([0, n_targets // 2, n_targets - 1])
    found = imputed(panel, typed, observed)
    assert found.shape == (20, n_targets)
    np.testing.assert_allclose(found[:, few], expected(panel, typed, observed[:, few]), atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_sites=st.integers(2, 40),
    n_panel=st.integers(2, 20),
    share=st.floats(0.05, 1),
    size=st.floats(1, 1e7),
    error=st.floats(1e-4, 0.2),
)
def test_any_panel_and_rates(seed, n_sites, n_panel, share, size, error):
    panel, typed, observed = simulated(seed, n_sites, n_panel, 4, share)
    rates = Rates(size, error)
    found, truth = imputed(panel, typed, observed, rates), expected(panel, typed, observed, rates)
    np.testing.assert_allclose(found, truth, atol=1e-4)
    assert ((found >= 0) & (found <= 1)).all()


def test_outside_the_typed_sites_the_nearest_one_counts():
    rng = np.random.default_rng(1)
    alleles = founders(rng, 30, 12)
    alleles[1], alleles[28] = alleles[10], alleles[20]
    panel = panel_chunk(alleles)
    typed = np.arange(10, 21)
    observed = mosaics(rng, alleles, panel.cm, RATES, 5)[typed]
    found = imputed(panel, typed, observed)
    np.testing.assert_allclose(found[[1, 28]], found[[10, 20]], atol=1e-6)


def test_sites_that_are_all_typed_and_sites_at_one_place():
    panel, _, _ = simulated(3, 12, 6, 2)
    cm = np.repeat(panel.cm[:4], 3)
    panel = panel_chunk(panel.alleles(np.arange(12)), cm=cm)
    typed = np.arange(12)
    observed = panel.alleles(typed)[:, :2].astype(np.int8)
    found = imputed(panel, typed, observed)
    # Sites at one place share a posterior up to rounding, so the site on either side may answer.
    np.testing.assert_allclose(found, expected(panel, typed, observed), atol=2e-5)


def test_a_map_that_stands_still_between_contradicting_halves():
    """Two halves, each of another haplotype: without a way over the likelihood of all paths underflows."""
    alleles = np.zeros((80, 4), np.uint8)
    alleles[:40, 0] = alleles[40:, 1] = 1
    panel = panel_chunk(alleles, cm=np.arange(80) * 1e-12)
    observed = np.ones((80, 3), np.int8)
    found = imputed(panel, np.arange(80), observed, Rates(3e5, 1e-4))
    chances = posteriors(alleles, np.full(80, SMALLEST_SWITCH), 1e-4, observed[:, 0])
    np.testing.assert_allclose(found[:, 0], (chances * alleles).sum(axis=1), atol=1e-4)
    assert (found > 0.99).all()


def test_two_threads_give_the_bytes_of_one():
    panel, typed, observed = simulated(7, 60, 41, 2 * LANES + 37)
    assert imputed(panel, typed, observed).tobytes() == imputed(panel, typed, observed, threads=2).tobytes()


def test_a_person_gets_the_same_dosages_whoever_else_is_imputed():
    panel, typed, observed = simulated(8, 60, 41, 50)
    together = imputed(panel, typed, observed)
    alone = np.concatenate([imputed(panel, typed, observed[:, [h]]) for h in range(50)], axis=1)
    assert (together == alone).all()


def test_nobody_observed_gets_the_frequencies():
    panel, typed, observed = simulated(9, 30, 14, 2)
    found = imputed(panel, typed, np.full_like(observed, -1))
    np.testing.assert_allclose(found, np.repeat(panel.alt_frequency()[:, None], 2, axis=1), atol=1e-6)


def test_a_panel_haplotype_is_imputed_as_itself():
    panel, typed, _ = simulated(10, 200, 30, 1, typed_share=0.3)
    truth = panel.alleles(np.arange(200))
    found = imputed(panel, typed, truth[typed].astype(np.int8), Rates(100.0, 1e-3))
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] ** 2 > 0.95


def test_places_between_typed_sites():
    sites = Sites.between(np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.0, 1.5, 2.0, 3.5, 4.0, 9.0]))
    assert sites.starts.tolist() == [0, 1, 3, 5, 7]
    np.testing.assert_allclose(sites.weight[[0, 1, 2, 3, 4]], [1, 0, 0.5, 0, 0.75])


def test_rates_tell_switches_and_emissions():
    rates = Rates(effective_size=1e4, error=0.01)
    found = rates.switches(np.array([0.0, 0.001, 0.001]), 100)
    np.testing.assert_allclose(found[:2], [1, 1 - np.exp(-4e4 * 1e-5 / 100)], rtol=1e-6)
    assert found[2] < 1e-6
    likelihood = rates.emission(np.array([[0, 1, -1]], np.int8))
    np.testing.assert_allclose(likelihood[0], [[0.99, 0.01, 1], [0.01, 0.99, 1]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 2), (2_000, 5_000), (2_000, 10_000), (20_000, 10_000)])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_states_fit_into_memory_whatever_the_panel(shape, threads):
    lanes = lanes_at_once(shape, 1000, threads)
    assert lanes % 8 == 0
    assert 16 <= lanes <= LANES
    stored = 2 * np.sqrt(shape[0]) * shape[1] * lanes * 4 * threads
    assert stored <= max(STATES_BYTES, threads * 200e6)


@pytest.mark.parametrize("n_targets", [1, 40])
def test_occupancy_is_the_mean_posterior_of_each_group(n_targets):
    panel, typed, observed = simulated(11, 30, 13, n_targets)
    prior, cm = some_prior(13, n_targets), panel.cm[typed]
    sites = Sites.between(cm, cm[:0])
    copier = CpuCopyModel(2).prepare(panel.alleles(typed), cm, sites, panel.carriers(typed[:0]))
    switches = RATES.switches(cm, 13)
    found = copier.occupancy(switches, RATES.emission(observed), prior)
    for lane in range(0, n_targets, 13):
        entry = prior.weight[prior.group, lane] / 13
        whole = posteriors(panel.alleles(typed), switches, RATES.error, observed[:, lane], entry)
        expected = np.bincount(prior.group, whole.mean(axis=0), minlength=3)
        np.testing.assert_allclose(found[:, lane], expected, atol=2e-5)
