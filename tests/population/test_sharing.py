"""Haplotypes shared by people: against a plain count, and what they tell of populations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deepcohort.population.sharing import CHANCE, Sharing, SharingModel
from tests.population.people import of_few_founders


def plainly(one, other, information, starts):
    """Sum over stretches, site by site."""
    total, run = 0.0, 0.0
    for site in range(len(one)):
        differ = {int(one[site]), int(other[site])} == {0, 2}
        if differ or site in starts:
            total += max(0.0, run - CHANCE) ** 2
            run = 0.0
        run += 0.0 if differ else information[site]
    return total + max(0.0, run - CHANCE) ** 2


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_sharing_is_that_of_a_plain_count(data):
    sites = data.draw(st.integers(1, 300))
    copies = data.draw(arrays.arrays(np.int8, (6, sites), elements=st.integers(-1, 2)))
    starts = np.unique([0, *data.draw(st.lists(st.integers(0, sites - 1), max_size=3))])
    learnt, people = copies[:4], copies[4:]
    known = learnt >= 0
    share = np.where(known, learnt, 0).sum(axis=0) / np.maximum(2 * known.sum(axis=0), 1)
    information = -np.log(1 - np.clip(2 * (share * (1 - share)) ** 2, 1e-4, 0.5))
    sharing = Sharing(learnt, starts)
    expected = [[plainly(one, other, information, set(starts)) for other in learnt] for one in people]
    assert np.allclose(sharing.of(people), expected)
    own = [[plainly(one, other, information, set(starts)) for other in learnt] for one in learnt]
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
