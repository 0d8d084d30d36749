"""The copying model over a few states chosen for each target haplotype: for panels of any size.

The recursions are those of the exact model, over the states that ``selection`` finds: haplotypes that match
the target long, and stand-ins, a sample of the panel that has the chances of all the others. Time and memory
do not grow with the panel but for finding them and for the panel's own bits. Dosages are added up from the
haplotypes that are likely to be copied, minor allele by minor allele.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.copying import VECTOR, Float32, Prior, Sites
from deepcohort.imputation.hmm_selected import (
    Lanes,
    add_dosages,
    add_groups,
    backwards,
    forwards,
    keep_likely,
)
from deepcohort.imputation.panel import Carriers
from deepcohort.imputation.selection import WINDOW, Int32, Spans, UInt8, fill_slots, neighbours

LANES = 32
"""Target haplotypes that go together on a thread: their states at a site stay in the processor's cache."""

STATES, STAND_INS = 2000, 500
"""States of a target haplotype, and how many of them are stand-ins."""

CHOSEN = 150
"""Panel haplotypes chosen at a point, of matches on either side."""

LEAST = 1e-5
"""Smaller posteriors do not count in dosages."""

Kept = tuple[int, Int32, Float32, Int32]
"""A typed site, and the haplotypes that lanes may well copy there; see ``keep_likely``."""


@dataclass(frozen=True)
class SelectedCopyModel:
    """The copying model on CPU threads, over selected states; a panel of fewer haplotypes is taken whole.

    stand_ins: how many of the states are, fewer than all.
    """

    threads: int = 1
    states: int = STATES
    stand_ins: int = STAND_INS
    chosen: int = CHOSEN
    least: float = LEAST

    def prepare(
        self, typed: UInt8, cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> "SelectedCopier":
        """See ``CopyModel``."""
        weight = sites.weight.copy()
        weight[sites.starts[-2] :] = 0  # behind the last typed site, which counts for all of them
        return SelectedCopier(typed, Spans.along(cm), sites.starts, weight, carriers, self)


@dataclass
class SelectedCopier:
    """See ``Copier``. What was selected is kept for the next call, which mostly has the same targets.

    typed: uint8[M, K]; packed: the same with ``WINDOW`` sites a byte. weight: float32[U], share of the
    right-hand typed site. spare: int32[K], all haplotypes, in an order that no file has.
    """

    typed: UInt8
    spans: Spans
    starts: NDArray[np.int64]
    weight: Float32
    carriers: Carriers
    model: SelectedCopyModel
    packed: UInt8 = field(init=False)
    spare: Int32 = field(init=False)
    observed: NDArray[np.int8] | None = None
    chosen: tuple[Int32, Int32] | None = None

    def __post_init__(self) -> None:
        self.packed = np.packbits(self.typed, axis=0, bitorder="little")
        self.spare = np.random.default_rng(0).permutation(self.typed.shape[1]).astype(np.int32)

    def dosages(self, switches: Float32, emission: Float32, prior: Prior | None = None) -> Float32:
        """See ``Copier``."""
        dosage = np.empty((len(self.weight), emission.shape[2]), np.float32)
        minor = self.carriers.by_haplotype

        def run(part: slice, posteriors: Iterator[Kept], _: Prior) -> None:
            found = np.zeros((part.stop - part.start, len(self.weight)), np.float32)
            for m, kept, chance, count in posteriors:
                first, middle, last = self.starts[m : m + 3]
                if m == len(switches) - 1:
                    last = len(self.weight)
                if last > first:
                    add_dosages(first, middle, last, self.weight, minor, kept, chance, count, found)
            dosage[:, part] = found.T

        self._in_parts(run, switches, emission, prior)
        flipped = self.carriers.flipped
        dosage[flipped] = 1 - dosage[flipped]
        return np.clip(dosage, 0, 1, out=dosage)

    def occupancy(self, switches: Float32, emission: Float32, prior: Prior) -> Float32:
        """See ``Copier``."""
        occupancy = np.zeros(prior.weight.shape, np.float32)

        def run(part: slice, posteriors: Iterator[Kept], given: Prior) -> None:
            found = np.zeros(given.weight.shape, np.float32)
            for _, kept, chance, count in posteriors:
                add_groups(given.group, kept, chance, count, found)
            occupancy[:, part] = found / len(switches)

        self._in_parts(run, switches, emission, prior)
        return occupancy

    def _in_parts(
        self,
        run: Callable[[slice, Iterator[Kept], Prior], None],
        switches: Float32,
        emission: Float32,
        prior: Prior | None,
    ) -> None:
        """Call ``run`` with each part of the lanes, its posteriors and its prior."""
        n_lanes = emission.shape[2]
        prior = prior or Prior.uniform(self.typed.shape[1], n_lanes)
        self._select(emission)
        wanted = ceil(n_lanes / self.model.threads / VECTOR) * VECTOR
        size = max(min(LANES, wanted), VECTOR)
        with ThreadPoolExecutor(self.model.threads) as pool, progress("haplotypes imputed", n_lanes) as bar:

            def run_part(first: int) -> None:
                part = slice(first, min(first + size, n_lanes))
                given = prior.lanes(part)
                lanes = self._lanes(part, switches, np.ascontiguousarray(emission[:, :, part]), given)
                run(part, _posteriors(lanes, self.model.least), given)
                bar.update(part.stop - part.start)

            list(pool.map(run_part, range(0, n_lanes, size)))

    def _select(self, emission: Float32) -> None:
        """Find the neighbours of the targets, unless they are those of the last call."""
        if self.typed.shape[1] <= self.model.states:
            return
        observed = (emission[:, 1] > emission[:, 0]).astype(np.int8)
        observed[emission[:, 1] == emission[:, 0]] = -1
        if self.observed is None or not np.array_equal(observed, self.observed):
            self.chosen = neighbours(self.typed, observed, self.spans, self.model.chosen)
            self.observed = observed

    def _lanes(self, part: slice, switches: Float32, emission: Float32, prior: Prior) -> Lanes:
        """Put together what the recursions of a part of the lanes need."""
        (n_typed, n_panel), n_lanes = self.typed.shape, part.stop - part.start
        n_slots = min(self.model.states, n_panel)
        shares = np.ones(n_slots, np.float32)
        slots = np.empty((n_lanes, len(self.spans), n_slots), np.int32)
        if self.chosen is None:
            slots[:] = np.arange(n_panel)
        else:
            n_selected = n_slots - self.model.stand_ins
            shares[n_selected:] = (n_panel - n_selected) / max(self.model.stand_ins, 1)
            ending, beginning = self.chosen
            for lane, h in enumerate(range(part.start, part.stop)):
                fill_slots(ending[:, h], beginning[:, h], self.spare, self.model.stand_ins, slots[lane])
        side_by_side = np.ascontiguousarray(slots.transpose(1, 2, 0))
        span_of = self.spans.of(n_typed)
        given = prior.group, prior.weight, prior.within
        return Lanes(self.packed, span_of, side_by_side, shares, switches, emission, *given)


def _posteriors(lanes: Lanes, least: float) -> Iterator[Kept]:
    """Yield what lanes may well copy at each typed site, from the last to the first.

    The forward variable is kept at the first site of each block only and computed again block by block.
    """
    n_typed = len(lanes.switches)
    _, n_slots, n_lanes = lanes.slots.shape
    size = ceil(sqrt(n_typed) / WINDOW) * WINDOW
    begins = range(0, n_typed, size)
    bits = np.empty((size // WINDOW, n_slots, n_lanes), np.uint8)
    states = np.empty((size + 1, n_slots, n_lanes), np.float32)
    states[0] = 1
    total = np.full(n_lanes, n_slots, np.float32)
    checkpoints = []
    for begin in begins:
        checkpoints.append((states[0].copy(), total.copy()))
        if begin + size < n_typed:
            # The size is even: of two places in turn, the last site's states end up in the first one.
            forwards(begin, begin + size, lanes, states[:2], total, bits)
    beta, scale = np.ones((n_slots, n_lanes), np.float32), np.ones(n_lanes, np.float32)
    totals = np.empty((size + 1, n_lanes), np.float32)
    kept = np.empty((n_lanes, n_slots), np.int32)
    chance, count = np.empty((n_lanes, n_slots), np.float32), np.empty(n_lanes, np.int32)
    for begin in reversed(begins):
        end = min(begin + size, n_typed)
        states[0], total = checkpoints.pop()
        forwards(begin, end, lanes, states, total, bits)
        backwards(begin, end, lanes, states, bits, beta, scale, totals)
        for m in range(end - 1, begin - 1, -1):
            place = m - begin + 1
            slots = lanes.slots[lanes.span_of[m]]
            keep_likely(states[place], totals[place], slots, least, kept, chance, count)
            yield m, kept, chance, count
