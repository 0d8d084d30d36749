"""Phase people against the panel: Gibbs sampling of the two-haplotype copying model, whole panel, exact.

A person's two haplotypes are two independent mosaics of panel haplotypes that add up to the genotypes. A
sweep goes along the chunk and decides at each heterozygous site, given everything else, which haplotype
carries which allele and which of the two tails each haplotype goes on with. The first sweep knows
nothing of the phase ahead and takes heterozygous sites there as missing. Several samples of the chain are
returned, so that what follows can be averaged over what is not known of the phase.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.copying import Float32, Rates, lanes_at_once
from deepcohort.imputation.hmm import move_back, phase_step

BURN_IN, SAMPLES = 3, 12
"""Sweeps before the first sample, and the number of samples, one from each sweep after that."""

LANES = 64
"""People that go through the recursions together at most."""


def sample_phases(
    typed: NDArray[np.uint8],
    cm: NDArray[np.float64],
    rates: Rates,
    genotypes: NDArray[np.int8],
    seed: int,
    threads: int,
) -> NDArray[np.int8]:
    """Return samples of the genotypes with each person's alleles in phase, int8[SAMPLES, M, n, 2].

    typed: the panel's alleles, uint8[M, K]. cm: float64[M]. genotypes: int8[M, n, 2]. Missing alleles
    (-1) stay missing; a genotype with one missing allele is taken as missing.
    """
    switches = rates.switches(cm, typed.shape[1])
    n_typed, n_panel = typed.shape
    lanes = min(LANES, lanes_at_once((n_typed, 2 * n_panel), genotypes.shape[1], threads))
    phases = np.empty((SAMPLES, *genotypes.shape), np.int8)
    with ThreadPoolExecutor(threads) as pool, progress("people phased", genotypes.shape[1]) as bar:

        def run(first: int) -> None:
            people = slice(first, first + lanes)
            calls = genotypes[:, people].transpose(0, 2, 1).copy()
            calls[np.repeat((calls < 0).any(axis=1, keepdims=True), 2, axis=1)] = -1
            rngs = [np.random.default_rng((seed, first + lane)) for lane in range(calls.shape[2])]
            for sample, found in enumerate(_samples(typed, switches, rates.error, calls, rngs)):
                phases[sample, :, people] = found.transpose(0, 2, 1)
            bar.update(calls.shape[2])

        list(pool.map(run, range(0, genotypes.shape[1], lanes)))
    return phases


def _samples(
    typed: NDArray[np.uint8],
    switches: Float32,
    error: float,
    calls: NDArray[np.int8],
    rngs: Sequence[np.random.Generator],
) -> Iterator[NDArray[np.int8]]:
    """Phase ``calls``, int8[M, 2, L], in place, and yield it at each sample."""
    ahead = calls.copy()
    ahead[np.repeat(ahead[:, :1] != ahead[:, 1:], 2, axis=1)] = -1
    for sweep in range(BURN_IN + SAMPLES):
        _sweep(typed, switches, error, ahead, calls, rngs)
        ahead = calls.copy()
        if sweep >= BURN_IN:
            yield calls


def _sweep(
    typed: NDArray[np.uint8],
    switches: Float32,
    error: float,
    ahead: NDArray[np.int8],
    calls: NDArray[np.int8],
    rngs: Sequence[np.random.Generator],
) -> None:
    """Decide all phases anew in ``calls``, given the phase ``ahead`` of the site at hand."""
    n_typed, _, n_lanes = calls.shape
    # Each person's own draws: the phases do not hang on who else is imputed at the same time.
    draws = np.stack([rng.random(n_typed, np.float32) for rng in rngs], axis=1)
    alphas = np.full((2, typed.shape[1], n_lanes), 1 / typed.shape[1], np.float32)
    totals = np.ones((2, n_lanes), np.float32)
    for m, betas in _backward(typed, switches, error, ahead):
        phase_step(alphas, betas, typed[m], switches[m], error, calls[m], draws[m], totals)


def _backward(
    typed: NDArray[np.uint8], switches: Float32, error: float, calls: NDArray[np.int8]
) -> Iterator[tuple[int, Float32]]:
    """Yield (site, backward variables [2, K, L] there), from the first site to the last.

    Kept at every ``sqrt(M)``-th site, and computed again block by block.
    """
    n_typed, n_panel = typed.shape
    block = max(1, ceil(sqrt(n_typed)))
    begins = list(range(0, n_typed, block))
    checkpoints: list[Float32] = []
    betas = np.ones((2, n_panel, calls.shape[2]), np.float32)
    for begin in reversed(begins):
        checkpoints.append(betas.copy())
        if begin:
            for m in range(min(begin + block, n_typed) - 1, begin - 1, -1):
                _step_back(betas, typed[m], switches[m], error, calls[m])
    stored = np.empty((block, *betas.shape), np.float32)
    for begin in begins:
        end = min(begin + block, n_typed)
        stored[end - 1 - begin] = checkpoints.pop()
        for m in range(end - 1, begin, -1):
            stored[m - 1 - begin] = stored[m - begin]
            _step_back(stored[m - 1 - begin], typed[m], switches[m], error, calls[m])
        for m in range(begin, end):
            yield m, stored[m - begin]


def _step_back(
    betas: Float32, alleles: NDArray[np.uint8], switch: float, error: float, calls: NDArray[np.int8]
) -> None:
    emission = Rates(1.0, error).emission(calls)
    for haplotype in range(2):
        lanes = np.ascontiguousarray(emission[haplotype])
        move_back(betas[haplotype], alleles, switch, lanes)
