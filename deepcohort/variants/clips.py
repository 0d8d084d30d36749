"""Insertions and deletions that the aligner clipped away, proposed from what the clipped ends agree on.

Ends that are clipped at one place are laid over each other. What they spell comes back to the reference (a
deletion, a duplication, or an insertion shorter than the clip), or meets what ends clipped from the other
side spell (a longer insertion).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.normalise import normalised
from deepcohort.variants.reads import CLIP, NO_BASE, Reads
from deepcohort.variants.reference import Reference

Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

SHORTEST_CLIP = 8
LONGEST_CLIP = 100

LEAST_QUALITY = 10
"""Of a clipped base that counts."""

AGREEMENT = 0.8
"""Share of the reads that must have the same base."""

ANCHOR = 10
"""Bases by which what is clipped must come back to the reference, or meet the other side."""

CHANGED = 0.1
"""Share of the bases that may differ from the reference where it comes back: other variants are near."""

LARGEST = 50
"""Of the insertions and deletions proposed."""

APART = 60
"""Bases between the two places of a tandem duplication, at most."""

AROUND = 500
"""Bases of the reference around a place that an indel may be moved over."""


class Clipped(NamedTuple):
    """Ends clipped at one place: ``place`` is the first base of the reference that they leave or come back
    to.

    bases: what they agree on, in the order of the reference; it begins at ``place`` where they end reads, and
    ends there where they begin reads. readers: the reads.
    """

    place: int
    bases: str
    readers: Int64


class Proposal(NamedTuple):
    """An allele that clipped ends spell, normalised; pos from 1."""

    pos: int
    ref: str
    alt: str
    readers: Int64


def proposals(reads: Reads, reference: Reference) -> list[Proposal]:
    """Alleles that at least two fragments' clipped ends propose, sorted, each once."""
    ending, starting = _clipped(reads, False), _clipped(reads, True)
    found: dict[tuple[int, str, str], Int64] = {}
    for here in ending:
        changes = [
            _joined(reference, here.place, here.place + to, new) for to, new in _after(here, reference)
        ]
        for other in starting:
            if abs(other.place - here.place) <= APART:
                changes += _meeting(here, other, reference)
        _add(found, changes, here.readers, reference)
    for here in starting:
        changes = [
            _joined(reference, here.place - to, here.place, new) for to, new in _before(here, reference)
        ]
        _add(found, changes, here.readers, reference)
    return [Proposal(*allele, readers) for allele, readers in sorted(found.items(), key=lambda item: item[0])]


class Change(NamedTuple):
    """Bases from ``first`` to ``end`` (0-based, half open) become ``new``."""

    first: int
    end: int
    new: str


def _joined(reference: Reference, left: int, right: int, new: str) -> Change:
    """The change that goes on with ``new`` at ``left`` and then with the reference from ``right`` on."""
    if right >= left:
        return Change(left, right, new)
    return Change(left, left, new + _bases(reference, right, left))


def _bases(reference: Reference, first: int, end: int) -> str:
    return reference.text[max(0, first - reference.start) : max(0, end - reference.start)].decode()


def _add(
    found: dict[tuple[int, str, str], Int64], changes: list[Change], readers: Int64, reference: Reference
) -> None:
    for first, end, new in changes:
        start = max(reference.start, first - AROUND)
        ref = _bases(reference, first - 1, end)
        if first <= start or end > reference.end or "N" in ref:
            continue
        text = _bases(reference, start, end + AROUND).encode()
        pos, ref, alt = normalised(text, start, first, ref, ref[0] + new)
        if min(len(ref), len(alt)) == 1 < max(len(ref), len(alt)) <= LARGEST + 1 and ref[0] == alt[0]:
            known = found.get((pos, ref, alt), readers[:0])
            found[pos, ref, alt] = np.union1d(known, readers)


def _clipped(reads: Reads, starting: bool) -> list[Clipped]:
    """Places where ends of two fragments or more are clipped and agree on enough bases."""
    ops = reads.op_start[:-1] if starting else reads.op_start[1:] - 1
    size = np.where(reads.ops[ops] == CLIP, reads.lengths[ops], 0)
    long = np.flatnonzero(size >= SHORTEST_CLIP)
    places = (reads.start if starting else reads.end)[long]
    order = long[np.argsort(places, kind="stable")]
    places = np.sort(places, kind="stable")
    found = []
    for group in np.split(order, np.flatnonzero(np.diff(places)) + 1) if len(order) else []:
        if len(np.unique(reads.fragment[group])) > 1:
            bases = _agreed(reads, group, size[group], starting)
            if len(bases) >= ANCHOR:
                place = int((reads.start if starting else reads.end)[group[0]])
                found.append(Clipped(place, bases, group))
    return found


def _agreed(reads: Reads, group: Int64, size: Int64, starting: bool) -> str:
    """Bases that the clipped ends agree on, outwards from where they are clipped."""
    counts = np.zeros((LONGEST_CLIP, NO_BASE + 1), np.int64)
    for read, length in zip(group.tolist(), np.minimum(size, LONGEST_CLIP).tolist(), strict=True):
        if starting:
            at = reads.base_start[read] + int(size[group == read][0])
            rows = np.arange(at - 1, at - 1 - length, -1)
        else:
            at = reads.base_start[read + 1] - int(size[group == read][0])
            rows = np.arange(at, at + length)
        good = np.flatnonzero(reads.quality[rows] >= LEAST_QUALITY)
        np.add.at(counts, (good, reads.bases[rows[good]]), 1)
    total, best = counts.sum(axis=1), counts[:, :NO_BASE].max(axis=1)
    fine = (total > 1) & (best >= AGREEMENT * total)
    end = int(np.flatnonzero(~fine)[0]) if not fine.all() else LONGEST_CLIP
    text = "".join("ACGT"[code] for code in counts[:end, :NO_BASE].argmax(axis=1))
    return text[::-1] if starting else text


def _after(here: Clipped, reference: Reference) -> list[tuple[int, str]]:
    """How reads that end clipped may go on: how far on in the reference, after which bases."""
    around = LARGEST + LONGEST_CLIP
    after = _bases(reference, here.place, here.place + around)
    return _continued(here.bases, _bases(reference, here.place - LARGEST, here.place), after)


def _before(here: Clipped, reference: Reference) -> list[tuple[int, str]]:
    """The same of reads that begin clipped, from right to left."""
    before = _bases(reference, here.place - LARGEST - LONGEST_CLIP, here.place)
    after = _bases(reference, here.place, here.place + LARGEST)
    return [(to, new[::-1]) for to, new in _continued(here.bases[::-1], after[::-1], before[::-1])]


def _continued(bases: str, behind: str, ahead: str) -> list[tuple[int, str]]:
    """The least deletion, insertion, or else duplication with which ``bases`` are the reference's."""
    for changed in (0.0, CHANGED):
        if _starts(ahead, bases, changed):
            return []
        for gone in range(1, LARGEST + 1):
            if _starts(ahead[gone:], bases, changed):
                return [(gone, "")]
        for new in range(1, min(LARGEST, len(bases) - ANCHOR) + 1):
            if _starts(ahead, bases[new:], changed):
                return [(0, bases[:new])]
        for back in range(1, len(behind) + 1):
            if _starts(behind[-back:] + ahead, bases, changed):
                return [(-back, "")]
    return []


def _starts(reference: str, bases: str, changed: float) -> bool:
    """Whether the reference starts with some bases, but for a share of them."""
    if not changed:
        return reference.startswith(bases)
    pairs = zip(reference[: len(bases)], bases, strict=False)
    return len(reference) >= len(bases) and sum(a != b for a, b in pairs) <= changed * len(bases)


def _meeting(here: Clipped, other: Clipped, reference: Reference) -> list[Change]:
    """The change, with the fewest new bases, that is spelt from both sides."""
    right, left = here.bases, other.bases
    ahead = _bases(reference, other.place, other.place + LONGEST_CLIP)
    behind = _bases(reference, here.place - LONGEST_CLIP, here.place)
    for changed in (0.0, CHANGED):
        for size in range(len(right) + len(left) - ANCHOR + 1):
            middle = right[:size] if size <= len(right) else right + left[len(left) + len(right) - size :]
            from_right = _starts((behind + middle)[::-1], left[::-1], changed)
            if from_right and _starts(middle + ahead, right, changed):
                return [_joined(reference, here.place, other.place, middle)]
    return []
