"""Painted genomes: against a plain count, site by site, and what they tell of populations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.population.painting import LEAST, PaintingModel
from deepcohort.population.sharing import Sharing
from tests.population.people import alike, information_of, of_few_founders, with_missing

LABEL = np.array([0, 1, 0, 1, 0, 1, 1])


def plainly(one, others, label, information, starts):
    """Mean share of each population: at every site the stretch of each of the others is walked both ways."""
    sites = len(one)
    sharing = [alike(one, other, starts) for other in others]
    shares = []
    for site in range(sites):
        counted = np.zeros((len(others), 2))
        for row, same in enumerate(sharing):
            if not same[site]:
                continue
            first = last = site
            while first not in starts and same[first - 1]:
                first -= 1
            while last + 1 < sites and last + 1 not in starts and same[last + 1]:
                last += 1
            counted[row, label[row]] = information[first : last + 1].sum() ** 3
        mean = np.maximum(counted.sum(axis=0) / np.bincount(label), LEAST)
        shares.append(mean / mean.sum())
    return np.mean(shares, axis=0)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_shares_are_those_of_a_plain_count(data):
    copies, starts = data.draw(with_missing(people=9, most_sites=150))
    learnt, people = copies[:7], copies[7:]
    information = information_of(learnt)
    model = PaintingModel(Sharing(learnt, starts), LABEL)
    expected = [plainly(one, learnt, LABEL, information, starts) for one in people]
    assert np.allclose(model.shares(people), expected)
    own = [
        plainly(learnt[i], np.delete(learnt, i, axis=0), np.delete(LABEL, i), information, starts)
        for i in range(7)
    ]
    assert np.allclose(model.shares(None), own)


def test_who_lacks_a_chromosome_paints_nobody_there():
    rng = np.random.default_rng(3)
    copies, label = of_few_founders(rng)
    whole = PaintingModel(Sharing(copies[:80], np.array([0, 700])), label[:80]).shares(copies[80:])
    lacking = copies.copy()
    lacking[0, 700:] = -1
    found = PaintingModel(Sharing(lacking[:80], np.array([0, 700])), label[:80]).shares(copies[80:])
    assert np.abs(found - whole).max() < 0.1


def test_populations_of_few_founders_are_told():
    rng = np.random.default_rng(2)
    copies, label = of_few_founders(rng)
    copies[rng.random(copies.shape) < 0.02] = -1
    model = PaintingModel(Sharing(copies[:80], np.array([0, 700])), label[:80])
    scores = model.scores(copies[80:])
    assert np.allclose(np.exp(scores).sum(axis=1), 1)
    assert (scores.argmax(axis=1) == label[80:]).mean() > 0.9
    assert np.isfinite(model.scores(np.full_like(copies[:1], -1))).all()
