"""One haplotype's sequence: alleles put into the reference as ``bcftools consensus`` puts them."""

from collections.abc import Iterable
from typing import NamedTuple

COMPLEMENT = bytes.maketrans(b"ACGTMRWSYKN", b"TGCAKYWSRMN")
"""Letters of the other strand; letters for two bases (IUPAC) are known too."""


class Edit(NamedTuple):
    """Reference bases ``ref`` from ``start`` on (0-based) that are ``alt`` on this haplotype."""

    start: int
    ref: bytes
    alt: bytes


class Edited(NamedTuple):
    """A haplotype's bases; where the anchor came to lie; alleles left out because they overlap one before.

    disrupted: the anchor's own base is deleted, and the next base kept stands for it.
    """

    text: bytes
    anchor: int
    overlapping: int
    disrupted: bool


def edit(reference: bytes, start: int, edits: Iterable[Edit], anchor: int) -> Edited:
    """Put edits, sorted as in their file, into ``reference``, whose first base is at ``start`` (0-based).

    Of alleles that overlap the first is taken. An insertion or deletion may begin at the last base that the
    one before changed, unless that is an insertion: so does ``bcftools consensus`` (Danecek et al. 2021).
    What reaches beyond the reference is cut there. ``anchor`` is a position of the reference.
    """
    pieces: list[bytes] = []
    done, last, inserted = (
        start,
        -1,
        False,
    )  # the next base to copy; the last one changed; was it an insertion
    overlapping, shift, place, disrupted = 0, 0, None, False
    for one in edits:
        longer = len(one.alt) - len(one.ref)
        shared = longer != 0 and one.ref[:1] == one.alt[:1]
        if one.start < last or (one.start == last and (not shared or inserted)):
            overlapping += 1
            continue
        last, inserted = one.start + len(one.ref) - 1, longer > 0
        begin, ref, alt = _trimmed(one)
        if begin < start or begin + len(ref) > start + len(reference):
            continue
        if place is None and anchor < begin + len(ref):
            place, disrupted = _place(anchor, begin, ref, alt, shift)
        pieces += [reference[done - start : begin - start], alt]
        done = begin + len(ref)
        shift += len(alt) - len(ref)
    pieces.append(reference[done - start :])
    found = anchor + shift if place is None else place
    return Edited(b"".join(pieces), found - start, overlapping, disrupted)


def _trimmed(one: Edit) -> tuple[int, bytes, bytes]:
    """Start, bases before and bases after, without those that both share at the front."""
    front = 0
    while front < min(len(one.ref), len(one.alt)) and one.ref[front] == one.alt[front]:
        front += 1
    return one.start + front, one.ref[front:], one.alt[front:]


def _place(anchor: int, begin: int, ref: bytes, alt: bytes, shift: int) -> tuple[int, bool]:
    """Position of an anchor that is not behind an edit, in the coordinates after all edits before it."""
    if anchor < begin or len(ref) == len(alt):
        return anchor + shift, False
    return begin + shift + len(alt), True


def window(edited: Edited, before: int, after: int) -> tuple[bytes, int]:
    """``before`` bases, the anchor and ``after`` bases, N where the text ends; also the number of these N."""
    first, end = edited.anchor - before, edited.anchor + after + 1
    text = edited.text[max(0, first) : max(0, end)]
    left = min(max(0, -first), before + after + 1)
    right = before + after + 1 - left - len(text)
    return b"N" * left + text + b"N" * right, left + right


def reverse_complement(text: bytes) -> bytes:
    """The other strand, read from its own 5' end."""
    return text.translate(COMPLEMENT)[::-1]
