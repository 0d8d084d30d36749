"""What experts say made one, site by site, and made honest: a gate and a calibration, both small.

A mixture of experts (Jacobs et al. 1991, Neural Computation 3:79) whose gate knows of the minor allele's
frequency, the way to the nearest typed site, and how much each expert doubts. Calibration stretches and
shifts the logit of what comes out, by the same two facts, in the bins of MAF where that brings it nearer to
the truth. Both begin as the first expert alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Float32
from deepcohort.imputation.mixture import EDGES, bins
from deepcohort.imputation.trained import require_arrays

Float64 = NDArray[np.float64]

FIRST_LEAD = 4.0
"""Logit by which the gate prefers the first expert before anything is learnt."""

SMALLEST = 1e-4
"""Chances nearer to 0 or 1 are not calibrated."""

ROUNDS, PULL = 30, 1e-5
"""Steps of the optimiser, and how strongly weights are drawn to zero."""


@dataclass(frozen=True)
class Places:
    """What is known of U sites.

    facts: float32[U, 3], a one, and the logarithms of MAF and of the way (in cM) to the nearest typed site,
    scaled to about one. flipped: bool[U], whether REF is the minor allele. bin: int64[U], the bin of MAF.
    """

    facts: Float32
    flipped: NDArray[np.bool_]
    bin: NDArray[np.int64]

    @classmethod
    def of(
        cls, frequency: NDArray[np.float64], cm: NDArray[np.float64], typed_cm: NDArray[np.float64]
    ) -> "Places":
        """From the frequency of ALT in the panel, float64[U], and the places of sites and of typed sites."""
        maf = np.minimum(frequency, 1 - frequency)
        right = np.searchsorted(typed_cm, cm).clip(0, len(typed_cm) - 1)
        way = np.minimum(np.abs(typed_cm[right] - cm), np.abs(typed_cm[np.maximum(right - 1, 0)] - cm))
        columns = np.ones(len(cm)), np.log10(maf + 1e-4) + 2, np.log10(way + 1e-4) + 2
        facts = np.stack(columns, axis=1).astype(np.float32)
        return cls(facts, frequency > 0.5, bins(frequency))

    def without(self, rows: NDArray[np.bool_]) -> "Places":
        """The same with nothing known of some sites: what is said of them stays as it is."""
        return replace(self, facts=np.where(rows[:, None], 0, self.facts))

    def minor(self, dosages: Float32) -> Float32:
        """Turn dosages [U, L] of ALT into those of the minor allele, or back."""
        return np.where(self.flipped[:, None], 1 - dosages, dosages)


@dataclass(frozen=True)
class Gate:
    """weights: float32[E - 1, 4], of the facts and of an expert's doubt, for each expert but the first.

    slope, shift: float32[3], of the facts, of the calibration's logit; zero: none. held: bool[bins of MAF],
    where it holds.
    """

    weights: Float32
    slope: Float32
    shift: Float32
    held: NDArray[np.bool_] = field(default_factory=lambda: np.ones(len(EDGES) + 1, np.bool_))

    @classmethod
    def closed(cls) -> "Gate":
        """One expert, not calibrated."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))

    @classmethod
    def of(cls, found: Mapping[str, NDArray[Any]]) -> "Gate":
        """Read what ``stored`` gave; raises ``InputError`` where it is something else."""
        require_arrays(found, {"slope": (3,), "shift": (3,), "held": (len(EDGES) + 1,)})
        weights = found.get("gate", np.zeros((0, 4), np.float32))
        return cls(weights, found["slope"], found["shift"], found["held"].astype(np.bool_))

    def stored(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds it."""
        held = self.held.astype(np.uint8)
        arrays: dict[str, NDArray[Any]] = {"slope": self.slope, "shift": self.shift, "held": held}
        return arrays | ({"gate": self.weights} if self.n_experts > 1 else {})

    @property
    def n_experts(self) -> int:
        """How many experts it mixes."""
        return len(self.weights) + 1

    @property
    def calibrates(self) -> bool:
        """Whether it changes what a single expert says."""
        return bool((self.slope.any() or self.shift.any()) and self.held.any())

    def mixed(self, dosages: list[Float32], places: Places) -> Float32:
        """What the experts' dosages of ALT, [U, L] each, come to."""
        if self.n_experts == 1 and not self.calibrates:
            return dosages[0]
        said = [places.minor(one) for one in dosages[: self.n_experts]]
        total, found = np.ones_like(said[0]), said[0].copy()
        for weight, one in zip(self.weights, said[1:], strict=True):
            logit = (places.facts @ weight[:3])[:, None] + weight[3] * doubt(said[0], one) - FIRST_LEAD
            share = np.exp(logit)
            found += share * one
            total += share
        found /= total
        if self.calibrates:
            open_ = (found > SMALLEST) & (found < 1 - SMALLEST) & self.held[places.bin][:, None]
            row = np.nonzero(open_)[0]
            logit = np.log(found[open_] / (1 - found[open_]))
            logit = logit * np.exp(places.facts @ self.slope)[row] + (places.facts @ self.shift)[row]
            found[open_] = 1 / (1 + np.exp(-logit))
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
    return replace(Gate.closed(), weights=weights.astype(np.float32))


def learn_calibration(dosages: Float32, truth: NDArray[np.uint8], places: Places, gate: Gate) -> Gate:
    """Learn slope and shift for a gate from what it says without them, float32[U, L]."""
    said = places.minor(dosages)
    row, lane = np.nonzero((said > SMALLEST) & (said < 1 - SMALLEST))
    chance, wanted = said[row, lane], places.minor(truth.astype(np.float32))[row, lane]
    logit, facts = np.log(chance / (1 - chance)), places.facts[row]

    def loss(flat: Float64) -> tuple[float, Float64]:
        slope, shift = flat.astype(np.float32).reshape(2, 3)
        stretched = logit * np.exp(facts @ slope)
        found = np.exp(-np.logaddexp(0, -(stretched + facts @ shift)))  # steep slopes are tried
        value, _ = _cross_entropy(found, wanted)
        by_logit = (found - wanted) / len(found)
        return value, np.concatenate([(by_logit * stretched) @ facts, by_logit @ facts]).astype(np.float64)

    slope, shift = _minimised(loss, 6).reshape(2, 3).astype(np.float32)
    return replace(gate, slope=slope, shift=shift)


def held_where_nearer(
    gate: Gate, before: Float32, after: Float32, truth: NDArray[np.uint8], places: Places
) -> Gate:
    """The gate with its calibration in the bins only where it makes the mean squared error of others less.

    before, after: float32[U, L], dosages of people who were not learnt from; truth: uint8[U, L].
    """
    errors = [((dosages - truth) ** 2).mean(axis=1) for dosages in (before, after)]
    less, more = (np.bincount(places.bin, one, minlength=len(gate.held)) for one in errors[::-1])
    return replace(gate, held=less < more)


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
