"""Reads laid out on the reference as they were aligned anew: what a window's pileup shows.

Each read takes the likeliest single alignment (Viterbi) to the haplotype that it is most likely from, by the
model of ``realign``. Outside the window's stretch it stays as the aligner put it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.gaps import gap_chances
from deepcohort.variants.haplotypes import Haplotypes
from deepcohort.variants.reads import CLIP, DELETION, INSERTION, MATCH, NO_BASE, SKIP, Reads
from deepcohort.variants.realign import ERRORS, EXTEND, MARGIN, pieces
from deepcohort.variants.windows import Window

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

GAP, OUTSIDE = -1, -2
"""In ``Layout.base``: the read has no base there, the read does not reach there."""


class Layout(NamedTuple):
    """R reads over C bases of the reference from ``start`` (0-based) on.

    base: int64[R, C], index in ``Reads.bases``, or ``GAP`` or ``OUTSIDE``. inserted: int64[R, C], how many
    bases the read has between this base and the next; inserted_from: int64[R, C], index of the first of
    them, -1 for none.
    """

    start: int
    base: Int64
    inserted: Int64
    inserted_from: Int64


def laid_out(reads: Reads, window: Window, start: int, end: int) -> Layout:
    """Lay a window's reads out on the reference from ``start`` to ``end`` (0-based, half open)."""
    shape = (len(window.picked), end - start)
    layout = Layout(start, np.full(shape, OUTSIDE), np.zeros(shape, np.int64), np.full(shape, -1, np.int64))
    haplotypes = window.haplotypes
    parts = pieces(reads, window.picked, haplotypes.start, haplotypes.end)
    best = window.by_haplotype.argmax(axis=1)
    for h in np.unique(best).tolist():
        rows = np.flatnonzero(best == h)
        own = slice(haplotypes.where[h], haplotypes.where[h + 1])
        _lay(
            reads,
            window.picked,
            rows,
            parts,
            haplotypes.bases[own],
            haplotypes.places[own],
            gap_chances(haplotypes.bases[own], reads.gaps),
            _reach(haplotypes, h),
            ERRORS,
            layout,
        )
    return layout


def _reach(haplotypes: Haplotypes, h: int) -> Int64:
    return np.array([haplotypes.fewer[h] - MARGIN, haplotypes.more[h] + MARGIN], np.int64)


@compiled
def _lay(
    reads: Reads,
    picked: Int64,
    rows: Int64,
    parts: Int64,
    haplotype: UInt8,
    places: Int64,
    gaps: Float64,
    reach: Int64,
    errors: Float64,
    layout: Layout,
) -> None:
    for row in rows:
        read, first, last = picked[row], parts[row, 0], parts[row, 1]
        placed = np.full(reads.base_start[read + 1] - reads.base_start[read], -1, np.int64)
        _by_cigar(reads, read, placed)
        offset = reads.base_start[read]
        # Matches alone are the likeliest alignment to a haplotype without indels.
        settled = reach[1] - reach[0] == 2 * MARGIN and parts[row, 2] == parts[row, 3]
        for i in range(first - offset, last - offset):
            settled = settled and placed[i] >= 0
        if last > first and not settled:
            low, high = parts[row, 2] + reach[0], parts[row, 3] + reach[1]
            bases, quality = reads.bases[first:last], reads.quality[first:last]
            at = _viterbi(bases, quality, haplotype, gaps, low, high, errors)
            for i in range(last - first):
                placed[first - offset + i] = places[at[i]] if at[i] >= 0 else -1
        _write(offset, placed, row, layout)


@compiled
def _by_cigar(reads: Reads, read: int, placed: Int64) -> None:
    """Where the aligner put each base of a read; -1 for inserted and clipped ones."""
    here, at = reads.start[read], 0
    for c in range(reads.op_start[read], reads.op_start[read + 1]):
        op, length = reads.ops[c], reads.lengths[c]
        if op == MATCH:
            for i in range(length):
                placed[at + i] = here + i
        here += length if op in (MATCH, DELETION, SKIP) else 0
        at += length if op in (MATCH, INSERTION, CLIP) else 0


@compiled
def _write(offset: int, placed: Int64, row: int, layout: Layout) -> None:
    """Write where a read's bases are; unplaced ones inside are inserted after the base before them."""
    columns = layout.base.shape[1]
    before, filled = -1, -1
    last = len(placed)
    while last > 0 and placed[last - 1] < 0:
        last -= 1
    for i in range(last):
        if placed[i] >= 0:
            column = placed[i] - layout.start
            if before >= 0:
                for gap in range(max(0, filled + 1), min(column, columns)):
                    layout.base[row, gap] = GAP
            if 0 <= column < columns:
                layout.base[row, column] = offset + i
            before, filled = i, column
        elif before >= 0 and 0 <= filled < columns:
            if layout.inserted[row, filled] == 0:
                layout.inserted_from[row, filled] = offset + i
            layout.inserted[row, filled] += 1


@compiled
def _viterbi(
    bases: UInt8, quality: UInt8, haplotype: UInt8, gaps: Float64, low: int, high: int, errors: Float64
) -> Int64:
    """Base of the haplotype that each base of a read is aligned to, -1 for inserted ones.

    low, high: as in ``realign``: base i of the read is at i + low to i + high.
    """
    n, length = len(haplotype), len(bases)
    score = np.full((3, length + 1, n + 1), -np.inf)
    came = np.zeros((3, length + 1, n + 1), np.uint8)
    score[0, 0, max(0, low) : min(n, high) + 1] = 0.0
    on, out, random = np.log(EXTEND), np.log(1 - EXTEND), np.log(0.25)
    opens, stays = np.log(gaps), np.log(1 - gaps[0] - gaps[1])
    for i in range(1, length + 1):
        base, error = bases[i - 1], errors[quality[i - 1]]
        same = np.log(1 - error) if base != NO_BASE else random
        other = np.log(error / 3) if base != NO_BASE else random
        for j in range(max(0, i + low), min(n, i + high) + 1):
            alike = j > 0 and haplotype[j - 1] == base
            if j > 0:
                best, before = score[0, i - 1, j - 1] + stays[j - 1], 0
                for state in (1, 2):
                    entered = score[state, i - 1, j - 1] + out
                    if entered > best:
                        best, before = entered, state
                came[0, i, j] = before
                score[0, i, j] = best + (same if alike else other)
                opened, longer = score[0, i, j - 1] + opens[1, j - 1], score[2, i, j - 1] + on
                came[2, i, j] = 2 if longer > opened else 0
                score[2, i, j] = max(opened, longer)
            opened, longer = score[0, i - 1, j] + opens[0, min(j, n - 1)], score[1, i - 1, j] + on
            came[1, i, j] = 1 if longer > opened else 0
            score[1, i, j] = max(opened, longer) + (0.0 if alike else random)
    return _traced(score, came, length)


@compiled
def _traced(score: Float64, came: UInt8, length: int) -> Int64:
    at = np.full(length, -1, np.int64)
    j = int(np.maximum(score[0, length], score[1, length]).argmax())
    state = 0 if score[0, length, j] >= score[1, length, j] else 1
    i = length
    while i > 0:
        before = came[state, i, j]
        if state == 0:
            at[i - 1] = j - 1
        i -= 1 if state != 2 else 0
        j -= 1 if state != 1 else 0
        state = before
    return at
