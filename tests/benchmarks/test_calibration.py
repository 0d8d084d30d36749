"""Estimated R² beside the true one."""

import numpy as np
import pytest

from benchmarks.calibration import Moments, estimated, table
from benchmarks.scoring import bin_of, r2_of
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.parts import dosage_sums

PEOPLE, SITES = 400, 60


@pytest.fixture(scope="module")
def drawn():
    """Haplotype chances and truths that follow them; half of the sites are turned round."""
    rng = np.random.default_rng(1)
    frequency = np.repeat(rng.uniform(0.06, 0.19, SITES // 2), 2)
    chances = rng.beta(0.3 * frequency[:, None], 0.3 * (1 - frequency[:, None]), (SITES, 2 * PEOPLE))
    alleles = (rng.random(chances.shape) < chances).astype(float)
    chances[1::2], alleles[1::2], frequency[1::2] = 1 - chances[1::2], 1 - alleles[1::2], 1 - frequency[1::2]
    return chances, alleles[:, 0::2] + alleles[:, 1::2], frequency


def moments_of(chances, truth, frequency):
    first, second = chances[:, 0::2], chances[:, 1::2]
    told = {"5-20%": [4.0, 2.0, 2.0, 2.0, 2.0, 2.0]}
    return Moments.of(np.stack([first + second - 2 * first * second, first * second]), truth, frequency, told)


def test_chances_that_are_true_are_calibrated(drawn):
    (row,) = table(Imputer.copying, moments_of(*drawn))
    assert row["maf_bin"] == "5-20%"
    assert row["sites"] == str(SITES)
    assert float(row["estimated"]) == pytest.approx(float(row["true"]), abs=0.02)
    assert row["expected"] == "1.000"
    assert float(row["imputed_by_true_alleles"]) == pytest.approx(1, abs=0.05)


def test_chances_that_are_too_sure_are_found_out(drawn):
    chances, truth, frequency = drawn
    (row,) = table(Imputer.copying, moments_of(np.round(chances), truth, frequency))
    assert row["estimated"] == "1.000"
    low, high = (float(text) for text in row["difference"].split("(")[1][:-1].split(", "))
    assert 0 < low < 1 - float(row["true"]) < high


def test_the_true_r2_is_the_squared_correlation_of_minor_alleles(drawn):
    chances, truth, frequency = drawn
    turned = frequency[:, None] > 0.5
    dosage = chances[:, 0::2] + chances[:, 1::2]
    x, y = np.where(turned, 2 - dosage, dosage), np.where(turned, 2 - truth, truth)
    found = r2_of(moments_of(*drawn).sums.sum(axis=1)[:, :6])[bin_of(frequency)[0]]
    assert found == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1] ** 2)


def test_of_one_site_the_estimate_is_info_r2(drawn):
    chances, truth, frequency = (values[:1] for values in drawn)
    sums = moments_of(chances, truth, frequency).sums.sum(axis=1)[bin_of(frequency)[0]]
    phased, haploid = np.ones(PEOPLE, bool), np.zeros(PEOPLE, bool)
    (expected,) = dosage_sums(chances.astype(np.float32), phased, haploid)
    assert estimated(sums) == pytest.approx(expected.r2, abs=1e-5)


def test_splits_are_taken_together_as_one(drawn):
    chances, truth, frequency = drawn
    half = PEOPLE // 2
    parts = [
        moments_of(chances[:, :PEOPLE], truth[:, :half], frequency),
        moments_of(chances[:, PEOPLE:], truth[:, half:], frequency),
    ]
    pooled = Moments.pooled(parts)
    np.testing.assert_allclose(pooled.sums.sum(axis=1), moments_of(*drawn).sums.sum(axis=1))
    assert pooled.sites.sum() == 2 * SITES
