"""Pileups as pictures: one tensor for a candidate, its column in the middle, a row for each read.

Reads stand as they were aligned anew to the window's haplotypes. Channels hold 0 to 255; 0 is where there is
nothing. The first rows are the reference's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.features import OTHER, REF, THIS, UNCLEAR
from deepcohort.variants.reads import Reads
from deepcohort.variants.realigned import GAP, OUTSIDE, Layout, laid_out
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import Window

Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

VERSION = 1
"""Of what the numbers in a tensor mean: weights are of one version."""

CHANNELS = (
    "base", "base_quality", "mapping_quality", "strand", "read_position", "insert_size",
    "mate_mapping_quality", "supports", "differs", "indel", "repeat", "haplotype",
)  # fmt: skip
"""All channels, in their order; a layout has the first of them."""

MOST = 254
BASES = np.array([60, 110, 160, 210, 250], np.uint8)
"""A, C, G, T, and any other; a deleted base is ``DELETED``."""

DELETED = 20
FORWARD, REVERSE = 90, 210
SAME, DIFFERENT = 60, 254
SUPPORTS = np.zeros(4, np.uint8)
SUPPORTS[[REF, THIS, OTHER, UNCLEAR]] = 60, 254, 180, 120
INSERTED, LONGEST_INSERTED = 100, 20
"""An insertion after a base: ``INSERTED`` and more by its length; a deleted base has ``DELETED`` here too."""

MOST_QUALITY, MOST_MAPPING, MOST_INSERT, MOST_REPEAT = 40, 60, 1000, 20
HAPLOTYPES = np.array([120, 254, 60], np.uint8)
"""Reads of the likeliest pair's first and second haplotype, and those that may be of either."""


class Shape(NamedTuple):
    """Rows, columns (odd), channels and rows of the reference of a layout."""

    rows: int
    columns: int
    channels: int
    reference_rows: int


LAYOUTS = {
    "base7": Shape(100, 221, 7, 5),
    "full": Shape(100, 221, len(CHANNELS), 5),
    "compact": Shape(40, 41, len(CHANNELS), 1),
}
"""base7 is the plain pileup; compact is for CPUs."""


class Scene(NamedTuple):
    """What all candidates of a window are drawn from.

    picked: int64[R], the window's reads. haplotype: int64[R], as of ``window_tensors``. codes, repeats: of
    the reference, uint8[C], along the layout's columns.
    """

    reads: Reads
    picked: Int64
    layout: Layout
    haplotype: Int64
    codes: UInt8
    repeats: UInt8
    reference_rows: int


def window_tensors(
    window: Window,
    reads: Reads,
    reference: Reference,
    positions: Int64,
    sides: Int64,
    haplotype: Int64,
    shape: Shape,
) -> UInt8:
    """Tensors of some of a window's candidates, uint8[N, channels, rows, columns].

    positions: int64[N], of the candidates. sides: int64[N, R], which allele each read is of, -1 for reads
    that are off the site. haplotype: int64[R], 0 or 1 where a read is clearly of that haplotype of the
    likeliest pair, else 2.
    """
    out = np.zeros((len(positions), shape.channels, shape.rows, shape.columns), np.uint8)
    if not len(positions):
        return out
    half = shape.columns // 2
    layout = laid_out(reads, window, int(positions.min()) - half, int(positions.max()) + half + 1)
    repeats = _repeats(reference, layout.start, layout.base.shape[1])
    codes = _codes(reference, layout.start, layout.base.shape[1])
    most = shape.rows - shape.reference_rows
    rows = np.full((len(positions), most), -1)
    for n, own in enumerate(sides):
        drawn = _rows(own, reads.start[window.picked], most)
        rows[n, : len(drawn)] = drawn
    scene = Scene(reads, window.picked, layout, haplotype, codes, repeats, shape.reference_rows)
    _draw_all(scene, rows, sides, positions - half - layout.start, out)
    return out


def _rows(sides: Int64, starts: Int64, most: int) -> Int64:
    """Which reads get a row, and in which order: by side, then by start. All sides keep some."""
    on = np.flatnonzero(sides >= 0)
    order = on[np.lexsort((starts[on], sides[on]))]
    if len(order) <= most:
        return order
    sizes = np.bincount(sides[order], minlength=4)
    least = np.minimum(sizes, most // len(sizes))
    more = (sizes - least) * (most - least.sum()) // max(1, (sizes - least).sum())
    edges = np.concatenate([[0], np.cumsum(sizes)])
    kept = [
        edges[side] + np.linspace(0, sizes[side] - 1, many).astype(np.int64)
        for side, many in enumerate(least + more)
        if many
    ]
    chosen: Int64 = order[np.concatenate(kept)]
    return chosen


def _codes(reference: Reference, start: int, columns: int) -> UInt8:
    """Codes of the reference's bases, that of no base beyond the contig's ends."""
    codes = np.full(columns, 4, np.uint8)
    first, last = max(start, reference.start), min(start + columns, reference.end)
    codes[first - start : last - start] = reference.codes[first - reference.start : last - reference.start]
    return codes


def _repeats(reference: Reference, start: int, columns: int) -> UInt8:
    """Length of the homopolymer in which each base of the reference is."""
    codes = _codes(reference, start - MOST_REPEAT, columns + 2 * MOST_REPEAT)
    edges = np.flatnonzero(np.diff(codes)) + 1
    bounds = np.concatenate([[0], edges, [len(codes)]])
    lengths = np.repeat(np.diff(bounds), np.diff(bounds))[MOST_REPEAT : MOST_REPEAT + columns]
    found: UInt8 = np.minimum(lengths, MOST_REPEAT).astype(np.uint8)
    return found


@compiled
def _draw_all(scene: Scene, rows: Int64, sides: Int64, firsts: Int64, out: UInt8) -> None:
    """Draw every candidate, uint8[N, channels, rows, columns].

    rows: int64[N, most], of reads, -1 after the last. firsts: int64[N], the layout's first columns to draw.
    """
    everyone = np.zeros((len(CHANNELS), out.shape[2], out.shape[3]), np.uint8)
    for n in range(len(out)):
        everyone[:] = 0
        _draw(scene, rows[n][rows[n] >= 0], sides[n], firsts[n], everyone)
        out[n] = everyone[: out.shape[1]]


@compiled
def _draw(scene: Scene, rows: Int64, sides: Int64, first: int, out: UInt8) -> None:
    reads, layout, codes, repeats = scene.reads, scene.layout, scene.codes, scene.repeats
    columns = out.shape[2]
    for row in range(scene.reference_rows):
        for column in range(columns):
            out[0, row, column] = BASES[codes[first + column]]
            out[1, row, column] = MOST
            out[2, row, column] = MOST
            out[8, row, column] = SAME
            out[10, row, column] = repeats[first + column] * MOST // MOST_REPEAT
    for number in range(len(rows)):
        r = rows[number]
        read, row = scene.picked[r], scene.reference_rows + number
        offset, length = reads.base_start[read], reads.base_start[read + 1] - reads.base_start[read]
        for column in range(columns):
            base = layout.base[r, first + column]
            if base == OUTSIDE:
                continue
            out[2, row, column] = 1 + min(reads.mapq[read], MOST_MAPPING) * (MOST - 1) // MOST_MAPPING
            out[3, row, column] = REVERSE if reads.reverse[read] else FORWARD
            out[5, row, column] = 1 + min(reads.insert_size[read], MOST_INSERT) * (MOST - 1) // MOST_INSERT
            out[6, row, column] = 1 + min(reads.mate_mapq[read], MOST_MAPPING) * (MOST - 1) // MOST_MAPPING
            out[7, row, column] = SUPPORTS[sides[r]]
            out[10, row, column] = repeats[first + column] * MOST // MOST_REPEAT
            out[11, row, column] = HAPLOTYPES[scene.haplotype[r]]
            if base == GAP:
                out[0, row, column] = DELETED
                out[8, row, column] = DIFFERENT
                out[9, row, column] = DELETED
                continue
            code = reads.bases[base]
            at = base - offset
            cycle = length - 1 - at if reads.reverse[read] else at
            out[0, row, column] = BASES[code]
            out[1, row, column] = 1 + min(reads.quality[base], MOST_QUALITY) * (MOST - 1) // MOST_QUALITY
            out[4, row, column] = 1 + cycle * (MOST - 1) // max(1, length - 1)
            out[8, row, column] = SAME if code == codes[first + column] else DIFFERENT
            inserted = layout.inserted[r, first + column]
            if inserted > 0:
                longest = min(inserted, LONGEST_INSERTED)
                out[9, row, column] = INSERTED + longest * (MOST - INSERTED) // LONGEST_INSERTED
