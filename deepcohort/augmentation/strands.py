"""One round of phasing strand by strand: each haplotype of a person is a mosaic of others' haplotypes.

The states are composite reference haplotypes, each of which is one haplotype after the other along the region
(Browning, Zhou and Browning 2018, Am J Hum Genet 103:338): those that are like the person's two strands
where they stand. So states are many and stretches long. A pass along the region decides at each heterozygous
site, given everything else, which strand has the ALT and which of the two tails goes on with which strand.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.nearest import Around
from deepcohort.augmentation.pairs import draw
from deepcohort.augmentation.people import Float32, Int8, Int64
from deepcohort.genome.compiled import compiled

Int32 = NDArray[np.int32]

STEP = 50
"""Sites from one choice of like haplotypes to the next."""

FLANK = 16
"""Steps on each side over which haplotypes are compared."""

ALIKE = 10
"""Like haplotypes that each strand names at a step."""

STATES = 100

SWITCH = 0.002
"""Chance that a mosaic goes on to another state between two sites."""

ERROR = 0.002
"""Chance that an allele is not that of the haplotype which is copied."""


def sample_strands(
    copies: Int8, haplotypes: Int8, blocks: list[Int64], rng: np.random.Generator, pool: ThreadPoolExecutor
) -> None:
    """Draw ``haplotypes`` int8[2n, S] of people with ``copies`` int8[n, S] anew, in place; each block of
    people from what those before it have become.
    """
    for block in blocks:
        _sample_block(copies, haplotypes, block, rng, pool)


def _sample_block(
    copies: Int8, haplotypes: Int8, block: Int64, rng: np.random.Generator, pool: ThreadPoolExecutor
) -> None:
    """Sample some people from everybody's haplotypes as they are."""
    before = haplotypes.copy()
    first, alike = _alike(before, block, rng)
    drawn = rng.random((len(block), copies.shape[1]))

    def sample(number: int) -> None:
        person = block[number]
        alleles = _alleles(before, composites(first[number], alike[number], STATES))
        strands = haplotypes[2 * person : 2 * person + 2]
        _sample(copies[person], alleles, _tails(strands, alleles), drawn[number], strands)

    list(pool.map(sample, range(len(block))))


def _alike(haplotypes: Int8, block: Int64, rng: np.random.Generator) -> tuple[Int32, Int32]:
    """Haplotypes of others that are most like a person's strands: around the first step as many as there are
    states, int32[people, 2 N], and around each step int32[people, steps, 2 ALIKE]; of equally like ones, some
    by chance.
    """
    rows = (2 * block[:, None] + np.arange(2)).ravel()
    sites, others = haplotypes.shape[1], len(haplotypes) - 2
    middles = range(STEP // 2, max(sites, STEP // 2 + 1), STEP)
    around = Around(
        haplotypes[rows], haplotypes, [0, *middles, sites], np.arange(len(middles) + 1) == 0, FLANK
    )
    found = []
    for step in range(len(middles)):
        far = around.at(step + 1) + np.float32(0.9) * rng.random(len(haplotypes), np.float32)
        for own in (rows, rows ^ 1):
            far[np.arange(len(rows)), own] = np.inf
        if not step:
            first = _nearest(far, min(STATES // 2, others)).reshape(len(block), -1)
        found.append(_nearest(far, min(ALIKE, others)))
    by_step = np.stack(found).reshape(len(middles), len(block), -1)
    return first, np.ascontiguousarray(by_step.swapaxes(0, 1))


def _nearest(far: Float32, number: int) -> Int32:
    """Columns of the smallest of each row, int32[rows, number]."""
    return np.argpartition(far, number - 1, axis=1)[:, :number].astype(np.int32)


@compiled
def composites(first: Int32, alike: Int32, number: int) -> Int32:
    """Whom each of ``number`` states copies at each step, int32[number, steps]: those of ``first`` to begin
    with, then those ``alike`` int32[steps, A] at the steps.

    Who is named keeps his state, or takes that whose haplotype was named longest ago, from halfway on.
    """
    steps = len(alike)
    found = np.zeros((number, steps), np.int32)
    holder, named = np.full(number, -1, np.int32), np.full(number, -2, np.int64)
    for step in range(-1, steps):
        for haplotype in first if step < 0 else alike[step]:
            held = np.flatnonzero(holder == haplotype)
            state = held[0] if len(held) else named.argmin()
            if not len(held):
                found[state, max(0, (named[state] + step + 1) // 2) :] = haplotype
                holder[state] = haplotype
            named[state] = step
    return found[holder >= 0]


@compiled
def _alleles(haplotypes: Int8, states: Int32) -> Int8:
    """Alleles of the states, int8[S, states]."""
    sites = haplotypes.shape[1]
    last = states.shape[1] - 1
    alleles = np.empty((sites, len(states)), np.int8)
    for state in range(len(states)):
        for site in range(sites):
            alleles[site, state] = haplotypes[states[state, min(site // STEP, last)], site]
    return alleles


@compiled
def _tails(strands: Int8, alleles: Int8) -> Float32:
    """Chance of each strand as it is beyond a site, given the state there, float32[2, S, states]; the mean
    over states is 1.
    """
    sites, number = alleles.shape
    tails = np.ones((2, sites, number), np.float32)
    like, unlike = np.float32(1 - ERROR), np.float32(ERROR)
    for strand in range(2):
        for site in range(sites - 1, 0, -1):
            behind, here = tails[strand, site], tails[strand, site - 1]
            total = np.float32(0)
            for state in range(number):
                here[state] = behind[state] * (
                    like if alleles[site, state] == strands[strand, site] else unlike
                )
                total += here[state]
            scale = np.float32((1 - SWITCH) * number) / total
            for state in range(number):
                here[state] = here[state] * scale + np.float32(SWITCH)
    return tails


@compiled
def _sample(copies: Int8, alleles: Int8, tails: Float32, drawn: NDArray[np.float64], strands: Int8) -> None:
    """Decide the heterozygous sites of ``strands`` int8[2, S] one after the other, each given the rest.

    Where tails cross, what follows of the strands crosses too.
    """
    sites, number = alleles.shape
    heads = np.full((2, number), np.float32(1 / number), np.float32)
    like, unlike = np.float32(1 - ERROR), np.float32(ERROR)
    crossed = 0
    for site in range(sites):
        ours = strands[:, site].copy()
        if copies[site] == 1:
            first = tails[crossed, site]
            second = tails[1 - crossed, site]
            turned, alt = _decision(heads, first, second, alleles[site], drawn[site])
            crossed ^= turned
            ours[alt], ours[1 - alt] = 1, 0
        for strand in range(2):
            head, total = heads[strand], np.float32(0)
            for state in range(number):
                head[state] *= like if alleles[site, state] == ours[strand] else unlike
                total += head[state]
            scale, jump = np.float32(1 - SWITCH) / total, np.float32(SWITCH / number)
            for state in range(number):
                head[state] = head[state] * scale + jump
        strands[:, site] = ours


@compiled
def _decision(
    heads: Float32, first: Float32, second: Float32, alleles: Int8, drawn: float
) -> tuple[int, int]:
    """Draw, by their chances, whether the tails cross (1) and which strand has the ALT.

    heads: float32[2, states] of the strands before the site; first, second: float32[states], the tails.
    """
    met = np.zeros((2, 2, 2), np.float32)
    for strand in range(2):
        head = heads[strand]
        for state in range(len(alleles)):
            met[strand, 0, alleles[state]] += head[state] * first[state]
            met[strand, 1, alleles[state]] += head[state] * second[state]
    chance = np.empty(4)
    for choice in range(4):
        cross, alt = choice // 2, choice % 2
        chance[choice] = 1.0
        for strand in range(2):
            of_tail = met[strand, (strand + cross) % 2]
            allele = 1 if strand == alt else 0
            chance[choice] *= of_tail[allele] * (1 - ERROR) + of_tail[1 - allele] * ERROR
    choice = draw(chance, drawn)
    return choice // 2, choice % 2
