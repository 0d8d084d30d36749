"""VCF and BCF: is it whole, what does its header say, open it, read its sites, index it."""

import gzip
import re
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pysam.bcftools
from cyvcf2 import VCF
from cyvcf2.cyvcf2 import set_htslib_log_level
from numpy.typing import NDArray
from pysam.utils import SamtoolsError

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import chrom_key

# Both libraries hold an htslib of their own, whose remarks would stand between the user and our sentences;
# what is wrong reaches us as exceptions.
pysam.set_verbosity(0)
set_htslib_log_level(0)

BGZF_START = b"\x1f\x8b\x08\x04"
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
NO_LENGTHS = (0, 2**31 - 1)
"""What some programs write into ``##contig`` for want of the true length."""

ANY_ALLELE = ("<NON_REF>", "<*>")
"""What programs call, in a gVCF, any allele that is not named."""


@dataclass(frozen=True)
class Header:
    """What a VCF's header says: samples in order, contigs with their length (None where it is not said)."""

    samples: list[str]
    contigs: dict[str, int | None]


@dataclass(frozen=True)
class Sites:
    """Sites of one contig, one entry per ALT (``.`` where a record has none), in the file's order.

    ``pos`` int64[n]; ``ref``, ``alt``, ``ids`` lists of n (an absent ID is ``.``); ``record`` int64[n]
    counts the file's records in the stretch read, from 0; ``allele`` int64[n] is the number of the
    ALT in its record, from 1. ``copies`` of the ALT, alleles ``called`` and genotypes ``missing`` are
    int64[n] by INFO AC, AN and MISSING, 0 where the file does not say.
    """

    pos: NDArray[np.int64]
    ref: list[str]
    alt: list[str]
    ids: list[str]
    record: NDArray[np.int64]
    allele: NDArray[np.int64]
    copies: NDArray[np.int64]
    called: NDArray[np.int64]
    missing: NDArray[np.int64]


def require_whole_bgzf(path: Path) -> None:
    """Refuse what is not a bgzipped file with its end marker; the first and last bytes are looked at."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(18)
        file.seek(max(0, size - len(BGZF_END)))
        end = file.read()
    if not start:
        raise InputError(f"{path.name}: the file is empty (0 bytes): copy it again")
    if start[:2] == b"\x1f\x8b" and not (start[:4] == BGZF_START and start[12:14] == b"BC"):
        raise InputError(
            f"{path.name}: compressed by plain gzip, which cannot be indexed: "
            f"recompress it (gunzip -c {path.name} | bgzip -c)"
        )
    if start[:2] != b"\x1f\x8b":
        what = "a VCF" if start.startswith(b"##fileformat=VCF") else None
        what = "an uncompressed BCF" if start.startswith(b"BCF\2") else what
        if what is None:
            raise InputError(f"{path.name}: neither VCF nor BCF: give a bgzipped VCF (.vcf.gz) or a BCF")
        raise InputError(
            f"{path.name}: {what} that is not bgzipped: compress it "
            f"(bcftools view -Oz -o {path.name.removesuffix('.gz')}.gz {path.name})"
        )
    if end != BGZF_END:
        raise InputError(
            f"{path.name}: truncated: the block that marks the end of a bgzipped file is missing, "
            "so the file was cut off while it was written or copied: copy or make it again"
        )


def read_header(path: Path) -> Header:
    """Read samples and contigs from the header's text, not through htslib, which stops at bad ones.

    Raises ``InputError`` for files that are no VCF or BCF, are damaged or have no column line.
    """
    samples: list[str] | None = None
    contigs: dict[str, int | None] = {}
    for line in _header_lines(path):
        if line.startswith("##contig="):
            name = re.search(r"[<,]ID=([^,>]+)", line)
            length = re.search(r"[<,]length=(\d+)", line)
            if name:
                bases = int(length[1]) if length else 0
                contigs[name[1]] = None if bases in NO_LENGTHS else bases
        elif line.startswith("#CHROM"):
            samples = line.split("\t")[9:]
    if samples is None:
        raise InputError(f"{path.name}: the VCF header has no line #CHROM: the file is cut off or no VCF")
    return Header(samples, contigs)


def _header_lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rb") as file:
            magic = file.read(5)
            if magic == b"BCF\2\2":
                text = file.read(struct.unpack("<I", file.read(4))[0]).rstrip(b"\0")
                yield from text.decode("utf-8").split("\n")
                return
            if magic != b"##fil":
                raise InputError(f"{path.name}: neither VCF nor BCF: give a .vcf.gz or a .bcf")
            yield from _text_header(magic, file)
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: the header is not UTF-8 text: convert it (iconv -t utf-8)") from None
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error):
        raise InputError(f"{path.name}: damaged: the header cannot be decompressed: copy it again") from None


def _text_header(start: bytes, file: Any) -> Iterator[str]:
    line = start + file.readline()
    while line.startswith(b"#"):
        yield line.decode("utf-8").rstrip("\r\n")
        line = file.readline()


def open_vcf(path: Path, *, samples: list[str] | None = None, threads: int = 1) -> VCF:
    """Open a VCF or BCF with cyvcf2; ``samples`` limits the genotypes that are read, ``[]`` reads none."""
    try:
        return VCF(str(path), samples=samples, threads=threads)
    except Exception as error:
        raise InputError(f"{path.name}: cannot be opened as VCF or BCF ({error}): make it again") from None


def records(path: Path, vcf: VCF, region: str | None = None) -> Iterator[Any]:
    """Yield the records of an open file, or of a region ``contig:from-to`` that its index finds.

    Raises ``InputError`` that names the last readable record where the file is damaged.
    """
    last = "the header"
    reader = iter(vcf if region is None else vcf(region))
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except Exception:
            raise InputError(
                f"{path.name}: damaged: the record after {last} cannot be read: make or copy the file again"
            ) from None
        last = f"{record.CHROM}:{record.POS}"
        yield record


def read_sites(path: Path, contig: str, start: int | None = None, end: int | None = None) -> Sites:
    """Read the sites of one contig (or of start to end, 1-based inclusive), one entry per ALT.

    The index is needed. Records that begin before ``start`` and reach into the stretch are left out, so that
    neighbouring stretches share no record.
    """
    vcf = open_vcf(path, samples=[])
    region = contig if start is None else f"{contig}:{start}-{end}"
    pos, record_number, allele = array("q"), array("q"), array("q")
    copies, called, missing = array("q"), array("q"), array("q")
    ref: list[str] = []
    alt: list[str] = []
    ids: list[str] = []
    number = -1
    for record in records(path, vcf, region):
        position = record.POS
        if start is not None and position < start:
            continue
        number += 1
        counts, alleles, absent = site_counts(record)
        for count, one in enumerate(record.ALT or ["."], 1):
            copies.append(counts[count - 1])
            called.append(alleles)
            missing.append(absent)
            pos.append(position)
            record_number.append(number)
            allele.append(count)
            ref.append(record.REF)
            alt.append(one)
            ids.append(record.ID or ".")
    vcf.close()
    numbers = (pos, record_number, allele, copies, called, missing)
    columns = [np.frombuffer(values, dtype=np.int64) for values in numbers]
    return Sites(columns[0], ref, alt, ids, *columns[1:])


def site_counts(record: Any) -> tuple[list[int], int, int]:
    """Copies of each ALT, alleles called, genotypes missing: INFO AC, AN and MISSING, 0 where not said."""
    counts = record.INFO.get("AC", 0)
    copies = list(counts) if isinstance(counts, tuple) else [counts]
    copies += [0] * (max(1, len(record.ALT)) - len(copies))
    return copies, record.INFO.get("AN", 0), record.INFO.get("MISSING", 0)


def make_index(path: Path, out: Path, *, threads: int = 1) -> None:
    """Index a sorted bgzipped VCF or BCF as ``.tbi`` or ``.csi``, by the suffix of ``out``.

    Raises ``InputError`` that names the first record out of order.
    """
    kind = "-t" if out.suffix == ".tbi" else "-c"
    with written_whole(out) as unfinished:
        try:
            pysam.bcftools.index("-f", kind, "--threads", str(threads), "-o", str(unfinished), str(path))
        except SamtoolsError:
            unfinished.unlink(missing_ok=True)
            require_sorted(path)
            raise InputError(
                f"{path.name}: the index ({out.suffix}) cannot be made: check the file with bcftools index"
            ) from None


def index_beside(path: Path, longest: int) -> None:
    """Index a VCF whose longest contig has so many bases, as ``make_index``: ``.csi`` where ``.tbi`` ends."""
    make_index(path, path.with_name(f"{path.name}.{'tbi' if longest < 2**29 else 'csi'}"))


def found_index(path: Path) -> Path | None:
    """The index that lies beside a VCF or BCF."""
    names = [path.with_name(path.name + end) for end in (".tbi", ".csi")]
    return next((one for one in names if one.exists()), None)


def indexed_records(index: Path) -> int | None:
    """Count the records that an index says its file has; None where it does not say or is unreadable."""
    try:
        return int(str(pysam.bcftools.index("-n", str(index)))) or None
    except (SamtoolsError, ValueError):
        return None


class Order:
    """Checks that records come sorted: each chromosome once, positions never smaller than before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contig, self.position, self.number = "", 0, 0
        self.contigs: list[str] = []

    def check(self, contig: str, position: int) -> None:
        """Take the next record in; raises ``InputError`` when it should have come before."""
        self.number += 1
        if contig != self.contig:
            if contig in self.contigs:
                raise InputError(
                    f"{self.path.name}: record {self.number} is on {contig} again after records of "
                    f"{self.contig}: sort the file (bcftools sort)"
                )
            other = contig_of(self.contigs, contig)
            if other is not None:
                raise InputError(
                    f"{self.path.name}: chromosome {chrom_key(contig)} goes by two names, {other} and "
                    f"{contig}: rename one (bcftools annotate --rename-chrs) and sort"
                )
            self.contigs.append(contig)
            self.contig = contig
        elif position < self.position:
            raise InputError(
                f"{self.path.name}: record {self.number} at {contig}:{position} comes after "
                f"{contig}:{self.position}: the file is not sorted, sort it (bcftools sort)"
            )
        self.position = position


def require_sorted(path: Path) -> None:
    """Read the whole file and refuse it at the first record that is out of order."""
    order = Order(path)
    for record in records(path, open_vcf(path, samples=[])):
        order.check(record.CHROM, record.POS)


def contig_of(contigs: list[str], chrom: str) -> str | None:
    """Name that a file gives to a chromosome, with ``chr`` or without; None where it has none."""
    return next((name for name in contigs if chrom_key(name) == chrom_key(chrom)), None)


def indexed_contigs(path: Path, index: Path) -> list[str]:
    """Names of the contigs with records, from the index of a VCF (a BCF's header has them all)."""
    with pysam.TabixFile(str(path), index=str(index)) as file:
        return list(file.contigs)
