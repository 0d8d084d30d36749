"""Alleles that enough reads show: single bases, insertions and deletions, left-aligned and counted.

The thresholds are those that DeepVariant's documentation gives for short reads.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.clips import proposals
from deepcohort.variants.normalise import steps_left
from deepcohort.variants.reads import DELETION, INSERTION, MATCH, NO_BASE, SKIP, Reads
from deepcohort.variants.reference import Reference

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

LEAST_QUALITY = 10
"""Of a base that counts."""

LONGEST_INDEL = 50

LONG_RUN = 10
"""Bases of a homopolymer in which one read's indel is rather an error."""

LONGEST_SHIFT = 500
"""Bases that an indel is moved to the left at most."""

Key = tuple[int, str, str]
"""An allele: its position (0-based), REF and ALT, normalised."""

NO_READS = np.zeros(0, np.int64)
HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Thresholds:
    """What makes an allele a candidate: reads (mates count as one), and their share of all there.

    One read is enough for an indel outside long homopolymers where few are: others that have it are often
    aligned without it.
    """

    reads: int = 2
    indel_reads: int = 1
    snp_share: float = 0.12
    indel_share: float = 0.06


class Counts(NamedTuple):
    """Of each position from ``start`` (0-based) to the end of the stretch, n of them; mates count once.

    bases: int32[n, 4, 2], by code and strand (reverse is 1), of quality ``LEAST_QUALITY`` at least. quality,
    mapping: float64[n, 4], sums over these. covered: int32[n], reads with any base here or a deletion.
    """

    start: int
    bases: Int32
    quality: Float64
    mapping: Float64
    covered: Int32


@dataclass(frozen=True)
class Candidates:
    """Alleles sorted by position, then REF, then ALT; one entry each.

    pos: int64[A], from 0, of the first base of REF; ref, alt: as in a VCF, normalised. forward, reverse:
    int64[A], reads of each strand that show it; depth: int64[A], reads that could. quality, mapping:
    float64[A], sums of base and mapping qualities over the reads that show it; the former is 0 for deletions
    and for what clipped ends propose.
    readers: which reads show it by their CIGAR, int64 of each insertion and deletion, none of a single base.
    """

    pos: Int64
    ref: list[str]
    alt: list[str]
    forward: Int64
    reverse: Int64
    depth: Int64
    quality: Float64
    mapping: Float64
    readers: list[Int64]

    def __len__(self) -> int:
        return len(self.pos)

    @property
    def unseen(self) -> Bool:
        """Which no read shows, bool[A]: others asked for them."""
        unseen: Bool = self.forward + self.reverse == 0
        return unseen

    def base_quality(self, i: int) -> float:
        """Mean quality of the bases that show candidate ``i``, a single base; 0 where none does."""
        return float(self.quality[i] / max(1, self.forward[i] + self.reverse[i]))


class Indels(NamedTuple):
    """Every insertion and deletion of every read, E of them.

    place: int64[E], the base before it (0-based) after left-aligning; size: int64[E], negative for
    deletions; hashed: uint64[E], of the bases inserted, as left-aligned; read: int64[E]; at: int64[E], where
    the inserted bases begin in ``Reads.bases``; steps: int64[E], how far left-aligning moved it.
    """

    place: Int64
    size: Int64
    hashed: NDArray[np.uint64]
    read: Int64
    at: Int64
    steps: Int64


def count_bases(reads: Reads, start: int, end: int) -> Counts:
    """Count the bases of all reads from ``start`` to ``end`` (0-based, half open)."""
    n = end - start
    counts = Counts(
        start,
        np.zeros((n, 4, 2), np.int32),
        np.zeros((n, 4)),
        np.zeros((n, 4)),
        np.zeros(n, np.int32),
    )
    _count(reads, end, counts)
    return counts


@compiled
def _count(reads: Reads, end: int, counts: Counts) -> None:
    start = counts.start
    for read in range(len(reads.start)):
        here, at = reads.start[read], reads.base_start[read]
        strand = 1 if reads.reverse[read] else 0
        for c in range(reads.op_start[read], reads.op_start[read + 1]):
            op, length = reads.ops[c], reads.lengths[c]
            if op == MATCH:
                for i in range(max(0, start - here), min(length, end - here)):
                    p, q = here + i - start, reads.quality[at + i]
                    base = reads.bases[at + i]
                    if q > 0:
                        counts.covered[p] += 1
                    if q >= LEAST_QUALITY and base != NO_BASE:
                        counts.bases[p, base, strand] += 1
                        counts.quality[p, base] += q
                        counts.mapping[p, base] += reads.mapq[read]
                here += length
                at += length
            elif op in (DELETION, SKIP):
                if op == DELETION:
                    for p in range(max(0, here - start), min(here + length, end) - start):
                        counts.covered[p] += 1
                here += length
            else:
                at += length


def find_candidates(
    reads: Reads,
    reference: Reference,
    counts: Counts,
    least: Thresholds,
    asked: Collection[Key] = frozenset(),
) -> Candidates:
    """Alleles above the thresholds in the stretch that was counted, and those ``asked`` for.

    reference: reaches to at least ``LONGEST_SHIFT`` and an indel's length before and after the stretch, or to
    the contig's ends. Where its base is not known (N) nothing is a candidate. asked: alleles that are
    candidates however few reads show them, if any read lies there and they are no longer than
    ``LONGEST_INDEL``.
    """
    wanted = _looked_for(asked, counts)
    rows = [
        *_single_bases(reference, counts, least, wanted),
        *_indels(reads, reference, counts, least, wanted),
    ]
    rows += _clipped(reads, reference, counts, least, wanted, {row[:3] for row in rows})
    rows += _unseen(counts, wanted - {row[:3] for row in rows})
    rows.sort(key=lambda row: row[:3])
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 9
    pos, forward, reverse, depth = (np.array(columns[i], np.int64) for i in (0, 3, 4, 5))
    quality, mapping = (np.array(columns[i], np.float64) for i in (6, 7))
    ref, alt, readers = (list(columns[i]) for i in (1, 2, 8))
    return Candidates(pos, ref, alt, forward, reverse, depth, quality, mapping, readers)


Row = tuple[int, str, str, int, int, int, float, float, Int64]


def _looked_for(asked: Collection[Key], counts: Counts) -> set[Key]:
    """Those of the alleles that are asked for that reads can tell of."""
    covered = counts.covered
    return {
        (pos, ref, alt)
        for pos, ref, alt in asked
        if counts.start <= pos < counts.start + len(covered)
        and covered[pos - counts.start]
        and abs(len(ref) - len(alt)) <= LONGEST_INDEL
    }


def _unseen(counts: Counts, alleles: Collection[Key]) -> list[Row]:
    """Rows of alleles that no read shows as it was aligned."""
    return [
        (pos, ref, alt, 0, 0, int(counts.covered[pos - counts.start]), 0.0, 0.0, NO_READS)
        for pos, ref, alt in alleles
    ]


def _single_bases(
    reference: Reference, counts: Counts, least: Thresholds, wanted: Collection[Key]
) -> list[Row]:
    first = counts.start - reference.start
    codes = reference.codes[first : first + len(counts.bases)]
    both = counts.bases.sum(axis=2)
    depth = both.sum(axis=1)
    enough = (both >= least.reads) & (both >= least.snp_share * depth[:, None])
    for pos, ref, alt in wanted:
        if len(ref) == len(alt):
            enough[pos - counts.start, "ACGT".index(alt)] = True
    enough[np.arange(len(codes)), np.minimum(codes, 3)] = False
    enough[codes == NO_BASE] = False
    return [
        (
            counts.start + int(p),
            "ACGT"[codes[p]],
            "ACGT"[b],
            int(counts.bases[p, b, 0]),
            int(counts.bases[p, b, 1]),
            int(depth[p]),
            float(counts.quality[p, b]),
            float(counts.mapping[p, b]),
            NO_READS,
        )
        for p, b in np.argwhere(enough)
    ]


def _indels(
    reads: Reads, reference: Reference, counts: Counts, least: Thresholds, wanted: Collection[Key]
) -> list[Row]:
    events = indel_events(reads, reference.codes, reference.start)
    inside = (events.place >= counts.start) & (events.place < counts.start + len(counts.covered))
    order = np.flatnonzero(inside)
    by = (events.read, reads.fragment[events.read], events.hashed, events.size, events.place)
    order = order[np.lexsort([column[order] for column in by])]
    key = np.stack([events.place[order], events.size[order], events.hashed[order].view(np.int64)])
    new = np.flatnonzero((key[:, 1:] != key[:, :-1]).any(axis=0)) + 1
    groups = np.split(order, new) if len(order) else []
    rows = (_indel(reads, reference, counts, least, events, group, wanted) for group in groups)
    return [row for row in rows if row is not None]


def _indel(
    reads: Reads,
    reference: Reference,
    counts: Counts,
    least: Thresholds,
    events: Indels,
    group: Int64,
    wanted: Collection[Key],
) -> Row | None:
    """The candidate that a group of like events makes, if it does."""
    fragments, once = np.unique(reads.fragment[events.read[group]], return_index=True)
    first, shown = group[0], group[once]
    place, size = int(events.place[first]), int(events.size[first])
    depth = max(int(counts.covered[place - counts.start]), len(fragments))
    least_reads = max(least.indel_reads, least.indel_share * depth)
    if len(fragments) < least_reads and not wanted:
        return None
    at = place - reference.start
    ref = alt = reference.text[at : at + 1].decode()
    quality = 0.0
    if size < 0:
        ref = reference.text[at : at + 1 - size].decode()
    else:
        where = events.at[first]
        unit = "".join("ACGTN"[code] for code in reads.bases[where : where + size])
        turn = -int(events.steps[first]) % size
        alt += unit[turn:] + unit[:turn]
        quality = float(sum(reads.quality[a : a + size].mean() for a in events.at[shown]))
    changed = (ref if size < 0 else alt)[1:]
    in_run = len(set(changed)) == 1 and reference.repeated(at + 1, changed) > LONG_RUN
    few = len(fragments) < (max(least.reads, least_reads) if in_run else least_reads)
    if "N" in ref + alt or (few and (place, ref, alt) not in wanted):
        return None
    readers = events.read[shown]
    reverse = int(reads.reverse[readers].sum())
    mapping = float(reads.mapq[readers].sum())
    every = np.unique(events.read[group])
    return place, ref, alt, len(shown) - reverse, reverse, depth, quality, mapping, every


def _clipped(
    reads: Reads,
    reference: Reference,
    counts: Counts,
    least: Thresholds,
    wanted: Collection[Key],
    known: Collection[Key],
) -> list[Row]:
    """Insertions and deletions that clipped ends propose and no alignment shows often enough."""
    rows: list[Row] = []
    for pos, ref, alt, readers in proposals(reads, reference):
        inside = counts.start <= pos - 1 < counts.start + len(counts.covered)
        if not inside or (pos - 1, ref, alt) in known:
            continue
        fragments, once = np.unique(reads.fragment[readers], return_index=True)
        depth = int(counts.covered[pos - 1 - counts.start]) + len(fragments)
        enough = len(fragments) >= max(least.reads, least.indel_share * depth)
        if enough or (pos - 1, ref, alt) in wanted:
            shown = readers[once]
            reverse = int(reads.reverse[shown].sum())
            mapping = float(reads.mapq[shown].sum())
            rows.append((pos - 1, ref, alt, len(shown) - reverse, reverse, depth, 0.0, mapping, readers))
    return rows


@compiled
def indel_events(reads: Reads, codes: UInt8, first: int) -> Indels:
    """Find insertions and deletions.

    codes: bases of the reference from ``first`` (0-based) on. Left out are those longer than
    ``LONGEST_INDEL``, at a read's very ends, or beyond these bases.
    """
    n = 0
    for c in range(len(reads.ops)):
        if reads.ops[c] == INSERTION or reads.ops[c] == DELETION:
            n += 1
    place, size, owner = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    hashed, where, moved = np.zeros(n, np.uint64), np.empty(n, np.int64), np.empty(n, np.int64)
    n = 0
    for read in range(len(reads.start)):
        here, at = reads.start[read] - first, reads.base_start[read]
        for c in range(reads.op_start[read], reads.op_start[read + 1]):
            op, length = reads.ops[c], np.int64(reads.lengths[c])
            inner = reads.op_start[read] < c < reads.op_start[read + 1] - 1 and length <= LONGEST_INDEL
            change = op in (INSERTION, DELETION)
            if change and inner and here > 0 and here + (length if op == DELETION else 0) <= len(codes):
                unit = reads.bases[at : at + length] if op == INSERTION else codes[here : here + length]
                low = max(0, here - LONGEST_SHIFT)
                steps = min(steps_left(codes[low:], here - low, unit), here - 1)
                if op == INSERTION:
                    for i in range(length):
                        hashed[n] = (hashed[n] + np.uint64(unit[(i - steps) % length] + 1)) * HASH
                place[n], size[n] = here - 1 - steps + first, length if op == INSERTION else -length
                owner[n], where[n], moved[n] = read, at, steps
                n += 1
            here += length if op in (MATCH, DELETION, SKIP) else 0
            at += length if op not in (DELETION, SKIP) else 0
    return Indels(place[:n], size[:n], hashed[:n], owner[:n], where[:n], moved[:n])
