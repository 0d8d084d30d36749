"""Paired reads of two haplotypes, with the errors of a learnt profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.error_profile import (
    CLASSES,
    CODES,
    CYCLE_BINS,
    LONGEST_RUN,
    QUALITIES,
    UNKNOWN_BASE,
    ErrorProfile,
)

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

BATCH = 20_000
"""Fragments that are read together."""

ELSEWHERE = 0.001
DIVERGENCE = 0.03
"""Share of the fragments that come from a diverged copy of the place, and how far it has diverged."""

CHIMERAS = 0.005
"""Share of the fragments whose second read is of another place."""

INSERTED, CLIPPED = -1, -2
"""What stands for the place of a base that the sequencer made up, or that is of another place."""


@dataclass(frozen=True)
class Tables:
    """What a profile says, as cumulative chances: see ``ErrorProfile`` for the shapes."""

    first: Float64
    following: Float64
    errors: Float64
    read_as: Float64
    indels: Float64
    sizes: Float64

    @classmethod
    def of(cls, profile: ErrorProfile) -> "Tables":
        """Make the tables; where no quality was seen to follow, what follows anywhere in the reads does."""
        following = profile.following.astype(np.float64)
        anywhere = following.sum(axis=(0, 1, 2)) + 1e-6 * np.eye(QUALITIES)
        seen = following.sum(axis=-1, keepdims=True) > 0
        return cls(
            _cumulative(profile.first + 1e-9 * profile.first.sum(axis=(0, 1))),
            _cumulative(np.where(seen, following, anywhere)),
            profile.error_rates(),
            _cumulative(profile.read_as()),
            profile.indel_rates(),
            _cumulative(profile.indel_sizes[:, 1:] + 1e-9),
        )


class Reads(NamedTuple):
    """A batch of fragments, each with two reads, as they come from the sequencer.

    ``codes`` int8[n, 2, L] (0-4 for ACGTN), ``quality`` uint8[n, 2, L], ``place`` int64[n, 2, L]: where each
    base stands on the haplotype, ``INSERTED`` or ``CLIPPED``. ``haplotype``, ``reverse`` (whether the first
    read is the reverse one), ``duplicate``, ``elsewhere``: [n] each.
    """

    codes: NDArray[np.int8]
    quality: NDArray[np.uint8]
    place: Int64
    haplotype: Int64
    reverse: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]


class Fragments(NamedTuple):
    """Fragments to be read: start on the haplotype and length, and what is odd about them, [n] each."""

    haplotype: Int64
    start: Int64
    length: Int64
    reverse: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]
    other: Int64
    """Start of the second read's fragment where it is of another place, else -1."""


def simulated_reads(
    haplotypes: list[NDArray[np.uint8]],
    profile: ErrorProfile,
    coverage: float,
    length: int,
    rng: np.random.Generator,
) -> Iterator[Reads]:
    """Yield batches of pairs that cover the two haplotypes together ``coverage`` times.

    haplotypes: bases in capitals. length: of each read. Duplicates come on top of the coverage.
    """
    codes = [CODES[one] for one in haplotypes]
    runs = [run_lengths(one) for one in codes]
    tables = Tables.of(profile)
    bases = np.mean([len(one) for one in codes])
    wanted = round(coverage * bases / (2 * length))
    for first in range(0, wanted, BATCH):
        fragments = _fragments(codes, profile, min(BATCH, wanted - first), length, rng)
        yield _sequenced(codes, runs, fragments, profile, tables, length, rng)


def _fragments(
    codes: list[NDArray[np.int8]], profile: ErrorProfile, n: int, length: int, rng: np.random.Generator
) -> Fragments:
    haplotype = rng.integers(0, 2, n)
    sizes = _drawn(profile.insert_sizes, n, rng)
    size = np.maximum(sizes, length + 10)
    room = np.array([len(one) for one in codes])[haplotype] - size
    if room.min() <= 0:
        size = np.minimum(size, length + 10)
        room = np.array([len(one) for one in codes])[haplotype] - size
    start = (rng.random(n) * room).astype(np.int64)
    reverse = rng.random(n) < 0.5
    elsewhere = rng.random(n) < ELSEWHERE
    other = np.where(rng.random(n) < CHIMERAS, (rng.random(n) * room).astype(np.int64), -1)
    all_reads, marked = profile.duplicates
    again = np.flatnonzero(rng.random(n) < marked / max(1, all_reads - marked))
    kept = np.concatenate([np.arange(n), again])
    duplicate = np.arange(len(kept)) >= n
    return Fragments(
        haplotype[kept], start[kept], size[kept], reverse[kept], duplicate, elsewhere[kept], other[kept]
    )


def _sequenced(
    codes: list[NDArray[np.int8]],
    runs: list[NDArray[np.uint8]],
    fragments: Fragments,
    profile: ErrorProfile,
    tables: Tables,
    length: int,
    rng: np.random.Generator,
) -> Reads:
    n = len(fragments.start)
    pairs = _drawn(profile.classes.ravel(), n, rng)
    group = np.stack([pairs // CLASSES, pairs % CLASSES], axis=1)
    clips = _drawn(profile.clips, 2 * n, rng).reshape(n, 2)
    clips = np.where(clips > length // 2, 0, clips)
    out = (
        np.full((n, 2, length), UNKNOWN_BASE, np.int8),
        np.full((n, 2, length), 2, np.uint8),
        np.full((n, 2, length), CLIPPED, np.int64),
    )
    for mate in (0, 1):
        apart = (fragments.other >= 0) & (mate == 1)
        start = np.where(apart, fragments.other, fragments.start)
        backward = fragments.reverse ^ (mate == 1)
        first = np.where(backward, start + fragments.length - 1, start)
        for which in (0, 1):
            own = np.flatnonzero(fragments.haplotype == which)
            other = (rng.random(len(own)) * (len(codes[which]) - length)).astype(np.int64)
            read_off(
                codes[which], runs[which], own, mate, first, backward, clips[:, mate], other,
                group[:, mate], np.where(fragments.elsewhere, DIVERGENCE, 0.0),
                tables.first[mate], tables.following[mate], tables.errors, tables.read_as, tables.indels,
                tables.sizes, rng, *out,
            )  # fmt: skip
    return Reads(*out, fragments.haplotype, fragments.reverse, fragments.duplicate, fragments.elsewhere)


@compiled
def run_lengths(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Length of the homopolymer that each base is in, ``LONGEST_RUN`` at most."""
    lengths = np.empty(len(codes), np.uint8)
    first = 0
    for at in range(1, len(codes) + 1):
        if at == len(codes) or codes[at] != codes[first]:
            lengths[first:at] = min(at - first, LONGEST_RUN)
            first = at
    return lengths


@compiled
def read_off(
    codes: NDArray[np.int8],
    runs: NDArray[np.uint8],
    own: Int64,
    mate: int,
    first: Int64,
    backward: NDArray[np.bool_],
    clips: Int64,
    other: Int64,
    group: Int64,
    diverged: Float64,
    begin: Float64,
    following: Float64,
    errors: Float64,
    read_as: Float64,
    indels: Float64,
    sizes: Float64,
    rng: np.random.Generator,
    out_codes: NDArray[np.int8],
    out_quality: NDArray[np.uint8],
    out_place: Int64,
) -> None:
    """Read the fragments ``own`` of one haplotype, base by base, into the rows of ``out_...``.

    An insertion or deletion of a run is put at its left end on the haplotype, whichever way the read goes,
    as aligners put it.
    """
    cycles = out_codes.shape[2]
    for number in range(len(own)):
        row = own[number]
        step = -1 if backward[row] else 1
        at = first[row]
        clipped = cycles - clips[row]
        n, before, quality = 0, UNKNOWN_BASE, 0
        # An indel that waits for the run's end (deletions below 0), and copies of a base yet to be read.
        pending, wait, copies, copied, arrived = 0, 0, 0, 0, False
        while n < cycles and 0 <= at < len(codes):
            if n == clipped:
                at, step = other[number], 1
                pending, copies, arrived = 0, 0, False
            if arrived and copies == 0:
                arrived = False
                if pending > 0 and wait == 0:
                    copies, copied, pending = pending, codes[at - step], 0
                elif codes[at - step] != codes[at] and n < clipped:
                    chance, run = rng.random(), runs[at]
                    if chance < indels[0, run]:
                        pending = 1 + int(np.searchsorted(sizes[0], rng.random()))
                        wait = 0 if step > 0 else run
                    elif chance < indels[0, run] + indels[1, run]:
                        pending = -1 - int(np.searchsorted(sizes[1], rng.random()))
                        wait = 0 if step > 0 else max(0, run + pending)
                    if pending > 0 and wait == 0:
                        copies, copied, pending = pending, codes[at], 0
                if pending < 0 and wait == 0:
                    at -= step * pending
                    pending = 0
                    if not 0 <= at < len(codes):
                        break
            base = copied if copies else codes[at]
            if n == 0:
                quality = int(np.searchsorted(begin[group[row]], rng.random()))
            else:
                part = n * CYCLE_BINS // cycles
                quality = int(np.searchsorted(following[group[row], part, quality], rng.random()))
            true = 3 - base if step < 0 and base < UNKNOWN_BASE else base
            seen = true
            if true < UNKNOWN_BASE:
                if rng.random() < diverged[row]:
                    seen = (true + 1 + int(rng.random() * 3)) % 4
                if rng.random() < errors[quality, before, true]:
                    seen = int(np.searchsorted(read_as[before, true], rng.random()))
            out_codes[row, mate, n] = seen
            out_quality[row, mate, n] = quality
            out_place[row, mate, n] = CLIPPED if n >= clipped else INSERTED if copies else at
            before = true
            n += 1
            if copies:
                copies -= 1
            else:
                at += step
                arrived = True
                wait = max(0, wait - 1)


def _cumulative(chances: NDArray[Any]) -> Float64:
    """Cumulative chances along the last axis, the last of them above every random number."""
    total = np.cumsum(chances, axis=-1)
    total = total / np.maximum(total[..., -1:], 1e-300)
    return np.asarray(np.where(total >= total[..., -1:], 2.0, total))


def _drawn(counts: Int64, n: int, rng: np.random.Generator) -> Int64:
    """Draw indices as often as they were counted."""
    total = np.cumsum(counts)
    return np.asarray(np.searchsorted(total, rng.random(n) * total[-1], side="right"), np.int64)
