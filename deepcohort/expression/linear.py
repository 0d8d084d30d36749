"""Predictions as sums of the effects of a haplotype's alleles, and how far these are from the model's own.

People are read twice, one variant at a time: memory holds a few numbers for each person, and never a table of
people by variants. Cost is that of the variants, whatever the number of people.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.edits import Edit
from deepcohort.expression.effects import Effects
from deepcohort.expression.people import Sequences, Stretch

Floats = NDArray[np.float64]
LEAST_R = 0.9
"""Least correlation with the model's own predictions for which a linear one is taken."""


@dataclass(frozen=True)
class Survey:
    """What a gene's window holds.

    edits: alleles but the reference that touch the window, in the file's order; copies: int64[edits],
    haplotypes that carry each. haplotypes: number of them that differ in these. sample: int64[n], haplotypes
    (2 x person, and 1 for the second) that all differ, chosen by chance. absent: bool[2 x people], those that
    are not there.
    """

    edits: list[Edit]
    copies: NDArray[np.int64]
    haplotypes: int
    sample: NDArray[np.int64]
    absent: NDArray[np.bool_]


class Fit(NamedTuple):
    """A linear prediction beside the model's own, over haplotypes that differ in their alleles.

    slope: of the model's own on the linear one. error: root of the mean square difference over the standard
    deviation of the model's own. NaN where a side is constant. ok: whether the linear one is to be taken.
    """

    sampled: int
    r: float
    slope: float
    error: float
    ok: bool


def survey(sequences: Sequences, stretch: Stretch, sample: int, seed: int) -> Survey:
    """Read a gene's variants, and count and choose haplotypes; what is met is counted here.

    Haplotypes are told apart by sums of 64 random bits for each allele, which collide once in 10^10 genes of
    10,000 people.
    """
    rng = np.random.default_rng([seed, stretch.gene.tss])
    people = 2 * len(sequences.people)
    marks, absent = np.zeros(people, np.uint64), np.zeros(people, bool)
    copies: Counter[Edit] = Counter()
    for edits, alleles in sequences.variants(stretch, sequences.counts):
        flat = alleles.ravel()
        absent |= flat == -2
        of = np.maximum(flat, 0)
        touch = np.array([edit is not None and stretch.touches(edit) for edit in edits])
        bits = np.where(touch, rng.integers(0, 2**64, len(edits), np.uint64), np.uint64(0))
        marks += bits[of]
        for edit, times in zip(edits, (np.bincount(of, minlength=len(edits)) * touch).tolist(), strict=True):
            if edit is not None and times:
                copies[edit] += times
    there = np.flatnonzero(~absent)
    _, first = np.unique(marks[there], return_index=True)
    first = there[np.sort(first)]
    chosen = rng.choice(first, min(sample, len(first)), replace=False)
    return Survey(
        list(copies), np.array(list(copies.values()), np.int64), len(first), np.sort(chosen), absent
    )


def sums(
    sequences: Sequences, stretch: Stretch, found: Survey, told: Effects
) -> tuple[Floats, NDArray[np.uint8]]:
    """Linear predictions float64[2 x people, tracks], NaN where absent; letters of sampled haplotypes."""
    index = {edit: n + 1 for n, edit in enumerate(found.edits)}
    table = np.concatenate([np.zeros((1, told.values.shape[1])), told.values])
    total = np.tile(told.reference, (len(found.absent), 1))
    chosen: list[list[Edit]] = [[] for _ in found.sample]
    for edits, alleles in sequences.variants(stretch, Counter()):
        numbers = np.array([0 if edit is None else index.get(edit, 0) for edit in edits])
        of = numbers[np.maximum(alleles.ravel(), 0)]
        (carriers,) = np.nonzero(of)
        total[carriers] += table[of[carriers]]
        # Beyond the window too: deletions may bring that into it.
        for row, allele in enumerate(alleles.ravel()[found.sample].tolist()):
            edit = edits[max(0, allele)]
            if edit is not None:
                chosen[row].append(edit)
    total[found.absent] = np.nan
    texts = b"".join(stretch.text(stretch.made(edits)) for edits in chosen)
    return total, np.frombuffer(texts, np.uint8).reshape(len(chosen), -1)


def fit(linear: Floats, exact: Floats) -> Fit:
    """Compare values float64[n] of the same haplotypes."""
    error = float(np.sqrt(np.mean((linear - exact) ** 2)))
    if np.ptp(exact) <= 1e-9 or np.ptp(linear) <= 1e-9:
        return Fit(len(exact), np.nan, np.nan, np.nan, error <= 1e-6)
    x, y = linear - linear.mean(), exact - exact.mean()
    r = float((x @ y) / np.sqrt((x @ x) * (y @ y)))
    return Fit(len(exact), r, float((x @ y) / (x @ x)), error / float(exact.std()), r >= LEAST_R)
