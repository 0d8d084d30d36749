"""What is known of a candidate in a few numbers, beside its pileup; trees learn from them, networks too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.candidates import Candidates
from deepcohort.variants.genotypes import LEAST_LOG, Diplotypes, copies_of
from deepcohort.variants.reads import CLIP, INSERTION, MATCH, NO_BASE, Reads
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import Window

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

NAMES = (
    "log_chance_0", "log_chance_1", "log_chance_2", "log_likelihood_1", "log_likelihood_2", "prior",
    "reads_ref", "reads_this", "reads_other", "reads_unclear", "share_this", "share_other",
    "this_strand_skew", "ref_strand_skew", "this_mapq", "ref_mapq", "this_quality", "this_position",
    "this_differences", "ref_differences", "this_clipped", "snp", "insertion", "deletion", "length",
    "repeat", "repeat_unit", "gc", "candidates_near", "nearest_candidate", "copies",
)  # fmt: skip
"""Names of the features, in their order."""

REF, THIS, OTHER, UNCLEAR = 0, 1, 2, 3
"""Which allele of a site a read is of."""

CLEARLY = np.log(2.0)
"""A read is of the allele that is so many times (log) as likely as the next."""

AROUND_GC, FURTHEST = 50, 100


class ReadFacts(NamedTuple):
    """Of each read of a window: differences from the reference by its CIGAR, and clipped bases, int64[R]."""

    differences: Int64
    clipped: Int64


def sides_of(window: Window, reads: Reads, candidates: Candidates, candidate: int) -> Int64:
    """Which allele each of a window's reads is of: ``REF``, ``THIS``, ``OTHER`` or ``UNCLEAR``, int64[R].

    Reads that do not cover the site are -1. Other alleles are those that exclude this one.
    """
    column = candidate - window.span.first
    others = np.flatnonzero(window.excluded[column]).tolist()
    logs = window.by_allele([column, *others])
    both = np.stack([logs[:, 0], logs[:, 1], logs[:, 2:].max(axis=1, initial=-np.inf)], axis=1)
    order = np.sort(both, axis=1)
    said = np.where(order[:, -1] - order[:, -2] > CLEARLY, both.argmax(axis=1), UNCLEAR)
    pos = candidates.pos[candidate]
    covers = (reads.start[window.picked] <= pos) & (reads.end[window.picked] > pos)
    return np.where(covers | ((said == THIS) & (order[:, -1] < 0)), said, -1).astype(np.int64)


def features_of(
    window: Window,
    reads: Reads,
    candidates: Candidates,
    reference: Reference,
    weighed: Diplotypes,
    chances: Float64,
    sides: Int64,
) -> Float32:
    """Features of a window's candidates, float32[A, len(NAMES)].

    chances: float64[A], before any read is seen. sides: int64[A, R], as by ``sides_of``.
    """
    posterior, likelihood = copies_of(weighed, window)
    facts = ReadFacts(*_facts(reads, reference.codes, reference.start, window.picked))
    found = [
        _row(window, reads, candidates, reference, window.span.first + a, sides[a], facts)
        for a in range(posterior.shape[0])
    ]
    ploidy = np.full((len(found), 1), weighed.members.shape[1])
    logs = [np.maximum(posterior, LEAST_LOG), np.clip(likelihood[:, 1:], LEAST_LOG, -LEAST_LOG)]
    before = np.log(chances)[:, None]
    table = np.concatenate([*logs, before, np.array(found, np.float64).reshape(len(found), -1), ploidy], 1)
    return table.astype(np.float32)


def _row(
    window: Window,
    reads: Reads,
    candidates: Candidates,
    reference: Reference,
    candidate: int,
    sides: Int64,
    facts: ReadFacts,
) -> list[float]:
    picked = window.picked
    ref, this = sides == REF, sides == THIS
    counts = [int((sides == side).sum()) for side in (REF, THIS, OTHER, UNCLEAR)]
    clear = max(1, sum(counts[:3]))
    pos, one, alt = int(candidates.pos[candidate]), candidates.ref[candidate], candidates.alt[candidate]
    lengths = (reads.end - reads.start)[picked]
    place = np.minimum(pos - reads.start[picked], reads.end[picked] - pos) / np.maximum(1, lengths)
    seen = candidates.forward[candidate] + candidates.reverse[candidate]
    repeat, unit = _repeat(reference, pos, one, alt)
    around = reference.text[max(0, pos - AROUND_GC - reference.start) : pos + AROUND_GC - reference.start]
    apart = np.abs(np.delete(candidates.pos, candidate) - pos)
    return [
        *(float(np.log1p(count)) for count in counts),
        counts[1] / clear,
        counts[2] / clear,
        _skew(reads.reverse[picked][this]),
        _skew(reads.reverse[picked][ref]),
        _mean(reads.mapq[picked][this]),
        _mean(reads.mapq[picked][ref]),
        float(candidates.quality[candidate] / max(1, seen)),
        _mean(place[this]),
        _mean(facts.differences[this]),
        _mean(facts.differences[ref]),
        _mean(facts.clipped[this] > 0),
        float(len(one) == len(alt)),
        float(len(alt) > len(one)),
        float(len(one) > len(alt)),
        float(np.log1p(abs(len(one) - len(alt)))),
        float(np.log1p(repeat)),
        float(unit),
        (around.count(b"G") + around.count(b"C")) / max(1, len(around)),
        float(np.log1p((apart <= FURTHEST).sum())),
        float(np.log1p(min(FURTHEST, apart.min(initial=FURTHEST)))),
    ]


def _repeat(reference: Reference, pos: int, ref: str, alt: str) -> tuple[int, int]:
    """Bases of the repeat after the site, and of its unit: an indel's own, or a homopolymer."""
    after = pos + 1 - reference.start
    if len(ref) == len(alt):
        return reference.repeated(
            after, chr(reference.text[after]) if after < len(reference.text) else "N"
        ), 1
    bases = (ref if len(ref) > len(alt) else alt)[1:]
    return reference.repeated(after, bases), len(bases)


def _skew(reverse: Bool) -> float:
    """Share of the reverse strand, drawn to the middle where there are few reads."""
    return float((reverse.sum() + 1) / (len(reverse) + 2))


def _mean(values: NDArray[np.generic]) -> float:
    return float(values.mean()) if len(values) else 0.0


@compiled
def _facts(reads: Reads, codes: NDArray[np.uint8], start: int, picked: Int64) -> tuple[Int64, Int64]:
    differences, clipped = np.zeros(len(picked), np.int64), np.zeros(len(picked), np.int64)
    for row in range(len(picked)):
        read = picked[row]
        here, at = reads.start[read], reads.base_start[read]
        for c in range(reads.op_start[read], reads.op_start[read + 1]):
            op, length = reads.ops[c], reads.lengths[c]
            if op == MATCH:
                for i in range(length):
                    place = here + i - start
                    if 0 <= place < len(codes):
                        base = reads.bases[at + i]
                        if base != codes[place] and base != NO_BASE and codes[place] != NO_BASE:
                            differences[row] += 1
                here += length
                at += length
            elif op == CLIP:
                clipped[row] += length
                at += length
            elif op == INSERTION:
                differences[row] += 1
                at += length
            else:
                differences[row] += 1
                here += length
    return differences, clipped
