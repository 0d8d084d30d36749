"""Mixtures of models: weights against an exhaustive search, and what an ensemble makes of its members."""

import numpy as np
import pytest

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation import by_baseline, by_ensemble
from deepcohort.imputation.imputers import Imputer, members_of
from deepcohort.imputation.mixture import EDGES, alone, bins, learn_mixture
from deepcohort.imputation.models import Settings
from deepcohort.imputation.panel_people import as_target, without
from tests.imputation.cohort import cohort


def simulated(seed=1, sites=400, people=60):
    """Chances of the truth by two models that are good at different sites, and by one that is bad."""
    rng = np.random.default_rng(seed)
    clear = rng.random((sites, people)) < 0.5
    good = rng.uniform(0.6, 0.99, (2, sites, people))
    poor = rng.uniform(0.05, 0.4, (2, sites, people))
    first = np.where(clear, good[0], poor[0])
    second = np.where(clear, poor[1], good[1])
    return np.stack([first, second, np.full_like(first, 0.02)]).astype(np.float32)


def test_bins():
    edges = np.array([0.0, *EDGES, 0.5])
    assert bins(edges[:-1]).tolist() == [0, 1, 2, 3, 4]
    assert bins(1 - edges[1:-1] + 1e-9).tolist() == [0, 1, 2, 3]


def test_weights_are_the_best_of_a_grid():
    chances, frequency = simulated(), np.full(400, 0.3)
    found = learn_mixture(chances, frequency)
    weights = found.weights[bins(frequency)[0]]
    learnt_from = chances[..., 0::2].astype(float)
    grid = [(a, b, 1 - a - b) for a in np.arange(0, 1.01, 0.02) for b in np.arange(0, 1.01 - a, 0.02)]
    losses = [-np.log(np.einsum("a,aun->un", one, learnt_from)).mean() for one in grid]
    np.testing.assert_allclose(weights, grid[int(np.argmin(losses))], atol=0.02)
    assert weights.sum() == pytest.approx(1)
    assert found.loss < found.start_loss
    mixed = found.mixed(chances, frequency)
    np.testing.assert_allclose(mixed, np.einsum("a,aun->un", weights, chances), rtol=1e-5)


def test_what_does_not_help_those_who_were_not_learnt_from_is_not_taken():
    chances = simulated()
    # The half that decides: the first model is sure and right, so that any other weight costs.
    chances[0, :, 0::2], chances[1, :, 0::2] = 0.6, 0.5
    chances[0, :88, 0::4], chances[1, :88, 0::4] = 0.3, 0.9
    chances[0, :, 1::2], chances[1:, :, 1::2] = 0.99, 0.01
    found = learn_mixture(chances, np.full(400, 0.3))
    assert found.single == 0
    assert (found.weights == alone(3, 0).weights).all()
    assert found.loss == found.start_loss
    halves = learn_mixture(np.repeat(chances[..., 0::2], 2, axis=2), np.full(400, 0.3))
    assert (halves.weights != alone(3, 0).weights).any()


def test_each_bin_has_its_own_weights():
    chances = simulated()
    frequency = np.where(np.arange(400) < 200, 0.003, 0.3)
    chances[0, :200], chances[1, :200] = 0.2, 0.9
    found = learn_mixture(chances, frequency)
    rare, common = found.weights[0], found.weights[-1]
    assert rare[1] > 0.99
    assert common[0] > 0.3 and common[1] > 0.3


def settings(*members):
    return Settings(Imputer.ensemble, Device.cpu, 1, 1, members=members)


def test_an_ensemble_is_the_mixture_of_its_members():
    data = cohort(n_panel=120)
    chosen = settings(Imputer.naive, Imputer.knn)
    trained = by_ensemble.train(data.panel, data.target.typed, chosen)
    assert trained.facts["people"] == 6
    assert trained.facts["loss"] <= trained.facts["start_loss"]
    sites = np.arange(90)
    target = data.people(0, 12)
    found = by_ensemble.impute(data.panel, target, sites, trained, chosen)
    weights = np.array(trained.facts["mixture"])[bins(data.panel.alt_frequency())]
    parts = []
    for member in (Imputer.naive, Imputer.knn):
        one = Settings(member, Device.cpu, 1, 1)
        chances = by_baseline.impute(
            data.panel, target, sites, by_baseline.train(data.panel, sites, one), one
        )
        for person in np.flatnonzero(target.phased & ~target.haploid):
            a, b = chances[:, 2 * person].copy(), chances[:, 2 * person + 1].copy()
            chances[:, 2 * person], chances[:, 2 * person + 1] = a + b - 2 * a * b, a * b
        parts.append(chances)
    expected = weights[:, :1] * parts[0] + weights[:, 1:] * parts[1]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_too_few_people_leave_the_first_member():
    data = cohort(n_panel=12)
    trained = by_ensemble.train(data.panel, data.target.typed, settings(Imputer.knn, Imputer.naive))
    assert (trained.facts["people"], trained.facts["loss"], trained.facts["single"]) == (0, None, "knn")
    assert (np.array(trained.facts["mixture"]) == [1, 0]).all()


def test_people_of_the_panel_as_targets():
    data = cohort(n_panel=20)
    person = np.array([0, 0, 1, 2, 2, *np.repeat(np.arange(3, 10), 2), 10], np.int32)
    panel = without(data.panel, np.zeros(0, np.int32))
    panel = type(panel)(**{**panel.__dict__, "person": person})
    target = as_target(panel, np.array([1, 2, 10], np.int32), np.array([3, 4]))
    alleles = panel.alleles(np.array([3, 4]))
    assert target.haploid.tolist() == [True, False, True]
    assert (target.genotypes[:, 0] == np.stack([alleles[:, 2], [-1, -1]], axis=1)).all()
    assert (target.genotypes[:, 1] == alleles[:, 3:5]).all()
    left = without(panel, np.array([1, 10], np.int32))
    assert left.person.tolist() == [one for one in person if one not in (1, 10)]
    every = np.arange(90)
    assert (left.alleles(every) == panel.alleles(every)[:, ~np.isin(person, [1, 10])]).all()


@pytest.mark.parametrize("text", ["", "copying,", "copying,nothing", "ensemble", "knn,knn"])
def test_members_that_cannot_be_are_refused(text):
    with pytest.raises(InputError, match=r"--members .* must be one of copying, .*, and once: correct"):
        members_of(text)


def test_members():
    assert members_of("knn,lstm") == (Imputer.knn, Imputer.lstm)
