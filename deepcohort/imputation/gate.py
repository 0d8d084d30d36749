"""What experts say made one, site by site, and made honest: a gate and a calibration, both small.

A mixture of experts (Jacobs et al. 1991, Neural Computation 3:79) whose gate knows of the minor allele's
frequency, the way to the nearest typed site, and how much each expert doubts. Calibration stretches and
shifts the logit of what comes out, by the same two facts. Both begin as the first expert alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Float32
from deepcohort.imputation.panel import PanelChunk

FIRST_LEAD = 4.0
"""Logit by which the gate prefers the first expert before anything is learnt."""

SMALLEST = 1e-4
"""Chances nearer to 0 or 1 are calibrated as this one."""


@dataclass(frozen=True)
class Places:
    """What is known of U sites.

    facts: float32[U, 3], a one, and the logarithms of MAF and of the way (in cM) to the nearest typed site,
    scaled to about one. flipped: bool[U], whether REF is the minor allele.
    """

    facts: Float32
    flipped: NDArray[np.bool_]

    @classmethod
    def of(cls, panel: PanelChunk, sites: NDArray[np.int64], typed: NDArray[np.int64]) -> "Places":
        """Look sites up; typed: int64[M], at least one."""
        frequency = panel.alt_frequency()[sites]
        maf = np.minimum(frequency, 1 - frequency)
        cm, typed_cm = panel.cm[sites], panel.cm[typed]
        right = np.searchsorted(typed_cm, cm).clip(0, len(typed) - 1)
        way = np.minimum(np.abs(typed_cm[right] - cm), np.abs(typed_cm[np.maximum(right - 1, 0)] - cm))
        columns = np.ones(len(sites)), np.log10(maf + 1e-4) + 2, np.log10(way + 1e-4) + 2
        return cls(np.stack(columns, axis=1).astype(np.float32), frequency > 0.5)

    def minor(self, dosages: Float32) -> Float32:
        """Turn dosages [U, L] of ALT into those of the minor allele, or back."""
        return np.where(self.flipped[:, None], 1 - dosages, dosages)


@dataclass(frozen=True)
class Gate:
    """weights: float32[E - 1, 4], of the facts and of an expert's doubt, for each expert but the first.

    slope, shift: float32[3], of the facts, of the calibration's logit; zero: none.
    """

    weights: Float32
    slope: Float32
    shift: Float32

    @classmethod
    def closed(cls) -> "Gate":
        """One expert, not calibrated."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32))

    @property
    def n_experts(self) -> int:
        """How many experts it mixes."""
        return len(self.weights) + 1

    @property
    def calibrates(self) -> bool:
        """Whether it changes what a single expert says."""
        return bool(self.slope.any() or self.shift.any())

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
            found = np.clip(found, SMALLEST, 1 - SMALLEST)
            logit = np.log(found / (1 - found))
            logit *= np.exp(places.facts @ self.slope)[:, None]
            logit += (places.facts @ self.shift)[:, None]
            found = 1 / (1 + np.exp(-logit))
        return places.minor(found.astype(np.float32))


def doubt(first: Float32, other: Float32) -> Float32:
    """How much more an expert doubts than the first."""
    return 4 * (other * (1 - other) - first * (1 - first))
