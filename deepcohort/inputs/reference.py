"""REF of a genotype file held against the reference sequence."""

from pathlib import Path
from typing import Any

from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.harmonise import COMPLEMENT
from deepcohort.genome.vcf import contig_of

BASES = frozenset("ACGT")

WINDOW = 2**20
"""Bases read from the FASTA at a time."""

MAX_DIFFERENT = {"panel": 0.01, "target": 0.05}
"""Largest share of records whose REF may differ. Arrays may have some alleles turned round or on the other
strand, which matching with the panel mends; beyond this share the file or the FASTA is the wrong one."""

FIRST_LOOK = 1000
"""Records after which a file of another build is refused without reading on: there …"""

OTHER_BUILD = 0.5
"""… REF and FASTA agree about as often as two random bases do."""


class RefComparison:
    """Holds the REF of sorted records against a reference sequence; memory does not grow with either.

    The FASTA's index lies beside it. ``compared`` records are those whose REF and sequence are both written
    in A, C, G and T; of these ``different`` differ, ``turned`` of them so that the FASTA has an ALT, or
    REF or an ALT read on the other strand. ``unknown`` counts records by the contigs that the FASTA lacks.
    """

    def __init__(self, path: Path, fasta: Path, *, panel: bool) -> None:
        self.path, self.fasta, self.kind = path, fasta, "panel" if panel else "target"
        self.compared = self.different = self.turned = 0
        self.unknown: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.first = ""
        self._sequence = open_fasta(fasta)
        self._contig, self._start, self._bases = "", 0, ""

    def add(self, number: int, record: Any) -> None:
        """Take a record in; raises ``InputError`` where it lies beyond the sequence, or builds differ."""
        name = self._name(record.CHROM)
        if name is None:
            self.unknown[record.CHROM] = self.unknown.get(record.CHROM, 0) + 1
            return
        ref = record.REF.upper()
        there = self._fetch(name, record.POS - 1, len(ref))
        if len(there) < len(ref):
            raise InputError(
                f"{self.path.name}: record {number} at {record.CHROM}:{record.POS} lies beyond the end of "
                f"{name} in {self.fasta.name} ({self._sequence.get_reference_length(name):,} bases): they "
                "are of different genome builds, so give the reference of the file's build, or lift the file "
                "over"
            )
        if not (BASES.issuperset(ref) and BASES.issuperset(there)):
            return
        self.compared += 1
        if there != ref:
            self._add_different(number, record, ref, there)
        if self.compared == FIRST_LOOK and self.different > OTHER_BUILD * self.compared:
            raise self._refusal(f"{self.different:,} of the first {self.compared:,} records")

    def finish(self) -> None:
        """Raise ``InputError`` where nothing could be compared, or REF differs too often."""
        if self.unknown and not self.names:
            raise InputError(
                f"{self.path.name}: {self.fasta.name} has none of its chromosomes ({_few(self.unknown)}; it "
                f"has {_few(self._sequence.references)}): give the reference that the file was made with"
            )
        if self.different > MAX_DIFFERENT[self.kind] * self.compared:
            raise self._refusal(f"{self.different:,} of {self.compared:,} records")

    def notes(self, lengths: dict[str, int | None]) -> list[str]:
        """Return what the report should say; ``lengths`` are the header's of the file's contigs."""
        file, fasta = self.path.name, self.fasta.name
        notes = []
        renamed = [f"{ours} is {theirs}" for ours, theirs in self.names.items() if ours != theirs]
        if renamed:
            notes.append(
                f"{file} and {fasta} name chromosomes differently ({_few(renamed)}): taken as the same."
            )
        if self.unknown:
            notes.append(
                f"{fasta} has no {_few(self.unknown)}: REF was not compared at "
                f"{sum(self.unknown.values()):,} records of {file}."
            )
        if self.names and not self.compared:
            notes.append(f"{fasta} has only N where {file} has records: REF was not compared.")
        if self.different:
            notes.append(
                f"REF of {file} differs from {fasta} at {self.different:,} of {self.compared:,} records, "
                f"{self.first}{self._turned()}: kept, as sites are matched with the panel by their alleles."
            )
        for contig, name in self.names.items():
            said, true = lengths.get(contig), self._sequence.get_reference_length(name)
            if said is not None and said != true:
                notes.append(
                    f"The header of {file} gives {contig} {said:,} bases, {fasta} has {true:,}: REF agrees, "
                    "so the header is not believed."
                )
        return notes

    def _name(self, contig: str) -> str | None:
        """Return the FASTA's name of a contig."""
        if contig in self.unknown:
            return None
        if contig not in self.names:
            found = contig_of(list(self._sequence.references), contig)
            if found is None:
                return None
            self.names[contig] = found
        return self.names[contig]

    def _fetch(self, name: str, start: int, length: int) -> str:
        """Return bases in upper case, fewer where the sequence ends; ``start`` counts from 0."""
        inside = name == self._contig and self._start <= start
        if not (inside and start + length <= self._start + len(self._bases)):
            bases: str = self._sequence.fetch(name, start, start + max(WINDOW, length))
            self._contig, self._start, self._bases = name, start, bases.upper()
        return self._bases[start - self._start : start - self._start + length]

    def _add_different(self, number: int, record: Any, ref: str, there: str) -> None:
        self.different += 1
        alts = [alt.upper() for alt in record.ALT]
        self.turned += there in alts or COMPLEMENT.get(there) in (ref, *alts)
        if not self.first:
            self.first = (
                f"the first at record {number}, {record.CHROM}:{record.POS}, with REF {_short(ref)} where "
                f"the FASTA has {_short(there)}"
            )

    def _turned(self) -> str:
        return (
            f" (at {self.turned:,} the FASTA has an ALT, or the alleles are of the other strand)"
            if self.turned
            else ""
        )

    def _refusal(self, where: str) -> InputError:
        other_build = self.different > OTHER_BUILD * self.compared
        advice = (
            "it looks like another genome build, so give the reference of the file's build, or lift the file "
            "over"
            if other_build
            else f"put REF right (bcftools norm --check-ref s -f {self.fasta.name}; for arrays the plugin "
            "+fixref), or give the reference that the file was made with"
        )
        turned = "" if other_build else self._turned()
        return InputError(
            f"{self.path.name}: REF differs from {self.fasta.name} at {where}, {self.first}{turned}: {advice}"
        )


def _short(bases: str) -> str:
    return bases if len(bases) <= 20 else f"{bases[:20]}… ({len(bases)} bases)"


def _few(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
