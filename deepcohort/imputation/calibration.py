"""Chances of alleles made honest, bin by bin of minor allele frequency.

A posterior over the panel's haplotypes cannot know how much rarer the rarest alleles are in everybody else
than in the panel, which has each of them because somebody of it carries it; nor that an allele comes from
where the panel has nothing like it. People of the panel who were hidden show both. The logit of a chance is
stretched and shifted (Platt 1999), by bin of MAF and by the way to the nearest typed site, between a least
and a largest chance. A bin is left alone where that does not bring others nearer to the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
"""Chances nearer to 0 or 1 are learnt from together, by decades: they are many, and hardly differ."""

MOST_FLOOR, MOST_GAP, ROUNDS = 1e-2, 0.5, 40

ENOUGH = 20_000
"""Open chances of a bin and of either truth that are learnt from, about."""


@dataclass(frozen=True)
class Calibration:
    """slope, shift: float32[bins, 2], by one and by the way to the nearest typed site, of the logit of the
    minor allele's chance (the slope in logs). floor, gap: float32[bins], the least chance of the minor
    allele, and of the other one. held: bool[bins], where it holds.
    """

    slope: Float32
    shift: Float32
    floor: Float32
    gap: Float32
    held: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "Calibration":
        """One that changes nothing."""
        slope, shift = np.zeros((2, BINS, 2), np.float32)
        floor, gap = np.zeros((2, BINS), np.float32)
        return cls(slope, shift, floor, gap, np.zeros(BINS, np.bool_))

    @classmethod
    def of(cls, found: Mapping[str, NDArray[Any]]) -> "Calibration":
        """Read what ``stored`` gave; raises ``InputError`` where it is something else."""
        shapes: dict[str, tuple[int, ...]] = {"slope": (BINS, 2), "shift": (BINS, 2)}
        require_arrays(found, shapes | dict.fromkeys(("floor", "gap", "held"), (BINS,)))
        ends = found["floor"], found["gap"]
        return cls(found["slope"], found["shift"], *ends, found["held"].astype(np.bool_))

    def stored(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds it."""
        return vars(self) | {"held": self.held.astype(np.uint8)}

    def of_dosages(self, dosages: Float32, places: Places) -> Float32:
        """Dosages of ALT, [U, L], made honest."""
        held = (places.bin >= 0) & self.held[places.bin]
        if not held.any():
            return dosages
        facts = places.facts[:, [0, WAY]]
        slope, shift = ((facts * one[places.bin]).sum(axis=1) for one in (self.slope, self.shift))
        shift = np.where(places.flipped, -shift, shift)
        ends = self.floor[places.bin], self.gap[places.bin]
        least, gap = (np.where(places.flipped, *pair) for pair in (ends[::-1], ends))
        return _calibrated(dosages, held, np.exp(slope), shift, least, 1 - least - gap)


@compiled
def _calibrated(
    dosages: Float32, held: NDArray[np.bool_], slope: Float32, shift: Float32, least: Float32, span: Float32
) -> Float32:
    """Stretch and shift each held row of chances, [U, L]; ``span`` is what they have above ``least``."""
    found = dosages.copy()
    for row in range(len(dosages)):
        if held[row]:
            for lane in range(dosages.shape[1]):
                chance = min(max(dosages[row, lane], LEAST), 1 - LEAST)
                logit = slope[row] * np.log(chance / (1 - chance)) + shift[row]
                found[row, lane] = least[row] + span[row] / (1 + np.exp(-logit))
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
            fit = _fitted([first, second])
            found.slope[number], found.shift[number] = fit.slope, fit.shift
            found.floor[number], found.gap[number] = fit.floor, fit.gap
            found.held[number] = True
    return found


class _Fit(NamedTuple):
    """Of one bin: slope and shift, float64[2] each, floor and gap."""

    slope: Float64
    shift: Float64
    floor: float
    gap: float


@dataclass(frozen=True)
class _Said:
    """Chances of the minor allele, float64[U, L], the truth, and the way to the next typed site, [U]."""

    chance: Float64
    truth: NDArray[np.bool_]
    way: Float64
    bin: NDArray[np.int64]

    @classmethod
    def of(cls, dosages: Float32, truth: NDArray[np.uint8], places: Places) -> "_Said":
        chance = places.minor(dosages).astype(np.float64).clip(LEAST, 1 - LEAST)
        minor = (truth == 1) ^ places.flipped[:, None]
        return cls(chance, minor, places.facts[:, WAY].astype(np.float64), places.bin)

    def inside(self, number: int) -> "_Said":
        """Sites of one bin."""
        here = self.bin == number
        return _Said(self.chance[here], self.truth[here], self.way[here], self.bin[here])

    @property
    def varies(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.truth.any() and not self.truth.all())


def _points(people: list[_Said]) -> tuple[Float64, Float64, NDArray[np.bool_], Float64]:
    """Logits, ways and truths of chances, [n] each, and for how many chances each of these stands.

    Of open ones it is every second or third, so that there are ``ENOUGH``; the others of a decade are one.
    """
    found = []
    for one in people:
        logit = np.log(one.chance / (1 - one.chance)).ravel()
        sure = np.minimum(one.chance, 1 - one.chance).ravel()
        decade = np.where(sure > OPEN, 0, np.floor(np.log10(sure)).astype(np.int64)) * np.sign(logit)
        way = np.repeat(one.way, one.chance.shape[1])
        for truth in (False, True):
            for number in np.unique(decade):
                here = np.flatnonzero((decade == number) & (one.truth.ravel() == truth))
                if not len(here):
                    continue
                if number:
                    points = logit[here].mean(keepdims=True), way[here].mean(keepdims=True)
                else:
                    taken = here[:: max(1, len(here) // ENOUGH)]
                    points = logit[taken], way[taken]
                size = len(points[0])
                found.append((*points, np.full(size, truth), np.full(size, len(here) / size)))
    logits, ways, truths, numbers = (np.concatenate(column) for column in zip(*found, strict=True))
    return logits, ways, truths, numbers


def _fitted(people: list[_Said]) -> _Fit:
    """The fit under which the truth is likeliest, slope and shift drawn to 0."""
    from scipy.optimize import minimize  # imputing need not wait for it

    logit, way, truth, number = _points(people)
    scale = number[truth].sum()

    def loss(weights: Float64) -> tuple[float, Float64]:
        slope, shift, (floor, gap) = weights[:2], weights[2:4], np.exp(weights[4:])
        stretched = logit * np.exp(slope[0] + way * slope[1])
        plain = 1 / (1 + np.exp(-(stretched + shift[0] + way * shift[1]).clip(-60, 60)))
        found = floor + (1 - floor - gap) * plain
        by_found = number * (found - truth) / (found * (1 - found))
        by_logit = by_found * (1 - floor - gap) * plain * (1 - plain)
        by_slope, at_ends = by_logit * stretched, (by_found * (1 - plain) * floor, -by_found * plain * gap)
        parts = by_slope, by_slope * way, by_logit, by_logit * way, *at_ends
        slopes = np.array([part.sum() for part in parts])
        drawn = np.append(weights[:4], [0, 0])  # a normal prior with a standard deviation of one
        value = -(number * np.log(np.where(truth, found, 1 - found))).sum() + 0.5 * (drawn**2).sum()
        return value / scale, (slopes + drawn) / scale

    bounds = [(-3.0, 3.0)] * 2 + [(-10.0, 10.0)] * 2
    bounds += [(np.log(LEAST), np.log(most)) for most in (MOST_FLOOR, MOST_GAP)]
    start = np.append(np.zeros(4), np.log([10 * LEAST] * 2))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ROUNDS}).x
    return _Fit(best[:2], best[2:4], float(np.exp(best[4])), float(np.exp(best[5])))


def _nearer(fit: _Fit, others: _Said) -> bool:
    """Whether others' chances are better for it by cross-entropy, and by squared error no worse."""
    slope, shift = (one[0] + others.way[:, None] * one[1] for one in (fit.slope, fit.shift))
    plain = 1 / (1 + np.exp(-(np.log(others.chance / (1 - others.chance)) * np.exp(slope) + shift)))
    after = fit.floor + (1 - fit.floor - fit.gap) * plain
    entropy = [-np.log(np.where(others.truth, p, 1 - p)).sum() for p in (others.chance, after)]
    errors = [((p - others.truth) ** 2).sum() for p in (others.chance, after)]
    return bool(entropy[1] < entropy[0] and errors[1] <= errors[0])
