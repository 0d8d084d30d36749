"""One way to write each allele: trimmed and left-aligned (Tan et al. 2015, Bioinformatics 31:2202).

An insertion or deletion in a repeat can be written at several positions; all spell the same haplotype. The
normalised allele is the shortest of these and, among the shortest, the leftmost.
"""

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled

UInt8 = NDArray[np.uint8]


@compiled
def steps_left(sequence: UInt8, at: int, unit: UInt8) -> int:
    """How far an indel can move to the left without changing the haplotype that it spells.

    sequence: bases. at: index of the first deleted base, or of the base before which ``unit`` is inserted.
    unit: the bases deleted or inserted. The indel never moves beyond the sequence's start.
    """
    steps, length = 0, len(unit)
    while steps < at and sequence[at - steps - 1] == unit[(length - 1 - steps) % length]:
        steps += 1
    return steps


def normalised(sequence: bytes, start: int, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The normalised position (1-based), REF and ALT of an allele.

    sequence: the chromosome's bases in capitals from ``start`` (0-based) on, with REF in it. ref, alt: bases.
    An indel stops at the sequence's start, where it is written with the base after it. What equals the
    reference is returned as it came, in capitals.
    """
    ref, alt = ref.upper(), alt.upper()
    if ref == alt:
        return pos, ref, alt
    end = _common(ref[::-1], alt[::-1])
    short_ref, short_alt = ref[: len(ref) - end], alt[: len(alt) - end]
    if short_ref and short_alt:
        first = min(_common(short_ref, short_alt), len(short_ref) - 1, len(short_alt) - 1)
        return pos + first, short_ref[first:], short_alt[first:]
    unit = short_ref or short_alt
    at = pos - 1 - start
    steps = steps_left(np.frombuffer(sequence, np.uint8), at, np.frombuffer(unit.encode(), np.uint8))
    turn = -steps % len(unit)
    unit = unit[turn:] + unit[:turn]
    at -= steps
    before = sequence[at - 1 : at].decode() if at else ""
    after = "" if at else sequence[len(unit) if short_ref else 0 :][:1].decode()
    long, short = before + unit + after, before + after
    ref, alt = (long, short) if short_ref else (short, long)
    return start + 1 + at - len(before), ref, alt


def atoms(sequence: bytes, start: int, pos: int, ref: str, alt: str) -> list[tuple[int, str, str]]:
    """Split an allele into single-base changes and at most one indel, sorted by position.

    Together they spell the haplotype of the whole. The indel lies where it leaves the fewest single-base
    changes, and of such places at the leftmost. Arguments as for ``normalised``.
    """
    pos, ref, alt = normalised(sequence, start, pos, ref, alt)
    if ref == alt:
        return []
    shared = min(len(ref), len(alt))
    if shared == 1 < len(ref + alt) - 1 and (ref[0] == alt[0] or ref[-1] == alt[-1]):
        return [(pos, ref, alt)]
    # Where no base is before the allele, the indel needs one of its own to be written with.
    gap = min(
        range(int(pos - 1 == start), shared + 1),
        key=lambda g: len(_changes(ref[:g], alt[:g])) + len(_tail(ref, alt, g)),
    )
    found = [(pos + i, ref[i], alt[i]) for i in _changes(ref[:gap], alt[:gap])]
    shift = len(ref) - shared
    found += [
        (pos + shift + i, ref[shift + i], alt[len(alt) - shared + i])
        for i in (gap + j for j in _tail(ref, alt, gap))
    ]
    if len(ref) != len(alt):
        found.append(_indel(sequence, start, pos, ref, alt, gap))
    return sorted(found)


def _indel(sequence: bytes, start: int, pos: int, ref: str, alt: str, gap: int) -> tuple[int, str, str]:
    """The indel of an allele after its first ``gap`` bases, with the base before it."""
    longer = abs(len(ref) - len(alt))
    gone = ref[gap : gap + longer] if len(ref) > len(alt) else ""
    new = alt[gap : gap + longer] if len(alt) > len(ref) else ""
    if gap:
        return pos + gap - 1, ref[gap - 1] + gone, ref[gap - 1] + new
    before = chr(sequence[pos - 2 - start])
    return normalised(sequence, start, pos - 1, before + gone, before + new)


def _changes(ref: str, alt: str) -> list[int]:
    return [i for i, (one, other) in enumerate(zip(ref, alt, strict=True)) if one != other]


def _tail(ref: str, alt: str, gap: int) -> list[int]:
    """Changes after the indel, counted from its place in the shorter allele."""
    rest = min(len(ref), len(alt)) - gap
    return _changes(ref[len(ref) - rest :], alt[len(alt) - rest :])


def _common(one: str, other: str) -> int:
    """Length of the start that two strings share."""
    shorter = min(len(one), len(other))
    return next((i for i in range(shorter) if one[i] != other[i]), shorter)
