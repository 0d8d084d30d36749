"""Dosages by haplotype copying: the exact Li–Stephens posterior over the whole panel, interpolated.

Each target haplotype is a mosaic of panel haplotypes (Li & Stephens 2003, Genetics 165:2213). At typed
sites the posterior over the panel haplotypes being copied comes from the forward-backward algorithm;
between typed sites it is interpolated by genetic distance (Browning & Browning 2016, AJHG 98:116), and
the dosage of a site is the posterior mass on the haplotypes that carry the allele.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.hmm import (
    Choice,
    add_occupancy,
    backward_step,
    forward_step,
    read_out,
    sums_by_group,
)
from deepcohort.imputation.panel import Carriers

LANES = 64
"""Target haplotypes that go through the recursions together: enough for long vector loops."""

STATES_BYTES = 3 * 2**26
"""What the states of all threads may take together; fewer lanes go at once where the panel is large."""

VECTOR = 8
"""Lanes are a multiple of this, as many as a vector register holds."""

SMALLEST_SWITCH = 1e-8
"""Maps stand still over long stretches, where without a way over every haplotype's chance underflows."""

Float32 = NDArray[np.float32]

Posterior = tuple[Float32, Float32]
"""Posterior over panel haplotypes, [K, L], and what each lane is to be divided by to sum to one."""


@dataclass(frozen=True)
class Rates:
    """Parameters of the copying model.

    effective_size: Ne; the chance of a new choice over d Morgans is 1 - exp(-4 Ne d / K) for K panel
    haplotypes. error: chance that a typed allele differs from the copied one.
    """

    effective_size: float
    error: float

    def switches(self, cm: NDArray[np.float64], n_panel: int) -> Float32:
        """Chance of a new copying choice before each typed site, float32[M]; one before the first."""
        morgans = np.diff(cm) / 100
        switch = np.maximum(-np.expm1(-4 * self.effective_size * morgans / n_panel), SMALLEST_SWITCH)
        return np.concatenate([[1.0], switch]).astype(np.float32)

    def emission(self, observed: NDArray[np.int8]) -> Float32:
        """P(observed | copied allele), float32[M, 2, H], of alleles 0, 1 or -1 for missing."""
        same = observed[:, None, :] == np.arange(2)[:, None]
        likelihood = np.where(same, np.float32(1 - self.error), np.float32(self.error))
        np.copyto(likelihood, 1, where=observed[:, None, :] < 0)
        return likelihood


@dataclass(frozen=True)
class SiteRates(Rates):
    """Rates that differ from place to place along M typed sites.

    speed: float32[M], factor on the switch rate on the way to each of them. errors: float32[M].
    """

    speed: Float32
    errors: Float32

    def switches(self, cm: NDArray[np.float64], n_panel: int) -> Float32:
        """See ``Rates``."""
        faster = np.diff(cm, prepend=cm[:1]) * self.speed
        return super().switches(np.cumsum(faster), n_panel)

    def emission(self, observed: NDArray[np.int8]) -> Float32:
        """See ``Rates``."""
        same = observed[:, None, :] == np.arange(2)[:, None]
        wrong = self.errors[:, None, None]
        likelihood = np.where(same, 1 - wrong, wrong).astype(np.float32)
        np.copyto(likelihood, 1, where=observed[:, None, :] < 0)
        return likelihood


@dataclass(frozen=True)
class Sites:
    """Where dosages are asked for: each site's interval between typed sites, and its place in there.

    starts: int64[M + 2]; the sites of interval i (before typed site i) are starts[i]:starts[i + 1]; the
    first interval lies before the first typed site, the last one behind the last. weight: float32[U],
    share of the right-hand typed site's posterior. Outside the typed sites the nearest one counts.
    """

    starts: NDArray[np.int64]
    weight: Float32

    @classmethod
    def between(cls, typed_cm: NDArray[np.float64], cm: NDArray[np.float64]) -> "Sites":
        """Place sites at ``cm`` (sorted) between typed sites at ``typed_cm`` (sorted, at least one)."""
        interval = np.searchsorted(typed_cm, cm, side="right")
        left = typed_cm[np.maximum(interval - 1, 0)]
        right = typed_cm[np.minimum(interval, len(typed_cm) - 1)]
        gap = np.where(right > left, right - left, 1.0)
        weight = np.where(interval == 0, 1.0, (cm - left) / gap)
        starts = np.searchsorted(interval, np.arange(len(typed_cm) + 2))
        return cls(starts.astype(np.int64), np.clip(weight, 0, 1).astype(np.float32))


@dataclass(frozen=True)
class Prior:
    """Whom a target haplotype (lane) chooses at a switch, before its alleles are looked at.

    group: int32[K], which of C groups a panel haplotype is of. weight: float32[C, H], how many times more
    likely than by chance a haplotype of the group is chosen; a lane's mean over all K haplotypes is one.
    within: chance that a switch stays within the group of the haplotype copied so far, where all haplotypes
    are alike; otherwise the weights say where it leads.
    """

    group: NDArray[np.int32]
    weight: Float32
    within: float = 0.0

    @classmethod
    def uniform(cls, n_panel: int, n_lanes: int) -> "Prior":
        """Everybody alike: the plain model of Li and Stephens."""
        return cls(np.zeros(n_panel, np.int32), np.ones((1, n_lanes), np.float32))

    def lanes(self, part: slice) -> "Prior":
        """The prior of some lanes."""
        return replace(self, weight=np.ascontiguousarray(self.weight[:, part]))

    @property
    def choice(self) -> Choice:
        """The same as the recursions have it."""
        size = np.bincount(self.group, minlength=len(self.weight)).astype(np.float32)
        return Choice(self.group, self.weight, np.maximum(size, 1), self.within)

    def entry(self) -> Float32:
        """Chance of each panel haplotype at the start of the chunk, float32[K, H]."""
        return self.weight[self.group] / np.float32(len(self.group))


class Copier(Protocol):
    """A panel at its typed sites, ready to be copied from.

    Both take switches, float32[M], emission, float32[M, 2, H], and a prior (None: uniform).
    """

    def dosages(self, switches: Float32, emission: Float32, prior: Prior | None = None) -> Float32:
        """Dosage of ALT at the asked sites, float32[U, H]."""

    def occupancy(self, switches: Float32, emission: Float32, prior: Prior) -> Float32:
        """Mean over typed sites of the posterior of each of the prior's groups, float32[C, H]."""


class CopyModel(Protocol):
    """A device that runs the copying model."""

    def prepare(
        self, typed: NDArray[np.uint8], cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> Copier:
        """Take in the panel's alleles at the M typed sites, uint8[M, K], their place, and what is asked."""


@dataclass(frozen=True)
class CpuCopyModel:
    """The copying model on CPU threads, by numba."""

    threads: int = 1

    def prepare(
        self, typed: NDArray[np.uint8], cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> Copier:
        """See ``CopyModel``. Memory grows with K·sqrt(M) a thread, never with H beyond the output."""
        return CpuCopier(typed, sites, carriers, self.threads)


@dataclass(frozen=True)
class CpuCopier:
    """See ``Copier``; lanes go through in parts, one part on each thread at a time."""

    typed: NDArray[np.uint8]
    sites: Sites
    carriers: Carriers
    threads: int

    def dosages(self, switches: Float32, emission: Float32, prior: Prior | None = None) -> Float32:
        """See ``Copier``."""
        dosage = np.empty((len(self.sites.weight), emission.shape[2]), np.float32)

        def run(part: slice, observed: Float32, given: Prior) -> None:
            posteriors = _posteriors(self.typed, switches, observed, given)
            dosage[:, part] = _read_dosages(posteriors, observed.shape[2], self.sites, self.carriers)

        self._in_parts(run, emission, prior)
        return dosage

    def occupancy(self, switches: Float32, emission: Float32, prior: Prior) -> Float32:
        """See ``Copier``."""
        occupancy = np.zeros(prior.weight.shape, np.float32)

        def run(part: slice, observed: Float32, given: Prior) -> None:
            found = np.zeros(given.weight.shape, np.float32)
            for interval, left, _ in _posteriors(self.typed, switches, observed, given):
                if interval:
                    add_occupancy(*left, given.group, found)
            occupancy[:, part] = found / len(switches)

        self._in_parts(run, emission, prior)
        return occupancy

    def _in_parts(
        self, run: Callable[[slice, Float32, Prior], None], emission: Float32, prior: Prior | None
    ) -> None:
        """Call ``run`` with each part of the lanes, its emission and its prior."""
        n_lanes = emission.shape[2]
        prior = prior or Prior.uniform(self.typed.shape[1], n_lanes)
        lanes = lanes_at_once(self.typed.shape, n_lanes, self.threads)
        with ThreadPoolExecutor(self.threads) as pool, progress("haplotypes imputed", n_lanes) as bar:

            def run_part(first: int) -> None:
                part = slice(first, min(first + lanes, n_lanes))
                run(part, np.ascontiguousarray(emission[:, :, part]), prior.lanes(part))
                bar.update(part.stop - part.start)

            list(pool.map(run_part, range(0, n_lanes, lanes)))


def lanes_at_once(shape: tuple[int, ...], wanted: int, threads: int) -> int:
    """Lanes for each thread, so that states at 2·sqrt(M) sites fit; shape: (M, K), wanted: lanes in all."""
    bytes_per_lane = 4 * shape[1] * 2 * (ceil(sqrt(shape[0])) + 1)
    fitting = STATES_BYTES // (threads * bytes_per_lane) // VECTOR * VECTOR
    enough = ceil(wanted / threads / VECTOR) * VECTOR
    return max(min(LANES, fitting, enough), 2 * VECTOR)


def _read_dosages(
    posteriors: Iterator[tuple[int, Posterior, Posterior]], n_lanes: int, sites: Sites, carriers: Carriers
) -> Float32:
    """Dosages of the lanes of one thread."""
    dosage = np.empty((len(sites.weight), n_lanes), np.float32)
    for interval, left, right in posteriors:
        u = slice(sites.starts[interval], sites.starts[interval + 1])
        if u.stop > u.start:
            offsets = carriers.starts[u.start : u.stop + 1]
            read_out(*left, *right, sites.weight[u], offsets, carriers.carriers, dosage[u])
    dosage[carriers.flipped] = 1 - dosage[carriers.flipped]
    return np.clip(dosage, 0, 1, out=dosage)


def _posteriors(
    typed: NDArray[np.uint8], switches: Float32, emission: Float32, prior: Prior
) -> Iterator[tuple[int, Posterior, Posterior]]:
    """Yield (interval, posterior at its left end, at its right end), from the last interval to the first.

    The forward variable is kept at the first site of each block only and computed again block by block.
    """
    n_typed, n_panel = typed.shape
    n_lanes = emission.shape[2]
    block = ceil(sqrt(n_typed))
    begins = list(range(0, n_typed, block))
    checkpoints: list[tuple[Float32, Float32]] = []
    choice = prior.choice
    alpha = prior.entry()
    sums = sums_by_group(alpha, choice)
    other = np.empty_like(alpha)
    for m in range(begins[-1] + 1):
        forward_step(alpha, other, typed[m], switches[m] if m else 0.0, emission[m], choice, sums)
        alpha, other = other, alpha
        if m % block == 0:
            checkpoints.append((alpha.copy(), sums.copy()))
    beta = np.ones((n_panel, n_lanes), np.float32)
    after = sums_by_group(beta, choice)
    stored = np.empty((block, n_panel, n_lanes), np.float32)
    right: Posterior | None = None
    ahead = 0.0
    for begin in reversed(begins):
        end = min(begin + block, n_typed)
        first, sums = checkpoints.pop()
        states = [first, *stored[1 : end - begin]]
        for m in range(begin + 1, end):
            forward_step(
                states[m - begin - 1], states[m - begin], typed[m], switches[m], emission[m], choice, sums
            )
        for m in range(end - 1, begin - 1, -1):
            posterior = states[m - begin]
            total = backward_step(posterior, beta, typed[m], ahead, emission[m], choice, after)
            left = posterior, total
            yield m + 1, left, left if right is None else right
            right, ahead = left, switches[m]
    assert right is not None
    yield 0, right, right
