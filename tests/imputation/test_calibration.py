"""Chances made honest: simulated people whose true chances are known."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.calibration import BINS, Calibration, learn_calibration
from deepcohort.imputation.places import EDGES, NOWHERE, Places

TYPED_CM = np.arange(0, 20, 0.5)


def places(frequency):
    return Places.of(frequency, np.arange(len(frequency)) * 0.02 + 0.01, TYPED_CM)


def people(rng, frequency, lanes=200, bold=1.6, shift=1.0, floor=0.0):
    """What is said of people, and the truth: bolder than the chances it is drawn by."""
    logit = np.log(frequency / (1 - frequency))[:, None] + 2 * rng.normal(size=(len(frequency), lanes))
    chance = 1 / (1 + np.exp(-logit))
    truth = rng.random(chance.shape) < floor + (1 - 2 * floor) * chance
    said = 1 / (1 + np.exp(-(bold * logit + shift)))
    return said.astype(np.float32), truth.astype(np.uint8)


def gaps(chance, truth, flipped):
    """Expected less true minor alleles in each fifth of the chances, as a share of all minor alleles."""
    chance, truth = (np.where(flipped[:, None], 1 - one, one.astype(float)) for one in (chance, truth))
    order = np.array_split(np.argsort(chance, axis=None), 5)
    return np.array([(chance - truth).ravel()[rows].sum() for rows in order]) / truth.sum()


@pytest.mark.parametrize("frequency", [0.003, 0.1, 0.4, 0.9])
def test_bold_chances_become_honest_for_people_who_were_not_learnt_from(frequency):
    rng = np.random.default_rng(1)
    sites = np.full(300, frequency)
    said, truth = zip(*(people(rng, sites) for _ in range(3)), strict=True)
    here = places(sites)
    found = learn_calibration(said[0], truth[0], here, said[1], truth[1], here)
    assert found.held[here.bin[0]]
    honest = found.of_dosages(said[2], here)
    assert np.abs(gaps(honest, truth[2], here.flipped)).max() < 0.04
    assert np.abs(gaps(said[2], truth[2], here.flipped)).max() > 0.1


def test_alleles_that_the_panel_has_nothing_like_get_a_least_chance():
    rng = np.random.default_rng(2)
    sites = np.full(400, 0.003)
    said, truth = zip(*(people(rng, sites, 400, 1.5, 0, 2e-3) for _ in range(3)), strict=True)
    here = places(sites)
    found = learn_calibration(said[0], truth[0], here, said[1], truth[1], here)
    assert found.floor[1] == pytest.approx(2e-3, rel=0.3)
    assert found.of_dosages(said[2], here).sum() == pytest.approx(truth[2].sum(), rel=0.05)


def test_a_chance_goes_no_higher_than_is_true_of_the_surest():
    """Of ten alleles that are foreseen, one is not there."""
    rng = np.random.default_rng(5)
    sites = np.full(300, 0.3)
    said, truth = zip(*(people(rng, sites, 300, 3.0, 0.0) for _ in range(3)), strict=True)
    said = [1 / (1 + (1 / one - 1) ** (1 / 3)) for one in said]
    fewer = [one & (rng.random(one.shape) < 0.9) for one in truth]
    here = places(sites)
    found = learn_calibration(said[0], fewer[0], here, said[1], fewer[1], here)
    assert found.gap[5] == pytest.approx(0.1, rel=0.2)
    honest = found.of_dosages(said[2], here)
    assert np.abs(gaps(honest, fewer[2], here.flipped)).max() < 0.02


def test_a_bin_where_it_does_not_help_others_is_left_alone():
    """The one's rare alleles are a third of what is said, the others' as they are said."""
    rng = np.random.default_rng(3)
    frequency = np.repeat([0.003, 0.3], 200)
    here = places(frequency)
    said, truth = people(rng, frequency, bold=1.0, shift=0.0)
    fewer = truth.copy()
    fewer[:200] &= (rng.random((200, 200)) < 1 / 3).astype(np.uint8)
    found = learn_calibration(said, fewer, here, said, truth, here)
    assert not found.held[1]
    assert (found.of_dosages(said, here)[:200] == said[:200]).all()


def test_sites_that_do_not_vary_and_those_left_out_stay_as_they_are():
    frequency = np.array([0.0, 1.0, 0.1, 0.1])
    here = places(frequency).without(np.array([False, False, True, False]))
    assert here.bin.tolist() == [NOWHERE, NOWHERE, NOWHERE, np.searchsorted(EDGES, 0.1)]
    moved = replace(
        Calibration.none(),
        shift=np.tile(np.array([-1, 0], np.float32), (BINS, 1)),
        held=np.ones(BINS, np.bool_),
    )
    said = np.full((4, 2), 0.3, np.float32)
    found = moved.of_dosages(said, here)
    assert (found[:3] == said[:3]).all()
    assert found[3] == pytest.approx(1 / (1 + np.exp(-(np.log(0.3 / 0.7) - 1))))


def test_the_rarer_allele_is_the_one_that_is_shifted():
    said = np.array([[0.2, 0.5, 0.9], [0.8, 0.5, 0.1]], np.float32)
    moved = replace(
        Calibration.none(),
        slope=np.full((BINS, 2), 0.2, np.float32),
        shift=np.full((BINS, 2), -0.7, np.float32),
        floor=np.full(BINS, 1e-3, np.float32),
        gap=np.full(BINS, 1e-2, np.float32),
        held=np.ones(BINS, np.bool_),
    )
    here = Places.of(np.array([0.1, 0.9]), np.array([0.2, 0.2]), TYPED_CM)
    found = moved.of_dosages(said, here)
    np.testing.assert_allclose(found[1], 1 - found[0], rtol=1e-5)
    assert (found[0] < said[0]).all()


def test_it_is_stored_whole_and_read_again():
    rng = np.random.default_rng(4)
    sites = np.full(200, 0.1)
    here = places(sites)
    said, truth = people(rng, sites)
    found = learn_calibration(said, truth, here, *people(rng, sites), here)
    assert found.held.any()
    again = Calibration.of(found.stored())
    assert (again.of_dosages(said, here) == found.of_dosages(said, here)).all()
    with pytest.raises(InputError, match="a model without floor"):
        Calibration.of(found.stored() | {"floor": np.zeros(3, np.float32)})


def test_nobody_to_learn_from_changes_nothing():
    here = places(np.full(5, 0.1))
    said, truth = np.full((5, 4), 0.2, np.float32), np.zeros((5, 4), np.uint8)
    found = learn_calibration(said, truth, here, said, truth, here)
    assert not found.held.any()
    assert found.of_dosages(said, here) is said
