"""Sure means sure: who gets a superpopulation with a high probability is right as often as that promises.

A calibrated 0.9 is right nine times in ten. Yet users take 0.9 as a threshold for sure assignments, and of
those above it 99 % shall be right. So the probability from which held-out people are that often right is
searched (selective classification, Geifman and El-Yaniv 2017), and who is below there is held below 0.9.
Probabilities above it, and those that were well below 0.9, stay; the order of people never changes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepcohort.population.pool import Float64, Int64, Pool, fit_pool

SURE = 0.9
WRONG = 0.005
"""Of those at ``SURE`` and above that many may be wrong: half of 1 %, since one loses with a bound that is
chosen on the same people."""

KNEE = 0.85
"""Probabilities of superpopulations below are left as they are; who is held back gets more than that."""


def upper_logs(logs: Float64, continent: Int64) -> Float64:
    """Log-probabilities of superpopulations float64[n, Q] of those of populations float64[n, P].

    continent: int64[P], superpopulation of each population.
    """
    kinds = range(int(continent.max()) + 1)
    return np.stack([np.logaddexp.reduce(logs[:, continent == kind], axis=1) for kind in kinds], axis=1)


def fit_sure_pool(models: Sequence[NDArray[np.floating]], truth: Int64, continent: Int64) -> Pool:
    """A pool by ``fit_pool`` whose sure superpopulations are right on the people it was fitted to."""
    pool = fit_pool(models, truth)
    logs = pool(models)
    if continent.max() == 0:
        return pool
    odds, kind = _top(upper_logs(logs, continent))
    bound = fit_bound(odds, kind == continent[truth])
    return lambda asked: held_back(pool(asked), continent, bound)


def fit_bound(odds: Float64, right: NDArray[np.bool_]) -> float:
    """Least log-odds, no less than those of ``SURE``, from which people are ``right`` bool[n] often enough.

    odds: float64[n], of each person's likeliest superpopulation.
    """
    least = _log_odds(SURE)
    order = np.argsort(-odds, kind="stable")[: int((odds >= least).sum())]
    ranked, wrong = odds[order], np.cumsum(~right[order])
    last_of_equals = np.diff(ranked, append=-np.inf) < 0
    enough = np.flatnonzero((wrong <= WRONG * np.arange(1, len(order) + 1)) & last_of_equals)
    first_out = int(enough[-1]) + 1 if len(enough) else 0
    return least if first_out == len(order) else float(np.nextafter(ranked[first_out], np.inf))


def held_back(logs: Float64, continent: Int64, bound: float) -> Float64:
    """Log-probabilities float64[n, P]; superpopulations are below ``SURE`` if log-odds are below ``bound``.

    Between ``KNEE`` and there log-odds are pressed together in a straight line; from ``bound`` on they stay.
    Populations keep their chances within superpopulations.
    """
    knee, least = _log_odds(KNEE), _log_odds(SURE)
    odds, kind = _top(upper_logs(logs, continent))
    pressed = knee + (odds - knee) * (least - knee) / (bound - knee)
    new = np.where((odds > knee) & (odds < bound), pressed, odds)
    gains = np.logaddexp(0, -odds) - np.logaddexp(0, -new)
    losses = np.logaddexp(0, odds) - np.logaddexp(0, new)
    return np.asarray(logs + np.where(continent == kind[:, None], gains[:, None], losses[:, None]))


def _log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _top(logs: Float64) -> tuple[Float64, Int64]:
    """Log-odds float64[n] of the likeliest of Q > 1 superpopulations, and which it is, int64[n]."""
    kind = logs.argmax(axis=1)
    rows = np.arange(len(logs))
    others = logs.copy()
    others[rows, kind] = -np.inf
    return np.asarray(logs[rows, kind] - np.logaddexp.reduce(others, axis=1)), kind
