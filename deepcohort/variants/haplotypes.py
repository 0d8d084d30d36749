"""Haplotypes of a window: the reference with the combinations of candidates that reads show together."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.active import FLANK, Span
from deepcohort.variants.candidates import LEAST_QUALITY, Candidates
from deepcohort.variants.reads import CODES, DELETION, MATCH, SKIP, Reads
from deepcohort.variants.reference import Reference

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

MOST_HAPLOTYPES = 16

NOT_SEEN, OTHER, SHOWN = -1, 0, 1
"""What a read says of a candidate by its CIGAR: does not cover it, has something else there, shows it."""


class Edit(NamedTuple):
    """What a candidate does to the reference: ``gone`` bases from ``at`` (0-based) become ``new`` (codes)."""

    at: int
    gone: int
    new: UInt8


@dataclass(frozen=True)
class Haplotypes:
    """H different haplotypes of a stretch of the reference; the first is the reference itself.

    start, end: the stretch, 0-based and half open. bases: uint8, codes, one haplotype after another; places:
    int64, where each base is on the reference, -1 for inserted ones; where: int64[H + 1], where each
    haplotype is in these. carries: bool[H, A], which candidates it has. fewer, more: int64[H], how many
    bases it is at most behind or ahead of the reference somewhere (0 or less, 0 or more).
    """

    start: int
    end: int
    bases: UInt8
    places: Int64
    where: Int64
    carries: Bool
    fewer: Int64
    more: Int64


def edit_of(candidates: Candidates, i: int) -> Edit:
    """The edit of candidate ``i``, without the base before an indel."""
    pos, ref, alt = int(candidates.pos[i]), candidates.ref[i], candidates.alt[i]
    shared = 1 if len(ref) != len(alt) else 0
    new = CODES[np.frombuffer(alt[shared:].encode(), np.uint8)]
    return Edit(pos + shared, len(ref) - shared, new)


def in_conflict(one: Edit, other: Edit) -> bool:
    """Whether two edits cannot be on one haplotype: both change a base, or insert or delete at one place."""
    if one.at == other.at and (len(one.new) != one.gone or len(other.new) != other.gone):
        # A single base may change right after an insertion.
        return not (
            (one.gone == 0 and len(other.new) == other.gone) or (other.gone == 0 and len(one.new) == one.gone)
        )
    return one.at < other.at + other.gone and other.at < one.at + one.gone


def conflicts(candidates: Candidates, span: Span) -> Bool:
    """Which candidates of a window cannot be on one haplotype, bool[A, A]."""
    edits = [edit_of(candidates, i) for i in range(span.first, span.last)]
    found = np.array([[in_conflict(one, other) for other in edits] for one in edits], bool)
    return found & ~np.eye(len(edits), dtype=bool)


def haplotypes_of(
    candidates: Candidates, span: Span, reference: Reference, shown: Int8, excluded: Bool
) -> Haplotypes:
    """Haplotypes of a window, ``MOST_HAPLOTYPES`` at most.

    shown: int8[R, A], what reads say by their CIGAR; excluded: as by ``conflicts``. Candidates are taken
    from left to right; where there are too many combinations, those are kept that most reads agree with at
    all candidates so far.
    """
    carried = [(False,) * shown.shape[1]]
    for i in range(shown.shape[1]):
        more = [(*one[:i], True, *one[i + 1 :]) for one in carried if not (excluded[i] & np.array(one)).any()]
        carried += more
        if len(carried) > MOST_HAPLOTYPES:
            agree = _agreement(np.array(carried), shown[:, : i + 1])
            # The reference stays; of equals the one with fewer candidates, then the earlier.
            rank = sorted(range(len(carried)), key=lambda k: (k > 0, -agree[k], sum(carried[k]), k))
            carried = [carried[k] for k in sorted(rank[:MOST_HAPLOTYPES])]
    return _spelled(candidates, span, reference, carried)


def _agreement(carried: Bool, shown: Int8) -> Int64:
    """How many reads that cover some candidate differ from each haplotype at none, int64[H]."""
    covered = shown != NOT_SEEN
    first = carried[:, None, : shown.shape[1]] != (shown == SHOWN)[None]
    weight = covered.sum(axis=1)
    agree: Int64 = np.where((first & covered).any(axis=2), 0, weight).sum(axis=1)
    return agree


def _spelled(
    candidates: Candidates, span: Span, reference: Reference, carried: list[tuple[bool, ...]]
) -> Haplotypes:
    start = max(reference.start, span.start - FLANK)
    end = min(reference.end, span.end + FLANK)
    edits = [edit_of(candidates, i) for i in range(span.first, span.last)]
    unseen = candidates.unseen[span.first : span.last]
    found: dict[bytes, tuple[tuple[bool, ...], int, int, Int64]] = {}
    # What several combinations spell alike is told by the candidates that reads show.
    for one in sorted(carried, key=lambda one: int(unseen[list(one)].sum())):
        here, shift, low, high = start, 0, 0, 0
        parts: list[UInt8] = []
        places: list[Int64] = []
        chosen = [edit for edit, has in zip(edits, one, strict=True) if has]
        for edit in sorted(chosen, key=lambda edit: (edit.at, edit.gone)):
            parts += [reference.codes[here - reference.start : edit.at - reference.start], edit.new]
            changed = np.arange(edit.at, edit.at + len(edit.new))
            places += [np.arange(here, edit.at), np.where(changed < edit.at + edit.gone, changed, -1)]
            here = edit.at + edit.gone
            shift += len(edit.new) - edit.gone
            low, high = min(low, shift), max(high, shift)
        parts.append(reference.codes[here - reference.start : end - reference.start])
        places.append(np.arange(here, end))
        found.setdefault(np.concatenate(parts).tobytes(), (one, low, high, np.concatenate(places)))
    sizes = [0, *(len(text) for text in found)]
    kept = list(found.values())
    return Haplotypes(
        start,
        end,
        np.frombuffer(b"".join(found), np.uint8),
        np.concatenate([places for *_, places in kept]),
        np.cumsum(np.array(sizes, np.int64)),
        np.array([one for one, *_ in kept], bool),
        np.array([low for _, low, _, _ in kept], np.int64),
        np.array([high for _, _, high, _ in kept], np.int64),
    )


def shown_by_cigar(reads: Reads, picked: Int64, candidates: Candidates, span: Span) -> Int8:
    """What each picked read says of each candidate of a window as it was aligned, int8[R, A]."""
    shown = np.full((len(picked), span.last - span.first), NOT_SEEN, np.int8)
    for column, i in enumerate(range(span.first, span.last)):
        pos, ref, alt = int(candidates.pos[i]), candidates.ref[i], candidates.alt[i]
        if len(ref) == len(alt):
            shown[:, column] = _base_shown(reads, picked, pos, int(CODES[ord(alt)]))
        else:
            covers = (reads.start[picked] <= pos) & (reads.end[picked] > pos + len(ref))
            shown[covers, column] = OTHER
            shown[np.isin(picked, candidates.readers[i]), column] = SHOWN
    return shown


@compiled
def _base_shown(reads: Reads, picked: Int64, pos: int, code: int) -> Int8:
    found = np.full(len(picked), NOT_SEEN, np.int8)
    for row in range(len(picked)):
        read = picked[row]
        here, at = reads.start[read], reads.base_start[read]
        for c in range(reads.op_start[read], reads.op_start[read + 1]):
            op, length = reads.ops[c], reads.lengths[c]
            if op == MATCH:
                if here <= pos < here + length and reads.quality[at + pos - here] >= LEAST_QUALITY:
                    found[row] = SHOWN if reads.bases[at + pos - here] == code else OTHER
                here += length
                at += length
            elif op in (DELETION, SKIP):
                if here <= pos < here + length and op == DELETION:
                    found[row] = OTHER
                here += length
            else:
                at += length
    return found
