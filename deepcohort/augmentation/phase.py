"""Haplotypes of unphased people, sampled from copying models.

Haplotypes are what is inherited, so they are learnt even where the panel has none. A few rounds draw both
haplotypes of a person together, which works from nothing; the rounds that follow draw them strand by strand
over the whole region, of many more haplotypes of others, which needs a phase that is nearly right.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from deepcohort.augmentation.pairs import sample_pairs
from deepcohort.augmentation.people import Int8
from deepcohort.augmentation.strands import sample_strands
from deepcohort.genome.progress import progress

PAIR_ROUNDS, STRAND_ROUNDS = 12, 20

LAST_PAIRS, LAST_STRANDS = 6, 12
"""Rounds at the end of each kind of which, site by site, the phase that most have is taken."""

BLOCKS = 4
"""Parts of the people; each is sampled from what the parts before it have become."""


def phased(copies: Int8, seed: int, *, threads: int = 1) -> Int8:
    """Haplotypes int8[2n, S] of people with ``copies`` int8[n, S]; rows 2i and 2i + 1 sum to person i's."""
    rng = np.random.default_rng(seed)
    people = len(copies)
    haplotypes = np.repeat(copies >> 1, 2, axis=0)
    person, site = np.nonzero(copies == 1)
    haplotypes[2 * person + rng.integers(0, 2, len(person)), site] = 1
    if people < 2:
        return haplotypes
    blocks = np.array_split(np.arange(people), min(BLOCKS, people))
    kinds = (sample_pairs, PAIR_ROUNDS, LAST_PAIRS), (sample_strands, STRAND_ROUNDS, LAST_STRANDS)
    with progress("Phasing", PAIR_ROUNDS + STRAND_ROUNDS) as bar, ThreadPoolExecutor(threads) as pool:
        for sample, rounds, last in kinds:
            consensus = Consensus(copies)
            for number in range(rounds):
                sample(copies, haplotypes, blocks, rng, pool)
                if number >= rounds - last:
                    consensus.add(haplotypes)
                bar.update()
            haplotypes = consensus.applied(haplotypes)
    return haplotypes


class Consensus:
    """Of several samples of everybody's haplotypes, for each heterozygous site and the one before it on which
    strand most have the ALT: the same, or the other.
    """

    def __init__(self, copies: Int8) -> None:
        self.person, self.site = np.nonzero(copies == 1)
        self.first = np.diff(self.person, prepend=-1) > 0
        self.turns = np.zeros(len(self.person), np.int64)
        self.samples = 0

    def add(self, haplotypes: Int8) -> None:
        """Count another sample, int8[2n, S]."""
        alt = haplotypes[2 * self.person, self.site]
        self.turns += np.diff(alt, prepend=0) != 0
        self.samples += 1

    def applied(self, haplotypes: Int8) -> Int8:
        """Haplotypes with each person's sites in the phase of most samples, int8[2n, S]."""
        turned = np.cumsum((2 * self.turns > self.samples) & ~self.first)
        strand = (turned - np.maximum.accumulate(np.where(self.first, turned, 0))) % 2
        applied = haplotypes.copy()
        for number in range(2):
            applied[2 * self.person + number, self.site] = strand == number
        return applied
