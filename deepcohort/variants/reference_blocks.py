"""What reads say for the reference where nothing is called, and its blocks of positions for a gVCF.

Of each position three genotypes are weighed: two copies of the reference's base, one, and none. A base speaks
by its quality, but none is surer than errors before sequencing and of mapping allow.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.candidates import indel_events
from deepcohort.variants.reads import DELETION, MATCH, NO_BASE, SKIP, Reads
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import MOST_MAPPING_QUALITY

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

LEAST_ERROR, MOST_ERROR = 0.001, 0.5
"""Chance that a base is wrong, whatever its quality."""

HALF = 10 * np.log10(2.0)
"""What it costs (phred) that a read is of one of two copies."""

MOST_GQ, BAND = 50, 5
"""Genotype qualities of blocks end here; those within a block are of one band of this width."""

LARGEST_PL = 999


class ReferenceEvidence(NamedTuple):
    """Of each position from ``start`` (0-based) on, n of them; mates count once.

    depth: int32[n], reads with a base. against: int32[n], reads that show neither the reference nor a called
    allele, by this base or an insertion or deletion after it. both, none: float64[n], phred, what reads cost
    if all copies are as the reference and if none is. All is 0 where the reference is N.
    """

    start: int
    depth: Int32
    against: Int32
    both: Float64
    none: Float64


class Block(NamedTuple):
    """Positions ``first`` to ``last`` (1-based) without a call, of one genotype and band of its quality.

    depth: the least of the positions. pl: of the genotypes of REF and any other allele in VCF's order, the
    least of the positions; all 0 without reads.
    """

    first: int
    last: int
    depth: int
    pl: tuple[int, ...]


class Named(Protocol):
    """A record: its position (1-based) and alleles, the first is REF."""

    @property
    def pos(self) -> int: ...  # noqa: D102
    @property
    def alleles(self) -> list[str]: ...  # noqa: D102


def weigh_reference(
    reads: Reads, reference: Reference, called: Sequence[Named], start: int, end: int
) -> ReferenceEvidence:
    """Weigh the reference against any other allele from ``start`` to ``end`` (0-based, half open).

    called: what is called there: reads that show it are no evidence here. reference: as ``find_candidates``
    needs it. A deletion that is not called counts at the base before it.
    """
    n = end - start
    first = start - reference.start
    found = ReferenceEvidence(start, np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n), np.zeros(n))
    known = np.zeros((n, 4), bool)
    indels: set[tuple[int, int]] = set()
    for site in called:
        ref, *alts = site.alleles
        for alt in alts:
            if len(alt) != len(ref):
                indels.add((site.pos - 1, len(alt) - len(ref)))
            elif start < site.pos <= end:
                known[site.pos - 1 - start, "ACGT".index(alt[0])] = True
    _weigh_bases(reads, reference.codes[first : first + n], end, known, COSTS, found)
    events = indel_events(reads, reference.codes, reference.start)
    seen: set[tuple[int, int]] = set()
    inside = np.flatnonzero((events.place >= start) & (events.place < end))
    for event in inside[np.argsort(events.read[inside], kind="stable")].tolist():
        place, read = int(events.place[event]), int(events.read[event])
        fragment = (int(reads.fragment[read]), place)
        if (place, int(events.size[event])) not in indels and fragment not in seen:
            seen.add(fragment)
            found.against[place - start] += 1
            found.both[place - start] += COSTS[-1, min(reads.mapq[read], MOST_MAPPING_QUALITY), 1]
    unknown = reference.codes[first : first + n] == NO_BASE
    for column in found[1:]:
        column[unknown] = 0
    return found


def _costs() -> Float64:
    """Phred of what a base costs by quality and mapping quality: where it is expected, and where not."""
    quality, mapping = np.arange(256)[:, None], np.arange(MOST_MAPPING_QUALITY + 1)
    base = np.maximum(10.0 ** (quality / -10), LEAST_ERROR)
    wrong = np.minimum(1 - (1 - base) * (1 - 10.0 ** (mapping / -10)), MOST_ERROR)
    return np.stack([-10 * np.log10(1 - wrong), -10 * np.log10(wrong)], axis=2)


COSTS = _costs()


@compiled
def _weigh_bases(
    reads: Reads, codes: UInt8, end: int, known: Bool, costs: Float64, found: ReferenceEvidence
) -> None:
    start = found.start
    for read in range(len(reads.start)):
        here, at = reads.start[read], reads.base_start[read]
        mapping = min(reads.mapq[read], costs.shape[1] - 1)
        for c in range(reads.op_start[read], reads.op_start[read + 1]):
            op, length = reads.ops[c], reads.lengths[c]
            if op == MATCH:
                for i in range(max(0, start - here), min(length, end - here)):
                    quality, base = reads.quality[at + i], reads.bases[at + i]
                    if quality == 0 or base == NO_BASE:
                        continue
                    p = here + i - start
                    found.depth[p] += 1
                    if base == codes[p]:
                        found.both[p] += costs[quality, mapping, 0]
                        found.none[p] += costs[quality, mapping, 1]
                    elif not known[p, base]:
                        found.against[p] += 1
                        found.both[p] += costs[quality, mapping, 1]
                        found.none[p] += costs[quality, mapping, 0]
            here += length if op in (MATCH, DELETION, SKIP) else 0
            at += length if op not in (DELETION, SKIP) else 0


def likelihoods(evidence: ReferenceEvidence, ploidy: int) -> Int64:
    """PL of REF and any other allele at each position, int64[n, G]; 0 without reads."""
    columns = [evidence.both, evidence.depth * HALF, evidence.none]
    if ploidy == 1:
        del columns[1]
    costs = np.stack(columns, axis=1)
    costs -= costs.min(axis=1, keepdims=True)
    costs[evidence.depth == 0] = 0
    pl: Int64 = np.minimum(np.rint(costs), LARGEST_PL).astype(np.int64)
    return pl


def reference_blocks(evidence: ReferenceEvidence, called: Sequence[Named], ploidy: int) -> Iterator[Block]:
    """Blocks of the positions at which no record begins, in order."""
    pl = likelihoods(evidence, ploidy)
    free = np.ones(len(pl), bool)
    free[[site.pos - 1 - evidence.start for site in called]] = False
    kinds = _kinds(evidence.depth, pl)
    places = np.flatnonzero(free)
    if not len(places):
        return
    new = (np.diff(places) > 1) | (np.diff(kinds[places]) != 0)
    first = np.concatenate([[0], np.flatnonzero(new) + 1])
    last = np.concatenate([first[1:], [len(places)]]) - 1
    depth = np.minimum.reduceat(evidence.depth[places], first)
    least = np.minimum.reduceat(pl[places], first, axis=0)
    begin = evidence.start + 1
    for row, (one, other) in enumerate(zip(places[first].tolist(), places[last].tolist(), strict=True)):
        yield Block(one + begin, other + begin, int(depth[row]), tuple(least[row].tolist()))


def _kinds(depth: Int32, pl: Int64) -> Int64:
    """What must be equal in a block: as ``kind_of``, of each position."""
    quality = np.minimum(pl[:, 1:].min(axis=1), MOST_GQ)
    kinds: Int64 = np.where(pl[:, 0] > 0, -1, np.where(quality == 0, -1, quality // BAND))
    kinds[depth == 0] = -2
    return kinds


def quality_of(pl: Sequence[int]) -> int:
    """Quality of the genotype without another allele; 0 where it is not the likeliest."""
    return 0 if pl[0] else min(MOST_GQ, *pl[1:])


def kind_of(block: Block) -> int:
    """The band of its quality; below 0 where nothing is known, or another genotype is likelier."""
    if block.depth == 0:
        return -2
    return quality_of(block.pl) // BAND if quality_of(block.pl) else -1


def merged(one: Block, other: Block) -> Block | None:
    """Two blocks as one, or None where they do not meet or are not alike."""
    if other.first != one.last + 1 or len(one.pl) != len(other.pl) or kind_of(one) != kind_of(other):
        return None
    least = tuple(map(min, one.pl, other.pl))
    return Block(one.first, other.last, min(one.depth, other.depth), least)
