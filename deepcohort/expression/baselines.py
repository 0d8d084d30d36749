"""Plain models of expression from the dosages of variants near a gene, which any sequence model must beat.

The best single variant, and elastic net as PrediXcan has it (Gamazon et al. 2015, Nature Genetics 47:1091):
half L1, half L2, its strength chosen by cross-validation among the people trained on.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.people import Record

Floats = NDArray[np.float64]
AROUND = 98_304
"""Bases on either side of a gene's start whose variants are used."""
RAREST = 0.05
"""Least frequency of the rarer allele among the people."""


def dosages(found: list[Record]) -> Floats:
    """Copies of anything but REF, float64[people, records]; missing ones are NaN."""
    if not found:
        return np.zeros((0, 0))
    columns = []
    for record in found:
        copies = (record.alleles > 0).sum(axis=1).astype(float)
        copies[(record.alleles == -1).any(axis=1)] = np.nan
        columns.append(copies)
    return np.column_stack(columns)


def folds_of(people: int, folds: int, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of people to train on and of people held out, by chance."""
    order = np.random.default_rng(seed).permutation(people)
    for held in np.array_split(order, folds):
        yield np.setdiff1d(order, held), np.sort(held)


def held_out(x: Floats, y: Floats, method: str, folds: int, seed: int) -> Floats:
    """Predictions float64[people] for people held out in turn, as differences from the mean of the others.

    The mean itself is left out: it is the higher the lower the held-out people are, so that it alone would
    make a correlation below zero. ``x`` is float64[people, variants], NaN missing; ``method`` is one of
    ``METHODS``.
    """
    predicted = np.zeros(len(y))
    for train, held in folds_of(len(y), folds, seed):
        if x.size == 0 or np.ptp(y[train]) == 0:
            continue
        mean = np.nanmean(np.where(np.isnan(x[train]).all(axis=0), 0, x[train]), axis=0)
        filled = np.where(np.isnan(x), mean, x) - mean
        frequency = mean / 2
        kept = (np.minimum(frequency, 1 - frequency) >= RAREST) & (np.ptp(filled[train], axis=0) > 0)
        if kept.any():
            made = METHODS[method](filled[train][:, kept], y[train] - y[train].mean(), folds, seed)
            predicted[held] = filled[held][:, kept] @ made
    return predicted


def _top_snp(x: Floats, y: Floats, folds: int, seed: int) -> Floats:
    """Weights: the slope of the variant that correlates most, 0 for all others."""
    variance = (x**2).sum(axis=0)
    slopes = x.T @ y / variance
    best = int(np.argmax(np.abs(slopes) * np.sqrt(variance)))
    weights = np.zeros(x.shape[1])
    weights[best] = slopes[best]
    return weights


def _elastic_net(x: Floats, y: Floats, folds: int, seed: int) -> Floats:
    """Weights of an elastic net on standardised variants."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNetCV
    from sklearn.model_selection import KFold

    spread = x.std(axis=0)
    inner = KFold(folds, shuffle=True, random_state=seed)
    # From the strength that keeps no variant down to a hundredth of it, as glmnet where variants are many.
    model: Any = ElasticNetCV(
        l1_ratio=0.5, eps=1e-2, alphas=15, cv=inner, max_iter=2000, tol=1e-3, fit_intercept=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # weak penalties need not converge to be passed over
        model.fit(x / spread, y)
    weights: Floats = model.coef_ / spread
    return weights


METHODS = {"top_snp": _top_snp, "elastic_net": _elastic_net}
