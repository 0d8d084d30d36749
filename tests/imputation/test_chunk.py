"""One chunk imputed: what comes for which person, by which model."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.imputation.baselines import nearest
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import OF_GENOTYPES
from deepcohort.imputation.targets import TargetChunk
from tests.imputation.cohort import RATES, cohort, impute
from tests.imputation.haplotypes import dosages

PHASED = slice(0, 8)


def expected_haplotypes(data, people):
    """Dosages of phased people by the slow model, with observed alleles put in."""
    target, panel = data.target, data.panel
    every = panel.alleles(np.arange(panel.n_sites))
    genotypes = target.genotypes[:, people].reshape(len(target.typed), -1)
    found = dosages(every[target.typed], panel.cm[target.typed], RATES, genotypes, every, panel.cm)
    found[target.typed] = np.where(genotypes >= 0, genotypes, found[target.typed])
    return found


def test_phased_people_get_dosages_of_the_copying_model_and_keep_what_was_observed():
    data = cohort()
    imputed = impute(data.panel, data.target)
    assert imputed.chances.dtype == np.float32
    assert imputed.sites.tolist() == list(range(90))
    assert np.flatnonzero(imputed.typed).tolist() == data.target.typed.tolist()
    np.testing.assert_allclose(imputed.chances[:, :16], expected_haplotypes(data, PHASED), atol=1e-4)


def test_a_haploid_person_has_one_haplotype_and_one_all_missing_the_frequencies():
    data = cohort()
    imputed = impute(data.panel, data.target)
    haploid, missing = 2 * 9, 2 * 10
    expected = expected_haplotypes(data, slice(9, 10))
    np.testing.assert_allclose(imputed.chances[:, haploid], expected[:, 0], atol=1e-4)
    frequency = data.panel.alt_frequency()
    np.testing.assert_allclose(imputed.chances[:, missing], frequency, atol=1e-4)


def test_unphased_people_get_chances_of_genotypes():
    data = cohort(people=40)
    unphased = replace(
        data.target,
        phased=np.zeros(40, bool),
        haploid=np.zeros(40, bool),
        genotypes=np.sort(data.truth[data.target.typed], axis=2),
    )
    imputed = impute(data.panel, unphased)
    one, two = imputed.chances[:, 0::2], imputed.chances[:, 1::2]
    assert (one >= 0).all()
    assert (two >= 0).all()
    assert (one + two <= 1 + 1e-6).all()
    copies = data.truth.sum(axis=2)
    assert (one[imputed.typed] == (copies[imputed.typed] == 1)).all()
    assert (two[imputed.typed] == (copies[imputed.typed] == 2)).all()
    untyped = ~imputed.typed
    r2 = np.corrcoef((one + 2 * two)[untyped].ravel(), copies[untyped].ravel())[0, 1] ** 2
    phased = impute(
        data.panel, replace(unphased, phased=np.ones(40, bool), genotypes=data.truth[unphased.typed])
    )
    known = phased.chances[untyped]
    best = np.corrcoef((known[:, 0::2] + known[:, 1::2]).ravel(), copies[untyped].ravel())[0, 1] ** 2
    assert best - 0.05 < r2 <= best + 0.02


def test_an_unphased_person_without_heterozygous_sites_is_as_good_as_phased():
    data = cohort()
    genotypes = np.repeat(data.target.genotypes[:, :1, :1].clip(0), 2, axis=2)
    alone = replace(data.people(0, 1), genotypes=genotypes)
    haplotypes = impute(data.panel, alone).chances
    found = impute(data.panel, replace(alone, phased=np.zeros(1, bool))).chances
    both = haplotypes[:, 0] * haplotypes[:, 1]
    expected = np.stack([haplotypes.sum(axis=1) - 2 * both, both], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_counts():
    counts = impute(cohort().panel, cohort().target).counts
    holes = int((cohort().target.genotypes[:, -1] < 0).any(axis=1).sum())
    assert counts == {
        "people": 12,
        "unphased_people": 2,
        "haploid_people": 1,
        "typed_sites": 30,
        "imputed_sites": 60,
        "missing_genotypes_filled": 1 + 30 + holes,
        "sites_filled_by_frequency": 0,
    }


def untyped(data):
    """The cohort without a typed site."""
    none = np.zeros(0, np.int64)
    return replace(data.target, typed=none, genotypes=data.target.genotypes[:0])


@pytest.mark.parametrize("imputer", [name for name in Imputer if name not in OF_GENOTYPES])
def test_without_typed_sites_the_panels_frequencies_are_filled_in(imputer):
    data = cohort()
    imputed = impute(data.panel, untyped(data), imputer)
    assert imputed.by_frequency
    assert imputed.counts["sites_filled_by_frequency"] == 90
    frequency = data.panel.alt_frequency().astype(np.float32)
    np.testing.assert_allclose(imputed.chances[:, 0], frequency)
    np.testing.assert_allclose(imputed.chances[:, 16], 2 * frequency * (1 - frequency), atol=1e-6)
    np.testing.assert_allclose(imputed.chances[:, 17], frequency**2, atol=1e-6)


def test_the_core_alone_is_answered():
    data = cohort()
    whole, core = impute(data.panel, data.target), impute(data.core(20_000, 40_000), data.target)
    assert data.panel.pos[core.sites].tolist() == list(range(20_000, 40_001, 1000))
    assert (core.chances == whole.chances[core.sites]).all()


def test_masked_targets_get_their_hidden_sites_only():
    data = cohort()
    masked = data.target.masking(data.panel.pos, 0.3, 1)
    imputed = impute(data.panel, masked)
    assert imputed.sites.tolist() == masked.masked.tolist()
    assert not imputed.typed.any()
    few = impute(data.core(20_000, 40_000), masked)
    assert set(few.sites) == {s for s in masked.masked if 20_000 <= data.panel.pos[s] <= 40_000}


@pytest.mark.parametrize("fraction", [1e-9, 1.0])
def test_masks_that_hide_nothing_or_everything(fraction):
    data = cohort()
    masked = data.target.masking(data.panel.pos, fraction, 1)
    imputed = impute(data.panel, masked)
    assert len(imputed.sites) == (0 if fraction < 1 else 30)
    assert imputed.by_frequency == (fraction == 1)


@pytest.mark.parametrize("imputer", [Imputer.naive, Imputer.knn, Imputer.svd])
def test_plain_imputers(imputer):
    data = cohort()
    imputed = impute(data.panel, data.target, imputer)
    assert ((imputed.chances >= 0) & (imputed.chances <= 1)).all()
    genotypes = data.target.genotypes[:, PHASED].reshape(30, -1)
    observed = imputed.chances[imputed.typed][:, :16]
    assert (observed[genotypes >= 0] == genotypes[genotypes >= 0]).all()


def test_naive_is_the_more_frequent_allele():
    data = cohort()
    imputed = impute(data.panel, data.target, Imputer.naive)
    expected = data.panel.alt_frequency()[~imputed.typed] > 0.5
    assert (imputed.chances[~imputed.typed][:, :16] == expected[:, None]).all()


def test_neighbours_are_haplotypes_where_all_are_phased_and_people_elsewhere():
    data = cohort()
    every = data.panel.alleles(np.arange(90))
    phased = data.people(0, 8)
    imputed = impute(data.panel, phased, Imputer.knn)
    rows = np.where(phased.genotypes < 0, np.nan, phased.genotypes).reshape(30, -1).T.astype(np.float32)
    expected = nearest(every[phased.typed].T, every.T, rows).T
    np.testing.assert_allclose(imputed.chances[~imputed.typed], expected[~imputed.typed], atol=1e-6)
    people = every[:, 0::2] + every[:, 1::2]
    target = data.people(8, 9)
    found = impute(data.panel, target, Imputer.knn)
    rows = target.genotypes.sum(axis=2).T.astype(np.float32)
    half = nearest(people[target.typed].T, people.T, rows)[0] / 2
    expected = np.stack([2 * half * (1 - half), half**2], axis=1)
    np.testing.assert_allclose(found.chances[~found.typed], expected[~found.typed], atol=1e-6)


def test_a_haploid_person_among_unphased_ones_keeps_what_is_known():
    """In genotypes the one allele counts twice: the neighbours are those of a homozygous person."""
    data = cohort()
    mixed = data.people(8, 10)
    assert mixed.haploid.tolist() == [False, True]
    twice = replace(mixed, genotypes=mixed.genotypes.copy(), haploid=np.zeros(2, bool))
    twice.genotypes[:, 1, 1] = twice.genotypes[:, 1, 0]
    found, expected = (impute(data.panel, target, Imputer.knn) for target in (mixed, twice))
    untyped = ~found.typed
    np.testing.assert_allclose(found.chances[untyped, 2], expected.chances[untyped, 2], atol=1e-6)


def test_haploid_people_of_the_panel_count_twice_as_people():
    data = cohort()
    person = np.concatenate([[0, 1], np.repeat(np.arange(2, 21), 2)]).astype(np.int32)
    found = impute(replace(data.panel, person=person), data.people(8, 9), Imputer.knn)
    assert np.isfinite(found.chances).all()


def test_same_on_any_number_of_threads_and_again():
    data = cohort(people=30)
    one, two, again = (impute(data.panel, data.target, threads=threads).chances for threads in (1, 2, 2))
    assert one.tobytes() == two.tobytes() == again.tobytes()


def test_a_chance_that_is_no_number_stops_the_task():
    data = cohort()
    broken = replace(data.panel, cm=np.full(90, np.nan))
    with pytest.raises(FloatingPointError, match="not a number"):
        impute(broken, data.target)


def test_one_unphased_person_alone():
    data = cohort()
    target = data.people(8, 9)
    before = target.genotypes.copy()
    assert isinstance(target, TargetChunk)
    imputed = impute(data.panel, target)
    assert (target.genotypes == before).all()
    assert imputed.chances.shape == (90, 2)
