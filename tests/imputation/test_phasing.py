"""Sampled phases against the exact posterior of the two-haplotype model, and against known truth."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.imputation import phasing
from deepcohort.imputation.copying import Rates
from deepcohort.imputation.phasing import (
    LANES,
    SAMPLES,
    genotype_likelihoods,
    sample_phases,
)
from tests.imputation.haplotypes import emission, even, founders, mosaics, transition
from tests.imputation.haplotypes import switches as switch_chances


def likelihood(typed, switches, error, haplotype):
    """P(haplotype | panel), by the forward algorithm."""
    alpha = np.full(typed.shape[1], 1 / typed.shape[1])
    for alleles, switch, seen in zip(typed, switches, haplotype, strict=True):
        alpha = (alpha @ transition(switch, even(typed.shape[1]))) * emission(alleles, seen, error)
    return alpha.sum()


def phase_posterior(typed, switches, error, genotypes):
    """Posterior of the first haplotype, {alleles: chance}, by enumeration of all phases."""
    options = [[(0, 1), (1, 0)] if g[0] != g[1] else [tuple(g)] for g in genotypes.tolist()]
    weights = {}
    for phase in product(*options):
        first, second = zip(*phase, strict=True)
        weights[first] = np.prod([likelihood(typed, switches, error, h) for h in (first, second)])
    total = sum(weights.values())
    return {first: weight / total for first, weight in weights.items()}


def phased(typed, cm, rates, genotypes, seed, threads, number=SAMPLES):
    """Samples of the alleles of diploid people, [S, M, n, 2]."""
    seen, haploid = genotype_likelihoods(genotypes), np.zeros(genotypes.shape[1], bool)
    return sample_phases(typed, cm, rates, seen, haploid, seed, threads, number).alleles


GENOTYPES = {
    "all heterozygous": [(0, 1)] * 6,
    "homozygous between": [(0, 1), (1, 1), (0, 1), (0, 0), (0, 1), (0, 1)],
    "missing between": [(0, 1), (-1, -1), (0, 1), (0, 1), (-1, -1), (0, 1)],
    "one heterozygous": [(0, 0), (0, 1), (1, 1), (-1, -1), (0, 0), (1, 1)],
}


@pytest.mark.parametrize("genotypes", GENOTYPES.values(), ids=GENOTYPES)
@pytest.mark.parametrize(("n_panel", "size"), [(3, 50.0), (6, 50.0), (6, 10.0), (6, 1e4)])
def test_samples_follow_the_exact_posterior(genotypes, n_panel, size):
    rng = np.random.default_rng(n_panel)
    typed = rng.integers(0, 2, (6, n_panel), dtype=np.uint8)
    typed[:, 0], typed[:, 1] = 1, 0
    cm, rates = np.array([0.0, 0.3, 0.9, 1.1, 1.3, 2.0]), Rates(size, 0.1)
    genotypes = np.array(genotypes, np.int8)
    people = 4000
    many = np.repeat(genotypes[:, None], people, axis=1)
    samples = phased(typed, cm, rates, many, 1, 2)
    assert samples.shape == (SAMPLES, 6, people, 2)
    exact = phase_posterior(typed, switch_chances(cm, rates, n_panel), rates.error, genotypes)
    last = Counter(map(tuple, samples[-1, :, :, 0].T.tolist()))
    assert set(last) <= set(exact)
    chances = np.array(list(exact.values()))
    found = np.array([last[first] for first in exact]) / people
    assert (np.abs(found - chances) < 4.5 * np.sqrt(chances * (1 - chances) / people) + 2e-3).all()


def two_haplotypes(seed, n_typed, n_panel, people, rates):
    """Panel, map and true genotypes [M, n, 2] of people drawn from the copying model."""
    rng = np.random.default_rng(seed)
    typed = founders(rng, n_typed, n_panel)
    cm = np.cumsum(rng.exponential(0.01, n_typed))
    truth = mosaics(rng, typed, cm, rates, 2 * people).reshape(n_typed, people, 2)
    return typed, cm, truth


def switch_errors(truth, phased):
    """Share of neighbouring heterozygous pairs whose relative phase is wrong."""
    wrong = pairs = 0
    for person in range(truth.shape[1]):
        het = truth[:, person, 0] != truth[:, person, 1]
        agrees = truth[het, person, 0] == phased[het, person, 0]
        wrong, pairs = wrong + (np.diff(agrees.astype(int)) != 0).sum(), pairs + max(het.sum() - 1, 0)
    return wrong / pairs


def test_phases_of_simulated_people_are_found():
    rates = Rates(300.0, 1e-3)
    typed, cm, truth = two_haplotypes(1, 150, 60, LANES + 6, rates)
    shuffled = np.sort(truth, axis=2)
    assert switch_errors(truth, shuffled) > 0.3
    samples = phased(typed, cm, rates, shuffled, 1, 2)
    assert max(switch_errors(truth, sample) for sample in samples) < 0.06


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6), sites=st.integers(1, 30), n_panel=st.integers(2, 9), people=st.integers(1, 4)
)
def test_genotypes_stay_and_missing_stays_missing(seed, sites, n_panel, people):
    rng = np.random.default_rng(seed)
    typed = rng.integers(0, 2, (sites, n_panel), dtype=np.uint8)
    genotypes = rng.integers(-1, 2, (sites, people, 2)).astype(np.int8)
    before = genotypes.copy()
    rates = Rates(1e5, float(rng.choice([1e-4, 0.05])))
    samples = phased(typed, np.cumsum(rng.random(sites)), rates, genotypes, seed, 1)
    assert (genotypes == before).all()
    missing = (genotypes < 0).any(axis=2)
    assert (samples[:, missing] == -1).all()
    assert (samples[:, ~missing].sum(axis=2) == genotypes[~missing].sum(axis=1)).all()
    assert ((samples[:, ~missing] >= 0) & (samples[:, ~missing] <= 1)).all()


def test_same_seed_same_phases_on_any_number_of_threads():
    typed, cm, truth = two_haplotypes(2, 40, 20, LANES + 9, Rates(1e3, 1e-3))
    first, again, other = (
        phased(typed, cm, Rates(1e3, 0.01), truth, seed, threads)
        for seed, threads in ((5, 1), (5, 2), (6, 1))
    )
    assert (first == again).all()
    assert (first != other).any()


def test_an_all_missing_person_beside_others_changes_nothing():
    typed, cm, truth = two_haplotypes(3, 30, 20, 3, Rates(1e3, 1e-3))
    with_missing = truth.copy()
    with_missing[:, 1] = -1
    full, holed = (phased(typed, cm, Rates(1e3, 0.01), g, 1, 1) for g in (truth, with_missing))
    assert (holed[:, :, 1] == -1).all()
    assert (holed[:, :, [0, 2]] == full[:, :, [0, 2]]).all()


def test_contradictions_where_the_map_stands_still():
    """Heterozygous everywhere beside a panel that has none of it, and no recombination to explain it by."""
    typed = np.zeros((120, 5), np.uint8)
    genotypes = np.tile(np.array([0, 1], np.int8), (120, 2, 1))
    samples = phased(typed, np.zeros(120), Rates(1e5, 1e-4), genotypes, 1, 1)
    assert (samples.sum(axis=3) == 1).all()
    # All phases are as likely: each site's order is a coin.
    assert samples[:, :, :, 0].mean() == pytest.approx(0.5, abs=0.1)


@pytest.fixture
def large(monkeypatch):
    """Any panel counts as large, and takes as many of its haplotypes as the test says."""

    def set_sizes(sample, alike):
        for name, value in (("LARGEST_WHOLE", 0), ("SAMPLE", sample), ("ALIKE", alike)):
            monkeypatch.setattr(phasing, name, value)

    return set_sizes


def test_large_panels_are_phased_against_those_alike(large):
    rates = Rates(2e3, 1e-3)
    typed, cm, truth = two_haplotypes(3, 150, 400, 20, rates)
    genotypes = np.sort(truth, axis=2)
    whole = switch_errors(truth, phased(typed, cm, rates, genotypes, 1, 2)[-1])
    large(60, 120)
    samples = phased(typed, cm, rates, genotypes, 1, 2)
    assert switch_errors(truth, samples[-1]) < whole + 0.02
    np.testing.assert_array_equal(samples, phased(typed, cm, rates, genotypes, 1, 1))
    large(60, 10)
    assert switch_errors(truth, phased(typed, cm, rates, genotypes, 1, 2)[-1]) > whole + 0.05


def test_a_large_panel_taken_whole(large):
    """Where all are alike enough, what comes out is drawn from the whole panel."""
    rates = Rates(2e3, 1e-3)
    typed, cm, truth = two_haplotypes(4, 60, 20, 8, rates)
    genotypes = np.sort(truth, axis=2)
    whole = phased(typed, cm, rates, genotypes, 1, 1)
    large(20, 20)
    np.testing.assert_array_equal(phased(typed, cm, rates, genotypes, 1, 1), whole)
