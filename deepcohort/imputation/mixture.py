"""Weights by which the chances of several models are mixed, learnt for each bin of minor allele frequency.

The weights of a mixture that minimise the cross-entropy are found by expectation-maximisation (Dempster et
al. 1977, J. R. Stat. Soc. B 39:1), which only ever lowers it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

EDGES = (0.005, 0.01, 0.05, 0.2)
"""Minor allele frequencies at which one bin ends and the next one begins."""

SWEEPS, SETTLED = 200, 1e-6
"""Rounds of expectation-maximisation at most, and the change of a weight that ends them."""

SMALLEST_CHANCE = 1e-4
"""What a chance of the truth counts at least, so that one sure mistake does not decide alone."""


@dataclass(frozen=True)
class Mixture:
    """weights: float64[bins, A] of A models, each row sums to one.

    single: the model that is best alone. loss, start_loss: mean negative log-likelihood in nats of people
    who were not learnt from, by the mixture and by ``single``; None where nothing could be learnt.
    """

    weights: Float64
    single: int
    loss: float | None = None
    start_loss: float | None = None

    def mixed(self, chances: NDArray[np.float32], frequency: Float64) -> NDArray[np.float32]:
        """Mix chances float32[A, U, ...] of sites with these ALT frequencies, float64[U]."""
        weights = self.weights[bins(frequency)].astype(np.float32)
        return np.asarray(np.einsum("ua,au...->u...", weights, chances))


def bins(frequency: Float64) -> NDArray[np.int64]:
    """Which bin sites belong to, int64[U]."""
    return np.searchsorted(EDGES, np.minimum(frequency, 1 - frequency), side="right")


def alone(n_models: int, single: int) -> Mixture:
    """A mixture of one model alone."""
    weights = np.zeros((len(EDGES) + 1, n_models))
    weights[:, single] = 1
    return Mixture(weights, single)


def learn_mixture(chances: NDArray[np.float32], frequency: Float64) -> Mixture:
    """Learn weights from the chances that models gave to the truth, float32[A, U, n] for n people.

    One half of the people is learnt from, the other one decides: it begins as the model that is best alone,
    and a bin takes its learnt weights only where they lower the loss of the other half.
    """
    likelihood = np.maximum(chances.astype(np.float64), SMALLEST_CHANCE)
    learnt_from, deciding = likelihood[..., 0::2], likelihood[..., 1::2]
    single = int(np.argmax(np.log(learnt_from).mean(axis=(1, 2))))
    mixture = alone(len(chances), single)
    which = bins(frequency)
    before = after = 0.0
    for number in range(len(EDGES) + 1):
        chosen = which == number
        if chosen.any():
            weights = _maximise(learnt_from[:, chosen].reshape(len(chances), -1))
            found = -np.log(np.einsum("a,aun->un", weights, deciding[:, chosen])).sum()
            plain = -np.log(deciding[single, chosen]).sum()
            if found < plain:
                mixture.weights[number] = weights
            before, after = before + plain, after + min(found, plain)
    count = deciding[0].size
    return Mixture(mixture.weights, single, float(after / count), float(before / count))


def _maximise(likelihood: Float64) -> Float64:
    """Weights [A] of the mixture under which observations, [A, N], are likeliest."""
    weights = np.full(len(likelihood), 1 / len(likelihood))
    for _ in range(SWEEPS):
        joint = weights[:, None] * likelihood
        better = (joint / joint.sum(axis=0)).mean(axis=1)
        settled = np.abs(better - weights).max() < SETTLED
        weights = better
        if settled:
            break
    return np.asarray(weights / weights.sum())
