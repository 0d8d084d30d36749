"""One round of phasing by pairs: everybody's two haplotypes drawn together from a copying model.

Each person's genotypes are taken as two mosaics of other people's haplotypes (Li and Stephens 2003), sampled
anew in turn for everybody (as MaCH does, Li et al. 2010). A state is a pair of the haplotypes that fit the
person's homozygous sites best, so it needs no phase to begin with; the price is that states are few.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Float32, Int8, Int64
from deepcohort.genome.compiled import compiled

WINDOW = 400
"""Sites of a window; within it a person has the same states."""

OVERLAP = 100
"""Sites that a window shares with the one before, by which it is turned to fit."""

STATES = 40

SWITCH = 0.002
"""Chance that a mosaic goes on to another haplotype between two sites."""

ERROR = 0.005
"""Chance that an allele is not that of the haplotype which is copied."""


def sample_pairs(
    copies: Int8, haplotypes: Int8, blocks: list[Int64], rng: np.random.Generator, pool: ThreadPoolExecutor
) -> None:
    """Draw ``haplotypes`` int8[2n, S] of people with ``copies`` int8[n, S] anew, in place; each block of
    people from what those before it have become.
    """
    sites = copies.shape[1]
    shift = int(rng.integers(0, WINDOW))
    for start in range(-shift, sites, WINDOW - OVERLAP):
        window = slice(max(0, start), min(sites, start + WINDOW))
        for block in blocks:
            _sample_block(copies, haplotypes, window, block, rng, pool)


def _sample_block(
    copies: Int8,
    haplotypes: Int8,
    window: slice,
    block: Int64,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
) -> None:
    """Sample some people in a window from everybody's haplotypes as they are, and fit it to the
    window before.
    """
    ours, before = copies[block, window], haplotypes[:, window].copy()
    states = _states(ours, before, block, rng)
    drawn = rng.random((*ours.shape, 4))
    found = np.empty((len(block), 2, ours.shape[1]), np.int8)
    list(
        pool.map(
            lambda row: _sample(ours[row], before, states[row], drawn[row], found[row]), range(len(block))
        )
    )
    overlap = min(OVERLAP, ours.shape[1]) if window.start else 0
    unlike = (ours == 1) & (found[:, 0] != before[2 * block])
    turned = 2 * unlike[:, :overlap].sum(axis=1) > (ours[:, :overlap] == 1).sum(axis=1)
    found[turned] = found[turned][:, ::-1]
    # The first half of the overlap stays as the window before has it.
    first = overlap // 2
    for strand in range(2):
        haplotypes[2 * block + strand, window.start + first : window.stop] = found[:, strand, first:]


def _states(copies: Int8, haplotypes: Int8, some: Int64, rng: np.random.Generator) -> Int64:
    """Haplotypes of others for each person, int64[people, STATES]: those that fit best, ties by chance."""
    misfit = _misfit(copies, haplotypes)
    misfit += rng.random(misfit.shape, np.float32) * np.float32(0.9)
    for strand in range(2):
        misfit[np.arange(len(some)), 2 * some + strand] = np.inf
    number = min(STATES, len(haplotypes) - 2)
    best: Int64 = np.argpartition(misfit, number - 1, axis=1)[:, :number]
    return best


def _misfit(copies: Int8, haplotypes: Int8) -> Float32:
    """Homozygous sites of each person at which a haplotype has the other allele, float32[people,
    haplotypes].
    """
    alt = haplotypes.astype(np.float32)
    reference, alternative = (copies == 0).astype(np.float32), (copies == 2).astype(np.float32)
    found: Float32 = reference @ alt.T + alternative @ (1 - alt).T
    return found


@compiled
def _sample(copies: Int8, haplotypes: Int8, states: Int64, drawn: NDArray[np.float64], out: Int8) -> None:
    """Draw the pair of haplotypes of one person; forward chances of all pairs, then one path back.

    Chances are the same for a pair in either order, so sums over rows are sums over columns.
    """
    sites, number = len(copies), len(states)
    forward, columns = np.empty((sites, number, number), np.float32), np.zeros((sites, number), np.float32)
    chance = np.array([(1 - ERROR) ** 2, 2 * ERROR, ERROR**2], np.float32)
    stay, move = np.float32(1 - SWITCH), np.float32(SWITCH / number)
    fits, both = np.empty((2, number), np.float32), np.float32(move * move)
    total = np.float32(1)
    for site in range(sites):
        for b in range(number):
            for allele in range(2):
                fits[allele, b] = chance[abs(allele + haplotypes[states[b], site] - copies[site])]
        before, summed = forward[site - 1], columns[site - 1]
        # What is before is scaled to sum to 1 on the way.
        on, over = stay * stay / total, stay * move / total
        for a in range(number):
            fit, here = fits[haplotypes[states[a], site]], forward[site, a]
            if site:
                other = over * summed[a] + both
                for b in range(number):
                    here[b] = (on * before[a, b] + over * summed[b] + other) * fit[b]
            else:
                for b in range(number):
                    here[b] = fit[b]
            for b in range(number):
                columns[site, b] += here[b]
        total = columns[site].sum()
    first, second = -1, -1
    for site in range(sites - 1, -1, -1):
        first, second = _step(forward[site], columns[site], first, second, drawn[site], stay, move)
        if copies[site] != 1:
            out[0, site] = copies[site] >> 1
            out[1, site] = copies[site] >> 1
        else:
            one, other_one = haplotypes[states[first], site], haplotypes[states[second], site]
            if one == other_one:
                one = 1 if drawn[site, 3] < 0.5 else 0
            out[0, site], out[1, site] = one, 1 - one


@compiled
def _step(
    forward: Float32,
    columns: Float32,
    first: int,
    second: int,
    drawn: NDArray[np.float64],
    stay: np.float32,
    move: np.float32,
) -> tuple[int, int]:
    """Draw a pair, given that of the next site (-1: none): which of the two mosaics went on, then
    from whom.
    """
    if first < 0:
        return _draw_pair(forward, columns, drawn[0], drawn[1])
    both = stay * stay * forward[first, second]
    one = stay * move * columns[first]
    other = stay * move * columns[second]
    pick = drawn[2] * (both + one + other + move * move * columns.sum())
    if pick < both:
        return first, second
    if pick < both + one:
        return first, draw(forward[first], drawn[0])
    if pick < both + one + other:
        return draw(forward[second], drawn[0]), second
    return _draw_pair(forward, columns, drawn[0], drawn[1])


@compiled
def draw(weights: NDArray[np.floating], drawn: float) -> int:
    """Number of a weight, as likely as it is large; drawn: in [0, 1)."""
    total = 0.0
    for weight in weights:
        total += weight
    left = drawn * total
    for number in range(len(weights)):
        left -= weights[number]
        if left <= 0:
            return number
    return len(weights) - 1


@compiled
def _draw_pair(forward: Float32, columns: Float32, drawn: float, other: float) -> tuple[int, int]:
    first = draw(columns, drawn)
    return first, draw(forward[first], other)
