"""Genotypes in other formats of the field, written as the VCF that all else reads.

PLINK 2 (``.pgen``, ``.pvar``, ``.psam``; Chang et al. 2015, GigaScience 4:7) and the haplotypes of IMPUTE and
SHAPEIT (``.hap``, ``.legend``, ``.sample``).
"""

import gzip
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import pysam
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import chrom_key

log = logging.getLogger(__name__)

MISSING, NOT_THERE = -1, -2
"""Codes of an allele that is not known, and of a second one that a person does not have."""

MEN = ("1", "m", "male")
"""Codes of a man in a .psam."""


class Record(NamedTuple):
    """A site and its alleles: contig, position, ID, REF, ALTs by comma; codes: int32[n, 2], see ``MISSING``.

    phased: bool[n], whether the order of a person's two alleles is known. single: bool[n], who has one
    allele there.
    """

    contig: str
    pos: int
    id: str
    ref: str
    alt: str
    codes: NDArray[np.int32]
    phased: NDArray[np.bool_]
    single: NDArray[np.bool_]


def convert_plink(pgen: Path, pvar: Path, psam: Path, chrom: str | None, out: Path) -> int:
    """Write hard calls as bgzipped VCF and return the number of records: those on ``chrom``, or all.

    On X outside the pseudo-autosomal regions men have one allele, as on Y and MT everybody has. PLINK's
    calls are of two alleles or missing, never half of each.

    Raises ``InputError`` where a file is of another kind, files do not fit or there is nothing to write.
    """
    names, men = _plink_people(psam)
    contigs = _contig_lines(pgen, pvar, chrom)
    if not contigs:
        where = "no site" if chrom is None else f"no site on chromosome {chrom}"
        raise InputError(f"{pvar.name}: has {where}: correct the sheet or give another file")
    written = _write(out, _header(contigs, names), _plink_records(pgen, pvar, men, chrom))
    log.info("%d people, %d records of %d chromosomes", len(names), written, len(contigs))
    return written


def convert_impute(haps: Path, legend: Path, people: Path, chrom: str, out: Path) -> int:
    """Write haplotypes, .hap, .legend and .sample (or the same gzipped), which hold ``chrom`` only.

    Returns the number of records. Raises ``InputError`` where files do not fit or hold no site.
    """
    names = _impute_people(people)
    records = _impute_records(haps, legend, len(names), chrom)
    first = next(records, None)
    if first is None:
        raise InputError(f"{legend.name}: has no site: give another file")
    written = _write(out, _header([f"##contig=<ID={chrom}>"], names), chain([first], records))
    log.info("%d people, %d records of chromosome %s", len(names), written, chrom)
    return written


def _plink_people(path: Path) -> tuple[list[str], NDArray[np.bool_]]:
    """Names, and who is a man."""
    lines = [line.split() for line in _text(path) if line.strip() and not line.startswith("##")]
    header = lines[0] if lines else []
    if header[:1] != ["#IID"] and header[:2] != ["#FID", "IID"]:
        raise InputError(
            f"{path.name}: its header does not begin with #IID or #FID IID: give PLINK 2's .psam"
        )
    columns = {name.lstrip("#"): number for number, name in enumerate(header)}
    names = [line[columns["IID"]] for line in lines[1:]]
    sex = [line[columns["SEX"]].lower() if "SEX" in columns else "" for line in lines[1:]]
    return names, np.array([code in MEN for code in sex], np.bool_)


def _contig_lines(pgen: Path, pvar: Path, chrom: str | None) -> list[str]:
    """What the header says of the chromosomes that are there, in their order: lengths tell the build."""
    with _told_by_plink(pgen) as library:
        variants = library.PvarReader(str(pvar).encode())
        names = (variants.get_variant_chrom(n).decode() for n in range(variants.get_variant_ct()))
        there = [name for name in dict.fromkeys(names) if _same(name, chrom)]
    known: dict[str, str] = {}
    if pvar.suffix != ".zst":
        with pvar.open() as lines:
            for line in takewhile(lambda line: line.startswith("##"), lines):
                if found := re.match(r"##contig=<ID=([^,>]+).*", line):
                    known[found[1]] = found[0]
    return [known.get(name, f"##contig=<ID={name}>") for name in there]


def _same(contig: str, chrom: str | None) -> bool:
    """Whether a contig is the chromosome that is asked for; all are where none is."""
    return chrom is None or chrom_key(contig) == chrom_key(chrom)


def _plink_records(pgen: Path, pvar: Path, men: NDArray[np.bool_], chrom: str | None) -> Iterator[Record]:
    with _told_by_plink(pgen) as library:
        variants = library.PvarReader(str(pvar).encode())
        places = variants.get_allele_idx_offsets()
        reader = library.PgenReader(str(pgen).encode(), len(men), variants.get_variant_ct(), None, places)
        codes, phased = np.empty(2 * len(men), np.int32), np.empty(len(men), np.uint8)
        for number in range(variants.get_variant_ct()):
            contig = variants.get_variant_chrom(number).decode()
            if _same(contig, chrom):
                reader.read_alleles_and_phasepresent(number, codes, phased)
                single = men & (chrom_key(contig) == "X") | (chrom_key(contig) in ("Y", "MT"))
                yield _plink_record(variants, number, contig, codes, phased, single)


@contextmanager
def _told_by_plink(pgen: Path) -> Iterator[Any]:
    """PLINK's library, its errors told as ours."""
    import pgenlib

    try:
        yield pgenlib
    except RuntimeError as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        said = said.replace(f"{pgen.parent}/", "").strip().rstrip(".")
        raise InputError(
            f"{pgen.name}: PLINK's library says: {said}: give .pgen, .pvar and .psam of one data set"
        ) from None


def _plink_record(
    variants: Any, number: int, contig: str, codes: NDArray[np.int32], phased: NDArray[np.uint8],
    single: NDArray[np.bool_],
) -> Record:  # fmt: skip
    ref, *alts = (
        variants.get_allele_code(number, allele).decode() for allele in range(variants.get_allele_ct(number))
    )
    told = np.maximum(codes, MISSING).reshape(-1, 2)
    known = (phased > 0) | (told[:, 0] == told[:, 1])
    name = variants.get_variant_id(number).decode()
    return Record(contig, variants.get_variant_pos(number), name, ref, ",".join(alts), told, known, single)


def _impute_people(path: Path) -> list[str]:
    lines = [line.split() for line in _text(path) if line.strip()]
    if len(lines) < 2:
        raise InputError(f"{path.name}: names nobody: give a header and one line for each person")
    described = 2 if lines[1][0] == "0" else 1  # the types of the columns, as some programs write
    return [line[0] for line in lines[described:]]


def _impute_records(haps: Path, legend: Path, people: int, chrom: str) -> Iterator[Record]:
    phased, single = np.ones(people, np.bool_), np.zeros(people, np.bool_)
    with _opened(haps) as rows, _opened(legend) as sites:
        columns = {name: number for number, name in enumerate(next(sites, "").split())}
        if not {"id", "position", "a0", "a1"} <= set(columns):
            raise InputError(f"{legend.name}: lacks a column of id, position, a0, a1: give IMPUTE's .legend")
        for number, (site, row) in enumerate(_together(sites, rows, legend, haps), 1):
            cells = site.split()
            name, pos, ref, alt = (cells[columns[one]] for one in ("id", "position", "a0", "a1"))
            codes = _impute_codes(row, people, haps, number)
            yield Record(chrom, int(pos), name.split(":")[0], ref, alt, codes, phased, single)


def _together(sites: TextIO, rows: TextIO, legend: Path, haps: Path) -> Iterator[tuple[str, str]]:
    try:
        yield from zip(sites, rows, strict=True)
    except ValueError:
        raise InputError(
            f"{haps.name}: has not as many lines as {legend.name} has sites: give files of one panel"
        ) from None


def _impute_codes(row: str, people: int, haps: Path, number: int) -> NDArray[np.int32]:
    """Alleles of a line; ``-`` is the one that a man does not have."""
    cells = row.split()
    if len(cells) != 2 * people:
        raise InputError(
            f"{haps.name}: line {number} has {len(cells)} alleles, not two for each of the {people} people "
            "of the .sample file: give files of one panel"
        )
    found = np.array(cells)
    known = np.isin(found, ["0", "1", "-"])
    if not known.all():
        raise InputError(
            f"{haps.name}: line {number}: '{found[~known][0]}' is no allele: give 0, 1, or - for none"
        )
    codes = np.where(found == "-", NOT_THERE, found == "1")
    return codes.astype(np.int32).reshape(-1, 2)


def _write(out: Path, header: str, records: Iterable[Record]) -> int:
    """Write the VCF; returns the number of records."""
    written = 0
    with (
        written_whole(out) as unfinished,
        pysam.BGZFile(str(unfinished), "wb", None) as file,
        progress("converting", None) as bar,
    ):
        file.write(header.encode())
        for record in records:
            fixed = [record.contig, str(record.pos), record.id, record.ref, record.alt, ".", ".", ".", "GT"]
            file.write("\t".join([*fixed, *_cells(record)]).encode() + b"\n")
            written += 1
            bar.update()
    return written


def _header(contigs: list[str], names: list[str]) -> str:
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
    genotype = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'
    return "\n".join(["##fileformat=VCFv4.3", *contigs, genotype, "\t".join([columns, *names])]) + "\n"


def _cells(record: Record) -> list[str]:
    """Text of each person's genotype, looked up by its codes."""
    (first, second), single = record.codes.T, record.single
    # A man's two equal copies are his one allele; unequal ones were no clean call.
    first = np.where(single & (first != second), MISSING, first)
    alone = single | (second == NOT_THERE)
    kind = np.where(alone, 2, record.phased.astype(np.int64))
    texts = _texts(record.alt.count(",") + 2)
    cells: list[str] = texts[kind, first + 1, np.maximum(second, MISSING) + 1].tolist()
    return cells


@cache
def _texts(alleles: int) -> NDArray[np.object_]:
    """Text of a genotype by how it is told (unphased, phased, of one allele) and its codes from -1 on."""
    words = [".", *map(str, range(alleles))]
    ways = ("/".join, "|".join, lambda two: two[0])
    return np.array([[[way((one, other)) for other in words] for one in words] for way in ways], object)


def _text(path: Path) -> list[str]:
    with _opened(path) as file:
        return file.readlines()


def _opened(path: Path) -> TextIO:
    return gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
