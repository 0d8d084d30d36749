"""Haplotypes shared by people: against a plain count, and what they tell of populations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.population.sharing import CHANCE, Sharing, SharingModel
from tests.population.people import alike, information_of, of_few_founders, with_missing


def plainly(one, other, information, starts):
    """Sum over stretches, site by site."""
    total, run = 0.0, 0.0
    for site, same in enumerate(alike(one, other, starts)):
        if not same or site in starts:
            total += max(0.0, run - CHANCE) ** 2
            run = 0.0
        run += information[site] if same else 0.0
    return total + max(0.0, run - CHANCE) ** 2


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_sharing_is_that_of_a_plain_count(data):
    copies, starts = data.draw(with_missing(people=6, most_sites=300))
    learnt, people = copies[:4], copies[4:]
    information = information_of(learnt)
    sharing = Sharing(learnt, starts)
    expected = [[plainly(one, other, information, starts) for other in learnt] for one in people]
    assert np.allclose(sharing.of(people), expected)
    own = [[plainly(one, other, information, starts) for other in learnt] for one in learnt]
    assert np.allclose(sharing.own(), np.array(own) * (1 - np.eye(4)))


def test_populations_of_few_founders_are_told():
    rng = np.random.default_rng(2)
    copies, label = of_few_founders(rng)
    missing = rng.random(copies.shape) < 0.02
    copies[missing] = -1
    model = SharingModel(Sharing(copies[:80], np.array([0, 700])), label[:80])
    scores = model.scores(copies[80:])
    assert np.allclose(np.exp(scores).sum(axis=1), 1)
    assert (scores.argmax(axis=1) == label[80:]).mean() > 0.9
    assert np.isfinite(model.scores(np.full_like(copies[:1], -1))).all()
