"""What one person's reads say of the genotypes at the panel's sites, as likelihoods (PL).

A base that was read differs from the allele that it was read from with the chance that its quality or the
mapping quality of its read gives, whichever is larger, and is then any of the three others; a heterozygous
person's reads come from either allele alike (Li 2011, Bioinformatics 27:2987, without its correlation of
errors).
"""

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pysam.bcftools
from numpy.typing import NDArray

from deepcohort.genome.alignments import LEFT_OUT
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress
from deepcohort.genome.vcf import contig_of, make_index, read_header, read_sites

log = logging.getLogger(__name__)

LEAST_QUALITY = 10
"""Of a base and of its read's mapping: less is not counted."""

LARGEST = 255
"""PL is told up to here."""

WINDOW = 5_000_000
"""Bases that are looked at together."""

BASES = "ACGT"
CODES = np.full(256, -1, np.int8)
CODES[[ord(base) for base in BASES]] = range(4)

MATCHES, INSERTS, SKIPS = (0, 7, 8), (1, 4), (2, 3)
"""Operations of a CIGAR that go on in both, in the read alone, in the reference alone."""

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Snps:
    """Single-base sites of a chromosome, sorted: pos int64[S], ref and alt int8[S], numbers in ``BASES``."""

    pos: Int64
    ref: NDArray[np.int8]
    alt: NDArray[np.int8]

    @classmethod
    def read(cls, path: Path, contig: str) -> "Snps":
        """Those of a sites-only file; other sites have no likelihoods."""
        sites = read_sites(path, contig)
        single = [len(ref) == len(alt) == 1 for ref, alt in zip(sites.ref, sites.alt, strict=True)]
        codes = [
            CODES[[ord(one[0].upper()) if fit else 0 for one, fit in zip(names, single, strict=True)]]
            for names in (sites.ref, sites.alt)
        ]
        fit = (codes[0] >= 0) & (codes[1] >= 0)
        return cls(sites.pos[fit], codes[0][fit], codes[1][fit])


def write_likelihoods(
    reads: Path, index: Path, name: str, panel_sites: Sequence[Path], fasta: Path | None, out: Path
) -> None:
    """Write a BCF (and its index) with PL of one person at the panel's SNPs that reads cover.

    index: of ``reads``. name: the person's. panel_sites: sites-only files with their indexes. fasta: needed
    by CRAM. Contigs are named as the panel's. Raises ``InputError`` where no chromosome is in both.
    """
    lines: list[str] = []
    contigs: dict[str, int] = {}
    with pysam.AlignmentFile(
        str(reads), index_filename=str(index), reference_filename=None if fasta is None else str(fasta)
    ) as file:
        for path in panel_sites:
            for contig in read_header(path).contigs:
                own = contig_of(list(file.references), contig)
                snps = Snps.read(path, contig) if own is not None else None
                if own is not None and snps is not None and len(snps.pos):
                    contigs[contig] = file.get_reference_length(own)
                    lines += _lines_of(file, own, contig, snps)
    if not contigs:
        raise InputError(
            f"{reads.name}: none of its chromosomes is in the panel: give reads that are aligned to the "
            "panel's reference"
        )
    log.info("%s: likelihoods at %d of the panel's sites", name, len(lines))
    _write_bcf(out, name, contigs, lines)


def _lines_of(file: pysam.AlignmentFile, own: str, contig: str, snps: Snps) -> list[str]:
    lines: list[str] = []
    windows = range(0, int(snps.pos[-1]), WINDOW)
    with progress(f"reads of {own}", len(windows)) as bar:
        for start in windows:
            first, last = np.searchsorted(snps.pos, [start + 1, start + WINDOW + 1])
            part = Snps(snps.pos[first:last], snps.ref[first:last], snps.alt[first:last])
            if len(part.pos):
                pl, depth = likelihoods_at(file, own, part)
                lines += [
                    f"{contig}\t{part.pos[i]}\t.\t{BASES[part.ref[i]]}\t{BASES[part.alt[i]]}\t.\t.\t.\tPL\t"
                    f"{pl[i, 0]},{pl[i, 1]},{pl[i, 2]}\n"
                    for i in np.flatnonzero(depth)
                ]
            bar.update()
    return lines


def likelihoods_at(file: pysam.AlignmentFile, contig: str, snps: Snps) -> tuple[Int64, Int64]:
    """PL of 0, 1 and 2 copies of ALT, int64[S, 3], and how many bases tell it, int64[S]."""
    places, rows = np.unique(snps.pos, return_inverse=True)
    place, base, error = observed(file, contig, places)
    order = np.argsort(place, kind="stable")
    place, base, error = place[order], base[order], error[order]
    starts = np.searchsorted(place, np.arange(len(places) + 1))
    depth = np.diff(starts)[rows]
    # Each site with each base that was read there.
    site = np.repeat(np.arange(len(rows)), depth)
    within = np.arange(len(site)) - np.repeat(np.cumsum(depth) - depth, depth)
    seen = starts[rows][site] + within
    by_ref, by_alt = (
        np.where(base[seen] == allele[site], 1 - error[seen], error[seen] / 3)
        for allele in (snps.ref, snps.alt)
    )
    logs = np.stack(
        [
            np.bincount(site, np.log10(chance), len(rows))
            for chance in (by_ref, (by_ref + by_alt) / 2, by_alt)
        ],
        axis=1,
    )
    pl = np.rint(10 * (logs.max(axis=1, keepdims=True) - logs)).astype(np.int64)
    return np.minimum(pl, LARGEST), depth


def observed(
    file: pysam.AlignmentFile, contig: str, places: Int64
) -> tuple[Int64, NDArray[np.int8], Float64]:
    """Bases read at sorted positions: which position, which base, and the chance that it is wrong.

    Of a pair whose mates both read a position the base of the better quality counts.
    """
    found: list[tuple[Int64, NDArray[np.int8], NDArray[np.int64], int]] = []
    for read in file.fetch(contig, int(places[0]) - 1, int(places[-1])):
        if read.flag & LEFT_OUT or read.mapping_quality < LEAST_QUALITY or read.query_qualities is None:
            continue
        place, at = _aligned(read, places)
        if len(place):
            sequence = np.frombuffer((read.query_sequence or "").encode(), np.uint8)[at]
            quality = np.minimum(np.asarray(read.query_qualities, np.int64)[at], read.mapping_quality)
            found.append((place, CODES[sequence], quality, zlib.crc32((read.query_name or "").encode())))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0)
    place = np.concatenate([one for one, _, _, _ in found])
    base = np.concatenate([one for _, one, _, _ in found])
    quality = np.concatenate([one for _, _, one, _ in found])
    pair = np.repeat([one for _, _, _, one in found], [len(one) for one, _, _, _ in found])
    fit = (base >= 0) & (quality >= LEAST_QUALITY)
    order = np.flatnonzero(fit)[np.lexsort((-quality[fit], pair[fit], place[fit]))]
    place, pair = place[order], pair[order]
    new = np.ones(len(order), bool)
    new[1:] = (place[1:] != place[:-1]) | (pair[1:] != pair[:-1])
    kept = order[new]
    return place[new], base[kept], 10.0 ** (-quality[kept] / 10)


def _aligned(read: Any, places: Int64) -> tuple[Int64, Int64]:
    """Which positions a read has a base at, and the base's place in it."""
    here, there = read.reference_start, 0
    place: list[Int64] = []
    at: list[Int64] = []
    for operation, length in read.cigartuples or ():
        if operation in MATCHES:
            first, last = np.searchsorted(places, [here + 1, here + length + 1])
            place.append(np.arange(first, last))
            at.append(places[first:last] - 1 - here + there)
        here += length if operation in MATCHES or operation in SKIPS else 0
        there += length if operation in MATCHES or operation in INSERTS else 0
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *place]), np.concatenate([none, *at])


def _write_bcf(out: Path, name: str, contigs: dict[str, int], lines: list[str]) -> None:
    header = ["##fileformat=VCFv4.3"]
    header += [f"##contig=<ID={contig},length={length}>" for contig, length in contigs.items()]
    header.append('##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods of genotypes, phred">')
    header.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}")
    with written_whole(out) as unfinished:
        text = unfinished.with_name(f"{unfinished.name}.vcf")
        try:
            text.write_text("\n".join(header) + "\n" + "".join(lines), encoding="utf-8")
            pysam.bcftools.view("--no-version", "-Ob", "-o", str(unfinished), str(text), catch_stdout=False)
        finally:
            text.unlink(missing_ok=True)
    make_index(out, out.with_name(f"{out.name}.csi"))


def merge_likelihoods(people: Sequence[Path], out: Path, threads: int = 1) -> None:
    """Put files of one person each side by side, in their order; a site without reads is missing."""
    with written_whole(out) as unfinished:
        options = ["--no-version", "-Ob", "--threads", str(threads), "-o", str(unfinished)]
        if len(people) == 1:
            pysam.bcftools.view(*options, str(people[0]), catch_stdout=False)
        else:
            pysam.bcftools.merge("-m", "none", *options, *map(str, people), catch_stdout=False)
    make_index(out, out.with_name(f"{out.name}.csi"))
