"""Forward and backward recursions of the haplotype-copying model, many target haplotypes at a time.

The hidden state is the panel haplotype being copied (Li & Stephens 2003, Genetics 165:2213). Arrays are
laid out ``[panel haplotype, lane]``: a lane is one target haplotype, so the inner loops run over
contiguous lanes and the compiler turns them into vector instructions, whatever the panel's size. Inner
loops touch few arrays each: with many, the compiler gives up proving that they do not overlap.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
Int32 = NDArray[np.int32]


class Choice(NamedTuple):
    """How a new choice is made: within the group of the haplotype copied so far, or from the whole panel.

    group: int32[K], which of C groups a panel haplotype is of. weight: float32[C, L], how many times more
    likely than by chance one of a group is chosen out of the whole panel (a lane's mean over K is one).
    size: float32[C], of the groups. within: chance that the group stays; all in it are then alike.
    """

    group: Int32
    weight: Float32
    size: Float32
    within: float


@compiled
def _within_groups(sums: Float32, total: Float32, choice: Choice, switch: float) -> Float32:
    """What switches within a group take to each of its haplotypes, [C, L], by sums over groups and lanes."""
    found = np.empty_like(sums)
    for c in range(len(sums)):
        share = np.float32(switch * choice.within) / choice.size[c]
        for lane in range(sums.shape[1]):
            found[c, lane] = share * sums[c, lane] / total[lane]
    return found


@compiled
def sums_by_group(states: Float32, choice: Choice) -> Float32:
    """Sums of states [K, L] over the haplotypes of each group, float32[C, L]."""
    sums = np.zeros_like(choice.weight)
    for k in range(len(states)):
        sums[choice.group[k]] += states[k]
    return sums


@compiled
def forward_step(
    before: Float32,
    after: Float32,
    alleles: UInt8,
    switch: float,
    emission: Float32,
    choice: Choice,
    sums: Float32,
) -> None:
    """Take the forward variable from one typed site, ``before[K, L]``, to the next, ``after[K, L]``.

    They must be two arrays, or the loop is not vectorised. alleles: the panel's at the next site, [K].
    switch: probability of a new copying choice on the way. emission: P(observed | copied allele) there as
    [2, L]. sums: those of ``before`` by group and lane, float32[C, L] (their sum over groups is divided
    out), overwritten by those of ``after``.
    """
    n_panel, n_lanes = before.shape
    total = sums.sum(axis=0)
    jumps = _within_groups(sums, total, choice, switch)
    jumps += choice.weight * np.float32(switch * (1 - choice.within) / n_panel)
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) / total[lane]
    sums[:] = 0.0
    for k in range(n_panel):
        c = choice.group[k]
        old, new = before[k], after[k]
        likelihood, entry, added = emission[alleles[k]], jumps[c], sums[c]
        for lane in range(n_lanes):
            value = (old[lane] * stay[lane] + entry[lane]) * likelihood[lane]
            new[lane] = value
            added[lane] += value


@compiled
def backward_step(
    alpha: Float32,
    beta: Float32,
    alleles: UInt8,
    switch: float,
    emission: Float32,
    choice: Choice,
    sums: Float32,
) -> Float32:
    """Turn ``alpha[K, L]`` at a typed site into the posterior and take ``beta[K, L]`` past it, in place.

    beta comes as left by the typed site after this one: times that site's emission, but not yet through
    the switch on the way, which is done here, so that memory is gone through once. switch: on the way to
    that next site. alleles, emission: of this site. sums: those of beta by group and lane, overwritten by
    those of the new beta. Returns what divides a lane of alpha so that it sums to one.
    """
    n_panel, n_lanes = alpha.shape
    mean = np.zeros(n_lanes, np.float32)
    for c in range(len(sums)):
        for lane in range(n_lanes):
            mean[lane] += sums[c, lane] * choice.weight[c, lane]
    for lane in range(n_lanes):
        mean[lane] /= n_panel
    jumps = _within_groups(sums, mean, choice, switch)
    jumps += np.float32(switch * (1 - choice.within))
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) / mean[lane]
    sums[:] = 0.0
    total = np.zeros(n_lanes, np.float32)
    for k in range(n_panel):
        c = choice.group[k]
        forward, backward = alpha[k], beta[k]
        likelihood, entry, added = emission[alleles[k]], jumps[c], sums[c]
        for lane in range(n_lanes):
            backward[lane] = backward[lane] * stay[lane] + entry[lane]
        for lane in range(n_lanes):
            joint = forward[lane] * backward[lane]
            forward[lane] = joint
            total[lane] += joint
        for lane in range(n_lanes):
            backward[lane] *= likelihood[lane]
        for lane in range(n_lanes):
            added[lane] += backward[lane]
    return total


@compiled
def add_occupancy(posterior: Float32, total: Float32, group: Int32, occupancy: Float32) -> None:
    """Add the posterior [K, L], divided by ``total``, to the groups of its panel haplotypes, [C, L]."""
    n_panel, n_lanes = posterior.shape
    share = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        share[lane] = np.float32(1.0) / total[lane]
    for k in range(n_panel):
        row, sums = posterior[k], occupancy[group[k]]
        for lane in range(n_lanes):
            sums[lane] += row[lane] * share[lane]


@compiled
def move_back(beta: Float32, alleles: UInt8, switch: float, emission: Float32) -> None:
    """Move ``beta[K, L]`` from the typed site that ``alleles`` and ``emission`` describe to the one before.

    beta is scaled so that its mean per lane after the step is about one.
    """
    n_panel, n_lanes = beta.shape
    total = np.zeros(n_lanes, np.float32)
    for k in range(n_panel):
        row = beta[k]
        likelihood = emission[alleles[k]]
        for lane in range(n_lanes):
            value = row[lane] * likelihood[lane]
            row[lane] = value
            total[lane] += value
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) * n_panel / total[lane]
    jump = np.float32(switch)
    for k in range(n_panel):
        row = beta[k]
        for lane in range(n_lanes):
            row[lane] = row[lane] * stay[lane] + jump


@compiled
def read_out(
    left: Float32,
    left_total: Float32,
    right: Float32,
    right_total: Float32,
    weight: Float32,
    starts: NDArray[np.int64],
    carriers: NDArray[np.int32],
    dosage: Float32,
) -> None:
    """Sum the posteriors over the carriers of each site's minor allele, between two typed sites.

    left, right: posteriors [K, L] at the typed sites on either side, and what divides their lanes.
    weight: share of ``right`` at each of the u sites. starts: u + 1 offsets into carriers. dosage:
    output [u, L].
    """
    n_lanes = left.shape[1]
    left_share, right_share = np.empty(n_lanes, np.float32), np.empty(n_lanes, np.float32)
    for site in range(weight.shape[0]):
        row = dosage[site]
        for lane in range(n_lanes):
            row[lane] = 0.0
            right_share[lane] = weight[site] / right_total[lane]
            left_share[lane] = (np.float32(1.0) - weight[site]) / left_total[lane]
        for index in range(starts[site], starts[site + 1]):
            k = carriers[index]
            left_row, right_row = left[k], right[k]
            for lane in range(n_lanes):
                row[lane] += left_share[lane] * left_row[lane] + right_share[lane] * right_row[lane]


@compiled
def phase_step(
    alphas: Float32,
    betas: Float32,
    alleles: UInt8,
    switch: float,
    error: float,
    likelihood: Float32,
    haploid: NDArray[np.bool_],
    calls: NDArray[np.int8],
    draws: Float32,
    totals: Float32,
    chances: Float32,
) -> None:
    """Move both haplotypes of each person (lane) to the next typed site, deciding their alleles there.

    alphas: forward variables of the two haplotypes, [2, K, L], updated in place. betas: backward variables
    at this site of what follows it, [2, K, L]. likelihood: P(observed | alleles) of the pairs 0|0, 0|1, 1|0
    and 1|1, [4, L]; where all four are the same, nothing was observed. haploid: bool[L]; such a person
    has a first haplotype only. calls: int8[2, L], overwritten by the alleles decided, -1 where nothing was
    observed. draws: float32[L] in [0, 1), one random choice each. totals: [2, L] sums of alphas.
    chances: [3, L], overwritten by those of 1|0, 0|1 and 1|1 before the choice.

    Where alleles are open, the eight arrangements — the four pairs of alleles, what follows attached
    straight or crosswise — are weighed by their exact likelihood given all other decisions, which is a
    step of Gibbs sampling from the two-haplotype copying model. How what follows is attached need not be
    remembered: the next such site decides it anew, and nothing between depends on it.
    """
    n_panel, n_lanes = alphas.shape[1], alphas.shape[2]
    jump = np.float32(switch / n_panel)
    stay = (np.float32(1.0 - switch) / totals).astype(np.float32)
    for haplotype in range(2):
        for k in range(n_panel):
            row, share = alphas[haplotype, k], stay[haplotype]
            for lane in range(n_lanes):
                row[lane] = row[lane] * share[lane] + jump
    known = _take_known(likelihood, calls, chances)
    if not known.all():
        sums = _meet(alphas, betas, alleles)
        for lane in range(n_lanes):
            if not known[lane]:
                one, seen = sums[:, :, lane], likelihood[:, lane]
                decided, chance = calls[:, lane], chances[:, lane]
                _decide(one, error, seen, haploid[lane], decided, draws[lane], chance)
    emission = np.ones((2, 2, n_lanes), np.float32)
    for haplotype in range(2):
        for lane in range(n_lanes):
            call = calls[haplotype, lane]
            if call >= 0:
                emission[haplotype, call, lane] = 1.0 - error
                emission[haplotype, 1 - call, lane] = error
        total = totals[haplotype]
        total[:] = 0.0
        for k in range(n_panel):
            row, factor = alphas[haplotype, k], emission[haplotype, alleles[k]]
            for lane in range(n_lanes):
                value = row[lane] * factor[lane]
                row[lane] = value
                total[lane] += value


@compiled
def _take_known(likelihood: Float32, calls: NDArray[np.int8], chances: Float32) -> NDArray[np.bool_]:
    """Say who has one possible pair of alleles only, bool[L], and write it into ``calls`` and ``chances``."""
    n_lanes = likelihood.shape[1]
    known = np.zeros(n_lanes, np.bool_)
    for lane in range(n_lanes):
        possible = 0
        for pair in range(4):
            if likelihood[pair, lane] > 0:
                possible += 1
                calls[0, lane], calls[1, lane] = pair >> 1, pair & 1
        known[lane] = possible == 1
        if known[lane]:
            first, second = calls[0, lane], calls[1, lane]
            chances[0, lane], chances[1, lane] = first * (1 - second), (1 - first) * second
            chances[2, lane] = first * second
    return known


@compiled
def _meet(alphas: Float32, betas: Float32, alleles: UInt8) -> Float32:
    """Sums of alpha·beta over the panel haplotypes, [panel allele, haplotype·2 + betas, L]."""
    n_panel, n_lanes = alphas.shape[1], alphas.shape[2]
    sums = np.zeros((2, 4, n_lanes), np.float32)
    for k in range(n_panel):
        one, two = alphas[0, k], alphas[1, k]
        first, second = betas[0, k], betas[1, k]
        part = sums[alleles[k]]
        straight, cross, back, other = part[0], part[1], part[2], part[3]
        for lane in range(n_lanes):
            straight[lane] += one[lane] * first[lane]
        for lane in range(n_lanes):
            cross[lane] += one[lane] * second[lane]
        for lane in range(n_lanes):
            back[lane] += two[lane] * first[lane]
        for lane in range(n_lanes):
            other[lane] += two[lane] * second[lane]
    return sums


@compiled
def _decide(
    sums: Float32,
    error: float,
    likelihood: Float32,
    haploid: bool,
    calls: NDArray[np.int8],
    draw: float,
    chances: Float32,
) -> None:
    """Choose one person's pair of alleles; see ``phase_step``. sums: as ``_meet`` returns them, [2, 4]."""
    weights = np.zeros(4)
    for cross in range(1 if haploid else 2):
        for pair in range(4):
            first, second = pair >> 1, pair & 1
            one = sums[first, cross] * (1 - error) + sums[1 - first, cross] * error
            two = sums[second, 3 - cross] * (1 - error) + sums[1 - second, 3 - cross] * error
            weights[pair] += float(one) * float(two) * float(likelihood[pair])
    if haploid:
        for first in range(2):
            weights[2 * first] += weights[2 * first + 1]
            weights[2 * first + 1] = 0.0
    weights /= weights.sum()
    chances[0], chances[1], chances[2] = weights[2], weights[1], weights[3]
    if (likelihood == likelihood[0]).all():
        calls[:] = -1
        return
    chosen = int(np.argmax(weights))
    threshold = float(draw)
    for pair in range(4):
        threshold -= weights[pair]
        if threshold < 0:
            chosen = pair
            break
    calls[0], calls[1] = chosen >> 1, -1 if haploid else chosen & 1
