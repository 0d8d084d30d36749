"""Copies of alleles near genes: what plain models are made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.vcf import contig_of, open_vcf, records

Floats = NDArray[np.float64]


class Variant(NamedTuple):
    """One ALT of a record: ``pos`` is 0-based, ``id`` ``.`` where there is none."""

    chrom: str
    pos: int
    id: str
    ref: str
    alt: str


class Genotypes:
    """The cohort's files, opened once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open files of one cohort, whose people are the same in each."""
        self.opened = [(path, open_vcf(path)) for path in paths]
        self.people: list[str] = list(self.opened[0][1].samples)

    def near(self, chrom: str, start: int, end: int) -> tuple[list[Variant], Floats]:
        """Variants of a stretch (0-based, end excluded), and their copies float64[people, variants].

        An ALT is a column; imputed dosages (DS) are taken where a record has them, and NaN is missing. Second
        alleles that men do not have on X count as the first. Alleles not spelt in letters are left out.
        """
        for path, vcf in self.opened:
            contig = contig_of(list(vcf.seqnames), chrom)
            if contig is None:
                continue
            found: list[Variant] = []
            columns: list[Floats] = []
            for record in records(path, vcf, f"{contig}:{max(0, start) + 1}-{end}"):
                variants, copies = _alleles(chrom, record)
                found += variants
                columns += copies
            if found:
                return found, np.column_stack(columns)
        return [], np.zeros((len(self.people), 0))


def _alleles(chrom: str, record: Any) -> tuple[list[Variant], list[Floats]]:
    alts = [(n, alt) for n, alt in enumerate(record.ALT) if alt and set(alt.upper()) <= set("ACGTN")]
    variants = [Variant(chrom, record.POS - 1, record.ID or ".", record.REF, alt) for _, alt in alts]
    dosage = record.format("DS") if "DS" in record.FORMAT else None
    if dosage is not None and dosage.shape[1] == len(record.ALT):
        return variants, [dosage[:, n].astype(float) for n, _ in alts]
    if record.genotype is None:
        return [], []
    alleles = record.genotype.array()[:, :-1]
    if alleles.shape[1] == 1:
        alleles = np.column_stack([alleles, alleles])
    alleles = np.where(alleles == -2, alleles[:, :1], alleles)
    missing = (alleles == -1).any(axis=1)
    return variants, [np.where(missing, np.nan, (alleles == n + 1).sum(axis=1)) for n, _ in alts]
