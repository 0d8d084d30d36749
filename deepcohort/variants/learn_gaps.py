"""How likely a library's reads have gaps, learnt from the person's own reads, without any truth.

In each repeat of the reference the reads with an insertion or a deletion are counted. Repeats of one unit and
length err alike but for chance and for what is around them, so their shares of such reads follow a beta
distribution, of which the mean and the width are the likeliest; where the person differs from the reference
half or nearly all of the reads do. (GATK's DRAGEN mode estimates its gap penalties for the same reason.)
"""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import betaln, xlogy

from deepcohort.genome.compiled import compiled
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Region
from deepcohort.variants.candidates import indel_events
from deepcohort.variants.gaps import (
    LONGER_UNIT,
    LONGEST_UNIT,
    MOST_GAPS,
    MOST_TIMES,
    SHORT_READS,
    repeats,
)
from deepcohort.variants.names import Gaps
from deepcohort.variants.priors import repeat_chance
from deepcohort.variants.reads import Reads, ReadsFile, read_reads
from deepcohort.variants.reference import Reference, read_reference

log = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

TILE, MOST_TILES = 50_000, 40
"""Bases that are looked at together, and most tiles that are learnt from, spread over what is called."""

LONG = 1_000
"""Bases of a read from which on it is a long one."""

FLANK = 3
"""Bases that a read must have on both sides of a repeat to be counted in it."""

LEAST_TIMES = 3
"""Units that a repeat of longer units has at least; of single bases, every run counts."""

FEWEST_READS = 300
"""Reads over repeats of a kind that are worth as much as the chances of short reads are."""

MEANS = np.geomspace(1e-6, 0.5, 80)
WIDTHS = np.geomspace(2, 2_000, 12)
"""Means and (as numbers of reads that would say as much) widths of the shares that are tried."""

VARIANTS = np.array([1.0, 4.0, 16.0, 64.0])
"""How many times as many variants as people have are tried: in some places there are more."""

HETEROZYGOUS, HOMOZYGOUS = 0.5, 0.95
"""Share of the reads with a gap where the person has it on one copy, and on both."""


Found = dict[tuple[int, int], list[Int64]]


class Seen(NamedTuple):
    """Repeats of one kind that have the same counts: reads, those with a gap, and how many repeats."""

    reads: Int64
    gaps: Int64
    repeats: Int64


def gaps_of(file: ReadsFile, fasta: Path, regions: list[Region], how: Gaps) -> Float64:
    """How likely a person's reads have gaps, as ``gaps.SHORT_READS``.

    regions: where the person is called; of them at most ``MOST_TILES`` tiles are looked at. Where there is no
    read, they are taken for short ones. Raises ``InputError`` where FASTA and reads differ in their contigs.
    """
    if how is Gaps.short:
        return _as_short(file)
    found: Found = {}
    lengths: list[float] = []
    tiles = _tiles(regions)
    with progress("tiles", len(tiles)) as bar:
        for tile in tiles:
            reference = read_reference(fasta, tile, 0)
            contig = file.contig(reference.contig, reference.length)
            reads, _ = read_reads(file, contig, reference.start, reference.end)
            if len(reads.start):
                lengths.append(float(np.median(np.diff(reads.base_start))))
                if how is Gaps.auto and np.median(lengths) < LONG:
                    return _as_short(file)
                _count(reads, reference, found)
            bar.update()
    if not lengths:
        return _as_short(file)
    log.info("%s: gaps are learnt from the reads, of %d bases", file.path.name, np.median(lengths))
    return np.array(
        [[_of_unit(found, kind, unit) for unit in range(1, LONGEST_UNIT + 1)] for kind in range(2)]
    )


def _as_short(file: ReadsFile) -> Float64:
    log.info("%s: gaps are taken to be as those of short reads", file.path.name)
    return SHORT_READS


def _tiles(regions: list[Region]) -> list[Region]:
    """Tiles spread evenly over regions, of ``TILE`` bases or less."""
    cut = [
        region._replace(start=start, end=min(start + TILE - 1, region.end))
        for region in regions
        for start in range(region.start, region.end + 1, TILE)
    ]
    picked = np.unique(np.linspace(0, len(cut) - 1, min(len(cut), MOST_TILES)).round().astype(int))
    return [cut[i] for i in picked]


def _count(reads: Reads, reference: Reference, found: Found) -> None:
    """Add a tile's counts: int64[N, 3] of (reads, with an insertion, with a deletion) by (unit, times)."""
    parts = _repeats_of(reference.codes)
    if not len(parts):
        return
    counts = _counts(reads, reference, parts)
    times = np.minimum((parts[:, 1] - parts[:, 0]) // parts[:, 2], MOST_TIMES)
    for unit, often in np.unique(np.stack([parts[:, 2], times], axis=1), axis=0).tolist():
        found.setdefault((unit, often), []).append(counts[(parts[:, 2] == unit) & (times == often)])


def _repeats_of(codes: UInt8) -> Int64:
    """First base, end and unit of the repeats, int64[N, 3], sorted; of those that overlap only the longest.

    Bases outside repeats are repeats of one base, once.
    """
    often = [part for part in repeats(codes) if part[2] == 1 or _often(part)]
    every = np.array(often, np.int64).reshape(-1, 3)
    single = np.stack([np.arange(len(codes)), np.arange(1, len(codes) + 1), np.ones(len(codes))], axis=1)
    every = np.concatenate([single[codes < 4].astype(np.int64), every])
    every = every[np.argsort(every[:, 1] - every[:, 0], kind="stable")]
    kept = every[_whole(every, len(codes))]
    return np.asarray(kept[np.argsort(kept[:, 0])])


@compiled
def _whole(parts: Int64, length: int) -> NDArray[np.bool_]:
    """Which parts no later one has a base of."""
    owner = np.full(length, -1)
    for number in range(len(parts)):
        owner[parts[number, 0] : parts[number, 1]] = number
    whole = np.zeros(len(parts), np.bool_)
    for number in range(len(parts)):
        whole[number] = (owner[parts[number, 0] : parts[number, 1]] == number).all()
    return whole


def _often(part: tuple[int, int, int]) -> bool:
    first, end, unit = part
    return end - first >= LEAST_TIMES * unit


def _counts(reads: Reads, reference: Reference, parts: Int64) -> Int64:
    """Reads that cross each repeat, those that have more bases in it, and those with less, int64[N, 3]."""
    first, end = parts[:, 0] + reference.start, parts[:, 1] + reference.start
    crossing = np.searchsorted(np.sort(reads.start), first - FLANK, side="right") - np.searchsorted(
        np.sort(reads.end), end + FLANK, side="left"
    )
    events = indel_events(reads, reference.codes, reference.start)
    place = events.place + 1
    part = np.searchsorted(first, place, side="right") - 1
    inside = (part >= 0) & (place < end[part])
    inside &= (reads.start[events.read] <= first[part] - FLANK) & (
        reads.end[events.read] >= end[part] + FLANK
    )
    by = np.stack([part[inside], events.read[inside]], axis=1)
    pairs, row = np.unique(by, axis=0, return_inverse=True)
    size = np.bincount(row.ravel(), events.size[inside], len(pairs))
    more = np.bincount(pairs[size > 0, 0], minlength=len(parts))
    less = np.bincount(pairs[size < 0, 0], minlength=len(parts))
    return np.stack([np.maximum(crossing, more + less), more, less], axis=1).astype(np.int64)


def _of_unit(found: Found, kind: int, unit: int) -> Float64:
    """Chances by how often a unit is there, float64[MOST_TIMES + 1]: never falling with it."""
    longer = LONGER_UNIT ** np.where(np.arange(MOST_TIMES + 1) > 2, unit - 1, 0)
    chances = SHORT_READS[kind, unit - 1] / longer
    weights = np.full(MOST_TIMES + 1, float(FEWEST_READS))
    for times in range(1, MOST_TIMES + 1):
        parts = found.get((unit, times))
        if not parts:
            continue
        counts = np.concatenate(parts)
        rows, often = np.unique(counts[counts[:, 0] > 0][:, [0, 1 + kind]], axis=0, return_counts=True)
        rate = _rate(Seen(rows[:, 0], rows[:, 1], often), repeat_chance(unit, times) / 2)
        reads = float((rows[:, 0] * often).sum())
        chances[times] = (rate * reads + chances[times] * FEWEST_READS) / (reads + FEWEST_READS)
        weights[times] += reads
    rising = isotonic_regression(chances, weights=weights).x
    return np.asarray(np.clip(rising * longer, MEANS[0], MOST_GAPS))


def _rate(seen: Seen, variant: float) -> float:
    """Share of reads with a gap in a repeat; variant: chance that a person has another length of it."""
    a, b = (MEANS[:, None] * WIDTHS)[..., None], ((1 - MEANS)[:, None] * WIDTHS)[..., None]
    without = seen.reads - seen.gaps
    error = betaln(seen.gaps + a, without + b) - betaln(a, b)
    alike = np.logaddexp(
        *(np.log(0.5) + xlogy(seen.gaps, s) + xlogy(without, 1 - s) for s in (HETEROZYGOUS, HOMOZYGOUS))
    )
    best, rate = -np.inf, 0.0
    for chance in np.minimum(variant * VARIANTS, 0.5):
        each = np.logaddexp(np.log(1 - chance) + error, np.log(chance) + alike)
        fit = (each * seen.repeats).sum(axis=2)
        if fit.max() > best:
            best, rate = fit.max(), float(MEANS[np.unravel_index(fit.argmax(), fit.shape)[0]])
    return rate
