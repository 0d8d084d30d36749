"""A person simulated to files: reads as FASTQ or as a BAM, true genotypes, and where they hold."""

import gzip
import logging
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pysam
import pysam.samtools
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import TO_THE_END, Region
from deepcohort.genome.vcf import contig_of
from deepcohort.variants.error_profile import LONGEST_INSERT, ErrorProfile
from deepcohort.variants.simulated_person import Person, person_from, write_truth
from deepcohort.variants.simulated_reads import Reads, simulated_reads

log = logging.getLogger(__name__)

PAD = 2_000
"""Bases on either side of the region that reads come from too, so that its ends are covered like the rest."""

SHORTEST = 3 * PAD
"""Regions are not shorter than this."""

DUPLICATE = ":duplicate"
"""End of the names of reads that are duplicates; a BAM has them marked."""

PAIRED, PROPER, REVERSE, MATE_REVERSE, SECOND = 0x1, 0x2, 0x10, 0x20, 0x80
FIRST, MARKED = 0x40, 0x400
LEAST_MAPPING = 30
"""Fragments from elsewhere are placed with less than this mapping quality."""

LETTERS = np.frombuffer(b"ACGTN", np.uint8)


@dataclass(frozen=True)
class Wanted:
    """Mean coverage, length of reads, variants added per 1,000 bases, the person's name, the seed."""

    coverage: float
    read_length: int
    added_per_kb: float
    name: str
    seed: int


class Outputs(NamedTuple):
    """Files to write; without ``bam`` or ``fastq`` (of first and second reads) that form is left out."""

    truth: Path
    bed: Path
    bam: Path | None
    fastq: tuple[Path, Path] | None


class Placed(NamedTuple):
    """One read as it comes from the sequencer, and where it truly belongs (position -1: nowhere)."""

    name: str
    mate: int
    sequence: str
    quality: str
    reverse: bool
    position: int
    cigar: str
    mapping: int
    duplicate: bool


def simulate(
    genotypes: Path,
    sample: str | None,
    fasta: Path,
    region: Region,
    profile: ErrorProfile,
    wanted: Wanted,
    out: Outputs,
    *,
    use_bwa: bool,
    threads: int = 1,
) -> None:
    """Simulate a person with the genotypes of ``sample`` in a region, and reads that cover it.

    use_bwa: align by bwa mem (Li 2013, arXiv:1303.3997), so that the aligner's mistakes are there too;
    otherwise reads lie where they truly belong. Truth and BED hold for the region's bases that are known.
    Raises ``InputError`` where the files do not fit together.
    """
    with open_fasta(fasta) as sequences:
        contig = contig_of(list(sequences.references), region.chrom)
        if contig is None:
            raise InputError(f"{fasta.name}: has no chromosome {region.chrom}: give a region that it has")
        length = sequences.get_reference_length(contig)
        region = region._replace(end=min(region.end, length) if region.end == TO_THE_END else region.end)
        if region.end > length or region.end - region.start + 1 < SHORTEST:
            raise InputError(
                f"{fasta.name}: {region} is shorter than {SHORTEST:,} bases or ends after the {length:,} of "
                f"{contig}: give another region"
            )
        start = max(0, region.start - 1 - PAD)
        sequence = sequences.fetch(contig, start, min(length, region.end + PAD)).upper().encode()
    rng = np.random.default_rng(wanted.seed)
    person = person_from(genotypes, sample, region, contig, start, sequence, wanted.added_per_kb, rng)
    written = write_truth(out.truth, person, wanted.name, length)
    _write_bed(out.bed, person, region)
    dropped = ", ".join(f"{count} {what}" for what, count in sorted(person.left_out.items())) or "none"
    log.info("%s: %d true records; left out: %s; seed %d", wanted.name, written, dropped, wanted.seed)
    with TemporaryDirectory(dir=out.truth.parent) as folder:
        _write_reads(Path(folder), person, profile, wanted, out, rng, fasta, length, use_bwa, threads)


def _write_bed(path: Path, person: Person, region: Region) -> None:
    """Write the stretches of the region whose bases are known."""
    bases = np.frombuffer(person.sequence, np.uint8)
    inside = np.arange(person.start, person.start + len(bases))
    known = np.isin(bases, LETTERS[:4]) & (inside >= region.start - 1) & (inside < region.end)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))) + person.start
    with written_whole(path) as unfinished:
        lines = (f"{person.contig}\t{a}\t{b}\n" for a, b in zip(edges[::2], edges[1::2], strict=True))
        unfinished.write_text("".join(lines))


def _write_reads(
    folder: Path,
    person: Person,
    profile: ErrorProfile,
    wanted: Wanted,
    out: Outputs,
    rng: np.random.Generator,
    fasta: Path,
    length: int,
    use_bwa: bool,
    threads: int,
) -> None:
    haplotypes = [person.haplotype(which) for which in (0, 1)]
    batches = simulated_reads(
        [bases for bases, _ in haplotypes], profile, wanted.coverage, wanted.read_length, rng
    )
    reads = _placed(batches, [places for _, places in haplotypes], wanted.name, rng)
    header = {
        "HD": {"VN": "1.6", "SO": "unsorted"},
        "SQ": [{"SN": person.contig, "LN": length}],
        "RG": [{"ID": wanted.name, "SM": wanted.name, "PL": "ILLUMINA"}],
    }
    pair = folder / "1.fq.gz", folder / "2.fq.gz"
    known = folder / "known.bam"
    with (
        gzip.GzipFile(pair[0], "wb", 1, mtime=0) as first,
        gzip.GzipFile(pair[1], "wb", 1, mtime=0) as second,
        pysam.AlignmentFile(str(known), "wb", header=header) as bam,
    ):
        for one, other in reads:
            for read, file in ((one, first), (other, second)):
                file.write(f"@{read.name}\n{read.sequence}\n+\n{read.quality}\n".encode())
            if out.bam is not None and not use_bwa:
                for read, mate in ((one, other), (other, one)):
                    bam.write(_segment(bam.header, read, mate, wanted.name))
    for made, path in zip(pair, out.fastq or (), strict=False):
        with written_whole(path) as unfinished:
            shutil.copyfile(made, unfinished)
    if out.bam is not None:
        made = _aligned(folder, fasta, pair, wanted.name, threads) if use_bwa else known
        _finished(made, out.bam, threads)


def _placed(
    batches: Iterable[Reads], places: list[NDArray[np.int64]], name: str, rng: np.random.Generator
) -> Iterator[tuple[Placed, Placed]]:
    """Turn batches into pairs of reads with names, texts and CIGARs."""
    number = 0
    for batch in batches:
        mapping = np.where(batch.elsewhere, rng.integers(0, LEAST_MAPPING, len(batch.elsewhere)), 60)
        for row in range(len(batch.reverse)):
            number += 1
            own = places[batch.haplotype[row]]
            full = f"{name}:{number}{DUPLICATE if batch.duplicate[row] else ''}"
            one, other = (_one_placed(batch, row, mate, own, full, int(mapping[row])) for mate in (0, 1))
            yield one, other


def _one_placed(batch: Reads, row: int, mate: int, own: NDArray[np.int64], name: str, mapping: int) -> Placed:
    codes, quality, place = (table[row, mate] for table in (batch.codes, batch.quality, batch.place))
    reverse = bool(batch.reverse[row]) ^ (mate == 1)
    there = np.where(place >= 0, own[np.maximum(place, 0)], place)
    position, cigar = cigar_of(there[::-1] if reverse else there)
    return Placed(
        name, mate, LETTERS[codes].tobytes().decode(), (quality + 33).tobytes().decode(), reverse,
        position, cigar, mapping, bool(batch.duplicate[row]),
    )  # fmt: skip


def cigar_of(places: NDArray[np.int64]) -> tuple[int, str]:
    """First position (0-based) and CIGAR of a read.

    places: where its bases stand, int64[n] from left to right; bases without a place (below 0) are inserted,
    at either end soft-clipped. Position -1: no base has a place.
    """
    n = len(places)
    on = np.flatnonzero(places >= 0)
    if not len(on):
        return -1, f"{n}S"
    first, last = int(on[0]), int(on[-1])
    if last - first == n - 1 and (np.diff(places) == 1).all():
        return int(places[0]), f"{n}M"
    operations = [("S", first)]
    before = int(places[first]) - 1
    for place in places[first : last + 1].tolist():
        if place < 0:
            operations.append(("I", 1))
            continue
        if place > before + 1:
            operations.append(("D", place - before - 1))
        operations.append(("M", 1))
        before = place
    operations.append(("S", n - 1 - last))
    merged: list[tuple[str, int]] = []
    for operation, count in operations:
        if merged and merged[-1][0] == operation:
            merged[-1] = operation, merged[-1][1] + count
        elif count:
            merged.append((operation, count))
    return int(places[first]), "".join(f"{count}{operation}" for operation, count in merged)


COMPLEMENT = str.maketrans("ACGT", "TGCA")


def _segment(header: Any, read: Placed, mate: Placed, group: str) -> Any:
    """The read where it truly belongs, as a line of a BAM."""
    one = pysam.AlignedSegment(header)
    one.query_name = read.name
    turned = slice(None, None, -1) if read.reverse else slice(None)
    sequence = read.sequence.translate(COMPLEMENT) if read.reverse else read.sequence
    one.query_sequence = sequence[turned]
    one.query_qualities = pysam.qualitystring_to_array(read.quality[turned])
    one.flag = PAIRED | (SECOND if read.mate else FIRST)
    one.flag |= (REVERSE if read.reverse else 0) | (MATE_REVERSE if mate.reverse else 0)
    one.flag |= 0x4 if read.position < 0 else 0
    one.flag |= 0x8 if mate.position < 0 else 0
    near = min(read.position, mate.position) >= 0 and abs(read.position - mate.position) < LONGEST_INSERT
    one.flag |= PROPER if near and read.reverse != mate.reverse else 0
    one.reference_id, one.next_reference_id = 0, 0
    one.reference_start = max(read.position, mate.position) if read.position < 0 else read.position
    one.next_reference_start = mate.position if mate.position >= 0 else one.reference_start
    one.mapping_quality = read.mapping if read.position >= 0 else 0
    if read.position >= 0:
        one.cigarstring = read.cigar
    one.set_tag("RG", group)
    return one


def _aligned(folder: Path, fasta: Path, pair: tuple[Path, Path], name: str, threads: int) -> Path:
    """Align by bwa mem; the reference is indexed in ``folder`` where it has no index of bwa's."""
    prefix = fasta
    if not fasta.with_name(f"{fasta.name}.bwt").exists():
        prefix = folder / "reference"
        _run(["bwa", "index", "-p", prefix, fasta], folder / "index.log")
    sam = folder / "aligned.sam"
    # A fixed number of bases at a time makes the same alignments with any number of threads.
    options = ["-K", "10000000", "-t", str(threads), "-R", f"@RG\\tID:{name}\\tSM:{name}\\tPL:ILLUMINA"]
    _run(["bwa", "mem", *options, "-o", sam, prefix, *pair], folder / "mem.log")
    return sam


def _run(command: list[str | Path], message: Path) -> None:
    with message.open("w") as errors:
        done = subprocess.run([str(one) for one in command], stdout=errors, stderr=errors, check=False)
    if done.returncode:
        tail = " ".join(message.read_text(errors="replace").split("\n")[-4:]).strip()
        raise InputError(f"{command[0]} {command[1]} ended with {done.returncode} ({tail}): mend that first")


def _finished(made: Path, out: Path, threads: int) -> None:
    """Add what mates say of each other, mark duplicates by their names, sort, index."""
    fixed, marked = made.with_name("fixed.bam"), made.with_name("marked.bam")
    pysam.samtools.fixmate("-m", str(made), str(fixed))
    with pysam.AlignmentFile(str(fixed), "rb") as reads:
        # Programs note their command lines, with names of folders that are gone.
        header = {kind: lines for kind, lines in reads.header.to_dict().items() if kind != "PG"}
        with pysam.AlignmentFile(str(marked), "wb", header=header) as to:
            for read in reads:
                if str(read.query_name).endswith(DUPLICATE):
                    read.flag |= MARKED
                to.write(read)
    with written_whole(out) as unfinished:
        pysam.samtools.sort("--no-PG", "-@", str(threads - 1), "-o", str(unfinished), str(marked))
    with written_whole(out.with_name(f"{out.name}.bai")) as unfinished:
        pysam.samtools.index("-o", str(unfinished), str(out))


def has_bwa() -> bool:
    """Whether bwa is on the PATH."""
    return shutil.which("bwa") is not None
