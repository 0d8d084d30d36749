"""How a sequencer errs, learnt from aligned reads: statistics only, from which reads can be simulated.

Qualities are a Markov chain along the cycles, apart for first and second reads and for reads that are good or
bad as a whole; substitutions go by quality, the base before and the true base; insertions and deletions by
the length of the homopolymer. Places where the person differs from the reference are left out: those that a
truth set names or, without one, those where so many reads differ that it cannot be error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cyvcf2 import VCF
from numpy.typing import NDArray

from deepcohort.genome.alignments import LEFT_OUT
from deepcohort.genome.arrays import save_arrays
from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import contig_of, open_vcf, records
from deepcohort.variants.reads import CODES as reads_codes
from deepcohort.variants.reads import ReadsFile

Int64 = NDArray[np.int64]

QUALITIES = 64
"""Base qualities are 0 to 63; higher ones count as the highest."""

CLASSES = 4
"""Reads are parted by their mean quality into this many classes of about one size."""

CYCLE_BINS = 10
"""The read's length is cut into this many parts, each with its own chain of qualities."""

LONGEST_RUN = 20
LONGEST_INDEL = 10
LONGEST_INSERT = 1_500
LONGEST_CLIP = 150
HIGHEST_MAPPING = 60

LEAST_MAPPING = 20
"""Mapping quality of reads whose errors are counted."""

VARIANT_SHARE = 0.15
"""Where this share of the reads differs in one way, and at least ``VARIANT_READS``, it is a variant."""

VARIANT_READS = 3
FEWEST_READS = 500

ENOUGH_CROSSED = 50
GROWTH = 1.15
HIGHEST_INDEL_RATE = 0.1
"""Errors in runs that were not seen: near what the few real reads over runs of 12 to 23 bases show."""

DUPLICATE = 0x400
UNKNOWN_BASE = 4
CODES = reads_codes.astype(np.int8)
"""Code of each letter; signed, as complements are 3 less the code."""


@dataclass(frozen=True)
class ErrorProfile:
    """Counts, all int64. Read 0 is the first of a pair; bases are 0-3 for ACGT, 4 for none or N.

    ``cycles`` [1]: the reads' length. ``classes`` [C, C]: pairs by the class of first and second read.
    ``first`` [2, C, Q]: quality of the first cycle. ``following`` [2, C, B, Q, Q]: quality by that of the
    cycle before. ``substitutions`` [Q, 5, 4, 4]: base read, by quality, base before, true base, in the
    direction of the read. ``crossed``, ``inserted``, ``deleted`` [R]: reads over homopolymers by length and
    those with an insertion or deletion there. ``indel_sizes`` [2, S]: of insertions and deletions.
    ``insert_sizes`` [I]: fragments by length. ``clips`` [K]: reads by soft-clipped bases. ``mapping`` [61]:
    reads by mapping quality. ``duplicates`` [2]: reads, and those marked as duplicates.
    """

    cycles: Int64
    classes: Int64
    first: Int64
    following: Int64
    substitutions: Int64
    crossed: Int64
    inserted: Int64
    deleted: Int64
    indel_sizes: Int64
    insert_sizes: Int64
    clips: Int64
    mapping: Int64
    duplicates: Int64

    def save(self, path: Path) -> None:
        """Write a compressed .npz."""
        save_arrays(path, {field.name: getattr(self, field.name).astype(np.int32) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "ErrorProfile":
        """Read what ``save`` wrote; raises ``InputError`` for anything else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                profile = cls(**{field.name: file[field.name].astype(np.int64) for field in fields(cls)})
        except (ValueError, OSError, KeyError):
            raise InputError(
                f"{path.name}: not an error profile: make it with 'learn-errors' of this version"
            ) from None
        return profile

    def error_rates(self) -> NDArray[np.float64]:
        """Chance of a substitution by quality, previous base and true base, float64[Q, 5, 4].

        Where little was seen the rate of the quality counts, and where that too, the one that it promises.
        """
        wrong = self.substitutions.sum(axis=3) - np.diagonal(self.substitutions, axis1=2, axis2=3)
        seen = self.substitutions.sum(axis=3)
        promised = 10.0 ** (-np.arange(QUALITIES) / 10)
        by_quality = (wrong.sum(axis=(1, 2)) + 200 * promised) / (seen.sum(axis=(1, 2)) + 200)
        rates = (wrong + 2000 * by_quality[:, None, None]) / (seen + 2000)
        return np.asarray(np.minimum(rates, 0.75))

    def read_as(self) -> NDArray[np.float64]:
        """What a wrong base is read as, by previous and true base, float64[5, 4, 4]."""
        counts = self.substitutions.sum(axis=0).astype(np.float64) + 1
        counts[:, np.arange(4), np.arange(4)] = 0
        return np.asarray(counts / counts.sum(axis=2, keepdims=True))

    def indel_rates(self) -> NDArray[np.float64]:
        """Chance of an insertion and of a deletion by length of the homopolymer, float64[2, R].

        Few reads cross long ones: rates are taken never to fall with the length, and to grow by ``GROWTH`` a
        base beyond the lengths that ``ENOUGH_CROSSED`` reads cross.
        """
        rates = np.stack([_never_falling(counts, self.crossed) for counts in (self.inserted, self.deleted)])
        known = int(np.flatnonzero(self.crossed >= ENOUGH_CROSSED).max(initial=1))
        beyond = np.arange(LONGEST_RUN - known) + 1
        rates[:, known + 1 :] = rates[:, known, None] * GROWTH**beyond
        return np.minimum(rates, HIGHEST_INDEL_RATE)


def _never_falling(hits: Int64, trials: Int64) -> NDArray[np.float64]:
    """Rates of index 1 on by isotonic regression: neighbours that fall are pooled (Ayer et al. 1955)."""
    pools: list[tuple[float, float, int]] = []
    for hit, trial in zip(hits[1:].tolist(), trials[1:].tolist(), strict=True):
        pool = (float(hit), float(trial), 1)
        while pools and (pool[1] == 0 or pools[-1][0] * pool[1] >= pool[0] * pools[-1][1]):
            before = pools.pop()
            pool = (pool[0] + before[0], pool[1] + before[1], pool[2] + before[2])
        pools.append(pool)
    rates = [hit / max(trial, 1.0) for hit, trial, n in pools for _ in range(n)]
    return np.array([0.0, *rates])


class Stretch(NamedTuple):
    """A region's reference: first base (0-based), codes int8[n], and which bases are not counted, bool[n]."""

    start: int
    codes: NDArray[np.int8]
    left_out: NDArray[np.bool_]

    @property
    def end(self) -> int:
        """End (0-based, left out)."""
        return self.start + len(self.codes)


class Aligned(NamedTuple):
    """A read that counts: its bases and qualities as aligned, its place, its operations, whether reversed."""

    codes: NDArray[np.int8]
    quality: Int64
    start: int
    end: int
    operations: list[tuple[int, int]]
    reverse: bool


def learn(
    files: Sequence[Path], fasta: Path, regions: list[Region], truth: Path | None = None
) -> ErrorProfile:
    """Learn a profile from the reads of BAMs or CRAMs (with indexes) in regions.

    files: of one sequencer. truth: VCF whose records are left out, by position. Raises ``InputError`` where
    fewer than ``FEWEST_READS`` reads can be counted.
    """
    learner = _Learner()
    for reads in files:
        _learn_from(reads, fasta, regions, truth, learner)
    return learner.profile(files[0])


def _learn_from(
    reads: Path, fasta: Path, regions: list[Region], truth: Path | None, learner: "_Learner"
) -> None:
    file = ReadsFile(reads, fasta)
    with open_fasta(fasta) as sequences:
        for region in regions:
            name = contig_of(list(sequences.references), region.chrom)
            if name is None:
                raise InputError(f"{fasta.name}: has no chromosome {region.chrom}: give a region that it has")
            contig = file.contig(name, sequences.get_reference_length(name))
            bases = sequences.fetch(name, region.start - 1, region.end)
            codes = CODES[np.frombuffer(bases.encode(), np.uint8)]
            stretch = Stretch(region.start - 1, codes, np.zeros(len(codes), bool))
            found = list(learner.taken(file, contig, stretch))
            if truth is None:
                _leave_out_variants(found, stretch)
            else:
                _leave_out_known(truth, region, stretch)
            learner.count(found, stretch)


def _leave_out_known(truth: Path, region: Region, stretch: Stretch) -> None:
    vcf: VCF = open_vcf(truth, samples=[])
    contig = contig_of(list(vcf.seqnames), region.chrom)
    for record in records(truth, vcf):
        if contig != record.CHROM:
            continue
        first, last = record.POS - 1 - stretch.start, record.end - stretch.start
        if last > 0 and first < len(stretch.codes):
            stretch.left_out[max(0, first) : last + 1] = True
    vcf.close()


def _leave_out_variants(found: list[Aligned], stretch: Stretch) -> None:
    """Mark bases where too many reads differ in one way."""
    n = len(stretch.codes)
    seen = np.zeros((n, 7), np.int64)
    for read in found:
        for place, codes, _, _ in matches(read, stretch):
            np.add.at(seen, (place, codes), 1)
        for at, size in indels(read, stretch):
            seen[at, 5 if size > 0 else 6] += 1
    depth = seen[:, :5].sum(axis=1)
    differ = seen.copy()
    known = stretch.codes < UNKNOWN_BASE
    differ[np.flatnonzero(known), stretch.codes[known]] = 0
    differ[:, UNKNOWN_BASE] = 0
    most = differ.max(axis=1)
    variant = (most >= VARIANT_READS) & (most >= VARIANT_SHARE * np.maximum(depth, 1))
    # A variant's neighbours are misread with it where the aligner could not tell.
    for one in np.flatnonzero(variant).tolist():
        stretch.left_out[max(0, one - 2) : one + 3] = True


def matches(read: Aligned, stretch: Stretch) -> Iterator[tuple[Int64, NDArray[np.int8], Int64, Int64]]:
    """Stretches of a read aligned base to base: index in the stretch, code, quality, place in the read."""
    here, there = read.start, 0
    for operation, length in read.operations:
        if operation in (0, 7, 8):
            first, last = max(here, stretch.start), min(here + length, stretch.end)
            if first < last:
                at = np.arange(first - here + there, last - here + there)
                place = np.arange(first - stretch.start, last - stretch.start)
                yield place, read.codes[at], read.quality[at], at
        here += length if operation in (0, 2, 3, 7, 8) else 0
        there += length if operation in (0, 1, 4, 7, 8) else 0


def indels(read: Aligned, stretch: Stretch) -> Iterator[tuple[int, int]]:
    """Insertions (size above 0) and deletions of a read: index of the base they start at, and size."""
    here = read.start
    for operation, length in read.operations:
        if operation in (1, 2) and stretch.start <= here < stretch.end:
            yield here - stretch.start, length if operation == 1 else -length
        here += length if operation in (0, 2, 3, 7, 8) else 0


class _Learner:
    """Adds up counts over regions."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.qualities: dict[tuple[str, int], Int64] = {}
        self.substitutions = np.zeros((QUALITIES, 5, 4, 4), np.int64)
        self.runs = np.zeros((3, LONGEST_RUN + 1), np.int64)
        self.indel_sizes = np.zeros((2, LONGEST_INDEL + 1), np.int64)
        self.insert_sizes = np.zeros(LONGEST_INSERT + 1, np.int64)
        self.clips = np.zeros(LONGEST_CLIP + 1, np.int64)
        self.mapping = np.zeros(HIGHEST_MAPPING + 1, np.int64)
        self.duplicates = np.zeros(2, np.int64)

    def taken(self, file: ReadsFile, contig: str, stretch: Stretch) -> Iterator[Aligned]:
        """Yield the reads that start in the stretch and count; note what all of them say of the library."""
        for read in file.fetch(contig, stretch.start, stretch.end):
            if read.reference_start < stretch.start or read.flag & (LEFT_OUT & ~DUPLICATE):
                continue
            self.duplicates += [1, int(read.is_duplicate)]
            if read.is_duplicate or read.query_qualities is None:
                continue
            self.mapping[min(read.mapping_quality, HIGHEST_MAPPING)] += 1
            if read.mapping_quality < LEAST_MAPPING:
                continue
            operations = list(read.cigartuples)
            self.clips[min(sum(n for operation, n in operations if operation == 4), LONGEST_CLIP)] += 1
            if read.is_proper_pair and 0 < read.template_length <= LONGEST_INSERT:
                self.insert_sizes[read.template_length] += 1
            codes = CODES[np.frombuffer(read.query_sequence.encode(), np.uint8)]
            quality = np.minimum(np.asarray(read.query_qualities, np.int64), QUALITIES - 1)
            place = read.reference_start, read.reference_end
            mate = int(read.is_read2)
            self.qualities[f"{file.path} {read.query_name}", mate] = (
                quality[::-1] if read.is_reverse else quality
            )
            yield Aligned(codes, quality, *place, operations, read.is_reverse)

    def count(self, found: list[Aligned], stretch: Stretch) -> None:
        """Count the errors of reads."""
        first, last, length = _homopolymers(stretch.codes)
        clean = np.array([not stretch.left_out[a : b + 1].any() for a, b in zip(first, last, strict=True)])
        clean &= stretch.codes[first] < UNKNOWN_BASE
        run_of = np.repeat(np.arange(len(first)), length)
        capped = np.minimum(length, LONGEST_RUN)
        crossed = np.zeros(len(first) + 1, np.int64)
        for read in found:
            self._count_bases(read, stretch)
            a = np.searchsorted(first, read.start - stretch.start, side="right")
            b = np.searchsorted(last, read.end - stretch.start - 1)
            crossed[a] += 1
            crossed[max(a, b)] -= 1
            for place, size in indels(read, stretch):
                run = run_of[place]
                if clean[run] and a <= run < b:
                    self.runs[1 if size > 0 else 2, capped[run]] += 1
                    self.indel_sizes[int(size < 0), min(abs(size), LONGEST_INDEL)] += 1
        times = np.cumsum(crossed)[:-1]
        self.runs[0] += np.bincount(capped[clean], times[clean], LONGEST_RUN + 1).astype(np.int64)

    def _count_bases(self, read: Aligned, stretch: Stretch) -> None:
        for place, codes, quality, _ in matches(read, stretch):
            true = stretch.codes[place]
            # The base that was read before, on the read's own strand.
            before = np.full(len(place), UNKNOWN_BASE, np.int8)
            if read.reverse:
                before[:-1] = true[1:]
                true, codes, before = _complement(true), _complement(codes), _complement(before)
            else:
                before[1:] = true[:-1]
            fit = (true < UNKNOWN_BASE) & (codes < UNKNOWN_BASE) & ~stretch.left_out[place]
            np.add.at(self.substitutions, (quality[fit], before[fit], true[fit], codes[fit]), 1)

    def profile(self, reads: Path) -> ErrorProfile:
        """Finish: part the reads into classes and count their qualities."""
        if len(self.qualities) < FEWEST_READS:
            raise InputError(
                f"{reads.name}: only {len(self.qualities)} reads can be counted in the regions: give regions "
                f"with at least {FEWEST_READS} reads"
            )
        means = {key: float(quality.mean()) for key, quality in self.qualities.items()}
        edges = np.quantile(list(means.values()), np.arange(1, CLASSES) / CLASSES)
        group = {key: int(np.searchsorted(edges, mean)) for key, mean in means.items()}
        classes = np.zeros((CLASSES, CLASSES), np.int64)
        first = np.zeros((2, CLASSES, QUALITIES), np.int64)
        following = np.zeros((2, CLASSES, CYCLE_BINS, QUALITIES, QUALITIES), np.int64)
        for (name, mate), quality in self.qualities.items():
            own = group[name, mate]
            if mate == 0 and (name, 1) in group:
                classes[own, group[name, 1]] += 1
            first[mate, own, quality[0]] += 1
            part = np.arange(1, len(quality)) * CYCLE_BINS // len(quality)
            np.add.at(following[mate, own], (part, quality[:-1], quality[1:]), 1)
        cycles = int(np.median([len(quality) for quality in self.qualities.values()]))
        return ErrorProfile(
            np.array([cycles]), classes, first, following, self.substitutions,
            self.runs[0], self.runs[1], self.runs[2], self.indel_sizes,
            self.insert_sizes, self.clips, self.mapping, self.duplicates,
        )  # fmt: skip


def _complement(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.where(codes < UNKNOWN_BASE, 3 - codes, codes).astype(np.int8)


def _homopolymers(codes: NDArray[np.int8]) -> tuple[Int64, Int64, Int64]:
    """First and last base and length of each run of one base, int64[n] each."""
    first = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])
    last = np.concatenate([first[1:] - 1, [len(codes) - 1]])
    return first, last, last - first + 1
