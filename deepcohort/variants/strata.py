"""Kinds of variants whose calls are counted apart: type, length, homopolymer, coverage."""

import bisect
from collections.abc import Iterator

from deepcohort.variants.matching import Unit

TYPES = ("snp", "indel", "insertion", "deletion")
"""Types that are told; an indel is an insertion or a deletion."""

TRANSITIONS = frozenset(("AG", "GA", "CT", "TC"))
"""REF and ALT of the single bases that change within purines or pyrimidines."""

LENGTHS = ((1, "1"), (5, "2-5"), (15, "6-15"), (50, "16-50"), (2**31, ">50"))
HOMOPOLYMERS = ((3, "1-3"), (6, "4-6"), (9, "7-9"), (2**31, ">=10"))
DEPTHS = ((9, "0-9"), (19, "10-19"), (29, "20-29"), (49, "30-49"), (2**31, ">=50"))
"""Bins: largest value (inserted or deleted bases; length of the run; reads) and name."""

NO_DEPTH = "unknown"
EVERYTHING = "all"
LONGEST_RUN = 100
"""Runs are counted up to here."""

Stratum = tuple[str, str, str]
"""What is told apart, the bin, and the type of variant."""


def type_of(ref: str, alt: str) -> str:
    """Which of the types an allele is, told as closely as can be."""
    if len(ref) == len(alt):
        return "snp"
    return "insertion" if len(alt) > len(ref) else "deletion"


def types_of(unit: Unit) -> tuple[str, ...]:
    """The types that a unit counts in."""
    _, ref, alt = unit.key
    kind = type_of(ref, alt)
    return (kind,) if kind == "snp" else ("indel", kind)


def homopolymer(reference: bytes, unit: Unit) -> int:
    """Length of the longest run of one base that the changed bases or their neighbours are part of."""
    pos, ref, alt = unit.key
    anchor = int(len(ref) != len(alt) and ref[0] == alt[0])
    first = pos - 1 + anchor
    last = pos - 1 + len(ref)
    places = range(max(0, first - 1), min(len(reference), last + 1))
    return max(_run(reference, place) for place in places)


def _run(reference: bytes, place: int) -> int:
    base, left, right = reference[place], place, place + 1
    while left > 0 and reference[left - 1] == base and place - left < LONGEST_RUN:
        left -= 1
    while right < len(reference) and reference[right] == base and right - place < LONGEST_RUN:
        right += 1
    return min(right - left, LONGEST_RUN)


def strata_of(unit: Unit, run: int, depth: int) -> Iterator[Stratum]:
    """All strata that a unit counts in; ``run``: its homopolymer, ``depth``: reads, below 0 if unknown."""
    _, ref, alt = unit.key
    length = abs(len(ref) - len(alt))
    for kind in types_of(unit):
        yield EVERYTHING, EVERYTHING, kind
        yield "homopolymer", _bin(HOMOPOLYMERS, run), kind
        yield "coverage", NO_DEPTH if depth < 0 else _bin(DEPTHS, depth), kind
        if length:
            yield "length", _bin(LENGTHS, length), kind


def _bin(bins: tuple[tuple[int, str], ...], value: int) -> str:
    return bins[bisect.bisect_left([largest for largest, _ in bins], value)][1]


def stratum_order(stratum: Stratum) -> tuple[int, int, int]:
    """Sort key: the whole first, bins by size, types as ``TYPES``."""
    what, name, kind = stratum
    names = {
        EVERYTHING: [EVERYTHING],
        "length": [one for _, one in LENGTHS],
        "homopolymer": [one for _, one in HOMOPOLYMERS],
        "coverage": [*(one for _, one in DEPTHS), NO_DEPTH],
    }
    return list(names).index(what), names[what].index(name), TYPES.index(kind)
