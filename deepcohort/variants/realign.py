"""Likelihoods of reads given haplotypes by a pair hidden Markov model (Durbin et al. 1998, chapter 4).

A read is read from one end to the other off some stretch of the haplotype. Bases differ with the chance that
their quality gives; gaps open with a chance that grows with the repeat in which they lie (after Albers et al.
2011, Genome Res 21:961, but of short reads steeper, as in libraries made with PCR). Only alignments near the
one that the aligner found are summed over: within ``MARGIN`` bases, and what the haplotype's indels shift.
"""

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.gaps import gap_chances
from deepcohort.variants.haplotypes import Haplotypes
from deepcohort.variants.reads import CLIP, DELETION, INSERTION, MATCH, NO_BASE, SKIP, Reads

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

MARGIN = 8

LONGEST_CLIP = 100
"""Clipped bases at an end of a read that are looked at, at most."""

EXTEND = 0.2
"""Chance that a gap goes on."""

WORST = 0.75
"""Chance that a base without quality is wrong."""

LARGE = 1e250
"""Where the sums start, so that the least likely reads do not vanish."""

ERRORS = np.minimum(10.0 ** (-np.arange(256) / 10), WORST)


@compiled
def reads_in(reads: Reads, start: int, end: int) -> Int64:
    """Numbers of the reads that overlap a stretch of the reference, with the clipped ends they may have."""
    found = []
    for read in range(len(reads.start)):
        if reads.start[read] >= end + LONGEST_CLIP:
            break
        first, last = reads.op_start[read], reads.op_start[read + 1] - 1
        if reads.end[read] + LONGEST_CLIP > start:
            before = min(reads.lengths[first], LONGEST_CLIP) if reads.ops[first] == CLIP else 0
            after = min(reads.lengths[last], LONGEST_CLIP) if reads.ops[last] == CLIP else 0
            if reads.start[read] - before < end and reads.end[read] + after > start:
                found.append(read)
    return np.array(found, np.int64)


def likelihoods(reads: Reads, picked: Int64, haplotypes: Haplotypes) -> tuple[Float64, Int64]:
    """Natural logs of the likelihood of each read's part in the haplotypes' stretch, float64[R, H].

    Also which part that is: int64[R, 2], first base and end in ``Reads.bases``. A read without a base there
    has 0 everywhere.
    """
    parts = pieces(reads, picked, haplotypes.start, haplotypes.end)
    gaps = [
        gap_chances(haplotypes.bases[first:last], reads.gaps)
        for first, last in zip(haplotypes.where[:-1], haplotypes.where[1:], strict=True)
    ]
    found = _likelihoods(
        reads.bases,
        reads.quality,
        parts,
        haplotypes.bases,
        np.concatenate(gaps, axis=1),
        haplotypes.where,
        haplotypes.fewer,
        haplotypes.more,
        ERRORS,
    )
    return found, parts[:, :2]


@compiled
def pieces(reads: Reads, picked: Int64, start: int, end: int) -> Int64:
    """The part of each read that lies between ``start`` and ``end`` (0-based) on the reference, int64[R, 4].

    First base and end in ``Reads.bases``; then the least and the largest place on the reference, counted from
    ``start``, at which the part would begin by its matches.
    """
    parts = np.zeros((len(picked), 4), np.int64)
    for row in range(len(picked)):
        read = picked[row]
        here, at = reads.start[read], reads.base_start[read]
        first, last, least, most = -1, -1, 2**40, -(2**40)
        opening, closing = reads.op_start[read], reads.op_start[read + 1] - 1
        for c in range(opening, closing + 1):
            op, length = reads.ops[c], np.int64(reads.lengths[c])
            if op == MATCH:
                low, high = max(0, start - here), min(length, end - here)
                if low < high:
                    if first < 0:
                        first = at + low
                    last = at + high
                    least, most = min(least, here - at), max(most, here - at)
                here += length
                at += length
            elif op in (DELETION, SKIP):
                here += length
            else:
                if op == CLIP and c == opening and here > start:
                    size = min(length, LONGEST_CLIP, here - start)
                    if here - size < end:
                        first, last = at + length - size, at + length
                        least = most = here - at - length
                elif op == CLIP and c == closing and here < end:
                    size = min(length, LONGEST_CLIP, end - here)
                    if here + size > start:
                        skipped = max(0, start - here) if first < 0 else 0
                        if first < 0:
                            first = at + skipped
                        last = at + size
                        least, most = min(least, here - at), max(most, here - at)
                elif op == INSERTION and first >= 0 and start < here < end:
                    last = at + length
                at += length
        if first >= 0:
            parts[row, 0], parts[row, 1] = first, last
            parts[row, 2], parts[row, 3] = least + first - start, most + first - start
    return parts


@compiled
def _likelihoods(
    bases: UInt8,
    quality: UInt8,
    parts: Int64,
    haplotypes: UInt8,
    gaps: Float64,
    where: Int64,
    fewer: Int64,
    more: Int64,
    errors: Float64,
) -> Float64:
    found = np.zeros((len(parts), len(where) - 1))
    longest = np.max(where[1:] - where[:-1]) + 1
    rows = np.zeros((6, longest))
    for h in range(len(where) - 1):
        own, gap = haplotypes[where[h] : where[h + 1]], gaps[:, where[h] : where[h + 1]]
        for r in range(len(parts)):
            first, last = parts[r, 0], parts[r, 1]
            if last > first:
                low = parts[r, 2] + fewer[h] - MARGIN
                high = parts[r, 3] + more[h] + MARGIN
                chance = _forward(bases[first:last], quality[first:last], own, gap, low, high, errors, rows)
                found[r, h] = np.log(max(chance, 1e-300)) - np.log(LARGE)
    return found


@compiled
def _forward(
    bases: UInt8,
    quality: UInt8,
    haplotype: UInt8,
    gaps: Float64,
    low: int,
    high: int,
    errors: Float64,
    rows: Float64,
) -> float:
    """Sum over alignments in which base i of the read is at i + low to i + high of the haplotype.

    rows: room for match, insertion and deletion, of two bases each.
    """
    n = len(haplotype)
    rows[:] = 0.0
    first, last = max(0, low), min(n, high)
    match, insertion, deletion = rows[0], rows[1], rows[2]
    new_match, new_insertion, new_deletion = rows[3], rows[4], rows[5]
    for j in range(first, last + 1):
        match[j] = LARGE
    for i in range(len(bases)):
        base, error = bases[i], errors[quality[i]]
        same, other = (1 - error, error / 3) if base != NO_BASE else (0.25, 0.25)
        first, last = max(0, i + 1 + low), min(n, i + 1 + high)
        for j in range(max(0, first - 1), min(n, last + 1) + 1):
            new_match[j] = new_insertion[j] = new_deletion[j] = 0.0
        for j in range(first, last + 1):
            if j > 0:
                chance = same if haplotype[j - 1] == base else other
                stay = 1 - gaps[0, j - 1] - gaps[1, j - 1]
                new_match[j] = chance * (
                    match[j - 1] * stay + (insertion[j - 1] + deletion[j - 1]) * (1 - EXTEND)
                )
                new_deletion[j] = new_match[j - 1] * gaps[1, j - 1] + new_deletion[j - 1] * EXTEND
                slipped = 1.0 if haplotype[j - 1] == base else 0.25
            else:
                slipped = 0.25
            opened = gaps[0, min(j, n - 1)]
            new_insertion[j] = slipped * (match[j] * opened + insertion[j] * EXTEND)
        match, new_match = new_match, match
        insertion, new_insertion = new_insertion, insertion
        deletion, new_deletion = new_deletion, deletion
    total = 0.0
    first, last = max(0, len(bases) + low), min(n, len(bases) + high)
    for j in range(first, last + 1):
        total += match[j] + insertion[j]
    return total
