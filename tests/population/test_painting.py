"""Painted genomes: against a plain count, site by site, and what they tell of populations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deepcohort.population.painting import LEAST, PaintingModel
from deepcohort.population.sharing import Sharing
from tests.population.people import of_few_founders

LABEL = np.array([0, 1, 0, 1, 0, 1, 1])


def alike(one, other, starts):
    """Sites at which two people may share, one by one: they are not homozygous for different alleles.

    A person of whom nothing is known along 64 sites, from the start of a chromosome on, is as both there.
    """
    ends = [*starts[1:], len(one)]
    words = [
        slice(first, min(first + 64, end))
        for start, end in zip(starts, ends, strict=True)
        for first in range(start, end, 64)
    ]
    homozygous = []
    for person in (one, other):
        has = np.stack([person == 0, person == 2])
        for word in words:
            has[:, word] |= (person[word] < 0).all()
        homozygous.append(has)
    return ~((homozygous[0][0] & homozygous[1][1]) | (homozygous[0][1] & homozygous[1][0]))


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
    sites = data.draw(st.integers(1, 150))
    copies = data.draw(arrays.arrays(np.int8, (9, sites), elements=st.integers(-1, 2)))
    starts = np.unique([0, *data.draw(st.lists(st.integers(0, sites - 1), max_size=3))])
    learnt, people = copies[:7], copies[7:]
    known = learnt >= 0
    share = np.where(known, learnt, 0).sum(axis=0) / np.maximum(2 * known.sum(axis=0), 1)
    information = -np.log(1 - np.clip(2 * (share * (1 - share)) ** 2, 1e-4, 0.5))
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
