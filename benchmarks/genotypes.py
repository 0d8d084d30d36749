"""Genotypes as arrays, read from and written to VCF: what the benchmarks cut their data sets with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from cyvcf2 import VCF
from numpy.typing import NDArray

from deepcohort.genome.files import written_whole

Haplotypes = NDArray[np.int8]
"""Allele numbers, ``[sites, people, 2]``; the last axis is the phase."""


@dataclass(frozen=True)
class Genotypes:
    """Phased, complete genotypes of one region."""

    contig: str
    samples: NDArray[np.str_]
    pos: NDArray[np.int64]
    ids: list[str]
    ref: list[str]
    alt: list[str]
    """ALT column as it stands in the file, so with commas at multi-allelic sites."""
    haplotypes: Haplotypes

    def people(self, index: NDArray[np.int64]) -> "Genotypes":
        """Keep the people at ``index``, in that order."""
        return Genotypes(
            self.contig,
            self.samples[index],
            self.pos,
            self.ids,
            self.ref,
            self.alt,
            self.haplotypes[:, index],
        )

    def sites(self, index: NDArray[np.int64]) -> "Genotypes":
        """Keep the sites at ``index``."""
        return Genotypes(
            self.contig,
            self.samples,
            self.pos[index],
            [self.ids[i] for i in index],
            [self.ref[i] for i in index],
            [self.alt[i] for i in index],
            self.haplotypes[index],
        )

    def biallelic_snps(self) -> NDArray[np.bool_]:
        """Say which sites are SNPs with one ALT whose position no other record shares."""
        snp = np.array([len(r) == 1 and len(a) == 1 for r, a in zip(self.ref, self.alt, strict=True)])
        _, inverse, count = np.unique(self.pos, return_inverse=True, return_counts=True)
        return np.asarray(snp & (count[inverse] == 1))

    def alt_frequency(self) -> NDArray[np.float64]:
        """Frequency of all alleles that are not REF, ``[sites]``."""
        return np.asarray((self.haplotypes > 0).mean(axis=(1, 2)))


def read(path: Path) -> Genotypes:
    """Read a phased VCF or BCF without missing genotypes and with fewer than ten alleles a site."""
    reader = VCF(str(path), threads=2)
    pos, ids, ref, alt, calls = [], [], [], [], []
    contig = ""
    for record in reader:
        contig = record.CHROM
        pos.append(record.POS)
        ids.append(record.ID or ".")
        ref.append(record.REF)
        alt.append(",".join(record.ALT))
        calls.append(record.genotype.array()[:, :2].astype(np.int8))
    haplotypes = np.stack(calls)
    if haplotypes.min() < 0 or haplotypes.max() > 9:
        raise ValueError(f"{path} has missing genotypes or more than ten alleles: not fit for this benchmark")
    return Genotypes(contig, np.array(reader.samples), np.array(pos), ids, ref, alt, haplotypes)


def _lines(genotypes: Genotypes, phased: bool) -> list[bytes]:
    """Write the records as VCF lines; without phase the smaller allele number comes first."""
    haplotypes = genotypes.haplotypes if phased else np.sort(genotypes.haplotypes, axis=2)
    text = np.empty((genotypes.samples.size, 4), np.uint8)
    text[:, 0] = ord("\t")
    text[:, 2] = ord("|" if phased else "/")
    lines = []
    for site, calls in enumerate(haplotypes):
        text[:, 1] = calls[:, 0] + ord("0")
        text[:, 3] = calls[:, 1] + ord("0")
        alts = genotypes.alt[site].count(",") + 1
        counts = ",".join(str(int((calls == allele).sum())) for allele in range(1, alts + 1))
        start = (
            f"{genotypes.contig}\t{genotypes.pos[site]}\t{genotypes.ids[site]}\t{genotypes.ref[site]}\t"
            f"{genotypes.alt[site]}\t.\tPASS\tAC={counts};AN={calls.size}\tGT"
        )
        lines.append(start.encode() + text.tobytes() + b"\n")
    return lines


def write(path: Path, genotypes: Genotypes, *, phased: bool = True, header: Sequence[str] = ()) -> None:
    """Write a bgzipped, tabix-indexed VCF with AC and AN counted from the genotypes."""
    head = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        f"##contig=<ID={genotypes.contig}>",
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Number of each ALT allele">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Number of alleles">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        *header,
        "\t".join(
            ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *genotypes.samples]
        ),
    ]
    with written_whole(path) as temporary, pysam.BGZFile(str(temporary), "wb", None) as out:
        out.write(("\n".join(head) + "\n").encode())
        block = 2000
        for first in range(0, genotypes.pos.size, block):
            part = genotypes.sites(np.arange(first, min(first + block, genotypes.pos.size)))
            out.write(b"".join(_lines(part, phased)))
    pysam.tabix_index(str(path), preset="vcf", force=True)


def read_sites(path: Path) -> list[tuple[int, str, str]]:
    """Read position, REF and ALT of every record."""
    return [(record.POS, record.REF, ",".join(record.ALT)) for record in VCF(str(path))]


def read_info(path: Path, key: str) -> NDArray[np.float64]:
    """Read a number of INFO for every record, ``[sites]``."""
    return np.array([record.INFO[key] for record in VCF(str(path))], np.float64)


def read_samples(path: Path) -> list[str]:
    """Read the names of the people."""
    return list(VCF(str(path)).samples)


def read_contig(path: Path) -> str:
    """Read the name of the first contig."""
    return str(VCF(str(path)).seqnames[0])
