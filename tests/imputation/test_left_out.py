"""Typed sites imputed without themselves: against each site taken out in turn, and against correlation."""

import numpy as np
import pytest

from deepcohort.imputation.copying import CpuCopyModel, Rates, Sites
from deepcohort.imputation.left_out import left_out, left_out_sums
from deepcohort.imputation.sums import LeftOutSums
from tests.imputation.haplotypes import dosages, founders, mosaics, panel_chunk, some_prior

N_TYPED, N_TARGETS = 24, 9


def data(error):
    rng = np.random.default_rng(4)
    alleles = founders(rng, 60, 30)
    panel = panel_chunk(alleles)
    typed = np.sort(rng.choice(60, N_TYPED, replace=False))
    rates = Rates(2e4, error)
    observed = mosaics(rng, alleles, panel.cm, rates, N_TARGETS)[typed]
    observed[rng.random(observed.shape) < 0.05] = -1
    return panel, typed, observed, rates


def copied(panel, typed, observed, rates, prior=None):
    """Dosages at the typed sites by the model on the CPU."""
    cm = panel.cm[typed]
    copier = CpuCopyModel().prepare(panel.alleles(typed), cm, Sites.between(cm, cm), panel.carriers(typed))
    return copier.dosages(rates.switches(cm, panel.n_haplotypes), rates.emission(observed), prior)


@pytest.mark.parametrize("error", [1e-4, 3e-3, 0.1])
def test_leaving_out_is_what_imputing_the_missing_site_gives(error):
    panel, typed, observed, rates = data(error)
    found = left_out(copied(panel, typed, observed, rates), observed, error)
    alleles, cm = panel.alleles(typed), panel.cm[typed]
    for site in range(N_TYPED):
        without = observed.copy()
        without[site] = -1
        expected = dosages(alleles, cm, rates, without, alleles[[site]], cm[[site]])[0]
        seen = observed[site] >= 0
        np.testing.assert_allclose(found[site, seen], expected[seen], atol=max(1e-4, 2e-6 / error))
    assert (np.isnan(found) == (observed < 0)).all()


def test_leaving_out_with_a_prior_of_groups():
    panel, typed, observed, rates = data(3e-3)
    prior = some_prior(30, N_TARGETS)
    found = left_out(copied(panel, typed, observed, rates, prior), observed, rates.error)
    for site in range(0, N_TYPED, 5):
        without = observed.copy()
        without[site] = -1
        expected = copied(panel, typed, without, rates, prior)[site]
        seen = observed[site] >= 0
        np.testing.assert_allclose(found[site, seen], expected[seen], atol=1e-3)


def test_sums_of_parts_give_the_correlation_of_all():
    rng = np.random.default_rng(5)
    observed = rng.integers(-1, 2, (7, 200)).astype(np.int8)
    chances = np.clip(0.6 * (observed > 0) + 0.4 * rng.random(observed.shape), 0, 1)
    parts = [left_out_sums(chances[:, part], observed[:, part]) for part in (slice(80), slice(80, 200))]
    for site, (one, other) in enumerate(zip(*parts, strict=True)):
        seen = observed[site] >= 0
        expected = np.corrcoef(chances[site, seen], observed[site, seen])[0, 1] ** 2
        total = LeftOutSums.parse(str(one)) + LeftOutSums.parse(str(other))
        assert total.r2 == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("chances", "observed"),
    [
        ([0.2, 0.7, 0.1], [1, 1, 1]),  # nobody without ALT
        ([0.3, 0.3, 0.3], [0, 1, 0]),  # the same chance for everybody
        ([np.nan, np.nan, np.nan], [-1, -1, -1]),  # nobody observed
    ],
)
def test_without_variance_there_is_no_correlation(chances, observed):
    (sums,) = left_out_sums(np.array([chances]), np.array([observed], np.int8))
    assert LeftOutSums.parse(str(sums)).r2 is None
