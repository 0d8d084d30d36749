"""The genome cut into pieces of bounded work, and people into batches."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.regions import Region

MIN_TYPED = 2
"""Fewer typed sites than this in a padded chunk tell nothing about who copies whom."""

LOW_TYPED = 20
"""A chunk with fewer typed sites than this is merged with a neighbour."""

LARGEST_MERGED = 2
"""How many times the bounds of a chunk a merged one may reach: memory stays bounded."""

BALANCING_STEPS = 20


@dataclass(frozen=True)
class ChunkSize:
    """Upper bounds of a chunk's core, and lower bounds of its overlap on each side.

    The overlap reaches ``overlap_bases`` and ``overlap_typed`` typed sites, but for the sake of typed sites
    never over more than ``bases`` or more than ``variants`` of the panel's.
    """

    variants: int = 20_000
    bases: int = 50_000_000
    overlap_bases: int = 250_000
    overlap_typed: int = 100


class Cut(NamedTuple):
    """A chunk: its core, and the core with the overlap."""

    core: Region
    padded: Region


@dataclass(frozen=True)
class Sites:
    """Positions on one chromosome, sorted int64: of the panel's variants, one per ALT, and of typed sites.

    ``end`` is the chromosome's last base as far as it is known.
    """

    panel: NDArray[np.int64]
    typed: NDArray[np.int64]
    end: int


def cut(region: Region, stretch: Region, sites: Sites, size: ChunkSize) -> tuple[list[Cut], int]:
    """Cut a region into chunks whose overlaps stay within ``stretch``.

    A chunk with fewer than ``LOW_TYPED`` typed sites is merged with the neighbour that brings it the most,
    while it gains by that and stays within ``LARGEST_MERGED`` times the bounds. Returns the chunks and how
    many were merged into a neighbour.
    """
    cores = plan_cores(sites.panel, region, size)
    planned = len(cores)
    while (pair := _merger(cores, stretch, sites, size)) is not None:
        first = pair[0]
        cores[first : first + 2] = [_union(cores[first], cores[first + 1])]
    return [Cut(core, _within(core, stretch, sites, size)) for core in cores], planned - len(cores)


def _merger(cores: list[Region], stretch: Region, sites: Sites, size: ChunkSize) -> tuple[int, int] | None:
    """Two cores to be made one: the number of the first and the typed sites of both; None where none are."""
    typed = [_count(sites.typed, *_within(core, stretch, sites, size)[1:]) for core in cores]
    for number, have in enumerate(typed):
        if have >= LOW_TYPED:
            continue
        options = []
        for first in (number - 1, number):
            if first < 0 or first + 1 >= len(cores):
                continue
            both = _union(cores[first], cores[first + 1])
            gained = _count(sites.typed, *_within(both, stretch, sites, size)[1:])
            if gained > have and _affordable(both, sites, size):
                options.append((first, gained))
        if options:
            return max(options, key=lambda option: (option[1], -option[0]))
    return None


def _union(one: Region, other: Region) -> Region:
    return one._replace(end=other.end)


def _affordable(core: Region, sites: Sites, size: ChunkSize) -> bool:
    bases, variants = core.end - core.start + 1, _count(sites.panel, core.start, core.end)
    return bases <= LARGEST_MERGED * size.bases and variants <= LARGEST_MERGED * size.variants


def _within(core: Region, stretch: Region, sites: Sites, size: ChunkSize) -> Region:
    around = padded(core, sites.panel, sites.typed, size, sites.end)
    return around._replace(start=max(around.start, stretch.start), end=min(around.end, stretch.end))


def plan_cores(panel_pos: NDArray[np.int64], region: Region, size: ChunkSize) -> list[Region]:
    """Cut a region into cores that tile it, each within the bounds and all of about the same work.

    ``panel_pos`` int64[n] are the sorted positions of the panel's variants (one per ALT) on the region's
    chromosome. A position is never cut in two, so a core of one position may hold more than
    ``size.variants`` of them. Cores without any panel variant are left out: nothing would come of them.
    """
    within = panel_pos[(panel_pos >= region.start) & (panel_pos <= region.end)]
    cores = _greedy(within, region, size.variants, size.bases)
    low, high = 0.0, 1.0
    # The smallest bounds that need no more chunks: else the last chunk would be a remnant.
    for _ in range(BALANCING_STEPS):
        middle = (low + high) / 2
        tighter = _greedy(
            within, region, max(1, int(size.variants * middle)), max(1, int(size.bases * middle)), len(cores)
        )
        if len(tighter) <= len(cores):
            high, cores = middle, tighter
        else:
            low = middle
    return [core for core in cores if _count(within, core.start, core.end)]


def _greedy(
    pos: NDArray[np.int64], region: Region, variants: int, bases: int, give_up_after: int | None = None
) -> list[Region]:
    cores: list[Region] = []
    start = region.start
    while start <= region.end and (give_up_after is None or len(cores) <= give_up_after):
        end = min(start + bases - 1, region.end)
        first_over = int(np.searchsorted(pos, start)) + variants
        if first_over < len(pos):
            end = min(end, max(int(pos[first_over]) - 1, start))
        cores.append(Region(region.chrom, start, end))
        start = end + 1
    return cores


def _count(pos: NDArray[np.int64], start: int, end: int) -> int:
    return int(np.searchsorted(pos, end, side="right") - np.searchsorted(pos, start, side="left"))


def padded(
    core: Region,
    panel_pos: NDArray[np.int64],
    typed_pos: NDArray[np.int64],
    size: ChunkSize,
    contig_end: int,
) -> Region:
    """Add the overlap to a core, within 1 to ``contig_end``.

    ``typed_pos`` int64[m] are the sorted positions that target and panel share.
    """
    left = core.start - size.overlap_bases
    before = int(np.searchsorted(typed_pos, core.start))
    if before and size.overlap_typed:
        wanted = max(int(typed_pos[max(0, before - size.overlap_typed)]), core.start - size.bases)
        affordable = int(np.searchsorted(panel_pos, core.start)) - size.variants
        left = min(left, max(wanted, int(panel_pos[max(0, affordable)])))
    right = core.end + size.overlap_bases
    after = int(np.searchsorted(typed_pos, core.end, side="right"))
    if after < len(typed_pos) and size.overlap_typed:
        last = min(len(typed_pos), after + size.overlap_typed) - 1
        wanted = min(int(typed_pos[last]), core.end + size.bases)
        affordable = int(np.searchsorted(panel_pos, core.end, side="right")) + size.variants
        right = max(right, min(wanted, int(panel_pos[min(len(panel_pos), affordable) - 1])))
    return Region(core.chrom, max(1, min(left, core.start)), min(contig_end, max(right, core.end)))


def batches(samples: list[str], size: int) -> list[list[str]]:
    """Cut a list of people into as few batches of at most ``size`` as there can be, of about equal size."""
    count = -(-len(samples) // size)
    edges = [round(i * len(samples) / count) for i in range(count + 1)] if count else [0]
    return [samples[a:b] for a, b in pairwise(edges)]
