"""The reference's bases in a stretch."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import contig_of
from deepcohort.variants.reads import CODES

LONGEST_REPEAT = 150
"""Bases of a repeat that are looked at, at most."""


@dataclass(frozen=True)
class Reference:
    """Bases of a contig from ``start`` (0-based) on: text in capitals, and uint8 codes as those of reads.

    length: of the whole contig.
    """

    contig: str
    start: int
    text: bytes
    codes: NDArray[np.uint8]
    length: int

    @classmethod
    def of(cls, contig: str, start: int, text: str, length: int | None = None) -> "Reference":
        """From a FASTA's letters; all but ACGT become N. Without ``length`` the contig ends with the text."""
        codes = CODES[np.frombuffer(text.encode(), np.uint8)]
        letters = np.frombuffer(b"ACGTN", np.uint8)[codes].tobytes()
        return cls(contig, start, letters, codes, start + len(text) if length is None else length)

    @property
    def end(self) -> int:
        """Where the bases end, 0-based and excluded."""
        return self.start + len(self.text)

    def repeated(self, at: int, unit: str) -> int:
        """How many bases from index ``at`` on go on repeating ``unit``, ``LONGEST_REPEAT`` at most."""
        bases = unit.encode()
        for step in range(LONGEST_REPEAT):
            if self.text[at + step : at + step + 1] != bases[step % len(bases) :][:1]:
                return step
        return LONGEST_REPEAT


class Contig(NamedTuple):
    """A contig as the FASTA names it, and its length."""

    name: str
    length: int


def contig_within(fasta: Path, region: Region) -> tuple[Contig, Region]:
    """The contig of a region, and the region cut to it.

    Raises ``InputError`` where the FASTA has no such contig or the region begins beyond its end.
    """
    with open_fasta(fasta) as file:
        contig = contig_of(list(file.references), region.chrom)
        if contig is None:
            raise InputError(
                f"{fasta.name}: no contig {region.chrom}: give the reference that the reads were aligned to"
            )
        length = file.get_reference_length(contig)
    if region.start > length:
        raise InputError(
            f"{fasta.name}: {contig} ends at {length:,}, before the region {region}: give one inside"
        )
    return Contig(contig, length), region._replace(end=min(region.end, length))


def read_reference(fasta: Path, region: Region, around: int) -> Reference:
    """Bases of a region and ``around`` on each side; raises ``InputError`` as ``contig_within``."""
    contig, region = contig_within(fasta, region)
    first = max(0, region.start - 1 - around)
    with open_fasta(fasta) as file:
        text = file.fetch(contig.name, first, min(contig.length, region.end + around))
    return Reference.of(contig.name, first, text, contig.length)
