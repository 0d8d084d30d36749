"""One chunk of the reference panel, packed once and read by every task that imputes into it."""

import re
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from cyvcf2 import VCF
from numpy.typing import NDArray

from deepcohort.genome.arrays import load_arrays, save_arrays
from deepcohort.genome.errors import InputError
from deepcohort.genome.maps import constant_map, read_genetic_map
from deepcohort.genome.regions import chrom_key
from deepcohort.genome.samples import require_people
from deepcohort.genome.vcf import open_vcf, read_header, records, require_whole_bgzf
from deepcohort.imputation.bits import listed, turned

TEXTS = ("ref", "alt", "ids")

BLOCK = 1024
"""Sites whose alleles are unpacked at once."""


@dataclass(frozen=True)
class PanelChunk:
    """Phased haplotypes of a chunk with its overlap; one entry per ALT (multi-allelic sites are split).

    contig, header: the panel's name of the chromosome, and its header lines that describe symbolic ALTs.
    length: bases of the chromosome by the panel's header, 0 where it does not say.
    core: first and last position that this chunk answers for, 1-based and inclusive.
    pos: int64[S] sorted; cm: float64[S] centimorgans; ref, alt, ids: S strings each.
    bits: uint8[S, ceil(K / 8)], one bit per haplotype, 1 = ALT. n_haplotypes: K.
    person: int32[K], which person a haplotype belongs to.
    """

    contig: str
    header: str
    core: tuple[int, int]
    pos: NDArray[np.int64]
    ref: list[str]
    alt: list[str]
    ids: list[str]
    cm: NDArray[np.float64]
    bits: NDArray[np.uint8]
    n_haplotypes: int
    person: NDArray[np.int32]
    length: int = 0

    @property
    def n_sites(self) -> int:
        """Number of sites, S."""
        return len(self.pos)

    @property
    def in_core(self) -> NDArray[np.bool_]:
        """Which sites belong to the core, bool[S]."""
        return (self.pos >= self.core[0]) & (self.pos <= self.core[1])

    def alleles(
        self, sites: NDArray[np.int64], haplotypes: NDArray[np.int64] | None = None
    ) -> NDArray[np.uint8]:
        """Alleles of some sites, of all K haplotypes or of some, uint8[len(sites), K], 1 = ALT."""
        if haplotypes is None:
            return np.unpackbits(self.bits[sites], axis=1, count=self.n_haplotypes)
        found = np.empty((len(sites), len(haplotypes)), np.uint8)
        for first in range(0, len(sites), BLOCK):  # all haplotypes of all sites may be too much for memory
            block = slice(first, first + BLOCK)
            np.take(self.alleles(sites[block]), haplotypes, axis=1, out=found[block])
        return found

    def among(self, haplotypes: NDArray[np.int64]) -> "PanelChunk":
        """The chunk with some of its haplotypes only, sorted; their people keep their numbers."""
        blocks = (
            np.arange(first, min(first + BLOCK, self.n_sites)) for first in range(0, self.n_sites, BLOCK)
        )
        bits = [np.packbits(self.alleles(block, haplotypes), axis=1) for block in blocks]
        person = self.person[haplotypes]
        return replace(self, bits=np.concatenate(bits), n_haplotypes=len(haplotypes), person=person)

    def alt_frequency(self) -> NDArray[np.float64]:
        """Frequency of ALT in the panel, float64[S]."""
        counts = np.bitwise_count(self.bits).sum(axis=1, dtype=np.int64)
        return np.asarray(counts / self.n_haplotypes)

    def carriers(self, sites: NDArray[np.int64], haplotypes: NDArray[np.int64] | None = None) -> "Carriers":
        """Who carries the minor allele at some sites, among all haplotypes or a subset of them.

        haplotypes: sorted, int64[K']. The carriers' numbers count within the subset.
        """
        return Carriers(self, sites, np.arange(self.n_haplotypes) if haplotypes is None else haplotypes)

    def save(self, path: Path) -> None:
        """Write the chunk as an npz archive without pickled objects."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # As one text each: an array of strings takes the longest allele's room for every allele.
        texts = {name: np.frombuffer("\n".join(values[name]).encode(), np.uint8) for name in TEXTS}
        save_arrays(path, values | texts, compress=False)

    @classmethod
    def load(cls, path: Path) -> "PanelChunk":
        """Read a chunk that ``save`` wrote."""
        stored = load_arrays(path)
        values = {field.name: stored[field.name] for field in fields(cls)}
        first, last = values["core"].tolist()
        single = {name: values[name].item() for name in ("contig", "header", "length", "n_haplotypes")}
        texts = {name: values[name].tobytes().decode().split("\n") for name in TEXTS}
        return cls(**(values | single | texts | {"core": (first, last)}))


@dataclass(frozen=True)
class Carriers:
    """Carriers of the minor allele at sites, int64[U], among sorted haplotypes, int64[K'], of a panel.

    They are told in two ways, each made when it is first asked for: few models need both.
    """

    panel: PanelChunk
    sites: NDArray[np.int64]
    haplotypes: NDArray[np.int64]

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Copies of ALT, int64[U]."""
        among = np.zeros(self.panel.n_haplotypes, bool)
        among[self.haplotypes] = True
        mask, counts = np.packbits(among), np.empty(len(self.sites), np.int64)
        for first in range(0, len(self.sites), BLOCK):
            bits = self.panel.bits[self.sites[first : first + BLOCK]] & mask
            counts[first : first + BLOCK] = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
        return counts

    @cached_property
    def flipped(self) -> NDArray[np.bool_]:
        """Where REF is the minor allele, bool[U]."""
        return 2 * self._counts > len(self.haplotypes)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Frequency of ALT among the haplotypes, float64[U]."""
        return np.asarray(self._counts / len(self.haplotypes))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Offsets into ``carriers``, int64[U + 1]: those of site u are starts[u]:starts[u + 1]."""
        minor = np.where(self.flipped, len(self.haplotypes) - self._counts, self._counts)
        return np.concatenate([[0], np.cumsum(minor)])

    @cached_property
    def carriers(self) -> NDArray[np.int32]:
        """Carriers site by site, int32."""
        number = np.full(self.panel.n_haplotypes, -1, np.int32)
        number[self.haplotypes] = np.arange(len(self.haplotypes))
        return listed(self.panel.bits, self.sites, self.flipped, self.starts, number)

    @cached_property
    def by_haplotype(self) -> NDArray[np.uint64]:
        """Sites at which each haplotype carries the minor allele, uint64[K', words], the first lowest."""
        words = turned(self.panel.bits, self.sites, self.flipped, self.panel.n_haplotypes)
        return words if len(words) == len(self.haplotypes) else words[self.haplotypes]


def pack_panel(
    panel: Path,
    contig: str,
    padded: tuple[int, int],
    core: tuple[int, int],
    genetic_map: Path | None,
    samples: list[str] | None = None,
) -> PanelChunk:
    """Read the phased genotypes of the padded stretch (core and overlap) from an indexed VCF or BCF.

    ``samples`` names the people to take, in any order: they stand in that of the file. Raises ``InputError``
    where one of them is not there, a genotype is missing or unphased, the file is cut off, or nothing lies
    in the core.
    """
    require_whole_bgzf(panel)  # by a region, htslib reads up to a cut without a word
    if samples is not None:
        require_people(panel, read_header(panel).samples, samples)
    vcf = open_vcf(panel, samples=samples)
    pos: list[int] = []
    names: list[tuple[str, str, str]] = []
    rows: list[NDArray[np.uint8]] = []
    haploid: NDArray[np.bool_] | None = None
    for record in records(panel, vcf, f"{contig}:{padded[0]}-{padded[1]}"):
        if not record.ALT or padded[0] > record.POS:
            continue
        genotypes = record.genotype.array()
        _check_phased(panel, record, genotypes)
        first = genotypes[:, 0]
        second = genotypes[:, 1] if genotypes.shape[1] > 2 else np.full_like(first, -2)
        single = second < 0
        haploid = single if haploid is None else haploid & single
        both = np.stack([first, np.where(single, first, second)], axis=1).ravel()
        for number, alt in enumerate(record.ALT, start=1):
            pos.append(record.POS)
            names.append((record.REF, alt, record.ID or "."))
            rows.append(np.packbits(both == number))
    if not pos or not any(core[0] <= p <= core[1] for p in pos):
        raise InputError(f"{panel}: no variant between {contig}:{core[0]} and {core[1]}")
    assert haploid is not None
    return _assemble(vcf, contig, core, genetic_map, np.array(pos), names, np.array(rows), haploid)


def _length_of(contig: str, header: str) -> int:
    """Length of a contig by a VCF header's text, or 0."""
    line = re.search(rf"^##contig=<(?=.*ID={re.escape(contig)}[,>]).*length=(\d+)", header, re.MULTILINE)
    return int(line[1]) if line else 0


def _assemble(
    vcf: VCF,
    contig: str,
    core: tuple[int, int],
    genetic_map: Path | None,
    pos: NDArray[np.int64],
    names: list[tuple[str, str, str]],
    bits: NDArray[np.uint8],
    haploid: NDArray[np.bool_],
) -> PanelChunk:
    """Put sites in order and take out the second column of people who are haploid all along the chunk."""
    chrom = chrom_key(contig)
    points = read_genetic_map(genetic_map, chrom) if genetic_map else constant_map()
    keep = np.ones((len(haploid), 2), bool)
    keep[haploid, 1] = False
    columns = np.flatnonzero(keep.ravel())
    if len(columns) < 2 * len(haploid):
        bits = np.packbits(np.unpackbits(bits, axis=1, count=2 * len(haploid))[:, columns], axis=1)
    header = [line for line in vcf.raw_header.splitlines() if line.startswith("##ALT=")]
    ref, alt, ids = (list(column) for column in zip(*names, strict=True))
    return PanelChunk(
        contig=contig,
        header="\n".join(header),
        length=_length_of(contig, vcf.raw_header),
        core=core,
        pos=pos,
        ref=ref,
        alt=alt,
        ids=ids,
        cm=points.interpolate(pos),
        bits=bits,
        n_haplotypes=len(columns),
        person=(columns // 2).astype(np.int32),
    )


def _check_phased(panel: Path, record: object, genotypes: NDArray[np.int16]) -> None:
    alleles, phased = genotypes[:, :-1], genotypes[:, -1].astype(bool)
    where = f"{panel}: {record.CHROM}:{record.POS}"  # type: ignore[attr-defined]
    if (alleles == -1).any():
        raise InputError(f"{where} has a missing genotype: a reference panel must be complete and phased")
    if alleles.shape[1] > 1:
        open_phase = ~phased & (alleles[:, 1] >= 0) & (alleles[:, 0] != alleles[:, 1])
        if open_phase.any():
            raise InputError(f"{where} has an unphased genotype: phase the panel before using it")
