"""How likely a person has an allele before any read is seen.

Single bases by kind of substitution. Indels by the repeat that they lengthen or shorten: the chances were
counted in the benchmark genotypes of HG002 (v4.2.1) on GRCh38 chr20:0-7 Mb, inside the regions where they
hold: 9,676 single bases and 1,667 alleles of indels, by the unit and length of the repeat, and smoothed by
hand.
"""

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.candidates import Candidates
from deepcohort.variants.reference import Reference
from deepcohort.variants.strata import TRANSITIONS

Float64 = NDArray[np.float64]

TRANSITION, TRANSVERSION = 7e-4, 1.7e-4
"""Heterozygous for a certain single base; transitions are twice as many as both transversions."""

INDEL = 6.5e-5
"""An indel at a certain base outside repeats."""

SHARE, FEWER = 0.36, 0.3
"""Of the indels in a repeat those of one unit more, or less; each further unit is so many times as likely."""

BY_UNITS = np.array(
    [
        *(4 * [1e-4]),
        *(6e-4, 1.2e-3, 4.5e-3, 1e-2, 3.4e-2, 8e-2, 0.12, 0.2, 0.26),
        *(0.31, 0.34, 0.42, 0.46, 0.52, 0.56, 0.6),
    ]
)
"""Chance that a homopolymer of so many bases differs from the reference; longer ones are as the last."""

MORE_UNITS = (0, 0, 2, 3)
"""A repeat of longer units (the last: three bases or more) varies as a homopolymer of so many more."""

LONGEST_UNIT = 6


def allele_chances(candidates: Candidates, reference: Reference) -> Float64:
    """Chance that a person is heterozygous for each candidate, float64[A]."""
    return np.array(
        [
            allele_chance(reference, int(pos), ref, alt)
            for pos, ref, alt in zip(candidates.pos, candidates.ref, candidates.alt, strict=True)
        ],
        np.float64,
    )


def allele_chance(reference: Reference, pos: int, ref: str, alt: str) -> float:
    """Chance that a person is heterozygous for an allele, normalised, at ``pos`` (0-based)."""
    after = pos + 1 - reference.start
    if len(ref) == len(alt):
        return TRANSITION if ref + alt in TRANSITIONS else TRANSVERSION
    bases = (ref if len(ref) > len(alt) else alt)[1:]
    unit = next(u for u in range(1, len(bases) + 1) if bases == (bases[:u] * len(bases))[: len(bases)])
    if unit > LONGEST_UNIT or len(bases) % unit:
        return INDEL
    times = reference.repeated(after, bases[:unit]) // unit
    if times < 2:
        return INDEL
    return float(max(INDEL, repeat_chance(unit, times) * SHARE * FEWER ** (len(bases) // unit - 1)))


def repeat_chance(unit: int, times: int) -> float:
    """Chance that a repeat of so many bases in its unit, so many times, differs from the reference."""
    row = min(times + MORE_UNITS[min(unit, len(MORE_UNITS) - 1)], len(BY_UNITS) - 1)
    return float(BY_UNITS[row])
