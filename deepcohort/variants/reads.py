"""The reads of a stretch of one person's BAM or CRAM, as arrays."""

import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from deepcohort.genome.alignments import LEFT_OUT, alignment_header, index_fits, index_reads, samples_of
from deepcohort.genome.compiled import compiled
from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import contig_of

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

SKIP = 3
"""Operation of a CIGAR that leaps over reference bases (an intron): neither read nor deleted."""

CODES = np.full(256, NO_BASE, np.uint8)
for _code, _base in enumerate("ACGT"):
    CODES[[ord(_base), ord(_base.lower())]] = _code

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
    int64[R], the same for mates.
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


class ReadsFile:
    """One person's BAM or CRAM, open; ``sample`` is the name in its read groups, None without one."""

    def __init__(self, path: Path, fasta: Path | None, index: Path | None = None) -> None:
        """index: where the index is; by default it is looked for beside the file.

        Raises ``InputError`` for a file that cannot be read, is not sorted, has no index, holds several
        people's reads, or is a CRAM without ``fasta``.
        """
        header = alignment_header(path)
        samples = samples_of(path, header)
        self.path, self.fasta = path, fasta
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
    taken = [read for read in file.fetch(contig, low, high) if _counts(read, left_out)]
    before = min((read.reference_start for read in taken), default=low) // BIN * BIN
    earlier = file.fetch(contig, before, low) if before < low else ()
    before_low = [
        read
        for read in earlier
        if read.reference_start >= before and _counts(read, None) and read.reference_end <= low
    ]
    kept = _not_over_depth(taken, before_low, left_out["over_depth"])
    found = _as_arrays([read for read in kept if read.reference_end > start and read.reference_start < end])
    _count_mates_once(found)
    return found, left_out


def _counts(read: Any, left_out: dict[str, list[int]] | None) -> bool:
    why = None
    if read.flag & LEFT_OUT:
        why = "flagged"
    elif read.mapping_quality < LEAST_MAPPING_QUALITY:
        why = "low_mapping_quality"
    elif read.query_sequence is None or read.query_qualities is None or not read.cigartuples:
        why = "without_bases"
    if why and left_out is not None:
        left_out[why].append(read.reference_start)
    return why is None


def _not_over_depth(taken: list[Any], earlier: list[Any], left_out: list[int]) -> list[Any]:
    """Of the reads taken those that are kept; ``earlier`` are others that start in the same bins.

    ``left_out`` gets where those begin that are not kept.
    """
    bins: dict[int, list[Any]] = {}
    for read in [*earlier, *taken]:
        bins.setdefault(read.reference_start // BIN, []).append(read)
    last = {
        number: sorted(map(_key, reads))[MOST_IN_BIN - 1]
        for number, reads in bins.items()
        if len(reads) > MOST_IN_BIN
    }
    if not last:
        return taken
    kept = []
    for read in taken:
        bound = last.get(read.reference_start // BIN)
        if bound is None or _key(read) <= bound:
            kept.append(read)
        else:
            left_out.append(read.reference_start)
    return kept


def _key(read: Any) -> tuple[int, int]:
    return zlib.crc32((read.query_name or "").encode()), read.flag


def _as_arrays(reads: list[Any]) -> Reads:
    names: dict[str, int] = {}
    cigars = [
        [
            (0 if op in (7, 8) else op, length)
            for op, length in read.cigartuples
            if op in (0, 1, 2, 3, 4, 7, 8)
        ]
        for read in reads
    ]
    sizes = [len(read.query_sequence) for read in reads]
    flat = np.array([pair for cigar in cigars for pair in cigar], np.int64).reshape(-1, 2)
    text = "".join(read.query_sequence for read in reads).encode()
    quality = b"".join(read.query_qualities.tobytes() for read in reads)
    return Reads(
        bases=CODES[np.frombuffer(text, np.uint8)],
        quality=np.frombuffer(quality, np.uint8).copy(),
        base_start=_starts(sizes),
        ops=flat[:, 0].astype(np.uint8),
        lengths=flat[:, 1].astype(np.int32),
        op_start=_starts([len(cigar) for cigar in cigars]),
        start=np.array([read.reference_start for read in reads], np.int64),
        end=np.array([read.reference_end for read in reads], np.int64),
        mapq=np.array([read.mapping_quality for read in reads], np.uint8),
        mate_mapq=np.array([read.get_tag("MQ") if read.has_tag("MQ") else 0 for read in reads], np.uint8),
        reverse=np.array([read.is_reverse for read in reads], bool),
        insert_size=np.array([abs(read.template_length) for read in reads], np.int64).astype(np.int32),
        fragment=np.array([names.setdefault(read.query_name, len(names)) for read in reads], np.int64),
    )


def _starts(sizes: list[int]) -> Int64:
    return np.concatenate([[0], np.cumsum(np.array(sizes, np.int64))]).astype(np.int64)


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
