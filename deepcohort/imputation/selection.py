"""Which panel haplotypes a target haplotype may copy, stretch by stretch: those that match it longest.

Haplotypes sorted by their alleles read backwards from a site stand beside those they share the longest
match with (the positional Burrows–Wheeler transform, Durbin 2014, Bioinformatics 30:1266). At points along
the chunk each target takes its neighbours in that order, once with matches that end there and once, from a
sweep the other way, with matches that begin there, which serve as its states of copying (Rubinacci et al.
2020, PLoS Genet 16:e1009049). The states stand in a fixed number of slots; a slot keeps its haplotype for as
long as it goes on being chosen, and changes it half-way between its last choice and the next one's first (as
the composite haplotypes of Browning et al. 2018, AJHG 103:338).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.imputation.bits import zeros_above

WINDOW = 8
"""Typed sites whose alleles share a byte; states change at the borders of windows only."""

SPACING = 0.05
"""Centimorgans between points of selection, at least."""

UInt8 = NDArray[np.uint8]
UInt64 = NDArray[np.uint64]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Spans:
    """Stretches of typed sites over which a target's states stay as they are.

    borders: int64[P + 1], the typed sites at which spans begin, and M at the end; multiples of ``WINDOW``
    but for the last.
    """

    borders: NDArray[np.int64]

    @classmethod
    def along(cls, cm: NDArray[np.float64]) -> "Spans":
        """Spans of whole windows, ``SPACING`` long at least; cm: float64[M]."""
        borders = [0]
        for begin in range(WINDOW, len(cm), WINDOW):
            if cm[begin] - cm[borders[-1]] >= SPACING:
                borders.append(begin)
        return cls(np.array([*borders, len(cm)], np.int64))

    def of(self, n_typed: int) -> Int32:
        """The span of each of M typed sites, int32[M]."""
        return (np.searchsorted(self.borders, np.arange(n_typed), "right") - 1).astype(np.int32)

    def __len__(self) -> int:
        return len(self.borders) - 1


def in_words(packed: UInt8) -> UInt64:
    """Turn bits of windows [W, K] into the bits of each haplotype one after the other, uint64[K, words]."""
    padding = -len(packed) % 8
    padded = np.pad(packed, ((0, padding), (0, 0)))
    return np.ascontiguousarray(padded.T).view(np.uint64)


def neighbours(typed: UInt8, observed: NDArray[np.int8], spans: Spans, number: int) -> tuple[Int32, Int32]:
    """Panel haplotypes that match each target longest at the borders of spans.

    typed: uint8[M, K]. observed: int8[M, H], -1 where missing. Returns two int32[P + 1, H, n], from the
    longest match to shorter ones: those whose match ends at the border, and those whose match begins there.
    Before the first border nothing can end, behind the last one nothing can begin: -1 there.
    """
    number = min(number, typed.shape[1])
    start = np.random.default_rng(0).permutation(typed.shape[1]).astype(np.int32)  # no order of a file's
    borders = np.zeros(len(typed) + 1, bool)
    borders[spans.borders] = True

    def sweep(step: int) -> Int32:
        alleles, seen = np.ascontiguousarray(typed[::step]), np.ascontiguousarray(observed[::step])
        words = in_words(np.packbits(alleles, axis=0, bitorder="little"))
        mine = in_words(np.packbits(seen == 1, axis=0, bitorder="little"))
        known = in_words(np.packbits(seen >= 0, axis=0, bitorder="little"))
        return _sweep(alleles, words, seen, mine, known, start, borders[::step], number)[::step]

    with ThreadPoolExecutor(2) as pool:
        ending, beginning = pool.map(sweep, (1, -1))
    return ending, beginning


def most_alike(chosen: tuple[Int32, Int32], targets: slice, number: int) -> Int32:
    """Sort the panel haplotypes, at most ``number``, that are best for some targets together.

    chosen: as ``neighbours`` returns them; a haplotype counts by the best of its ranks.
    """
    by_rank = np.concatenate(
        [sides[:, targets].transpose(2, 0, 1).reshape(sides.shape[2], -1) for sides in chosen], axis=1
    )
    found, first = np.unique(by_rank, return_index=True)
    first = first[found >= 0]
    found = found[found >= 0]
    return np.sort(found[np.argsort(first)[:number]])


@compiled
def _sweep(
    typed: UInt8,
    words: UInt64,
    observed: NDArray[np.int8],
    mine: UInt64,
    known: UInt64,
    start: Int32,
    borders: NDArray[np.bool_],
    number: int,
) -> Int32:
    """Neighbours at borders, int32[borders, H, number]; see ``neighbours``.

    words, mine, known: alleles of the panel, those of the targets and which of these there are, as
    ``in_words`` has them. start: order of the panel before the first site. borders: bool[M + 1].
    """
    n_typed, n_panel = typed.shape
    n_targets = observed.shape[1]
    chosen = np.full((borders.sum(), n_targets, number), -1, np.int32)
    order, other = start.copy(), start.copy()
    zeros = np.empty(n_panel + 1, np.int32)
    place = np.full(n_targets, n_panel // 2, np.int32)
    border = 1 if borders[0] else 0
    for m in range(n_typed):
        row = typed[m]
        first_one = n_panel
        for k in range(n_panel):
            first_one -= row[k]
        zero = 0
        for i in range(n_panel):
            zeros[i] = zero
            allele = row[order[i]]
            other[first_one + i - zero if allele else zero] = order[i]
            zero += 1 - allele
        zeros[n_panel] = zero
        for h in range(n_targets):
            here, allele = place[h], observed[m, h]
            if allele < 0:
                allele = row[_nearest(order, here, words, mine[h], known[h], m)]
            place[h] = zeros[here] if allele == 0 else first_one + here - zeros[here]
        order, other = other, order
        if borders[m + 1]:
            for h in range(n_targets):
                _take(order, place[h], words, mine[h], known[h], m + 1, chosen[border, h])
            border += 1
    return chosen


@compiled
def _nearest(order: Int32, place: int, words: UInt64, mine: UInt64, known: UInt64, end: int) -> int:
    """The one of the two haplotypes on either side whose match before site ``end`` is the longer."""
    if place == 0:
        return int(order[0])
    if place == len(order):
        return int(order[place - 1])
    above = _match_start(words[order[place - 1]], mine, known, end)
    below = _match_start(words[order[place]], mine, known, end)
    return int(order[place - 1] if above <= below else order[place])


@compiled
def _take(
    order: Int32, place: int, words: UInt64, mine: UInt64, known: UInt64, end: int, chosen: Int32
) -> None:
    """Fill ``chosen`` with the haplotypes nearest in the order, those of longer matches first."""
    above, below = place - 1, place
    up = _match_start(words[order[above]], mine, known, end) if above >= 0 else end + 1
    down = _match_start(words[order[below]], mine, known, end) if below < len(order) else end + 1
    for i in range(len(chosen)):
        if up <= down:
            chosen[i] = order[above]
            above -= 1
            up = _match_start(words[order[above]], mine, known, end) if above >= 0 else end + 1
        else:
            chosen[i] = order[below]
            below += 1
            down = _match_start(words[order[below]], mine, known, end) if below < len(order) else end + 1


@compiled
def _match_start(haplotype: UInt64, mine: UInt64, known: UInt64, end: int) -> int:
    """First site of the match that ends before site ``end``; a missing allele matches."""
    if end == 0:
        return 0
    word = (end - 1) >> 6
    differs = (haplotype[word] ^ mine[word]) & known[word]
    differs = differs << np.uint64(63 - ((end - 1) & 63))
    if differs:
        return end - zeros_above(differs)
    for earlier in range(word - 1, -1, -1):
        differs = (haplotype[earlier] ^ mine[earlier]) & known[earlier]
        if differs:
            return 64 * (earlier + 1) - zeros_above(differs)
    return 0


@compiled
def fill_slots(ending: Int32, beginning: Int32, spare: Int32, n_stand_ins: int, slots: Int32) -> None:
    """Put a target's chosen haplotypes, [P + 1, n] each, into slots, int32[P, n_slots], in place.

    spare: all K panel haplotypes, more than there are slots, in any order. The last ``n_stand_ins`` slots
    hold the first of them all along, or -1 over spans where another slot holds the same one. Slots that no
    choice needs hold those that come next. No haplotype stands in two slots at once.
    """
    n_spans, n_slots = slots.shape[0], slots.shape[1] - n_stand_ins
    holder = np.full(len(spare), -1, np.int32)
    held = np.full(n_slots, -1, np.int32)
    since = np.zeros(n_slots, np.int32)
    used = np.full(n_slots, -1, np.int32)
    # Slots in a ring, from the one whose last choice is longest ago to the latest; its ends meet at n_slots.
    after = np.roll(np.arange(n_slots + 1), -1)
    before = np.roll(np.arange(n_slots + 1), 1)
    for border in range(n_spans + 1):
        for rank in range(2 * ending.shape[1]):
            k = (ending if rank % 2 == 0 else beginning)[border, rank // 2]
            if k < 0:
                continue
            slot = holder[k]
            if slot < 0:
                slot = after[n_slots]
                if used[slot] == border:
                    break
                if held[slot] >= 0:
                    change = (used[slot] + border + 1) // 2
                    slots[since[slot] : change, slot] = held[slot]
                    holder[held[slot]], since[slot] = -1, change
                held[slot], holder[k] = k, slot
            used[slot] = border
            after[before[slot]], before[after[slot]] = after[slot], before[slot]
            last = before[n_slots]
            after[last], before[slot], after[slot], before[n_slots] = slot, last, n_slots, slot
    next_spare = n_stand_ins
    for slot in range(n_slots):
        while held[slot] < 0:
            if holder[spare[next_spare]] < 0:
                held[slot] = spare[next_spare]
            next_spare += 1
        slots[since[slot] :, slot] = held[slot]
    _stand_in(spare[:n_stand_ins], len(spare), n_slots, slots)


@compiled
def _stand_in(stand_ins: Int32, n_panel: int, n_slots: int, slots: Int32) -> None:
    """Put the stand-ins behind ``n_slots`` slots."""
    last_seen = np.full(n_panel, -1, np.int32)
    for span in range(len(slots)):
        for slot in range(n_slots):
            last_seen[slots[span, slot]] = span
        for i in range(len(stand_ins)):
            slots[span, n_slots + i] = -1 if last_seen[stand_ins[i]] == span else stand_ins[i]
