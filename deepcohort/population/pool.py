"""Answers of several models made one, and calibrated: a weighted mean of log-probabilities.

The logarithmic opinion pool (Genest and Zidek 1986): p(k) is proportional to the product of p_m(k)^w_m, with
weights that make the held-out people's populations most likely. One model's weight is its inverse temperature
(Guo et al. 2017).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Pool = Callable[[Sequence[NDArray[np.floating]]], Float64]
"""Log-probabilities float64[n, P] of models' log-probabilities [n, P]."""

RIDGE = 1e-3
"""Keeps weights of models that say the same from running apart."""

BINS = 10
LEAST_PROBABILITY = 1e-4
"""What a model gives at least where it has seen nobody."""


def log_softmax(scores: NDArray[np.floating]) -> Float64:
    """Log-probabilities of scores, row by row."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def by_population(odds: NDArray[np.floating]) -> Float64:
    """Log-probabilities of what ``decision_function`` gives, which for two populations is one column."""
    return log_softmax(np.stack([-odds, odds], axis=1) / 2 if odds.ndim == 1 else odds)


def pooled(models: Sequence[NDArray[np.floating]], weights: Float64) -> Float64:
    """Log-probabilities float64[n, P] of models' log-probabilities [n, P] under weights float64[M]."""
    total = np.zeros(models[0].shape)
    for scores, weight in zip(models, weights, strict=True):
        total += weight * scores
    return log_softmax(total)


def fit_weights(models: Sequence[NDArray[np.floating]], truth: Int64) -> Float64:
    """Weights, none below 0, that make ``truth`` int64[n] most likely."""
    stack = np.stack([log_softmax(scores) for scores in models])
    rows = np.arange(len(truth))

    def loss(weights: Float64) -> tuple[float, Float64]:
        logs = log_softmax(np.tensordot(weights, stack, axes=1))
        slope = np.tensordot(stack, np.exp(logs), axes=([1, 2], [0, 1])) - stack[:, rows, truth].sum(axis=1)
        value = -logs[rows, truth].sum() / len(rows) + RIDGE * float(weights @ weights)
        return value, slope / len(rows) + 2 * RIDGE * weights

    start = np.full(len(models), 1 / len(models))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(models))
    return np.asarray(found.x)


def fit_pool(models: Sequence[NDArray[np.floating]], truth: Int64) -> Pool:
    """A pool with weights by ``fit_weights``."""
    weights = fit_weights(models, truth)
    return lambda asked: pooled(asked, weights)


def cross_fitted(
    models: Sequence[NDArray[np.floating]],
    truth: Int64,
    fold: Int64,
    fit: Callable[[Sequence[NDArray[np.floating]], Int64], Pool] = fit_pool,
) -> Float64:
    """What a pool says of each person that was fitted without the person's fold, float64[n, P]."""
    result = np.empty(models[0].shape)
    for number in range(int(fold.max()) + 1):
        held = fold == number
        pool = fit([scores[~held] for scores in models], truth[~held])
        result[held] = pool([scores[held] for scores in models])
    return result


def calibration_error(probability: Float64, right: NDArray[np.bool_]) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy over ten bins of confidence."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    total = 0.0
    for number in range(BINS):
        here = bins == number
        if here.any():
            total += here.mean() * abs(float(right[here].mean()) - float(probability[here].mean()))
    return total
