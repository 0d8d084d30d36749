"""The alleles that one person carries, read from a VCF as changes of the reference."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import contig_of, found_index, open_vcf, read_header, records, require_whole_bgzf
from deepcohort.variants.matching import Unit
from deepcohort.variants.normalise import atoms, normalised

MARGIN = 1_000
"""Records this near to a region are read too: what they spell may reach into it."""

UNKNOWN = -1
"""Depth where none is told."""

ACGT = frozenset("ACGT")


@dataclass
class Alleles:
    """A person's alleles on one chromosome, one entry per unit.

    ``qual`` (QUAL of the record, NaN where absent) and ``depth`` (FORMAT DP, ``UNKNOWN`` where absent) are
    as long as ``units``. ``covered`` int64[n, 3]: first base (0-based), end and depth of every record that
    tells a depth, alternative alleles or not, by first base.
    """

    units: list[Unit]
    qual: NDArray[np.float64]
    depth: NDArray[np.int64]
    covered: NDArray[np.int64]

    def depth_at(self, start: int) -> int:
        """Depth that a record over this base tells, ``UNKNOWN`` where none does."""
        last = int(np.searchsorted(self.covered[:, 0], start, side="right"))
        for first, end, depth in self.covered[max(0, last - 20) : last][::-1]:
            if first <= start < end:
                return int(depth)
        return UNKNOWN


@dataclass
class GenotypeFile:
    """A VCF of which one person is read; ``left_out`` counts what was not compared, by what it was."""

    path: Path
    sample: str
    contigs: list[str]
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def opened(cls, path: Path, sample: str | None) -> "GenotypeFile":
        """Look at the header; without ``sample`` the file must hold one person."""
        require_whole_bgzf(path)
        header = read_header(path)
        if sample is None and len(header.samples) != 1:
            raise InputError(
                f"{path.name}: holds {len(header.samples)} people: say whose genotypes count (--sample)"
            )
        if sample is not None and sample not in header.samples:
            raise InputError(
                f"{path.name}: has no sample {sample}: give one of its names (bcftools query -l)"
            )
        return cls(path, sample or header.samples[0], list(header.contigs))

    def alleles(
        self, reference: bytes, regions: Sequence[Region], start: int | None = None, margin: int = MARGIN
    ) -> Alleles:
        """Read the alleles in the regions and up to ``margin`` bases beyond, all of one chromosome.

        reference: its bases, from ``start`` (0-based) on where they are a part of it; records that reach
        beyond the part are passed over.
        """
        part = None if start is None else (start, start + len(reference))
        units: list[Unit] = []
        qual: list[float] = []
        depth: list[int] = []
        covered: list[tuple[int, int, int]] = []
        for number, record in enumerate(self._records(regions, margin)):
            if part and not part[0] < record.POS <= record.end <= part[1]:
                continue
            deep = _depth(record)
            if deep != UNKNOWN:
                covered.append((record.POS - 1, max(record.POS, record.INFO.get("END", record.end)), deep))
            if record.FILTER is not None:
                self.left_out["filtered"] += 1
                continue
            found = self._units(record, number, reference, start or 0)
            units += found
            qual += [np.nan if record.QUAL is None else float(record.QUAL)] * len(found)
            depth += [deep] * len(found)
        spans = np.array(sorted(covered), np.int64).reshape(-1, 3)
        return Alleles(units, np.array(qual, np.float64), np.array(depth, np.int64), spans)

    def _records(self, regions: Sequence[Region], margin: int) -> Iterator[Any]:
        contig = contig_of(self.contigs, regions[0].chrom)
        if contig is None:
            return
        vcf = open_vcf(self.path, samples=[self.sample])
        ends = np.array([region.end + margin for region in regions])
        starts = np.array([region.start - margin for region in regions])
        where = f"{contig}:{max(1, starts[0])}-{ends[-1]}" if found_index(self.path) else None
        for record in records(self.path, vcf, where):
            place = int(np.searchsorted(ends, record.POS))
            inside = place < len(ends) and record.end >= starts[place]
            if inside and contig == record.CHROM:
                yield record
        vcf.close()

    def _units(self, record: Any, number: int, reference: bytes, start: int) -> list[Unit]:
        where = f"{self.path.name}: {record.CHROM}:{record.POS}"
        copies = self._copies(record, where)
        first = record.POS - 1 - start
        ref = record.REF.upper()
        there = reference[first : first + len(ref)].decode()
        if len(there) < len(ref) or any(
            a != b and a in ACGT and b in ACGT for a, b in zip(ref, there, strict=True)
        ):
            raise InputError(
                f"{where} has REF {ref[:20]} where the FASTA says {there[:20] or 'nothing'}: give the "
                "reference that the file was made with"
            )
        units = []
        for allele, many in sorted(copies.items()):
            alt = record.ALT[allele - 1].upper()
            if alt == "*":
                continue
            if not ACGT.issuperset(alt) or not ACGT.issuperset(ref):
                self.left_out["symbolic or ambiguous allele"] += 1
                continue
            units += units_of(reference, record.POS, ref, alt, many, number, allele, start)
        return units

    def _copies(self, record: Any, where: str) -> dict[int, int]:
        """Copies of each ALT that is carried; a haploid genotype counts as two copies."""
        if "GT" not in record.FORMAT:
            raise InputError(f"{where} has no GT: give a VCF with genotypes")
        alleles = [int(a) for a in record.genotype.array()[0, :-1] if a != -2]
        if len(alleles) > 2:
            raise InputError(
                f"{where} has a genotype of {len(alleles)} alleles: only one or two can be compared"
            )
        called = [a for a in alleles if a >= 0]
        if not called:
            self.left_out["no genotype"] += 1
        elif len(called) < len(alleles):
            self.left_out["half a genotype, the other allele taken as REF"] += 1
        copies = Counter(a for a in called if a > 0)
        return {a: 2 if len(alleles) == 1 else many for a, many in copies.items()}


def units_of(
    reference: bytes, pos: int, ref: str, alt: str, copies: int, record: int, allele: int, start: int = 0
) -> list[Unit]:
    """The units of one allele: a complex one is split, an indel stays where its record has it.

    reference: the chromosome's bases from ``start`` (0-based) on.

    Where an indel in a repeat is written matters beside other variants of the repeat, so only its key is
    moved to the left.
    """
    first = trimmed(pos, ref, alt)[0]
    parts = [(pos, ref, alt)] if _pure_indel(ref, alt) else atoms(reference, start, pos, ref, alt)
    units = []
    for at, one, other in parts:
        change = _not_before(first, *trimmed(at, one, other))
        key = normalised(reference, start, at, one, other)
        units.append(Unit(*change, copies, key, record, allele))
    return units


def _not_before(first: int, start: int, end: int, bases: str) -> tuple[int, int, str]:
    """The same indel moved to the right along its repeat, until it starts at ``first`` or later."""
    while start < first:
        bases = bases[1:] + bases[:1]
        start, end = start + 1, end + 1
    return start, end, bases


def trimmed(pos: int, ref: str, alt: str) -> tuple[int, int, str]:
    """The changed stretch (0-based, end left out) and its new bases, without the ends that are shared.

    Where a base can be at either end, it stays before the change, as the base before an indel does in a VCF.
    """
    end = min(_shared(ref[::-1], alt[::-1]), max(0, min(len(ref), len(alt)) - 1))
    ref, alt = ref[: len(ref) - end], alt[: len(alt) - end]
    first = _shared(ref, alt)
    ref, alt = ref[first:], alt[first:]
    end = _shared(ref[::-1], alt[::-1])
    start = pos - 1 + first
    return start, start + len(ref) - end, alt[: len(alt) - end]


def _pure_indel(ref: str, alt: str) -> bool:
    start, end, bases = trimmed(1, ref, alt)
    return (start == end) != (not bases)


def _shared(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((i for i in range(shorter) if one[i] != other[i]), shorter)


def _depth(record: Any) -> int:
    if "DP" not in record.FORMAT:
        return UNKNOWN
    depth = record.format("DP")
    return UNKNOWN if depth is None else max(UNKNOWN, int(depth[0][0]))
