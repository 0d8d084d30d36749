"""Chances of alleles made honest, bin by bin of minor allele frequency.

A posterior over the panel's haplotypes cannot know how much rarer the rarest alleles are in everybody else
than in the panel, which has each of them because somebody of it carries it; nor that an allele comes from
where the panel has nothing like it. People of the panel who were hidden show both. The logit of a chance is
stretched and shifted (Platt 1999), by bin of MAF and by the way to the nearest typed site, and there is a
least chance of either allele. A bin is left alone where that does not bring others nearer to the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.imputation.copying import Float32
from deepcohort.imputation.places import EDGES, Places
from deepcohort.imputation.trained import require_arrays

Float64 = NDArray[np.float64]

BINS = len(EDGES) + 1
WAY = 2
"""Column of the way to the nearest typed site among the facts of a place."""

LEAST = 1e-6
"""Chances nearer to 0 or 1 count as this."""

OPEN = 1e-4
"""Chances nearer to 0 or 1 are learnt from by their number alone: they are many, and hardly differ."""

MOST_FLOOR, ROUNDS = 1e-2, 60

ENOUGH = 100_000
"""Open chances of a bin that are learnt from, about; of more sites, every second or third is taken."""


@dataclass(frozen=True)
class Calibration:
    """slope, shift: float32[bins, 2], by one and by the way to the nearest typed site, of the logit of the
    minor allele's chance (the slope in logs). floor: float32[bins], the least chance of either allele.
    held: bool[bins], where it holds.
    """

    slope: Float32
    shift: Float32
    floor: Float32
    held: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "Calibration":
        """One that changes nothing."""
        slope, shift = np.zeros((2, BINS, 2), np.float32)
        return cls(slope, shift, np.zeros(BINS, np.float32), np.zeros(BINS, np.bool_))

    @classmethod
    def of(cls, found: Mapping[str, NDArray[Any]]) -> "Calibration":
        """Read what ``stored`` gave; raises ``InputError`` where it is something else."""
        require_arrays(found, {"slope": (BINS, 2), "shift": (BINS, 2), "floor": (BINS,), "held": (BINS,)})
        return cls(found["slope"], found["shift"], found["floor"], found["held"].astype(np.bool_))

    def stored(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds it."""
        held = self.held.astype(np.uint8)
        return {"slope": self.slope, "shift": self.shift, "floor": self.floor, "held": held}

    def of_dosages(self, dosages: Float32, places: Places) -> Float32:
        """Dosages of ALT, [U, L], made honest."""
        held = (places.bin >= 0) & self.held[places.bin]
        if not held.any():
            return dosages
        facts = places.facts[:, [0, WAY]]
        slope, shift = ((facts * one[places.bin]).sum(axis=1) for one in (self.slope, self.shift))
        shift = np.where(places.flipped, -shift, shift)
        return _calibrated(dosages, held, np.exp(slope), shift, self.floor[places.bin])


@compiled
def _calibrated(
    dosages: Float32, held: NDArray[np.bool_], slope: Float32, shift: Float32, floor: Float32
) -> Float32:
    """Stretch, shift and floor each row of chances, [U, L], that is held."""
    found = dosages.copy()
    for row in range(len(dosages)):
        if held[row]:
            for lane in range(dosages.shape[1]):
                chance = min(max(dosages[row, lane], LEAST), 1 - LEAST)
                logit = slope[row] * np.log(chance / (1 - chance)) + shift[row]
                found[row, lane] = floor[row] + (1 - 2 * floor[row]) / (1 + np.exp(-logit))
    return found


def learn_calibration(
    taught: Float32, truth: NDArray[np.uint8], places: Places, judged: Float32, known: NDArray[np.uint8],
    judged_at: Places,
) -> Calibration:  # fmt: skip
    """Learn from some people in which bins it helps others, and there from both.

    taught, truth: what the model says of some people, float32[U, L], and is true, uint8[U, L], at ``places``.
    judged, known, judged_at: the same of the others.
    """
    one, other = _Said.of(taught, truth, places), _Said.of(judged, known, judged_at)
    found = Calibration.none()
    for number in range(BINS):
        first, second = one.inside(number), other.inside(number)
        if first.varies and second.varies and _nearer(_fitted([first]), second):
            found.slope[number], found.shift[number], found.floor[number] = _fitted([first, second])
            found.held[number] = True
    return found


Fit = tuple[Float64, Float64, float]
"""Slope and shift, float64[2] each, and floor."""


@dataclass(frozen=True)
class _Said:
    """Chances of the minor allele, float64[U, L], the truth, and the way to the next typed site, [U]."""

    chance: Float64
    truth: NDArray[np.bool_]
    facts: Float64
    bin: NDArray[np.int64]

    @classmethod
    def of(cls, dosages: Float32, truth: NDArray[np.uint8], places: Places) -> "_Said":
        chance = places.minor(dosages).astype(np.float64).clip(LEAST, 1 - LEAST)
        minor = (truth == 1) ^ places.flipped[:, None]
        return cls(chance, minor, places.facts[:, [0, WAY]].astype(np.float64), places.bin)

    def inside(self, number: int) -> "_Said":
        """Sites of one bin, ``ENOUGH`` of them."""
        here = np.flatnonzero(self.bin == number)
        open_ = ((self.chance[here] > OPEN) & (self.chance[here] < 1 - OPEN)).sum()
        here = here[:: max(1, open_ // ENOUGH)]
        return _Said(self.chance[here], self.truth[here], self.facts[here], self.bin[here])

    @property
    def varies(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.truth.any() and not self.truth.all())


def _fitted(people: list[_Said]) -> Fit:
    """Slope, shift and floor under which the truth is likeliest, the first two drawn to 0."""
    from scipy.optimize import minimize  # imputing need not wait for it

    parts = [(one, (one.chance > OPEN) & (one.chance < 1 - OPEN)) for one in people]
    chance, truth = (
        np.concatenate([getattr(one, what)[open_] for one, open_ in parts]) for what in ("chance", "truth")
    )
    facts = np.concatenate([one.facts[np.nonzero(open_)[0]] for one, open_ in parts])
    logit = np.log(chance / (1 - chance))
    closed = sum(int((~open_).sum()) for _, open_ in parts)
    wrong = sum(int((one.truth ^ (one.chance > 0.5))[~open_].sum()) for one, open_ in parts)
    scale = sum(int(one.truth.sum()) for one, _ in parts)

    def loss(weights: Float64) -> tuple[float, Float64]:
        slope, shift, floor = weights[:2], weights[2:4], np.exp(weights[4])
        stretched = logit * np.exp(facts @ slope)
        plain = 1 / (1 + np.exp(-(stretched + facts @ shift).clip(-60, 60)))
        found = floor + (1 - 2 * floor) * plain
        value = -np.log(np.where(truth, found, 1 - found)).sum()
        value -= wrong * np.log(floor) + (closed - wrong) * np.log1p(-floor)
        by_found = (found - truth) / (found * (1 - found))
        by_logit = by_found * (1 - 2 * floor) * plain * (1 - plain)
        by_floor = (by_found * (1 - 2 * plain)).sum() - wrong / floor + (closed - wrong) / (1 - floor)
        slopes = np.concatenate([(by_logit * stretched) @ facts, by_logit @ facts, [by_floor * floor]])
        drawn = np.append(weights[:4], 0)  # a normal prior with a standard deviation of one
        return (value + 0.5 * drawn @ drawn) / scale, (slopes + drawn) / scale

    bounds = [(-3.0, 3.0)] * 2 + [(-10.0, 10.0)] * 2 + [(np.log(LEAST), np.log(MOST_FLOOR))]
    start = np.array([0, 0, 0, 0, np.log(10 * LEAST)])
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ROUNDS}).x
    return best[:2], best[2:4], float(np.exp(best[4]))


def _nearer(fit: Fit, others: _Said) -> bool:
    """Whether others' chances are better for it by cross-entropy, and by squared error no worse."""
    slope, shift, floor = fit
    logit = np.log(others.chance / (1 - others.chance)) * np.exp(others.facts @ slope)[:, None]
    after = floor + (1 - 2 * floor) / (1 + np.exp(-(logit + (others.facts @ shift)[:, None])))
    entropy = [-np.log(np.where(others.truth, p, 1 - p)).sum() for p in (others.chance, after)]
    errors = [((p - others.truth) ** 2).sum() for p in (others.chance, after)]
    return bool(entropy[1] < entropy[0] and errors[1] <= errors[0])
