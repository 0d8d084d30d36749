"""What experts say made one, site by site, by a gate that begins as the first expert alone.

A mixture of experts (Jacobs et al. 1991, Neural Computation 3:79) whose gate knows of the minor allele's
frequency, the way to the nearest typed site, and how much each expert doubts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Float32
from deepcohort.imputation.places import Places
from deepcohort.imputation.trained import require_arrays

Float64 = NDArray[np.float64]

FIRST_LEAD = 4.0
"""Logit by which the gate prefers the first expert before anything is learnt."""

SMALLEST = 1e-4
"""What a chance counts at least in the loss."""

ROUNDS, PULL = 30, 1e-5
"""Steps of the optimiser, and how strongly weights are drawn to zero."""


@dataclass(frozen=True)
class Gate:
    """weights: float32[E - 1, 4], of the facts and of an expert's doubt, for each expert but the first."""

    weights: Float32

    @classmethod
    def closed(cls) -> "Gate":
        """One expert."""
        return cls(np.zeros((0, 4), np.float32))

    @classmethod
    def of(cls, found: Mapping[str, NDArray[Any]]) -> "Gate":
        """Read what ``stored`` gave; raises ``InputError`` where it is something else."""
        if "gate" not in found:
            return cls.closed()
        require_arrays(found, {"gate": (len(found["gate"]), 4)})
        return cls(found["gate"])

    def stored(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds it."""
        return {"gate": self.weights} if self.n_experts > 1 else {}

    @property
    def n_experts(self) -> int:
        """How many experts it mixes."""
        return len(self.weights) + 1

    def mixed(self, dosages: list[Float32], places: Places) -> Float32:
        """What the experts' dosages of ALT, [U, L] each, come to."""
        if self.n_experts == 1:
            return dosages[0]
        said = [places.minor(one) for one in dosages[: self.n_experts]]
        total, found = np.ones_like(said[0]), said[0].copy()
        for weight, one in zip(self.weights, said[1:], strict=True):
            logit = (places.facts @ weight[:3])[:, None] + weight[3] * doubt(said[0], one) - FIRST_LEAD
            share = np.exp(logit)
            found += share * one
            total += share
        found /= total
        return places.minor(found)


def doubt(first: Float32, other: Float32) -> Float32:
    """How much more an expert doubts than the first."""
    return 4 * (other * (1 - other) - first * (1 - first))


def learn_gate(dosages: list[Float32], truth: NDArray[np.uint8], places: Places) -> Gate:
    """Learn the weights; dosages: float32[U, L] of ALT by each expert, truth: uint8[U, L]."""
    said = [places.minor(one) for one in dosages]
    wanted, doubts = places.minor(truth.astype(np.float32)), [doubt(said[0], one) for one in said[1:]]

    def loss(flat: Float64) -> tuple[float, Float64]:
        weights = flat.reshape(-1, 4).astype(np.float32)
        shares = [
            np.exp((places.facts @ weight[:3])[:, None] + weight[3] * more - FIRST_LEAD)
            for weight, more in zip(weights, doubts, strict=True)
        ]
        total = 1 + sum(shares)
        found = (said[0] + sum(share * one for share, one in zip(shares, said[1:], strict=True))) / total
        value, slope = _cross_entropy(found, wanted)
        gradient = []
        for share, one, more in zip(shares, said[1:], doubts, strict=True):
            by_logit = slope * share / total * (one - found)
            gradient += [*(by_logit.sum(axis=1) @ places.facts), (by_logit * more).sum()]
        return value, np.array(gradient, np.float64)

    weights = _minimised(loss, 4 * len(doubts)).reshape(-1, 4)
    return Gate(weights.astype(np.float32))


def _cross_entropy(found: Float32, wanted: Float32) -> tuple[float, Float32]:
    """Mean in nats, and its slope by each chance."""
    found = found.clip(SMALLEST, 1 - SMALLEST)
    value = -np.where(wanted > 0.5, np.log(found), np.log1p(-found)).mean(dtype=np.float64)
    slope = (found - wanted) / (found * (1 - found) * found.size)
    return float(value), slope.astype(np.float32)


def _minimised(loss: Callable[[Float64], tuple[float, Float64]], number: int) -> Float64:
    """The least of a function that gives its gradient too, from zero on."""
    from scipy.optimize import minimize  # imputing need not wait for it

    def drawn(weights: Float64) -> tuple[float, Float64]:
        value, gradient = loss(weights)
        return value + PULL * float(weights @ weights), gradient + 2 * PULL * weights

    found = minimize(drawn, np.zeros(number), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    return np.asarray(found.x)
