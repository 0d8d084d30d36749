"""How likely the reads of a library have gaps, by the repeat that a gap lies in."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

BASES = 4
"""Codes of the bases ACGT are below."""

LONGEST_UNIT, MOST_TIMES = 6, 24
"""Repeats of units up to so many bases; those of more units count as of so many."""

BY_TIMES = np.array([2.9e-5, 2.9e-5, 2.9e-5, 2.9e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1.2e-3, 3e-3, 7e-3])
"""Of short reads: chance of a gap in a repeat by how often its unit is there; beyond that it grows by
``GROWTH`` each."""

GROWTH, MOST_GAPS = 1.4, 0.3

LONGER_UNIT = 2.0
"""How much likelier the first base of a gap is for each base more in the unit, as gaps that go on with an
even chance make the whole unit less likely."""

KINDS = ("insertion", "deletion")
COLUMNS = ("kind", "unit", "times", "chance")


def _of_short_reads() -> Float64:
    times = np.arange(MOST_TIMES + 1)
    beyond = np.maximum(0, times - len(BY_TIMES) + 1)
    chances = BY_TIMES[np.minimum(times, len(BY_TIMES) - 1)] * GROWTH**beyond
    longer = LONGER_UNIT ** np.where(times > 2, np.arange(LONGEST_UNIT)[:, None], 0)
    return np.repeat(np.minimum(MOST_GAPS, chances * longer)[None], 2, axis=0)


SHORT_READS = _of_short_reads()
"""Chances of an insertion and of a deletion in a repeat by bases in the unit (less 1) and its times,
float64[2, LONGEST_UNIT, MOST_TIMES + 1]; by unit 1, times 1 at any base outside repeats."""


@compiled
def repeats(bases: UInt8) -> Iterator[tuple[int, int, int]]:
    """First base, end and bases in the unit of each repeat; its unit repeats nothing shorter."""
    n = len(bases)
    for unit in range(1, LONGEST_UNIT + 1):
        i = unit
        while i < n:
            if bases[i] != bases[i - unit] or bases[i] >= BASES:
                i += 1
                continue
            first = i - unit
            while i < n and bases[i] == bases[i - unit]:
                i += 1
            own = True
            for shorter in range(1, unit):
                if unit % shorter == 0:
                    alike = True
                    for k in range(first, first + unit - shorter):
                        alike = alike and bases[k] == bases[k + shorter]
                    own = own and not alike
            if own:
                yield first, i, unit


@compiled
def gap_chances(bases: UInt8, table: Float64) -> Float64:
    """Chance that an insertion and a deletion open before each base of a haplotype, float64[2, n].

    table: as ``SHORT_READS``. Those of a repeat's bases sum to the repeat's, but none is below that of other
    sequence.
    """
    chances = np.empty((2, len(bases)))
    for kind in range(2):
        chances[kind] = table[kind, 0, 1]
    for first, end, unit in repeats(bases):
        times = min((end - first) // unit, MOST_TIMES)
        for kind in range(2):
            chance = table[kind, unit - 1, times] / (end - first)
            for j in range(first, end):
                chances[kind, j] = max(chances[kind, j], chance)
    return chances


def write_gaps(path: Path, table: Float64) -> None:
    """Write a table of chances: kind, unit, times, chance."""
    rows = (
        {
            "kind": kind,
            "unit": str(unit),
            "times": str(times),
            "chance": repr(float(table[k, unit - 1, times])),
        }
        for k, kind in enumerate(KINDS)
        for unit in range(1, LONGEST_UNIT + 1)
        for times in range(1, MOST_TIMES + 1)
    )
    write_table(path, rows, COLUMNS)


def read_gaps(path: Path) -> Float64:
    """Read what ``write_gaps`` wrote; raises ``InputError`` for anything else."""
    table = SHORT_READS.copy()
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line.split("\t") for line in lines]
        for kind, unit, times, chance in rows:
            table[KINDS.index(kind), int(unit) - 1, int(times)] = float(chance)
        fits = head == "\t".join(COLUMNS) and len(rows) == table[:, :, 1:].size
    except (ValueError, IndexError):
        fits = False
    if not fits or not ((table > 0) & (table <= MOST_GAPS)).all():
        raise InputError(f"{path.name}: not a table of gaps: make it with 'learn-gaps' of this version")
    return table
