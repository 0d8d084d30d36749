"""One person's gVCF, read stretch by stretch: blocks as arrays, records one by one."""

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.likelihoods import genotypes_among
from deepcohort.genome.vcf import ANY_ALLELE, contig_of, found_index, read_header

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]

UNKNOWN = -1

Allele = tuple[int, str, str]
"""Position (1-based), REF and ALT."""


class Record(NamedTuple):
    """A record that names alleles, from ``pos`` to ``end`` (1-based, inclusive).

    alts: normalised; None for what stands for a deletion that begins before (*) and for any other allele.
    other: number of the latter, or None. genotype: numbers of alleles, empty where it is not told. depth: -1
    where it is not told. ad: reads by allele, or None. pl: in VCF's order, or None.
    """

    pos: int
    end: int
    alts: tuple[Allele | None, ...]
    other: int | None
    genotype: tuple[int, ...]
    quality: int
    depth: int
    ad: list[int] | None
    pl: list[int] | None
    copies: int


class Stretch(NamedTuple):
    """A stretch of a gVCF: B blocks, and records in order.

    first, last: int64[B], positions from 1, inclusive. depth: int32[B]. pl: int32[B, 3], no, one and two
    copies of any other allele; of a person with one copy the middle is not used. copies: int32[B].
    """

    first: Int64
    last: Int64
    depth: Int32
    pl: Int32
    copies: Int32
    records: list[Record]


class Gvcf:
    """A person's gVCF with its index; opened anew for each stretch, as there may be thousands."""

    def __init__(self, path: Path) -> None:
        """Raises ``InputError`` where it has no index, or not one person in it."""
        index = found_index(path)
        if index is None:
            raise InputError(f"{path.name}: there is no index: make one (bcftools index -t)")
        header = read_header(path)
        if len(header.samples) != 1:
            raise InputError(
                f"{path.name}: holds {len(header.samples)} people: give a gVCF for each person "
                "(bcftools view -s)"
            )
        self.path, self.index, self.sample = path, index, header.samples[0]
        self.contigs = header.contigs

    def require_contig(self, contig: str, length: int) -> None:
        """Refuse a gVCF of another reference; raises ``InputError``."""
        own = contig_of(list(self.contigs), contig)
        found = self.contigs[own] if own else None
        if found not in (None, length):
            raise InputError(
                f"{self.path.name}: {own} has {found:,} bases but {length:,} in the FASTA: give gVCFs of one "
                "reference"
            )

    def read(self, contig: str, start: int, end: int, normal: Callable[[int, str, str], Allele]) -> Stretch:
        """Read what overlaps ``start`` to ``end`` (1-based, inclusive); ``normal`` normalises alleles.

        Raises ``InputError`` for records that are no gVCF's, and where the file is damaged.
        """
        found = _Columns(self.path, normal)
        own = contig_of(list(self.contigs), contig)
        for line in self._lines(own, start, end) if own else ():
            try:
                found.take(line)
            except ValueError:
                where = ":".join(line.split("\t")[:2])
                raise InputError(
                    f"{self.path.name}: the record at {where} cannot be read: make the file again"
                ) from None
        return found.stretch()

    def _lines(self, contig: str, start: int, end: int) -> Iterator[str]:
        try:
            with pysam.TabixFile(str(self.path), index=str(self.index)) as file:
                if contig in file.contigs:
                    yield from file.fetch(contig, start - 1, end)
        except (OSError, ValueError):
            raise InputError(
                f"{self.path.name}: damaged: the records of {contig} cannot be read: copy it again"
            ) from None


class _Columns:
    def __init__(self, path: Path, normal: Callable[[int, str, str], Allele]) -> None:
        self.name, self.normal = path.name, normal
        self.numbers = array("q")
        self.records: list[Record] = []
        self.fields: dict[str, dict[str, int]] = {}

    def take(self, line: str) -> None:
        contig, pos, _, ref, alt, _, _, info, form, entry = line.split("\t")
        place = self.fields.get(form)
        if place is None:
            place = self.fields[form] = {name: number for number, name in enumerate(form.split(":"))}
        cells = entry.split(":")
        where = f"{contig}:{pos}"
        genotype, copies = self._genotype(where, cells[place["GT"]] if "GT" in place else "./.")
        depth = _number(cells, place, "MIN_DP", _number(cells, place, "DP", UNKNOWN))
        quality = max(0, _number(cells, place, "GQ", 0))
        pl = _numbers(cells, place, "PL")
        if alt in ANY_ALLELE:
            self._block(where, int(pos), len(ref), info, pl, depth, copies, genotype, quality)
            return
        alts = alt.split(",") if alt != "." else []
        count = len(genotypes_among(range(len(alts) + 1), copies))
        if pl is not None and len(pl) != count:
            raise InputError(
                f"{self.name}: {where} has {len(pl)} values of PL where its alleles have {count} genotypes: "
                "make the file again"
            )
        named = tuple(None if one[0] in "<*" else self.normal(int(pos), ref, one) for one in alts)
        other = next((n for n, one in enumerate(alts, 1) if one in ANY_ALLELE), None)
        ad = _numbers(cells, place, "AD")
        end = int(pos) + len(ref) - 1
        self.records.append(Record(int(pos), end, named, other, genotype, quality, depth, ad, pl, copies))

    def _block(
        self, where: str, pos: int, length: int, info: str, pl: list[int] | None, depth: int, copies: int,
        genotype: tuple[int, ...], quality: int,
    ) -> None:  # fmt: skip
        end = pos + length - 1
        for item in info.split(";"):
            if item.startswith("END="):
                end = int(item[4:])
        if pl is None:
            # Some programs leave PL out of blocks: the quality tells the same.
            pl = [0] + [quality] * copies if genotype else [0] * (copies + 1)
        if len(pl) != copies + 1:
            raise InputError(
                f"{self.name}: the block at {where} has {len(pl)} values of PL, not {copies + 1}: make the "
                "file again"
            )
        self.numbers.extend((pos, end, depth, pl[0], pl[-1] if copies == 1 else pl[1], pl[-1], copies))

    def _genotype(self, where: str, text: str) -> tuple[tuple[int, ...], int]:
        alleles = text.replace("|", "/").split("/")
        if len(alleles) > 2:
            raise InputError(
                f"{self.name}: {where} has a genotype of {len(alleles)} copies: one or two can be joined"
            )
        return () if "." in alleles else tuple(sorted(map(int, alleles))), len(alleles)

    def stretch(self) -> Stretch:
        rows = np.frombuffer(self.numbers, np.int64).reshape(-1, 7)
        small = rows.astype(np.int32)
        return Stretch(rows[:, 0], rows[:, 1], small[:, 2], small[:, 3:6], small[:, 6], self.records)


def _number(cells: list[str], place: dict[str, int], name: str, absent: int) -> int:
    at = place.get(name, len(cells))
    return int(cells[at]) if at < len(cells) and cells[at] != "." else absent


def _numbers(cells: list[str], place: dict[str, int], name: str) -> list[int] | None:
    at = place.get(name, len(cells))
    if at >= len(cells) or "." in cells[at]:
        return None
    return list(map(int, cells[at].split(",")))
