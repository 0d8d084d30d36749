"""How many copies of each candidate a person with known variants has: what networks learn from.

A window's candidates and the truth may write the same haplotypes in different ways. So the true haplotypes
are spelled over the window and looked up among the window's own; only where none of those is true, or where
too many phases are thinkable, are candidates compared with true alleles one by one.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.active import GAP, Span
from deepcohort.variants.candidates import Candidates
from deepcohort.variants.haplotypes import Haplotypes
from deepcohort.variants.matching import Unit
from deepcohort.variants.reads import CODES
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import Window

Int64 = NDArray[np.int64]

MOST_HETEROZYGOUS = 7
"""Sites of a window whose phases are all tried; where there are more, alleles are compared one by one."""


def true_copies(window: Window, candidates: Candidates, reference: Reference, truth: Sequence[Unit]) -> Int64:
    """Copies (0, 1 or 2) of each candidate of a window, int64[A].

    truth: the person's alleles near the window.
    """
    span = window.span
    near = [unit for unit in truth if unit.start < span.end + GAP // 2 and unit.end > span.start - GAP // 2]
    found = _spelled(window.haplotypes, reference, near)
    return found if found is not None else _by_allele(span, candidates, near)


def _spelled(haplotypes: Haplotypes, reference: Reference, units: list[Unit]) -> Int64 | None:
    once = [unit for unit in units if unit.copies == 1]
    if len(once) > MOST_HETEROZYGOUS:
        return None
    own = {
        haplotypes.bases[first:last].tobytes(): h
        for h, (first, last) in enumerate(zip(haplotypes.where[:-1], haplotypes.where[1:], strict=True))
    }
    for pair in _phases(units, once):
        rows = [own.get(_bases(haplotypes, reference, chosen), -1) for chosen in pair]
        if min(rows) >= 0:
            carried: Int64 = haplotypes.carries[rows].sum(axis=0)
            return carried
    return None


def _phases(units: list[Unit], once: list[Unit]) -> Iterator[tuple[list[Unit], list[Unit]]]:
    """The person's two haplotypes in each way that the heterozygous sites may lie on them.

    Changes of one allele stay together, two alleles of one record apart.
    """
    twice = [unit for unit in units if unit.copies == 2]
    for side in product((0, 1), repeat=max(0, len(once) - 1)):
        where = (0, *side)[: len(once)]
        if all(
            (a.allele == b.allele) == (one == other)
            for (a, one), (b, other) in combinations(zip(once, where, strict=True), 2)
            if a.record == b.record
        ):
            first, second = (
                [unit for unit, at in zip(once, where, strict=True) if at == which] for which in (0, 1)
            )
            yield twice + first, twice + second


def _bases(haplotypes: Haplotypes, reference: Reference, units: list[Unit]) -> bytes:
    """The stretch with some alleles in place; empty where two of them overlap."""
    here, parts = haplotypes.start, []
    for unit in sorted(units, key=lambda unit: (unit.start, unit.end)):
        if unit.start < here or unit.end > haplotypes.end:
            return b""
        parts.append(reference.codes[here - reference.start : unit.start - reference.start].tobytes())
        parts.append(CODES[np.frombuffer(unit.bases.encode(), np.uint8)].tobytes())
        here = unit.end
    parts.append(reference.codes[here - reference.start : haplotypes.end - reference.start].tobytes())
    return b"".join(parts)


def _by_allele(span: Span, candidates: Candidates, units: list[Unit]) -> Int64:
    copies = {unit.key: unit.copies for unit in units}
    keys = [(int(candidates.pos[i]) + 1, candidates.ref[i], candidates.alt[i]) for i in range(*span[2:])]
    return np.array([copies.get(key, 0) for key in keys], np.int64)
