"""Plain models of expression from the dosages of variants near a gene, which any sequence model must beat.

The best single variant; elastic net as PrediXcan has it (Gamazon et al. 2015, Nature Genetics 47:1091): half
L1, half L2, its strength chosen by cross-validation among the people trained on; and the best linear unbiased
prediction, all variants with small effects, their heritability by REML (Yang et al. 2010, Nature Genetics
42:565). Beside them the combination: the elastic net, with smaller penalties for variants to which a sequence
model gives an effect.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
AROUND = 98_304
"""Bases on either side of a gene's start whose variants are used."""
RAREST = 0.05
"""Least frequency of the rarer allele among the people trained on."""
HERITABILITIES = np.linspace(0.02, 0.98, 49)
"""Shares of variance that variants may explain together, from which REML takes one."""
METHODS = ("top_snp", "elastic_net", "blup")
"""Plain models."""
COMBINATION = "combination"
"""The elastic net that a sequence model's effects of variants tell where to look."""
STRENGTHS = (1.0, 4.0, 16.0)
"""How far effects may be trusted: the variant of the largest one has a penalty 1 + strength times smaller.

They were taken from simulated people. Beside them stands 0, with which the combination is the elastic net.
"""


class Fitted(NamedTuple):
    """Slopes float64[variants], 0 for those not used, and means float64[variants] of people trained on."""

    slopes: Floats
    means: Floats

    def of(self, x: Floats) -> Floats:
        """Predictions of dosages ``x``, as differences from the mean expression; missing ones are mean."""
        used = self.slopes != 0
        differences = x[:, used] - self.means[used]
        made: Floats = np.nan_to_num(differences) @ self.slopes[used]
        return made


def fit(x: Floats, y: Floats, train: Bools, seed: int, effects: Floats | None = None) -> dict[str, Fitted]:
    """Fit ``METHODS`` to dosages float64[people, variants] and expression of the people trained on.

    effects: float64[variants], what a sequence model expects of one more copy of each, in any unit and 0
    where nothing is known; with them ``COMBINATION`` is fitted too.

    The mean of expression is left out of predictions: it is the higher the lower the held-out people are, so
    that it alone would make a correlation below zero. NaN in dosages and expression is missing.
    """
    some = train & ~np.isnan(y)
    learnt = x[some]
    known = ~np.isnan(learnt).all(axis=0) if len(learnt) else np.zeros(x.shape[1], np.bool_)
    means = np.zeros(x.shape[1])
    means[known] = np.nanmean(learnt[:, known], axis=0)
    centred = np.nan_to_num(learnt - means)
    frequency = means / 2
    kept = known & (np.minimum(frequency, 1 - frequency) >= RAREST)
    kept[kept] = np.ptp(centred[:, kept], axis=0) > 0
    methods = METHODS if effects is None else (*METHODS, COMBINATION)
    slopes = {name: np.zeros(x.shape[1]) for name in methods}
    if kept.any() and np.ptp(y[some]) > 0:
        told = None if effects is None else effects[kept]
        for name, values in _solved(centred[:, kept], y[some] - y[some].mean(), told, seed).items():
            slopes[name][kept] = values
    return {name: Fitted(values, means) for name, values in slopes.items()}


def _solved(x: Floats, y: Floats, effects: Floats | None, seed: int) -> dict[str, Floats]:
    """Slopes by method, of variants and expression without their means."""
    plain = _penalised(x, y, np.ones(x.shape[1]), seed)
    made = {"top_snp": _top_snp(x, y), "elastic_net": plain.slopes, "blup": _blup(x, y)}
    if effects is not None:
        made[COMBINATION] = _combined(x, y, effects, plain, seed)
    return made


def _top_snp(x: Floats, y: Floats) -> Floats:
    """Slopes: that of the variant that correlates most, 0 for all others."""
    variance = (x**2).sum(axis=0)
    slopes = x.T @ y / variance
    best = int(np.argmax(np.abs(slopes) * np.sqrt(variance)))
    chosen = np.zeros(x.shape[1])
    chosen[best] = slopes[best]
    return chosen


class _Net(NamedTuple):
    """Slopes float64[variants], and the mean squared errors float64[parts] of people held out for them."""

    slopes: Floats
    errors: Floats


def _combined(x: Floats, y: Floats, effects: Floats, plain: _Net, seed: int) -> Floats:
    """Slopes where the people trained on say, by parts held out in turn, how far effects are trusted.

    What counts is an effect's size, whatever its sign, times the spread of the variant's dosages: how much
    people would differ by it. Effects are trusted at all where errors fall by more than their standard error
    over parts, since the best of several nets is better than the plain one by chance alone.
    """
    sizes = np.abs(effects) * x.std(axis=0)
    if not sizes.any():
        return plain.slopes
    nets = [_penalised(x, y, 1 + strength * sizes / sizes.max(), seed) for strength in STRENGTHS]
    best = min(nets, key=lambda net: net.errors.mean())
    gain = plain.errors - best.errors
    sure = gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain))
    return best.slopes if sure else plain.slopes


def _penalised(x: Floats, y: Floats, ease: Floats, seed: int) -> _Net:
    """Elastic net on standardised variants times their ``ease`` float64[variants].

    The penalty of L1 on a standardised variant is so divided by its ease, that of L2 by its square.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNetCV
    from sklearn.model_selection import KFold

    scale = ease / x.std(axis=0)
    inner = KFold(min(5, len(y)), shuffle=True, random_state=seed)
    # From the strength that keeps no variant down to a hundredth of it, as glmnet where variants are many.
    model: Any = ElasticNetCV(
        l1_ratio=0.5, eps=1e-2, alphas=15, cv=inner, max_iter=500, tol=1e-3, fit_intercept=False
    )
    with warnings.catch_warnings():
        # Weak penalties need not converge to be passed over.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x * scale, y)
    slopes: Floats = model.coef_ * scale
    return _Net(slopes, model.mse_path_[model.mse_path_.mean(axis=-1).argmin()])


def _blup(x: Floats, y: Floats) -> Floats:
    """Slopes of all standardised variants at the heritability that is likeliest by REML."""
    spread = x.std(axis=0)
    z = x / spread
    values, vectors = np.linalg.eigh(z @ z.T / z.shape[1])
    inside = values > 1e-9  # the mean has been taken out: one direction, at least, is gone
    values, turned = values[inside], vectors[:, inside].T @ y
    best = max(HERITABILITIES, key=lambda share: _likelihood(values, turned, share))
    inverse = 1 / (best * values + (1 - best))
    weights: Floats = z.T @ (vectors[:, inside] @ (best * inverse * turned)) / z.shape[1] / spread
    return weights


def _likelihood(values: Floats, turned: Floats, share: float) -> float:
    """Restricted log likelihood, but for constants, of a share of variance that variants explain."""
    variance = share * values + (1 - share)
    return float(-np.log(variance).sum() - len(values) * np.log((turned**2 / variance).mean()))
