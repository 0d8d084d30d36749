"""Probabilities of superpopulations that keep their promise: the bound, the map, and people made up."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcohort.population.pool import cross_fitted, fit_pool, log_softmax
from deepcohort.population.sure import KNEE, SURE, WRONG, fit_bound, fit_sure_pool, held_back, upper_logs

CONTINENT = np.array([0, 1, 0, 2, 1])
LEAST = np.log(SURE / (1 - SURE))


@given(st.lists(st.tuples(st.floats(-2, 12), st.booleans(), st.integers(1, 400)), max_size=12))
def test_the_bound_is_the_least_that_holds(groups):
    """Independent: every person's log-odds are tried as the bound, one after the other."""
    odds = np.concatenate([[], *(np.full(size, value) for value, _, size in groups)])
    right = np.concatenate([[], *(np.arange(size) > (not fine) for _, fine, size in groups)]).astype(bool)
    bound = fit_bound(odds, right)

    def holds(at):
        return (~right[odds >= at]).sum() <= WRONG * (odds >= at).sum()

    assert bound >= LEAST and holds(bound)
    assert not any(holds(at) for at in {LEAST, *odds.tolist()} if LEAST <= at < bound)


@given(st.floats(LEAST, 9), st.integers(0, 9))
def test_the_map_keeps_order_sums_and_what_is_within(bound, seed):
    logs = log_softmax(np.random.default_rng(seed).normal(0, 4, (200, 5)))
    new = held_back(logs, CONTINENT, bound)
    assert np.exp(new).sum(axis=1) == pytest.approx(np.ones(200))
    before, after = (np.exp(upper_logs(some, CONTINENT)) for some in (logs, new))
    assert before[:, 1] == pytest.approx(np.exp(logs[:, 1]) + np.exp(logs[:, 4]))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert new[:, 0] - new[:, 2] == pytest.approx(logs[:, 0] - logs[:, 2])
    top, mapped = before.max(axis=1), after.max(axis=1)
    assert mapped[top < KNEE] == pytest.approx(top[top < KNEE])
    order = np.argsort(top)
    assert (np.diff(mapped[order]) > -1e-12).all() and (mapped <= top + 1e-12).all()
    limit = 1 / (1 + np.exp(-bound))
    assert mapped[top > limit + 1e-9] == pytest.approx(top[top > limit + 1e-9])
    assert (mapped[top < limit - 1e-9] < SURE).all()


def overconfident(rng, people=6_000):
    """Scores of which a tenth are misled, however strong, but for the strongest."""
    truth = rng.integers(0, 5, people)
    strength = rng.uniform(0, 2, people)
    told = np.where((rng.random(people) < 0.1) & (strength < 1.4), rng.integers(0, 5, people), truth)
    return rng.normal(0, 1, (people, 5)) + 8 * np.eye(5)[told] * strength[:, None], truth


def test_who_is_sure_is_right_among_strangers():
    rng = np.random.default_rng(3)
    (scores, truth), fold = overconfident(rng), np.arange(6_000) % 5
    plain = cross_fitted([scores], truth, fold)
    held = cross_fitted([scores], truth, fold, partial(fit_sure_pool, continent=CONTINENT))

    def sure(logs):
        upper = np.exp(upper_logs(logs, CONTINENT))
        right = upper.argmax(axis=1) == CONTINENT[truth]
        return right[upper.max(axis=1) >= SURE]

    assert sure(plain).mean() < 0.985
    assert sure(held).mean() >= 0.99 and len(sure(held)) > 500


def test_nothing_changes_where_sure_people_are_right():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 5, 500)
    scores = rng.normal(0, 1, (500, 5)) + 8 * np.eye(5)[truth]
    before, after = fit_pool([scores], truth), fit_sure_pool([scores], truth, CONTINENT)
    assert np.allclose(before([scores]), after([scores]))
    one = fit_sure_pool([scores], truth, np.zeros(5, int))
    assert (one([scores]) == before([scores])).all()
