"""Windows around candidates that lie close together, in which reads are aligned anew.

Where a window begins and ends hangs on the candidates around it alone, so that a window is the same whatever
stretch of the genome is looked at, if that reaches ``REACH`` bases beyond it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.candidates import LONGEST_SHIFT, Candidates
from deepcohort.variants.reads import BIN
from deepcohort.variants.reference import LONGEST_REPEAT, Reference

Int64 = NDArray[np.int64]

GAP = 20
"""Candidates further apart than this are of two windows."""

LONGEST = 250
"""Chains of candidates that are longer are cut at multiples of this."""

FLANK = 35
"""Bases on each side of a window that haplotypes take in."""

REACH = -(-(LONGEST_SHIFT + 2 * LONGEST + LONGEST_REPEAT + FLANK) // BIN) * BIN
"""Bases around a stretch whose reads decide on what is called in it."""


class Span(NamedTuple):
    """A window: 0-based and half open, with its candidates, the ``first`` to ``last`` (excluded) of all."""

    start: int
    end: int
    first: int
    last: int


def extents(candidates: Candidates, reference: Reference) -> Int64:
    """Where each candidate may end on the reference, int64[A]: an indel at the end of its repeat."""
    ends = np.zeros(len(candidates), np.int64)
    for i, (pos, ref, alt) in enumerate(zip(candidates.pos, candidates.ref, candidates.alt, strict=True)):
        ends[i] = pos + len(ref)
        if len(ref) != len(alt):
            unit = (ref if len(ref) > len(alt) else alt)[1:]
            ends[i] += reference.repeated(int(pos) + len(ref) - reference.start, unit)
    return ends


def spans(candidates: Candidates, reference: Reference) -> list[Span]:
    """The windows of all candidates, in order."""
    if not len(candidates):
        return []
    ends = extents(candidates, reference)
    breaks = np.flatnonzero(candidates.pos[1:] - np.maximum.accumulate(ends)[:-1] > GAP) + 1
    found = []
    for chain in np.split(np.arange(len(candidates)), breaks):
        starts = candidates.pos[chain]
        cells = starts // LONGEST if starts[-1] - starts[0] > LONGEST else starts * 0
        for part in np.split(chain, np.flatnonzero(np.diff(cells)) + 1):
            first, last = int(part[0]), int(part[-1]) + 1
            found.append(Span(int(candidates.pos[first]), int(ends[part].max()), first, last))
    return found
