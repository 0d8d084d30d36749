"""Text of imputed genotypes: GT:DS:GP[:HDS][:PC] of many people, formatted fast."""

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

ENTRY = 48
"""Most bytes that one person's entry takes, the tab included."""


def _thousandths() -> tuple[UInt8, UInt8]:
    """Shortest decimal text of 0, 0.001 … 2, and its length."""
    texts = [f"{value / 1000:.3f}".rstrip("0").rstrip(".").encode() for value in range(2001)]
    table = np.zeros((len(texts), 5), np.uint8)
    for row, text in zip(table, texts, strict=True):
        row[: len(text)] = np.frombuffer(text, np.uint8)
    return table, np.array([len(text) for text in texts], np.uint8)


DIGITS, LENGTHS = _thousandths()


def imputed_entries(
    chances: Float32,
    phased: NDArray[np.bool_],
    haploid: NDArray[np.bool_],
    with_hds: bool,
    lies: tuple[Float32, Float32] | None = None,
) -> bytes:
    """Return one site's entries, each led by a tab, with three decimals; GP sums to one.

    chances: float32[2n], two numbers for each of n people: of a phased person the chance of ALT on either
    haplotype, of an unphased one the chances of one and of two ALT, of a haploid one the chance of ALT
    (the second is not looked at). GT holds the likelier allele of each haplotype, or the likeliest
    genotype of an unphased person, whose HDS is missing.

    lies: float32[n] each, of unphased people the chance that ALT is on the first haplotype if the genotype
    is heterozygous, and how sure its phase is (NaN: missing). With it they are written phased, the field PC
    follows, and their HDS is known.
    """
    buffer = np.empty(ENTRY * len(phased), np.uint8)
    first, confidence = lies or (chances, chances)
    used = _format(
        buffer, chances, phased, haploid, with_hds, lies is not None, first, confidence, DIGITS, LENGTHS
    )
    return buffer[:used].tobytes()


@compiled
def _put(buffer: UInt8, at: int, mark: int, value: int, digits: UInt8, lengths: UInt8) -> int:
    buffer[at] = mark
    at += 1
    for i in range(lengths[value]):
        buffer[at] = digits[value, i]
        at += 1
    return at


@compiled
def _missing(buffer: UInt8, at: int) -> int:
    buffer[at] = 58
    buffer[at + 1] = 46
    return at + 2


@compiled
def _genotype(buffer: UInt8, at: int, first: bool, mark: int, second: bool) -> int:
    buffer[at] = 9
    buffer[at + 1] = 49 if first else 48
    buffer[at + 2] = mark
    buffer[at + 3] = 49 if second else 48
    return at + 4


@compiled
def _format(
    buffer: UInt8,
    chances: Float32,
    phased: NDArray[np.bool_],
    haploid: NDArray[np.bool_],
    with_hds: bool,
    with_phase: bool,
    on_first: Float32,
    confidence: Float32,
    digits: UInt8,
    lengths: UInt8,
) -> int:
    at = 0
    for person in range(len(phased)):
        first, second = chances[2 * person], chances[2 * person + 1]
        sure = -1
        one, two = int(1000 * first + 0.5), int(1000 * second + 0.5)
        if haploid[person]:
            buffer[at] = 9
            buffer[at + 1] = 49 if first > 0.5 else 48
            at = _put(buffer, at + 2, 58, one, digits, lengths)
            at = _put(buffer, at, 58, 1000 - one, digits, lengths)
            at = _put(buffer, at, 44, one, digits, lengths)
            if with_hds:
                at = _put(buffer, at, 58, one, digits, lengths)
            if with_phase:
                at = _missing(buffer, at)
            continue
        if phased[person]:
            at = _genotype(buffer, at, first > 0.5, 124, second > 0.5)
            dosage = int(1000 * (first + second) + 0.5)
            both, none = int(1000 * first * second + 0.5), int(1000 * (1 - first) * (1 - second) + 0.5)
            both = min(both, 1000 - none)
        else:
            none = max(1000 - one - two, 0)
            both = min(two, 1000 - none)
            alike, varies = two > one and two > none, max(one, two) > none
            dosage = min(int(1000 * (first + 2 * second) + 0.5), 2000)
            if with_phase:
                turned = on_first[person] >= 0.5
                at = _genotype(
                    buffer, at, alike or (varies and turned), 124, alike or (varies and not turned)
                )
                if varies and not alike and not np.isnan(confidence[person]):
                    sure = int(1000 * confidence[person] + 0.5)
                one = int(1000 * (second + first * on_first[person]) + 0.5)
                two = int(1000 * (second + first * (1 - on_first[person])) + 0.5)
            else:
                at = _genotype(buffer, at, alike, 47, varies)
        at = _put(buffer, at, 58, dosage, digits, lengths)
        at = _put(buffer, at, 58, none, digits, lengths)
        at = _put(buffer, at, 44, 1000 - none - both, digits, lengths)
        at = _put(buffer, at, 44, both, digits, lengths)
        if with_hds:
            if phased[person] or with_phase:
                at = _put(buffer, at, 58, one, digits, lengths)
                at = _put(buffer, at, 44, two, digits, lengths)
            else:
                at = _missing(buffer, at)
        if with_phase:
            at = _put(buffer, at, 58, sure, digits, lengths) if sure >= 0 else _missing(buffer, at)
    return at
