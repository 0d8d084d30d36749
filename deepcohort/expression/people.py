"""Each person's sequences around the start of each gene, from reference and genotypes; doubts are counted."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.edits import Edit, Edited, edit, reverse_complement, window
from deepcohort.expression.genes import Gene
from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.vcf import contig_of, open_vcf, records

log = logging.getLogger(__name__)

MARGIN = 1000
"""Bases read beyond the window on each side, so that deletions can be made up for."""
MOST_MISMATCHES = 0.001
"""Share of records whose REF may differ from the FASTA: more means another build, or alleles swapped."""
MOST_UNKNOWN = 0.5
"""Share of a window that may be N."""
PAIRS = {
    frozenset(pair): ord(letter)
    for letter, pair in {"M": b"AC", "R": b"AG", "W": b"AT", "S": b"CG", "Y": b"CT", "K": b"GT"}.items()
}
"""Letters for either of two bases (IUPAC)."""
COUNTED = (
    "genes", "genes_unstranded", "genes_beyond_contig", "genes_without_bases", "windows_past_contig",
    "records", "records_ref_mismatch", "records_ref_unknown", "records_symbolic", "records_star",
    "genotypes_missing", "genotypes_unphased_drawn", "genotypes_unphased_averaged",
    "genotypes_unphased_left_out", "alleles_overlapping", "haplotypes_tss_deleted", "haplotypes",
    "haplotypes_unique",
)  # fmt: skip
"""What is counted. Records, genotypes, alleles and haplotypes count once for every gene near them."""


class Unphased(StrEnum):
    """What becomes of heterozygotes whose phase is not known."""

    random = "random"
    mean = "mean"


class Record(NamedTuple):
    """A record of genotypes: ``pos`` 0-based; ``alleles`` int16[people, 2]: -1 missing, -2 there is none."""

    pos: int
    ref: str
    alts: list[str]
    alleles: NDArray[np.int16]
    phased: NDArray[np.bool_]


@dataclass(frozen=True)
class GeneSequences:
    """Unique sequences, uint8[n, length] letters on the gene's strand, and int32[people, 2]: whose they are.

    -1 stands for the second haplotype of people who have one only.
    """

    gene: Gene
    unique: NDArray[np.uint8]
    of: NDArray[np.int32]


class Sequences:
    """Makes sequences of the genes of one chromosome; ``counts`` tells all that was met."""

    def __init__(
        self,
        fasta: Path,
        genotypes: Sequence[Path],
        chrom: str,
        *,
        unphased: Unphased = Unphased.random,
        seed: int = 1,
    ) -> None:
        """Open the reference and the file of genotypes that has this chromosome.

        Raises ``InputError`` where several files have it.
        """
        self.fasta, self.counts = open_fasta(fasta), Counter(dict.fromkeys(COUNTED, 0))
        self.fasta_name, self.unphased, self.seed = fasta.name, unphased, seed
        contig = contig_of(list(self.fasta.references), chrom)
        self.path, self.people, self.vcf_contig = _file_of(genotypes, chrom)
        self.contig = contig
        self.length = self.fasta.get_reference_length(contig) if contig else 0
        names = {chrom, contig, self.vcf_contig} - {None}
        if len(names) > 1:
            log.info("%s is called %s: taken as one chromosome", chrom, " and ".join(sorted(map(str, names))))
        self.vcf = open_vcf(self.path)
        self._swapped = 0

    def of_gene(self, gene: Gene, before: int, after: int) -> GeneSequences | None:
        """Everybody's two sequences around a gene; None, and counted why, for genes that cannot have any."""
        self.counts["genes"] += 1
        left, right = (before, after) if gene.strand == "+" else (after, before)
        why = self._unusable(gene, left, right)
        if why:
            self.counts[why] += 1
            return None
        start = max(0, gene.tss - left - MARGIN)
        end = min(self.length, gene.tss + right + 1 + MARGIN)
        reference = self.fasta.fetch(self.contig, start, end).upper().encode()
        found = self._usable_records(start, reference)
        columns, edits = self._columns(found)
        distinct, whose = np.unique(columns, axis=1, return_inverse=True)
        made = [edit(reference, start, _edits(edits, column), gene.tss) for column in distinct.T]
        texts = [window(one, left, right)[0] for one in made]
        self._count(made, np.bincount(whose.ravel(), columns[-1] == 0, len(made)).astype(np.int64))
        if gene.strand == "-":
            texts = [reverse_complement(text) for text in texts]
        done = _unique(gene, texts, whose.ravel(), columns)
        self.counts["haplotypes_unique"] += len(done.unique)
        return done

    def _unusable(self, gene: Gene, left: int, right: int) -> str | None:
        if gene.strand == ".":
            return "genes_unstranded"
        if self.contig is None:
            return "genes_without_bases"
        if gene.tss >= self.length:
            return "genes_beyond_contig"
        first, end = max(0, gene.tss - left), min(self.length, gene.tss + right + 1)
        self.counts["windows_past_contig"] += end - first < left + right + 1
        known = sum(map(self.fasta.fetch(self.contig, first, end).upper().count, "ACGT"))
        return "genes_without_bases" if known < (1 - MOST_UNKNOWN) * (left + right + 1) else None

    def _usable_records(self, start: int, reference: bytes) -> list[Record]:
        """Records in a stretch whose REF is the reference's, with the alleles that letters can say."""
        found = []
        for record in read_records(self.path, self.vcf, self.vcf_contig, start, start + len(reference)):
            self.counts["records"] += 1
            there = reference[max(0, record.pos - start) : record.pos - start + len(record.ref)].decode()
            ref = record.ref.upper()[max(0, start - record.pos) :][: len(there)]
            if any(one != other for one, other in zip(ref, there, strict=True) if other in "ACGT"):
                self.counts["records_ref_mismatch"] += 1
                self._swapped += there in record.alts
                continue
            self.counts["records_ref_unknown"] += "N" in there
            self.counts["records_star"] += "*" in record.alts
            self.counts["records_symbolic"] += any(not _spelt(alt) and alt != "*" for alt in record.alts)
            found.append(record)
        return found

    def _columns(self, found: list[Record]) -> tuple[NDArray[np.int16], list[list[Edit | None]]]:
        """Alleles int16[records + 1, 2 x people], and the edit that each allele of each record is.

        The last row is -2 for second haplotypes that are not there, as on X in men, else 0.
        """
        columns = np.zeros((len(found) + 1, 2 * len(self.people)), np.int16)
        edits: list[list[Edit | None]] = []
        for row, record in enumerate(found):
            letters = [record.ref.upper(), *(alt.upper() for alt in record.alts)]
            alleles = self._cleaned(record, letters)
            mixed = ~record.phased & (alleles[:, 0] != alleles[:, 1]) & (alleles[:, 1] >= 0)
            if self.unphased is Unphased.random:
                self._drawn(record, alleles, mixed)
            else:
                self._averaged(letters, alleles, mixed)
            columns[row] = alleles.ravel()
            ref = letters[0].encode()
            edits.append([None, *(Edit(record.pos, ref, text.encode()) for text in letters[1:])])
        columns[-1] = np.where((columns[:-1] == -2).any(axis=0), -2, 0)
        return columns, edits

    def _cleaned(self, record: Record, letters: list[str]) -> NDArray[np.int16]:
        """Alleles int16[people, 2]; the reference where one is missing, or is not spelt in letters."""
        usable = np.array([n == 0 or _spelt(text) for n, text in enumerate(letters)])
        alleles = record.alleles.copy()
        self.counts["genotypes_missing"] += int((alleles == -1).any(axis=1).sum())
        alleles[alleles == -1] = 0
        alleles[~usable[np.maximum(alleles, 0)]] = 0
        return alleles

    def _drawn(self, record: Record, alleles: NDArray[np.int16], mixed: NDArray[np.bool_]) -> None:
        """Put the alleles of unphased heterozygotes on haplotypes by chance, the same ones for every gene."""
        drawn = np.random.default_rng([self.seed, record.pos, len(record.ref)]).random(len(alleles)) < 0.5
        alleles[mixed & drawn] = alleles[mixed & drawn][:, ::-1]
        self.counts["genotypes_unphased_drawn"] += int(mixed.sum())

    def _averaged(self, letters: list[str], alleles: NDArray[np.int16], mixed: NDArray[np.bool_]) -> None:
        """Give unphased heterozygotes letters for two bases on both haplotypes, REF if lengths differ.

        ``letters`` is extended by these alleles.
        """
        ordered = np.sort(alleles, axis=1)
        for pair in np.unique(ordered[mixed], axis=0).tolist():
            who = mixed & (ordered == pair).all(axis=1)
            between = _between(letters[0], *(letters[n] for n in pair))
            self.counts[f"genotypes_unphased_{'averaged' if between else 'left_out'}"] += int(who.sum())
            alleles[who] = len(letters) if between else 0
            letters += [between] if between else []

    def _count(self, made: list[Edited], copies: NDArray[np.int64]) -> None:
        self.counts["haplotypes"] += int(copies.sum())
        for one, times in zip(made, copies.tolist(), strict=True):
            self.counts["alleles_overlapping"] += one.overlapping * times
            self.counts["haplotypes_tss_deleted"] += one.disrupted * times

    def check_reference(self) -> None:
        """Raise ``InputError`` where REF differs from the reference too often."""
        met, wrong = self.counts["records"], self.counts["records_ref_mismatch"]
        if wrong > MOST_MISMATCHES * met:
            why = (
                "most have REF and ALT swapped: write the file anew with the reference's alleles first"
                if 2 * self._swapped > wrong
                else "the two are of different builds: give the reference that the genotypes were called on"
            )
            raise InputError(
                f"{self.path.name}: REF of {wrong:,} of {met:,} records near genes is not what "
                f"{self.fasta_name} has ({wrong / met:.1%}, at most {MOST_MISMATCHES:.1%} may be); {why}"
            )


def _file_of(genotypes: Sequence[Path], chrom: str) -> tuple[Path, list[str], str]:
    found = []
    for path in genotypes:
        vcf = open_vcf(path, samples=[])
        contig = contig_of(list(vcf.seqnames), chrom)
        if contig is not None and any(True for _ in records(path, vcf, contig)):
            found.append((path, contig))
        vcf.close()
    if len(found) > 1:
        names = " and ".join(path.name for path, _ in found)
        raise InputError(f"{names}: all have records of chromosome {chrom}: give each chromosome in one file")
    path, contig = found[0] if found else (genotypes[0], chrom)
    vcf = open_vcf(path)
    return path, list(vcf.samples), contig


def read_records(path: Path, vcf: Any, contig: str, start: int, end: int) -> list[Record]:
    """Records that touch a stretch (0-based, end excluded) in the file's order, those with an ALT."""
    if contig_of(list(vcf.seqnames), contig) is None:
        return []
    found = []
    for record in records(path, vcf, f"{contig}:{start + 1}-{end}"):
        if not record.ALT or record.genotype is None:
            continue
        table = record.genotype.array()
        alleles = table[:, :-1].astype(np.int16)
        if alleles.shape[1] == 1:
            alleles = np.column_stack([alleles, np.full(len(alleles), -2, np.int16)])
        if alleles.shape[1] > 2:
            raise InputError(
                f"{path.name}: {contig}:{record.POS} has genotypes of {alleles.shape[1]} alleles: people "
                "have two at most"
            )
        found.append(Record(record.POS - 1, record.REF, list(record.ALT), alleles, table[:, -1].astype(bool)))
    return found


def _spelt(alt: str) -> bool:
    return bool(alt) and set(alt.upper()) <= set("ACGTN")


def _between(ref: str, one: str, other: str) -> str | None:
    """Letters that stand for both of two alleles; None where they are not as long as the reference."""
    if not len(ref) == len(one) == len(other):
        return None
    pairs = zip(one.encode(), other.encode(), strict=True)
    return bytes(a if a == b else PAIRS.get(frozenset((a, b)), ord("N")) for a, b in pairs).decode()


def _edits(edits: list[list[Edit | None]], column: NDArray[np.int16]) -> list[Edit]:
    chosen = (edits[row][allele] for row, allele in enumerate(column[:-1].tolist()) if allele > 0)
    return [one for one in chosen if one is not None]


def _unique(
    gene: Gene, texts: list[bytes], whose: NDArray[np.intp], columns: NDArray[np.int16]
) -> GeneSequences:
    """Different records may spell one sequence."""
    letters = np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)
    unique, place = np.unique(letters, axis=0, return_inverse=True)
    of = np.where(columns[-1] == -2, -1, place.ravel()[whose]).astype(np.int32).reshape(-1, 2)
    return GeneSequences(gene, unique, of)
