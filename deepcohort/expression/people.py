"""Each person's sequences around the start of each gene, from reference and genotypes; doubts are counted."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    "records", "records_ref_mismatch", "records_ref_unknown", "records_symbolic", "records_symbolic_deleted",
    "records_star", "genotypes_missing", "genotypes_unphased_drawn", "genotypes_unphased_averaged",
    "genotypes_unphased_left_out", "alleles_overlapping", "haplotypes_tss_deleted", "haplotypes_filled",
    "haplotypes", "haplotypes_unique",
)  # fmt: skip
"""What is counted. Records, genotypes, alleles and haplotypes count once for every gene near them."""


class Unphased(StrEnum):
    """What becomes of heterozygotes whose phase is not known."""

    random = "random"
    mean = "mean"


class Record(NamedTuple):
    """A record of genotypes: ``pos`` 0-based; ``alleles`` int16[people, 2]: -1 missing, -2 there is none.

    end: where a symbolic allele ends (0-based, excluded), by INFO END.
    """

    pos: int
    ref: str
    alts: list[str]
    alleles: NDArray[np.int16]
    phased: NDArray[np.bool_]
    end: int = 0


class Variant(NamedTuple):
    """A record that can be used: the edit of each allele (None: the reference), and int16[people, 2] of them.

    -2 stands for second haplotypes that are not there.
    """

    edits: list[Edit | None]
    alleles: NDArray[np.int16]


@dataclass(frozen=True)
class Stretch:
    """Reference around a gene: ``reference`` from ``start`` (0-based), longer than the window on both sides.

    left, right: bases of the window on either side of the gene's start, on the reference's strand. turned:
    whether sequences are read on the other one.
    """

    gene: Gene
    start: int
    reference: bytes
    left: int
    right: int
    turned: bool

    def made(self, edits: Iterator[Edit] | Sequence[Edit]) -> Edited:
        """A haplotype with these edits, sorted by place."""
        return edit(self.reference, self.start, edits, self.gene.tss)

    def touches(self, one: Edit) -> bool:
        """Whether an edit's bases are in the window."""
        first = self.gene.tss - self.left
        return one.start + len(one.ref) > first and one.start <= self.gene.tss + self.right

    def agrees(self, one: Edit) -> bool:
        """Whether an edit's reference is the one that is here, as far as that is known and reaches."""
        there = self.reference[max(0, one.start - self.start) : max(0, one.start - self.start + len(one.ref))]
        ours = one.ref[max(0, self.start - one.start) :][: len(there)]
        return all(a == b for a, b in zip(ours, there, strict=True) if b in b"ACGT")

    def text(self, made: Edited) -> bytes:
        """The window of a haplotype, on the strand that is read."""
        text, _ = window(made, self.left, self.right)
        return reverse_complement(text) if self.turned else text


@dataclass(frozen=True)
class GeneSequences:
    """Unique sequences, uint8[n, length] letters on the gene's strand, and int32[people, 2]: whose they are.

    -1 stands for the second haplotype of people who have one only.
    """

    gene: Gene
    unique: NDArray[np.uint8]
    of: NDArray[np.int32]


class Reference:
    """One chromosome of the reference, and windows of it around genes; ``counts`` tells what was met."""

    def __init__(self, fasta: Path, chrom: str) -> None:
        """Open the reference; a chromosome that it does not have has no windows."""
        self.fasta, self.counts = open_fasta(fasta), Counter(dict.fromkeys(COUNTED, 0))
        self.fasta_name = fasta.name
        self.contig = contig_of(list(self.fasta.references), chrom)
        self.length = self.fasta.get_reference_length(self.contig) if self.contig else 0

    def stretch(self, gene: Gene, before: int, after: int, *, stranded: bool = True) -> Stretch | None:
        """The reference around a gene; None, and counted why, where it cannot have a sequence.

        before, after: bases of the window on either side of the gene's start, on the gene's own strand if
        ``stranded``, else on the reference's.
        """
        self.counts["genes"] += 1
        turned = stranded and gene.strand == "-"
        left, right = (after, before) if turned else (before, after)
        why = self._unusable(gene, left, right)
        if why:
            self.counts[why] += 1
            return None
        start, end = gene.tss - left, gene.tss + right + 1
        margin = self._margin(start, end)
        start, end = max(0, start - margin), min(self.length, end + margin)
        reference = self.fasta.fetch(self.contig, start, end).upper().encode()
        return Stretch(gene, start, reference, left, right, turned)

    def _margin(self, start: int, end: int) -> int:
        """Bases to read beyond a stretch on each side."""
        return MARGIN

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


class Sequences(Reference):
    """Makes sequences of the genes of one chromosome; ``counts`` tells all that was met."""

    def __init__(
        self,
        fasta: Path,
        genotypes: Sequence[Path],
        chrom: str,
        *,
        unphased: Unphased = Unphased.random,
        deletions: bool = False,
        seed: int = 1,
    ) -> None:
        """Open the reference and the file of genotypes that has this chromosome.

        deletions: take symbolic alleles ``<DEL>`` and ``<CN0>`` for deletions up to INFO END.

        Raises ``InputError`` where several files have it.
        """
        super().__init__(fasta, chrom)
        self.unphased, self.seed, self.deletions = unphased, seed, deletions
        self.path, self.people, self.vcf_contig = _file_of(genotypes, chrom)
        names = {chrom, self.contig, self.vcf_contig} - {None}
        if len(names) > 1:
            log.info("%s is called %s: taken as one chromosome", chrom, " and ".join(sorted(map(str, names))))
        self.vcf = open_vcf(self.path)

    def of_gene(self, gene: Gene, before: int, after: int, *, stranded: bool = True) -> GeneSequences | None:
        """Everybody's two sequences around a gene; None, and counted why, for genes that cannot have any."""
        stretch = self.stretch(gene, before, after, stranded=stranded)
        return None if stretch is None else self.everybody(stretch, self.counts)

    def everybody(self, stretch: Stretch, counts: Counter[str]) -> GeneSequences:
        """Everybody's two sequences; ``counts`` takes what is met among records."""
        columns, edits = self._columns(list(self.variants(stretch, counts)))
        whose = _numbered(column.tobytes() for column in columns.T)
        _, first = np.unique(whose, return_index=True)
        made = [stretch.made(_edits(edits, column)) for column in columns.T[first]]
        self._count(stretch, made, np.bincount(whose, columns[-1] == 0, len(made)).astype(np.int64))
        texts = [stretch.text(one) for one in made]
        done = _unique(stretch.gene, texts, whose, columns)
        self.counts["haplotypes_unique"] += len(done.unique)
        return done

    def variants(self, stretch: Stretch, counts: Counter[str]) -> Iterator[Variant]:
        """Records of a stretch one after the other, each with the alleles of everybody."""
        for record in self._usable_records(stretch, counts):
            letters = [record.ref.upper(), *(alt.upper() for alt in record.alts)]
            edits = self._edits_of(record, letters, stretch)
            alleles = self._cleaned(record, edits, counts)
            mixed = ~record.phased & (alleles[:, 0] != alleles[:, 1]) & (alleles[:, 1] >= 0)
            if self.unphased is Unphased.random:
                self._drawn(record, alleles, mixed, counts)
            else:
                edits += self._averaged(record, letters, alleles, mixed, counts)
            yield Variant(edits, alleles)

    def _margin(self, start: int, end: int) -> int:
        """As many more bases as symbolic deletions that touch a stretch may take."""
        if not self.deletions or contig_of(list(self.vcf.seqnames), self.vcf_contig) is None:
            return MARGIN
        met = records(self.path, self.vcf, f"{self.vcf_contig}:{start + 1}-{end}")
        return MARGIN + sum(int(record.end - record.POS) for record in met if any(map(_deletion, record.ALT)))

    def _usable_records(self, stretch: Stretch, counts: Counter[str]) -> Iterator[Record]:
        """Records in a stretch whose REF is the reference's."""
        start, reference = stretch.start, stretch.reference
        for record in iter_records(self.path, self.vcf, self.vcf_contig, start, start + len(reference)):
            counts["records"] += 1
            there = reference[
                max(0, record.pos - start) : max(0, record.pos - start + len(record.ref))
            ].decode()
            if not stretch.agrees(Edit(record.pos, record.ref.upper().encode(), b"")):
                counts["records_ref_mismatch"] += 1
                counts["swapped"] += there in record.alts
                continue
            unspelt = [alt for alt in record.alts if not _spelt(alt) and alt != "*"]
            applied = [alt for alt in unspelt if self.deletions and _deletion(alt)]
            counts["records_ref_unknown"] += "N" in there
            counts["records_star"] += "*" in record.alts
            counts["records_symbolic"] += len(applied) < len(unspelt)
            counts["records_symbolic_deleted"] += bool(applied)
            yield record

    def _edits_of(self, record: Record, letters: list[str], stretch: Stretch) -> list[Edit | None]:
        """The edit that each allele is; None for the reference and what cannot be spelt."""
        ref = letters[0].encode()
        edits: list[Edit | None] = [None]
        for alt in letters[1:]:
            if _spelt(alt):
                edits.append(Edit(record.pos, ref, alt.encode()))
            elif self.deletions and _deletion(alt):
                first, start = max(record.pos, stretch.start), stretch.start
                gone = stretch.reference[first - start : max(0, record.end - start)]
                # The base before the deleted ones stays, where it is in the stretch.
                edits.append(Edit(first, gone, gone[: first == record.pos]))
            else:
                edits.append(None)
        return edits

    def _columns(self, found: list[Variant]) -> tuple[NDArray[np.int16], list[list[Edit | None]]]:
        """Alleles int16[records + 1, 2 x people], and the edit that each allele of each record is.

        The last row is -2 for second haplotypes that are not there, as on X in men, else 0.
        """
        columns = np.zeros((len(found) + 1, 2 * len(self.people)), np.int16)
        for row, variant in enumerate(found):
            columns[row] = variant.alleles.ravel()
        columns[-1] = np.where((columns[:-1] == -2).any(axis=0), -2, 0)
        return columns, [variant.edits for variant in found]

    def _cleaned(self, record: Record, edits: list[Edit | None], counts: Counter[str]) -> NDArray[np.int16]:
        """Alleles int16[people, 2]; the reference where one is missing, or is not spelt in letters."""
        usable = np.array([n == 0 or edit is not None for n, edit in enumerate(edits)])
        alleles = record.alleles.copy()
        counts["genotypes_missing"] += int((alleles == -1).any(axis=1).sum())
        alleles[alleles == -1] = 0
        alleles[~usable[np.maximum(alleles, 0)]] = 0
        return alleles

    def _drawn(
        self, record: Record, alleles: NDArray[np.int16], mixed: NDArray[np.bool_], counts: Counter[str]
    ) -> None:
        """Put the alleles of unphased heterozygotes on haplotypes by chance, the same ones for every gene."""
        drawn = np.random.default_rng([self.seed, record.pos, len(record.ref)]).random(len(alleles)) < 0.5
        alleles[mixed & drawn] = alleles[mixed & drawn][:, ::-1]
        counts["genotypes_unphased_drawn"] += int(mixed.sum())

    def _averaged(
        self, record: Record, letters: list[str], alleles: NDArray[np.int16], mixed: NDArray[np.bool_],
        counts: Counter[str],
    ) -> list[Edit | None]:  # fmt: skip
        """Give unphased heterozygotes letters for two bases on both haplotypes, REF if lengths differ.

        These alleles are numbered after the others; returns their edits.
        """
        ordered = np.sort(alleles, axis=1)
        new: list[Edit | None] = []
        for pair in np.unique(ordered[mixed], axis=0).tolist():
            who = mixed & (ordered == pair).all(axis=1)
            between = _between(letters[0], *(letters[n] for n in pair))
            counts[f"genotypes_unphased_{'averaged' if between else 'left_out'}"] += int(who.sum())
            alleles[who] = len(letters) + len(new) if between else 0
            new += [Edit(record.pos, letters[0].encode(), between.encode())] if between else []
        return new

    def _count(self, stretch: Stretch, made: list[Edited], copies: NDArray[np.int64]) -> None:
        self.counts["haplotypes"] += int(copies.sum())
        past = stretch.gene.tss - stretch.left < 0 or stretch.gene.tss + stretch.right >= self.length
        for one, times in zip(made, copies.tolist(), strict=True):
            self.counts["alleles_overlapping"] += one.overlapping * times
            self.counts["haplotypes_tss_deleted"] += one.disrupted * times
            filled = window(one, stretch.left, stretch.right)[1]
            self.counts["haplotypes_filled"] += times * (filled > 0 and not past)

    def check_reference(self) -> None:
        """Raise ``InputError`` where REF differs from the reference too often."""
        met, wrong = self.counts["records"], self.counts["records_ref_mismatch"]
        if wrong > MOST_MISMATCHES * met:
            why = (
                "most have REF and ALT swapped: write the file anew with the reference's alleles first"
                if 2 * self.counts["swapped"] > wrong
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
    return list(iter_records(path, vcf, contig, start, end))


def iter_records(path: Path, vcf: Any, contig: str, start: int, end: int) -> Iterator[Record]:
    """``read_records`` one by one."""
    if contig_of(list(vcf.seqnames), contig) is None:
        return
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
        phased = table[:, -1].astype(bool)
        yield Record(record.POS - 1, record.REF, list(record.ALT), alleles, phased, record.end)


def _spelt(alt: str) -> bool:
    return bool(alt) and set(alt.upper()) <= set("ACGTN")


def _deletion(alt: str) -> bool:
    return alt.upper() == "<CN0>" or alt.upper().startswith("<DEL")


def _between(ref: str, one: str, other: str) -> str | None:
    """Letters that stand for both of two alleles; None where they are not as long as the reference."""
    if not len(ref) == len(one) == len(other) or not (_spelt(one) and _spelt(other)):
        return None
    pairs = zip(one.encode(), other.encode(), strict=True)
    return bytes(a if a == b else PAIRS.get(frozenset((a, b)), ord("N")) for a, b in pairs).decode()


def _edits(edits: list[list[Edit | None]], column: NDArray[np.int16]) -> list[Edit]:
    chosen = (edits[row][allele] for row, allele in enumerate(column[:-1].tolist()) if allele > 0)
    return [one for one in chosen if one is not None]


def _numbered(texts: Iterable[bytes]) -> NDArray[np.intp]:
    """The number of each text among those that differ, by first appearance."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.intp)


def _unique(
    gene: Gene, texts: list[bytes], whose: NDArray[np.intp], columns: NDArray[np.int16]
) -> GeneSequences:
    """Different records may spell one sequence."""
    place = _numbered(texts)
    _, first = np.unique(place, return_index=True)
    unique = np.frombuffer(b"".join(texts[n] for n in first), np.uint8).reshape(len(first), -1)
    of = np.where(columns[-1] == -2, -1, place[whose]).astype(np.int32).reshape(-1, 2)
    return GeneSequences(gene, unique, of)
