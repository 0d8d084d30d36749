"""What files of known variants (ClinVar, dbSNP, gnomAD …) say of called alleles, written into ID and INFO.

Alleles are matched in their normalised form, so that it does not matter how either file writes an indel, or
which other alleles stand in the same record.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pysam

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.named_files import named_files
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import contig_of, found_index, read_header, require_whole_bgzf
from deepcohort.variants.calls import TILE
from deepcohort.variants.candidates import LONGEST_SHIFT
from deepcohort.variants.normalise import normalised
from deepcohort.variants.reference import LONGEST_REPEAT, Reference, contig_within, read_reference

log = logging.getLogger(__name__)

AROUND = 2 * LONGEST_SHIFT + LONGEST_REPEAT
ACGT = frozenset("ACGT")

ENOUGH, MOST_OTHER = 100, 0.05
"""Of so many records at most this share may have another REF than the FASTA."""

BETWEEN = "&"
"""Stands between the values of one allele, as a comma stands between those of alleles."""

Key = tuple[int, str, str]


class Kept(NamedTuple):
    """A field of INFO that is copied; number: as in VCF's header, of the file that it is from."""

    number: str
    kind: str
    about: str


class Entry(NamedTuple):
    """What a file says of one allele: its ID ('' without one), and values by field."""

    id: str
    values: Mapping[str, str]


@dataclass
class KnownSites:
    """A file of known variants under the name that its fields get."""

    name: str
    path: Path
    fields: dict[str, Kept]
    contigs: list[str]
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def opened(cls, name: str, path: Path, wanted: Sequence[str]) -> "KnownSites":
        """Look at header and index; raises ``InputError`` where either is missing."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
            raise InputError(
                f"--annotate {name}=…: the name becomes part of INFO's fields: use letters, digits and _"
            )
        require_whole_bgzf(path)
        if found_index(path) is None:
            raise InputError(f"{path.name}: there is no index: make one (bcftools index -t)")
        contigs = list(read_header(path).contigs)
        with pysam.VariantFile(str(path)) as file:
            info = file.header.info
            fields = {
                one: Kept(str(info[one].number), str(info[one].type), str(info[one].description))
                for one in wanted
                if one in info
            }
        with pysam.TabixFile(str(path)) as table:
            contigs = list(dict.fromkeys([*contigs, *table.contigs]))
        return cls(name, path, fields, contigs)

    def header_lines(self) -> str:
        """Lines of INFO for a VCF's header."""
        return "".join(
            f'##INFO=<ID={self.name}_{name},Number=A,Type={_kind(kept)},Description="{name} of '
            f'{self.path.name}: {kept.about}">\n'
            for name, kept in self.fields.items()
        )

    def known(self, reference: Reference, tile: Region) -> dict[Key, Entry]:
        """What is said of the alleles in a tile, by their normalised form."""
        contig = contig_of(self.contigs, tile.chrom)
        found: dict[Key, Entry] = {}
        for line in self._lines(contig, tile) if contig else ():
            pos, ids, ref, alts, info = _columns(line)
            at = pos - 1 - reference.start
            if at < 0 or at + len(ref) > len(reference.text):
                continue
            self.counts["records"] += 1
            if reference.text[at : at + len(ref)] != ref.encode():
                self.counts["other REF"] += 1
                continue
            for number, alt in enumerate(alts):
                if ACGT.issuperset(alt) and alt:
                    key = normalised(reference.text, reference.start, pos, ref, alt)
                    found[key] = _merged(found.get(key), self._entry(ids, info, number, len(alts)))
        if (
            self.counts["records"] >= ENOUGH
            and self.counts["other REF"] > MOST_OTHER * self.counts["records"]
        ):
            raise InputError(
                f"{self.path.name}: REF differs from the FASTA in {self.counts['other REF']} of "
                f"{self.counts['records']} records: give a file of the same reference"
            )
        return found

    def _lines(self, contig: str, tile: Region) -> Iterator[str]:
        try:
            with pysam.TabixFile(str(self.path)) as table:
                if contig in table.contigs:
                    yield from table.fetch(
                        contig, max(0, tile.start - 1 - LONGEST_SHIFT), tile.end + LONGEST_SHIFT
                    )
        except (OSError, ValueError):
            raise InputError(f"{self.path.name}: damaged: {contig} cannot be read: copy it again") from None

    def _entry(self, ids: str, info: Mapping[str, str], number: int, alts: int) -> Entry:
        values = {}
        for name, kept in self.fields.items():
            if name in info:
                value = _of_allele(info[name], kept, number, alts)
                if value != ".":
                    values[name] = value
        return Entry("" if ids == "." else ids, values)


def _columns(line: str) -> tuple[int, str, str, list[str], dict[str, str]]:
    _, pos, ids, ref, alts, _, _, info, *_ = line.split("\t")
    pairs = (item.partition("=") for item in info.split(";"))
    return int(pos), ids, ref.upper(), alts.upper().split(","), {name: value for name, _, value in pairs}


def _kind(kept: Kept) -> str:
    """Type of a field in the calls: lists of values are text there."""
    if kept.kind == "Flag":
        return "Integer"
    return kept.kind if kept.number in ("A", "R", "1") and kept.kind != "Character" else "String"


def _of_allele(value: str, kept: Kept, number: int, alts: int) -> str:
    if kept.kind == "Flag":
        return "1"
    if kept.number not in ("A", "R"):
        return value.replace(",", BETWEEN)
    values = value.split(",")
    return values[number - alts] if len(values) >= alts else "."


def _merged(one: Entry | None, other: Entry) -> Entry:
    """Two records of one allele: both IDs, and of each field what came first."""
    if one is None:
        return other
    return Entry(_together([one.id, other.id]), {**other.values, **one.values})


def _together(ids: Sequence[str]) -> str:
    return ";".join(dict.fromkeys(part for text in ids for part in text.split(";") if part))


class Known(NamedTuple):
    """Files of known variants, and the reference by which alleles are normalised."""

    files: list[KnownSites]
    fasta: Path


def known_sites(given: Sequence[str], fields: Sequence[str], fasta: Path | None) -> Known | None:
    """Open the files given as ``name=file``, and the fields of INFO that are wanted of them; None without.

    Raises ``InputError`` where files or the FASTA are missing, and where no file has a field.
    """
    files = [KnownSites.opened(*one, fields) for one in named_files("--annotate", given).items()]
    if not files and not fields:
        return None
    if not files or fasta is None:
        raise InputError("--annotate, with --annotate-field or without, needs --fasta: give files and FASTA")
    for name in fields:
        if not any(name in one.fields for one in files):
            where = ", ".join(one.path.name for one in files)
            raise InputError(f"--annotate-field {name}: no such field of INFO in {where}: correct the name")
    return Known(files, fasta)


def annotate(calls: Path, known: Known, out: Path) -> None:
    """Write ``calls`` (.vcf.gz, sorted) with IDs and fields of known variants to ``out``.

    Every field is one value for each ALT under the name ``NAME_FIELD``; ``.`` where nothing is known. Raises
    ``InputError`` where a file is of another reference.
    """
    with (
        pysam.BGZFile(str(calls), "rb", None) as lines,
        written_whole(out) as unfinished,
        BgzfWriter(unfinished) as file,
    ):
        text = (raw.decode() for raw in lines)
        for head, group in groupby(text, lambda line: line.startswith("#")):
            for line in _header(list(group), known.files) if head else _annotated(group, known):
                file.write(line.encode())
    for one in known.files:
        log.info(
            "%s: %d of %d called alleles are in %s; %d of its records have another REF than the FASTA",
            out.name, one.counts["found"], one.counts["alleles"], one.path.name, one.counts["other REF"],
        )  # fmt: skip


def _header(lines: list[str], known: Sequence[KnownSites]) -> list[str]:
    added = [one.header_lines() for one in known]
    return [f"{line}\n" for line in lines[:-1]] + added + [lines[-1] + "\n"]


def _annotated(lines: Iterator[str], known: Known) -> Iterator[str]:
    split = (line.split("\t") for line in lines)
    for (contig, tile), rows in groupby(split, lambda row: (row[0], int(row[1]) // TILE)):
        length = contig_within(known.fasta, Region(contig, 1, 1))[0].length
        region = Region(contig, max(1, tile * TILE), min(length, (tile + 1) * TILE - 1))
        reference = read_reference(known.fasta, region, AROUND)
        said = [one.known(reference, region) for one in known.files]
        for row in rows:
            yield _line(row, known.files, said, reference)


def _line(
    row: list[str], known: Sequence[KnownSites], said: Sequence[dict[Key, Entry]], reference: Reference
) -> str:
    pos, ref, alts = int(row[1]), row[3], row[4].split(",")
    keys = [
        normalised(reference.text, reference.start, pos, ref, alt) if ACGT.issuperset(alt) else None
        for alt in alts
    ]
    ids, info = [] if row[2] == "." else [row[2]], [] if row[7] == "." else [row[7]]
    for one, entries in zip(known, said, strict=True):
        found = [entries.get(key) if key else None for key in keys]
        one.counts["alleles"] += len(alts)
        one.counts["found"] += sum(entry is not None for entry in found)
        ids += [entry.id for entry in found if entry]
        for name in one.fields:
            values = [entry.values.get(name, ".") if entry else "." for entry in found]
            if any(value != "." for value in values):
                info.append(f"{one.name}_{name}={','.join(values)}")
    row[2], row[7] = _together(ids) or ".", ";".join(info) or "."
    return "\t".join(row) + "\n"
