"""Phase people against the panel: Gibbs sampling of the two-haplotype copying model.

A person's two haplotypes are two independent mosaics of panel haplotypes, and what is seen of the person
hangs on the sum of their alleles: a genotype, or the likelihoods of genotypes that reads give (as in
Rubinacci et al. 2021, Nat Genet 53:120, but for both haplotypes at a time). A sweep goes along the chunk and
decides at each site that leaves a choice, given everything else, which haplotype carries which allele and
which of the two tails each haplotype goes on with. Sweeps go forth and back in turn, so that what one has
computed on its way is what the next needs to know of the sites ahead; the first sweep knows of them only
what holds for either haplotype alone. Several samples of the chain are returned, so that what follows can
be averaged over what is not known.

All haplotypes of the panel are copied from, exactly; of a large panel those that match some people longest,
as first phased against a sample of it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.copying import Float32, Rates, lanes_at_once
from deepcohort.imputation.hmm import move_back, phase_step
from deepcohort.imputation.selection import Int32, Spans, most_alike, neighbours

BURN_IN, SAMPLES, PHASED_SAMPLES = 3, 12, 24
"""Sweeps before the first sample, and the number of samples, one from each sweep after that: to average
dosages over, and to choose a phase by."""

BURN_IN_OF_READS = 30
"""Sweeps before the first sample where reads leave the genotypes open too: the chain then moves slowly."""

LARGEST_ERROR = 1e-3
"""Error rates by which panels of few people impute best are higher, and make the phase waver."""

LANES = 64
"""People that go through the recursions together at most."""

LARGEST_WHOLE = 6_000
"""Haplotypes of a panel up to which people are phased against all of them."""

SAMPLE, ALIKE, COMPANY, CHOSEN = 2_000, 4_000, 8, 20
"""Of a larger panel: haplotypes that people are first phased against, those that they are phased against
then, how many people share these, and how many are chosen at a point for each of their haplotypes, of matches
on either side."""

CERTAIN = 255
"""What stands for a chance of one in ``PhaseSamples.order``."""

Emission = Callable[[int], Float32]
"""From a typed site to P(seen | copied allele), float32[2 haplotypes, 2 alleles, L]."""


@dataclass(frozen=True)
class PhaseSamples:
    """Samples of the two haplotypes of n people at M typed sites.

    alleles: int8[S, M, n, 2], -1 where nothing was seen (and in a haploid person's second column).
    order: uint8[S, M, n], the chance in 255ths that the first haplotype carries ALT if one of the two
    does, given the rest of the sample. chances: float32[M, n, 2], of one and of two ALT, or for a haploid
    person of ALT and nothing; averages over samples, each given the rest of its sample.
    """

    alleles: NDArray[np.int8]
    order: NDArray[np.uint8]
    chances: Float32


def phasing_rates(rates: Rates) -> Rates:
    """Rates to phase by where these are learnt to impute by."""
    return Rates(rates.effective_size, min(rates.error, LARGEST_ERROR))


def genotype_likelihoods(genotypes: NDArray[np.int8]) -> Float32:
    """P(seen | 0, 1, 2 copies of ALT), float32[M, n, 3], of genotypes int8[M, n, 2]; all 1 where missing."""
    copies = genotypes.sum(axis=2)
    likelihoods: Float32 = (copies[:, :, None] == np.arange(3)).astype(np.float32)
    likelihoods[(genotypes < 0).any(axis=2)] = 1
    return likelihoods


def sample_phases(
    typed: NDArray[np.uint8],
    cm: NDArray[np.float64],
    rates: Rates,
    likelihoods: Float32,
    haploid: NDArray[np.bool_],
    seed: int,
    threads: int,
    number: int = SAMPLES,
    burn_in: int = BURN_IN,
) -> PhaseSamples:
    """Draw ``number`` samples of people's haplotypes, after ``burn_in`` sweeps.

    typed: the panel's alleles, uint8[M, K]. cm: float64[M]. likelihoods: P(seen | 0, 1, 2 copies of ALT),
    float32[M, n, 3], of which a haploid person's first two count, as of 0 and 1 copies. Where all are the
    same nothing was seen, and the alleles stay open. haploid: bool[n].
    """
    (n_typed, n_panel), n_people = typed.shape, likelihoods.shape[1]
    alleles = np.empty((number, n_typed, n_people, 2), np.int8)
    order = np.empty((number, n_typed, n_people), np.uint8)
    chances = np.zeros((n_typed, n_people, 2), np.float32)
    switches, whole = rates.switches(cm, n_panel), n_panel <= LARGEST_WHOLE
    lanes = min(LANES, lanes_at_once((n_typed, 2 * n_panel), n_people, threads)) if whole else COMPANY
    alike = None if whole else _alike(typed, cm, rates, likelihoods, haploid, seed, threads)
    with ThreadPoolExecutor(threads) as pool, progress("people phased", n_people) as bar:

        def run(first: int) -> None:
            people = slice(first, min(first + lanes, n_people))
            rngs = [np.random.default_rng((seed, person)) for person in range(people.start, people.stop)]
            pairs = _pairs(likelihoods[:, people], haploid[people])
            panel = typed if alike is None else np.ascontiguousarray(typed[:, alike[first // lanes]])
            chain = _Chain(panel, switches, rates.error, pairs, haploid[people], rngs)
            for sample in range(-burn_in, number):
                chain.sweep(forth=sample % 2 == 0)
                if sample >= 0:
                    alleles[sample, :, people] = chain.calls.transpose(0, 2, 1)
                    order[sample, :, people] = chain.order()
                    chances[:, people] += chain.genotype_chances() / number
            bar.update(people.stop - people.start)

        list(pool.map(run, range(0, n_people, lanes)))
    return PhaseSamples(alleles, order, chances)


def _alike(
    typed: NDArray[np.uint8],
    cm: NDArray[np.float64],
    rates: Rates,
    likelihoods: Float32,
    haploid: NDArray[np.bool_],
    seed: int,
    threads: int,
) -> list[Int32]:
    """Panel haplotypes to phase against, of every ``COMPANY`` people; arguments as in ``sample_phases``."""
    some = np.sort(np.random.default_rng(seed).permutation(typed.shape[1])[:SAMPLE])
    sample, switches = np.ascontiguousarray(typed[:, some]), rates.switches(cm, len(some))

    def first_phase(first: int) -> NDArray[np.int8]:
        people = slice(first, min(first + COMPANY, len(haploid)))
        rngs = [np.random.default_rng((seed, person, 1)) for person in range(people.start, people.stop)]
        pairs = _pairs(likelihoods[:, people], haploid[people])
        chain = _Chain(sample, switches, rates.error, pairs, haploid[people], rngs)
        for sweep in range(BURN_IN):
            chain.sweep(forth=sweep % 2 == 0)
        return chain.calls.transpose(0, 2, 1).reshape(len(typed), -1)

    firsts = range(0, len(haploid), COMPANY)
    with ThreadPoolExecutor(threads) as pool:
        observed = np.concatenate(list(pool.map(first_phase, firsts)), axis=1)
    chosen = neighbours(typed, observed, Spans.along(cm), CHOSEN)
    return [most_alike(chosen, slice(2 * first, 2 * (first + COMPANY)), ALIKE) for first in firsts]


def _pairs(likelihoods: Float32, haploid: NDArray[np.bool_]) -> Float32:
    """P(seen | alleles) of the pairs 0|0, 0|1, 1|0, 1|1, float32[M, 4, L]."""
    copies = np.where(haploid[:, None], [0, 0, 1, 1], [0, 1, 1, 2])
    return np.stack([likelihoods[:, np.arange(len(haploid)), copies[:, pair]] for pair in range(4)], axis=1)


class _Chain:
    """The Gibbs chains of some people (lanes), one beside the other.

    calls: int8[M, 2, L], the haplotypes as last decided. chances: float32[M, 3, L] of 1|0, 0|1, 1|1 before
    each decision.
    """

    def __init__(
        self,
        typed: NDArray[np.uint8],
        switches: Float32,
        error: float,
        pairs: Float32,
        haploid: NDArray[np.bool_],
        rngs: Sequence[np.random.Generator],
    ) -> None:
        self.typed, self.switches, self.rates = typed, switches, Rates(1.0, error)
        self.pairs, self.haploid, self.rngs = pairs, haploid, rngs
        n_typed, n_lanes = len(typed), len(haploid)
        self.calls = np.full((n_typed, 2, n_lanes), -1, np.int8)
        self.chances = np.zeros((n_typed, 3, n_lanes), np.float32)
        block = max(1, ceil(sqrt(n_typed)))
        self.blocks = [range(first, min(first + block, n_typed)) for first in range(0, n_typed, block)]
        self.emission: Emission = self._either_alone
        # What follows each block's far end: states of a site before what is seen there is weighed in.
        self.behind = self._first_tails()

    def _first_tails(self) -> list[Float32]:
        behind = [np.ones((2, self.typed.shape[1], len(self.haploid)), np.float32)]
        for block in self.blocks[:0:-1]:
            tails = behind[-1].copy()
            for m in reversed(block):
                self._go_on(tails, m, self.switches[m])
            behind.append(tails)
        return behind[::-1]

    def _either_alone(self, m: int) -> Float32:
        """P(seen | copied allele) of either haplotype whatever the other has, by its frequency."""
        frequency = np.array([1 - self.typed[m].mean(), self.typed[m].mean()], np.float32)
        table = self.pairs[m].reshape(2, 2, -1)
        alone = np.stack([np.einsum("b,abl->al", frequency, table), np.einsum("a,abl->bl", frequency, table)])
        alone += np.float32(1e-6)
        alone /= alone.max(axis=1, keepdims=True)
        error = np.float32(self.rates.error)
        return np.asarray((1 - error) * alone + error * alone[:, ::-1], np.float32)

    def _as_called(self, m: int) -> Float32:
        return self.rates.emission(self.calls[m])

    def _go_on(self, states: Float32, m: int, switch: float) -> None:
        """Take states [2, K, L] past what is seen at site ``m`` and over a gap, in place."""
        emission = self.emission(m)
        for haplotype in range(2):
            move_back(states[haplotype], self.typed[m], switch, np.ascontiguousarray(emission[haplotype]))

    def sweep(self, *, forth: bool) -> None:
        """Decide everything anew in one pass over the sites."""
        (n_typed, n_panel), n_lanes = self.typed.shape, len(self.haploid)
        # Each person's own draws: the phases do not hang on who else is imputed at the same time.
        draws = np.stack([rng.random(n_typed, np.float32) for rng in self.rngs], axis=1)
        alphas, totals = (
            np.full((2, n_panel, n_lanes), 1 / n_panel, np.float32),
            np.ones((2, n_lanes), np.float32),
        )
        stored = np.empty((len(self.blocks[0]), *alphas.shape), np.float32)
        # The gap that leads to a site: the one before it on the way forth, the one behind it on the way back.
        gaps = self.switches if forth else np.append(self.switches[1:], np.float32(1))
        for number in range(len(self.blocks))[:: 1 if forth else -1]:
            sites = self.blocks[number][:: 1 if forth else -1]
            stored[len(sites) - 1] = self.behind[number]
            for place in range(len(sites) - 1, 0, -1):
                stored[place - 1] = stored[place]
                self._go_on(stored[place - 1], sites[place], gaps[sites[place]])
            start = gaps[sites[0]]
            self.behind[number] = (n_panel * (1 - start) / totals)[:, None] * alphas + start
            for place, m in enumerate(sites):
                phase_step(
                    alphas, stored[place], self.typed[m], gaps[m], self.rates.error,
                    self.pairs[m], self.haploid, self.calls[m], draws[m], totals, self.chances[m],
                )  # fmt: skip
        self.emission = self._as_called

    def order(self) -> NDArray[np.uint8]:
        """See ``PhaseSamples``, uint8[M, L]."""
        first, second, _ = self.chances.transpose(1, 0, 2)
        either = first + second
        share = np.divide(first, either, out=np.full_like(first, 0.5), where=either > 0)
        return np.asarray(np.rint(CERTAIN * share), np.uint8)

    def genotype_chances(self) -> Float32:
        """See ``PhaseSamples``, float32[M, L, 2]."""
        return np.stack([self.chances[:, 0] + self.chances[:, 1], self.chances[:, 2]], axis=2)
