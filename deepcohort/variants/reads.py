"""The reads of a stretch of one person's BAM or CRAM, as arrays."""

import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam
from numpy.typing import ArrayLike, NDArray

from deepcohort.genome.alignments import LEFT_OUT, alignment_header, index_fits, index_reads, samples_of
from deepcohort.genome.compiled import compiled
from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import contig_of
from deepcohort.variants.gaps import SHORT_READS, read_gaps

log = logging.getLogger(__name__)

LEAST_MAPPING_QUALITY = 5
"""Reads that are mapped less surely are left out."""

BIN, MOST_IN_BIN = 1000, 1500
"""Of the reads that start within so many bases at most so many are taken: 225 times of 150 bases."""

REASONS = ("flagged", "low_mapping_quality", "without_bases", "over_depth")
"""Why reads are left out."""

NO_BASE = 4
"""Code of what is none of ACGT, whose codes are 0 to 3."""

MATCH, INSERTION, DELETION, CLIP = 0, 1, 2, 4
"""Operations in ``Reads.ops``: what CIGARs call ``=`` and ``X`` is a match; hard clips and pads are gone."""

REVERSE = 0x10
"""Flag of reads on the reverse strand."""

SKIP = 3
"""Operation of a CIGAR that leaps over reference bases (an intron): neither read nor deleted."""

NO_OPERATION = 255
OPERATIONS = np.full(256, NO_OPERATION, np.uint8)
for _code, _letters in ((MATCH, "M=X"), (INSERTION, "I"), (DELETION, "D"), (SKIP, "N"), (CLIP, "S")):
    OPERATIONS[[ord(letter) for letter in _letters]] = _code

DIGIT, SEMICOLON = ord("0"), ord(";")

CODES = np.full(256, NO_BASE, np.uint8)
for _code, _base in enumerate("ACGT"):
    CODES[[ord(_base), ord(_base.lower())]] = _code

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


class Reads(NamedTuple):
    """R reads, sorted by start as the file is; positions count from 0.

    bases: uint8[B], codes 0 to 3 or ``NO_BASE``; quality: uint8[B], phred. Where both mates of a pair read a
    position, the base that counts has a quality and the other has 0. base_start: int64[R + 1], where a read's
    bases are. ops: uint8[C], lengths: int32[C], op_start: int64[R + 1], likewise for the CIGAR. start, end:
    int64[R] on the reference, without clips. mapq, mate_mapq: uint8[R], the latter from the tag MQ (0 where
    it is absent). reverse: bool[R]. insert_size: int32[R], absolute, 0 where it is not known. fragment:
    int64[R], the same for mates. gaps: float64[2, U, T], how likely the reads have gaps, as
    ``gaps.SHORT_READS``.
    """

    bases: UInt8
    quality: UInt8
    base_start: Int64
    ops: UInt8
    lengths: Int32
    op_start: Int64
    start: Int64
    end: Int64
    mapq: UInt8
    mate_mapq: UInt8
    reverse: Bool
    insert_size: Int32
    fragment: Int64
    gaps: Float64


class ReadsFile:
    """One person's BAM or CRAM, open; ``sample`` is the name in its read groups, None without one."""

    def __init__(
        self, path: Path, fasta: Path | None, index: Path | None = None, gaps: Path | None = None
    ) -> None:
        """index: where the index is; by default it is looked for beside the file. gaps: table of how likely
        the reads have gaps, by default as short reads do.

        Raises ``InputError`` for a file that cannot be read, is not sorted, has no index, holds several
        people's reads, or is a CRAM without ``fasta``.
        """
        header = alignment_header(path)
        samples = samples_of(path, header)
        self.path, self.fasta = path, fasta
        self.gaps = SHORT_READS if gaps is None else read_gaps(gaps)
        self.sample = samples[0] if samples else None
        if is_cram(path) and fasta is None:
            raise InputError(f"{path.name}: a CRAM cannot be read without its reference: give the FASTA")
        index = index or beside(path)
        if index is None or not index_fits(path, index):
            raise InputError(f"{path.name}: there is no index that fits: make one (samtools index)")
        self._file = pysam.AlignmentFile(
            str(path),
            index_filename=str(index),
            reference_filename=None if fasta is None else str(fasta),
        )
        self.lengths = dict(zip(self._file.references, self._file.lengths, strict=True))

    def contig(self, contig: str, length: int) -> str:
        """The file's name of a contig. Raises ``InputError`` where it has none, or one of another length."""
        own = contig_of(list(self.lengths), contig)
        if own is None:
            some = ", ".join(list(self.lengths)[:3])
            raise InputError(
                f"{self.path.name}: no contig {contig} (there are {some}): give reads and FASTA of one "
                "reference"
            )
        if self.lengths[own] != length:
            raise InputError(
                f"{self.path.name}: {own} has {self.lengths[own]:,} bases but {length:,} in the FASTA: "
                "give the reference that the reads were aligned to"
            )
        return own

    def fetch(self, contig: str, start: int, end: int) -> Iterator[Any]:
        """Reads that overlap a stretch. Raises ``InputError`` where they are damaged or out of order."""
        last = -1
        try:
            for read in self._file.fetch(contig, max(0, start), end):
                if read.reference_start < last:
                    raise InputError(
                        f"{self.path.name}: the read {read.query_name} at "
                        f"{contig}:{read.reference_start + 1:,} comes after {last + 1:,}: sort the file "
                        "(samtools sort) and index it again"
                    )
                last = read.reference_start
                yield read
        except OSError:
            how = "copy it again, or give the FASTA that it was made with" if self.fasta else "copy it again"
            raise InputError(
                f"{self.path.name}: damaged: the reads of {contig} after {last + 1:,} cannot be read: {how}"
            ) from None


def is_cram(path: Path) -> bool:
    """Whether a file starts as CRAMs do."""
    with path.open("rb") as file:
        return file.read(4) == b"CRAM"


def beside(path: Path) -> Path | None:
    """The index that lies beside a BAM or CRAM."""
    names = [path.with_name(path.name + end) for end in (".bai", ".csi", ".crai")]
    return next((one for one in [*names, path.with_suffix(".bai")] if one.exists()), None)


def index_of(path: Path, folder: Path) -> Path:
    """The index beside the file, or else one that is made in ``folder``, which is said."""
    index = beside(path)
    if index is not None and index_fits(path, index):
        return index
    made = folder / f"{path.name}{'.crai' if is_cram(path) else '.bai'}"
    index_reads(path, made)
    log.info("%s had no index that fits: one was made", path.name)
    return made


def read_reads(file: ReadsFile, contig: str, start: int, end: int) -> tuple[Reads, dict[str, list[int]]]:
    """Reads that overlap ``start`` to ``end`` (0-based, half open), and where others begin that were left
    out, by ``REASONS``.

    Which reads are left out for depth hangs on the whole ``BIN`` that they start in, so that the same reads
    are taken whatever stretch is asked for: those whose names have the smallest checksums, mates together.
    """
    left_out: dict[str, list[int]] = {reason: [] for reason in REASONS}
    low, high = start // BIN * BIN, -(-end // BIN) * BIN
    taken = _Columns()
    taken.take(file.fetch(contig, low, high), left_out)
    before = min(taken.start, default=low) // BIN * BIN
    earlier = _Columns()
    if before < low:
        earlier.take(file.fetch(contig, before, low), {reason: [] for reason in REASONS})
    cigars = _parsed(np.frombuffer("".join(taken.cigar).encode(), np.uint8))
    starts = np.array(taken.start, np.int64)
    ends = starts + cigars.span
    deep = _over_depth(taken, earlier, low)
    left_out["over_depth"] = starts[deep].tolist()
    rows = np.flatnonzero(~deep & (starts < end) & (ends > start))
    found = _as_arrays(taken, cigars, ends, rows, file.gaps)
    _count_mates_once(found)
    return found, left_out


class _Columns:
    """What is taken of reads, one list each: pysam makes all of it anew whenever it is asked."""

    def __init__(self) -> None:
        self.start: list[int] = []
        self.flag: list[int] = []
        self.mapq: list[int] = []
        self.mate_mapq: list[int] = []
        self.insert_size: list[int] = []
        self.name: list[str] = []
        self.bases: list[str] = []
        self.quality: list[bytes] = []
        self.cigar: list[str] = []

    def take(self, reads: Iterator[Any], left_out: dict[str, list[int]]) -> None:
        """Take the reads that count; of the others where they begin goes to ``left_out``."""
        for read in reads:
            flag, mapq, start = read.flag, read.mapping_quality, read.reference_start
            if flag & LEFT_OUT:
                left_out["flagged"].append(start)
                continue
            if mapq < LEAST_MAPPING_QUALITY:
                left_out["low_mapping_quality"].append(start)
                continue
            # Not query_qualities_str: pysam 0.24 overwrites a shared string where a read has one base.
            bases, quality, cigar = read.query_sequence, read.query_qualities, read.cigarstring
            if bases is None or quality is None or len(quality) != len(bases) or not cigar:
                left_out["without_bases"].append(start)
                continue
            try:
                mate_mapq = read.get_tag("MQ")
            except KeyError:
                mate_mapq = 0
            self.start.append(start)
            self.flag.append(flag)
            self.mapq.append(mapq)
            self.mate_mapq.append(mate_mapq)
            self.insert_size.append(abs(read.template_length))
            self.name.append(read.query_name or "")
            self.bases.append(bases)
            self.quality.append(quality.tobytes())
            self.cigar.append(cigar + ";")

    def key(self, row: int) -> tuple[int, int]:
        return zlib.crc32(self.name[row].encode()), self.flag[row]


class _Cigars(NamedTuple):
    """CIGARs as in ``Reads``; span: int64[R], bases of the reference that each covers."""

    ops: UInt8
    lengths: Int32
    start: Int64
    span: Int64


@compiled
def _parsed(text: UInt8) -> _Cigars:
    """Read CIGARs, each with a semicolon after it."""
    reads = operations = 0
    for byte in text:
        reads += byte == SEMICOLON
        operations += byte > SEMICOLON
    ops, lengths = np.empty(operations, np.uint8), np.empty(operations, np.int32)
    start, span = np.zeros(reads + 1, np.int64), np.zeros(reads, np.int64)
    read = n = length = 0
    for byte in text:
        if byte == SEMICOLON:
            read += 1
            start[read] = n
        elif byte < SEMICOLON:
            length = 10 * length + byte - DIGIT
        else:
            op = OPERATIONS[byte]
            if op != NO_OPERATION:
                ops[n], lengths[n] = op, length
                n += 1
                span[read] += length if op in (MATCH, DELETION, SKIP) else 0
            length = 0
    return _Cigars(ops[:n], lengths[:n], start, span)


def _over_depth(taken: _Columns, earlier: _Columns, low: int) -> Bool:
    """Which of the reads taken are too many in their bin, bool[R].

    earlier: reads of which some begin in the same bins as the first that were taken; those that reach beyond
    ``low`` were taken too.
    """
    cigars = _parsed(np.frombuffer("".join(earlier.cigar).encode(), np.uint8))
    starts = np.array(earlier.start, np.int64)
    others = np.flatnonzero(starts + cigars.span <= low).tolist()
    bins = np.concatenate([starts[others], np.array(taken.start, np.int64)]) // BIN
    number, count = np.unique(bins, return_counts=True)
    deep = np.zeros(len(taken.start), bool)
    for crowded in number[count > MOST_IN_BIN].tolist():
        own = [row for row, start in enumerate(taken.start) if start // BIN == crowded]
        keys = [earlier.key(row) for row in others if earlier.start[row] // BIN == crowded]
        last = sorted(keys + [taken.key(row) for row in own])[MOST_IN_BIN - 1]
        deep[[row for row in own if taken.key(row) > last]] = True
    return deep


def _as_arrays(taken: _Columns, cigars: _Cigars, ends: Int64, rows: Int64, gaps: Float64) -> Reads:
    kept = rows.tolist()
    names: dict[str, int] = {}
    bases, quality = [taken.bases[row] for row in kept], [taken.quality[row] for row in kept]
    size = np.diff(cigars.start)
    own = np.isin(np.repeat(np.arange(len(size)), size), rows)
    return Reads(
        bases=CODES[np.frombuffer("".join(bases).encode(), np.uint8)],
        quality=np.frombuffer(b"".join(quality), np.uint8).copy(),
        base_start=_starts([len(one) for one in bases]),
        ops=cigars.ops[own],
        lengths=cigars.lengths[own],
        op_start=_starts(size[rows]),
        start=np.array(taken.start, np.int64)[rows],
        end=ends[rows],
        mapq=np.array(taken.mapq, np.uint8)[rows],
        mate_mapq=np.array(taken.mate_mapq, np.uint8)[rows],
        reverse=(np.array(taken.flag, np.int64)[rows] & REVERSE) > 0,
        insert_size=np.array(taken.insert_size, np.int32)[rows],
        fragment=np.array([names.setdefault(taken.name[row], len(names)) for row in kept], np.int64),
        gaps=gaps,
    )


def _starts(sizes: ArrayLike) -> Int64:
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))]).astype(np.int64)


def _count_mates_once(reads: Reads) -> None:
    """Where mates overlap, take the better base's quality, less the other's where they differ, and 0 for the
    other."""
    order = np.lexsort((reads.start, reads.fragment))
    same = reads.fragment[order[1:]] == reads.fragment[order[:-1]]
    pairs = np.stack([order[:-1][same], order[1:][same]], axis=1)
    pairs = pairs[reads.start[pairs[:, 1]] < reads.end[pairs[:, 0]]]
    _share_overlaps(pairs, reads)


@compiled
def _share_overlaps(pairs: Int64, reads: Reads) -> None:
    bases, quality, start, end = reads.bases, reads.quality, reads.start, reads.end
    for p in range(len(pairs)):
        low, high = start[pairs[p, 1]], min(end[pairs[p, 0]], end[pairs[p, 1]])
        place = np.full((2, max(0, high - low)), -1, np.int64)
        for side in range(2):
            read = pairs[p, side]
            here, at = start[read], reads.base_start[read]
            for c in range(reads.op_start[read], reads.op_start[read + 1]):
                op, length = reads.ops[c], reads.lengths[c]
                if op == MATCH:
                    for i in range(max(0, low - here), min(length, high - here)):
                        place[side, here + i - low] = at + i
                here += length if op in (MATCH, DELETION, SKIP) else 0
                at += length if op in (MATCH, INSERTION, CLIP) else 0
        for i in range(place.shape[1]):
            one, other = place[0, i], place[1, i]
            if one >= 0 and other >= 0:
                if quality[one] < quality[other]:
                    one, other = other, one
                if bases[one] != bases[other]:
                    quality[one] -= quality[other]
                quality[other] = 0
