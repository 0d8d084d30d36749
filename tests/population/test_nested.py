"""Discriminants within superpopulations: what they tell, and what they leave to others."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from deepcohort.population.nested import SHRINKAGE, NestedModel
from deepcohort.population.pool import LEAST_PROBABILITY

CONTINENT = np.array([0, 1, 0, 1, 2])


@pytest.fixture(scope="module")
def people():
    """Two superpopulations of two populations that differ at other sites each, and one of one."""
    rng = np.random.default_rng(4)
    frequency = np.repeat(rng.uniform(0.1, 0.9, (3, 300)), [2, 2, 1], axis=0)[[0, 2, 1, 3, 4]]
    frequency[2, :40] = 1 - frequency[0, :40]
    frequency[3, 40:80] = 1 - frequency[1, 40:80]
    label = np.repeat(np.arange(5), 30)
    return rng.binomial(2, frequency[label]).astype(np.int8), label


def test_each_superpopulation_is_told_by_its_own_people_alone(people):
    copies, label = people
    learnt, other = np.arange(len(label)) % 3 > 0, np.arange(len(label)) % 3 == 0
    scores = NestedModel.learn(copies[learnt], label[learnt], CONTINENT).scores(copies[other])
    for upper in range(3):
        inside = np.exp(scores[:, upper == CONTINENT])
        assert inside.sum(axis=1) == pytest.approx(np.ones(other.sum()))
    own = CONTINENT[label[other]][:, None] == CONTINENT[None]
    assert (np.where(own, scores, -np.inf).argmax(axis=1) == label[other]).mean() > 0.95
    # Whoever stands elsewhere changes nothing of what is said within the first superpopulation.
    strangers = copies.copy()
    strangers[CONTINENT[label] != 0] = 1
    again = NestedModel.learn(strangers[learnt], label[learnt], CONTINENT).scores(copies[other])
    assert np.allclose(again[:, CONTINENT == 0], scores[:, CONTINENT == 0])


def test_with_all_components_it_is_the_discriminant_of_the_genotypes(people, monkeypatch):
    """Independent: scikit-learn's own, on the scaled genotypes turned by their singular vectors."""
    copies, label = people
    monkeypatch.setattr("deepcohort.population.nested.SHARE", 10.0)
    inside = CONTINENT[label] == 0
    own, kind = copies[inside].astype(float), label[inside]
    mean = own.mean(axis=0)
    scaled = (own - mean) / np.sqrt(np.maximum(mean * (1 - mean / 2), 0.02))
    left, sizes, _ = np.linalg.svd(
        scaled / np.linalg.norm(scaled) * np.sqrt(len(scaled)), full_matrices=False
    )
    kept = sizes**2 > 1e-6 * sizes[0] ** 2
    places = (left * sizes)[:, kept]
    plain = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE).fit(places, kind)
    scores = NestedModel.learn(copies, label, CONTINENT).scores(copies[inside])
    assert scores[:, 2] - scores[:, 0] == pytest.approx(plain.decision_function(places), rel=0.02)


def test_superpopulations_in_which_nothing_can_be_told_say_nothing(people):
    copies, label = people
    assert (NestedModel.learn(copies, label, np.arange(5)).scores(copies) == 0).all()
    alike = np.zeros_like(copies)
    assert (NestedModel.learn(alike, label, CONTINENT).scores(copies) == 0).all()


def test_a_population_of_whom_nobody_is_there_is_unlikely(people):
    copies, label = people
    of_three = np.array([0, 0, 0, 1, 1])
    there = label != 2
    scores = NestedModel.learn(copies[there], label[there], of_three).scores(copies)
    assert (scores[:, 2] == np.log(LEAST_PROBABILITY)).all()
    assert np.exp(scores[:, :2]).sum(axis=1) == pytest.approx(np.ones(len(copies)))
