"""Recursions of the haplotype-copying model where each target haplotype has states of its own.

Arrays are laid out ``[slot, lane]`` as in ``hmm``, but a slot of one lane copies another panel haplotype
than the same slot of the next lane. What a slot copies stays over a span of typed sites; a slot that changes
is a new state, which paths enter by a new choice only. A slot may stand for several haplotypes: a new choice
takes it that many times more often.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.imputation.bits import lowest_bit
from deepcohort.imputation.selection import WINDOW

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
UInt64 = NDArray[np.uint64]
Int32 = NDArray[np.int32]


class Lanes(NamedTuple):
    """Some target haplotypes, side by side, and what they may copy.

    packed: uint8[W, K], the panel's alleles at the typed sites, ``WINDOW`` a byte. span_of: int32[M], the
    span of each typed site. slots: int32[P, n_slots, L], the panel haplotypes of each span, -1 for none.
    shares: float32[n_slots], how many haplotypes a slot stands for. switches: float32[M]. emission:
    float32[M, 2, L]. group, weight, within: the prior of a new choice, int32[K], float32[C, L] and a number.
    """

    packed: UInt8
    span_of: Int32
    slots: Int32
    shares: Float32
    switches: Float32
    emission: Float32
    group: Int32
    weight: Float32
    within: float


@compiled
def forwards(begin: int, end: int, lanes: Lanes, states: Float32, total: Float32, bits: UInt8) -> None:
    """Forward variables of typed sites begin to end, from that of the site before.

    states: float32[N, n_slots, L], the first is of the site before ``begin``, and each site's goes to the
    next, modulo N, in place. total: [L], sums of the first one, left as those of the last. bits:
    uint8[windows, n_slots, L], filled with the slots' alleles.
    """
    entry = led = _entry(begin, lanes)
    for m in range(begin, end):
        before, after = states[(m - begin) % len(states)], states[(m - begin + 1) % len(states)]
        span = lanes.span_of[m]
        window = m // WINDOW - begin // WINDOW
        if m == begin or m % WINDOW == 0:
            _look_up(lanes.packed[m // WINDOW], lanes.slots[span], bits[window])
        last = lanes.span_of[m - 1] if m > 0 else span
        if last != span:
            entry = led = _entry(m, lanes)
        if lanes.within > 0 and m > 0:
            led = _within(before, total, last, span, lanes, True)
            led += np.float32(1 - lanes.within) * entry
        if last != span:
            before = before.copy()
            _forget(before, lanes.slots[last], lanes.slots[span])
        _forward_step(before, after, bits[window], m, lanes.switches[m], lanes.emission[m], led, total)


@compiled
def backwards(
    begin: int,
    end: int,
    lanes: Lanes,
    states: Float32,
    bits: UInt8,
    beta: Float32,
    scale: Float32,
    totals: Float32,
) -> None:
    """Turn the forward variables of typed sites begin to end, ``states[1:]``, into posteriors, in place.

    beta: float32[n_slots, L], as left by the typed site after the last: times its emission, not yet through
    the switch on the way. scale: its mean by the prior. totals: float32[N, L], filled with what divides a
    site's posterior so that a lane sums to one.
    """
    n_typed = len(lanes.switches)
    entry, led = _entry(end - 1, lanes), np.ones(beta.shape, np.float32)
    for m in range(end - 1, begin - 1, -1):
        span = lanes.span_of[m]
        ahead = float(lanes.switches[m + 1]) if m + 1 < n_typed else 0.0
        last = lanes.span_of[m + 1] if m + 1 < n_typed else span
        if lanes.within > 0:
            led = _within(beta, scale, last, span, lanes, False)
            led += np.float32(1 - lanes.within)
        if last != span:
            entry = _entry(m, lanes)
            _forget(beta, lanes.slots[last], lanes.slots[span])
        seen, place = bits[m // WINDOW - begin // WINDOW], m - begin + 1
        _backward_step(
            states[place], beta, seen, m, ahead, lanes.emission[m], led, entry, scale, totals[place]
        )


@compiled
def _entry(m: int, lanes: Lanes) -> Float32:
    """Chance that a new choice at a typed site takes a slot, float32[n_slots, L]."""
    slots = lanes.slots[lanes.span_of[m]]
    entry = np.zeros(slots.shape, np.float32)
    for slot in range(slots.shape[0]):
        share = lanes.shares[slot] / np.float32(len(lanes.group))
        for lane in range(slots.shape[1]):
            k = slots[slot, lane]
            if k >= 0:
                entry[slot, lane] = lanes.weight[lanes.group[k], lane] * share
    return entry


@compiled
def _within(states: Float32, total: Float32, last: int, span: int, lanes: Lanes, forward: bool) -> Float32:
    """What switches within a group lead to, to be added for each slot of a span, float32[n_slots, L].

    states: [n_slots, L], of the slots of the span ``last``; total: [L], divides them. Forward, a group's mass
    is shared out among its slots; backward, each slot has the mean of its group.
    """
    sums, sizes = np.zeros(lanes.weight.shape, np.float32), np.zeros(lanes.weight.shape, np.float32)
    for slot in range(states.shape[0]):
        counted = np.float32(1) if forward else lanes.shares[slot]
        for lane in range(states.shape[1]):
            k = lanes.slots[last, slot, lane]
            if k >= 0:
                sums[lanes.group[k], lane] += states[slot, lane] * counted
            k = lanes.slots[span if forward else last, slot, lane]
            if k >= 0:
                sizes[lanes.group[k], lane] += lanes.shares[slot]
    found = np.zeros(states.shape, np.float32)
    for slot in range(states.shape[0]):
        share = np.float32(lanes.within) * (lanes.shares[slot] if forward else np.float32(1))
        for lane in range(states.shape[1]):
            k = lanes.slots[span, slot, lane]
            if k >= 0 and sizes[lanes.group[k], lane] > 0:
                c = lanes.group[k]
                found[slot, lane] = share * sums[c, lane] / (sizes[c, lane] * total[lane])
    return found


@compiled
def _look_up(alleles: UInt8, slots: Int32, bits: UInt8) -> None:
    for slot in range(slots.shape[0]):
        row, found = slots[slot], bits[slot]
        for lane in range(slots.shape[1]):
            found[lane] = alleles[row[lane]]


@compiled
def _forget(states: Float32, slots: Int32, others: Int32) -> None:
    """Take the mass out of slots that copy another haplotype on the other side of a border."""
    for slot in range(slots.shape[0]):
        row, one, two = states[slot], slots[slot], others[slot]
        for lane in range(slots.shape[1]):
            if one[lane] != two[lane]:
                row[lane] = 0.0


@compiled
def _forward_step(
    before: Float32,
    after: Float32,
    bits: UInt8,
    site: int,
    switch: float,
    emission: Float32,
    entry: Float32,
    total: Float32,
) -> None:
    """One site further, to the typed site ``site``; see ``hmm.forward_step``."""
    n_slots, n_lanes = before.shape
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) / total[lane]
        total[lane] = 0.0
    jump, bit = np.float32(switch), np.uint8(1 << (site % WINDOW))
    reference, alternative = emission[0], emission[1]
    for slot in range(n_slots):
        old, new, seen, share = before[slot], after[slot], bits[slot], entry[slot]
        for lane in range(n_lanes):
            one, zero = alternative[lane], reference[lane]
            value = (old[lane] * stay[lane] + share[lane] * jump) * (one if seen[lane] & bit else zero)
            new[lane] = value
            total[lane] += value


@compiled
def _backward_step(
    alpha: Float32,
    beta: Float32,
    bits: UInt8,
    site: int,
    switch: float,
    emission: Float32,
    led: Float32,
    entry: Float32,
    scale: Float32,
    total: Float32,
) -> None:
    """One site back, to ``site``; see ``hmm.backward_step``. led: what a switch comes back with."""
    n_slots, n_lanes = alpha.shape
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) / scale[lane]
        scale[lane] = 0.0
        total[lane] = 0.0
    jump, bit = np.float32(switch), np.uint8(1 << (site % WINDOW))
    reference, alternative = emission[0], emission[1]
    for slot in range(n_slots):
        forward, backward, seen = alpha[slot], beta[slot], bits[slot]
        behind, share = led[slot], entry[slot]
        for lane in range(n_lanes):
            value = backward[lane] * stay[lane] + jump * behind[lane]
            joint = forward[lane] * value
            forward[lane], backward[lane] = joint, value
            total[lane] += joint
        for lane in range(n_lanes):
            one, zero = alternative[lane], reference[lane]
            value = backward[lane] * (one if seen[lane] & bit else zero)
            backward[lane] = value
            scale[lane] += value * share[lane]


@compiled
def keep_likely(
    posterior: Float32, total: Float32, slots: Int32, least: float, kept: Int32, chance: Float32, count: Int32
) -> None:
    """Write the haplotypes that a lane may well copy, and their chances scaled to sum to one.

    posterior: [n_slots, L], total: [L] its sums. least: smallest chance kept. kept, chance: [L, n_slots],
    count: [L], how many of them are filled.
    """
    n_slots, n_lanes = posterior.shape
    threshold = total * np.float32(least)
    count[:] = 0
    likely = np.zeros((n_lanes + 7) // 8 * 8, np.uint8)
    eights = likely.view(np.uint64)  # most are zero, and are passed over at once
    for slot in range(n_slots):
        row = posterior[slot]
        for lane in range(n_lanes):
            likely[lane] = row[lane] >= threshold[lane]
        for eight in range(len(eights)):
            if eights[eight]:
                for lane in range(8 * eight, min(8 * eight + 8, n_lanes)):
                    if likely[lane]:
                        place = count[lane]
                        kept[lane, place], chance[lane, place] = slots[slot, lane], row[lane]
                        count[lane] = place + 1
    for lane in range(n_lanes):
        found = chance[lane, : count[lane]]
        found /= found.sum()


@compiled
def add_dosages(
    first: int, middle: int, last: int, weight: Float32, minor: UInt64, kept: Int32, chance: Float32,
    count: Int32, dosage: Float32,
) -> None:  # fmt: skip
    """Add to the dosages around a typed site what is copied there, by the kept haplotypes' minor alleles.

    Sites first to middle lie before the typed site and take ``weight`` of it; sites middle to last lie
    behind and take the rest. minor: uint64[K, words], bits of the asked sites. kept, chance, count: as
    ``keep_likely`` writes them. dosage: [L, U].
    """
    for lane in range(len(count)):
        row = dosage[lane]
        for i in range(count[lane]):
            mine, share = minor[kept[lane, i]], chance[lane, i]
            for word in range(first >> 6, (last + 63) >> 6):
                carried = mine[word]
                if word == first >> 6:
                    carried = carried >> np.uint64(first & 63) << np.uint64(first & 63)
                if word == last >> 6:
                    carried = carried & ((np.uint64(1) << np.uint64(last & 63)) - np.uint64(1))
                while carried:
                    u = 64 * word + lowest_bit(carried)
                    carried &= carried - np.uint64(1)
                    row[u] += share * (weight[u] if u < middle else np.float32(1) - weight[u])


@compiled
def add_groups(group: Int32, kept: Int32, chance: Float32, count: Int32, occupancy: Float32) -> None:
    """Add the chances of the kept haplotypes to their groups, [C, L]."""
    for lane in range(len(count)):
        for i in range(count[lane]):
            occupancy[group[kept[lane, i]], lane] += chance[lane, i]
