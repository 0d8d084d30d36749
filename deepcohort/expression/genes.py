"""Genes and where their transcription starts, from GTF or BED."""

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import chrom_key, genome_order
from deepcohort.genome.tables import write_table

COLUMNS = ("gene", "name", "chrom", "tss", "strand", "start", "end", "exons")


class Gene(NamedTuple):
    """A gene: ``chrom`` is a key (``chrom_key``); ``tss``, ``start`` are 0-based, ``end`` excluded.

    strand: ``+`` or ``-``; ``.`` where the file does not say, and then ``tss`` is ``start``. exons: first
    base (0-based) and end (excluded) of stretches that are exons of any transcript; empty where not known.
    """

    gene: str
    name: str
    chrom: str
    tss: int
    strand: str
    start: int
    end: int
    exons: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Genes:
    """Genes in genome order, and sentences on what is doubtful about them."""

    genes: list[Gene]
    warnings: list[str]


def gene_key(name: str) -> str:
    """An Ensembl identifier without its version, which differs between files; other names as they are."""
    return re.sub(r"\.\d+$", "", name) if name.startswith("ENS") else name


def open_text(path: Path) -> Iterator[str]:
    """Lines of a text file, gzipped or not; raises ``InputError`` where it is neither."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
            for line in lines:
                yield line.rstrip("\r\n")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile):
        raise InputError(f"{path.name}: damaged, or no text: copy it again") from None


def read_genes(path: Path) -> Genes:
    """Read genes from a GTF (rows of ``gene``, and ``exon`` where there are some) or a BED, packed or not.

    BED: six columns (name fourth, strand sixth), or a header that starts with ``#`` and names ``gene_id`` and
    ``strand``. A stretch of one base is where transcription starts; of a longer one, the end 5' by strand is.

    Raises ``InputError`` for rows that cannot be read, genes named twice, and files without genes.
    """
    gtf = re.search(r"\.(gtf|gff\d?)(\.b?gz)?$", path.name.lower()) is not None
    genes = list(_gtf_genes(path) if gtf else _bed_genes(path))
    if not genes:
        raise InputError(f"{path.name}: no gene in it: give a GTF with rows of genes, or a BED")
    name, times = Counter(gene.gene for gene in genes).most_common(1)[0]
    if times > 1:
        raise InputError(f"{path.name}: the gene {name} stands in {times} rows: keep one of them")
    genes.sort(key=lambda gene: (genome_order(gene.chrom), gene.tss, gene.gene))
    return Genes(genes, [] if gtf else _warnings(path, genes))


def _gtf_genes(path: Path) -> Iterator[Gene]:
    genes: dict[tuple[str, str], list[Gene]] = defaultdict(list)
    exons: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for number, line in enumerate(open_text(path), 1):
        fields = line.split("\t", 8)
        if line.startswith("#") or len(fields) < 9 or fields[2] not in ("gene", "exon"):
            continue
        found = _IDENTIFIER.search(fields[8])
        if found is None:
            raise InputError(
                f"{path.name}: row {number} has no gene_id: give a GTF as Ensembl or GENCODE write"
            )
        key = (fields[0], found[1])
        start, end = _stretch(path, number, fields[3], fields[4])
        if fields[2] == "exon":
            exons[key].add((start - 1, end))
            continue
        name = _NAME.search(fields[8])
        genes[key].append(_gene(found[1], name[1] if name else "", fields[0], start - 1, end, fields[6]))
    for key, several in genes.items():
        for gene in several:
            yield gene._replace(exons=_joined(exons.get(key, ())))


_IDENTIFIER = re.compile(r'\bgene_id "([^"]*)"')
_NAME = re.compile(r'\bgene_name "([^"]*)"')


def _joined(stretches: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Stretches in order, those that overlap or touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _bed_genes(path: Path) -> Iterator[Gene]:
    places = {"gene_id": 3, "strand": 5}
    for number, line in enumerate(open_text(path), 1):
        fields = line.split("\t")
        if line.startswith("#"):
            columns = [field.lower() for field in fields]
            places = {
                name: columns.index(name) for name in ("gene_id", "strand", "gene_name") if name in columns
            }
            continue
        if not line or line.startswith(("track", "browser")):
            continue
        if "gene_id" not in places or len(fields) <= max(places["gene_id"], 3):
            raise InputError(
                f"{path.name}: row {number} has no gene: write chromosome, start, end, gene, score and strand"
            )
        start, end = _stretch(path, number, fields[1], fields[2])
        strand, name = (
            fields[places[key]] if len(fields) > places.get(key, len(fields)) else ""
            for key in ("strand", "gene_name")
        )
        yield _gene(fields[places["gene_id"]], name, fields[0], start, end, strand)


def _stretch(path: Path, number: int, start: str, end: str) -> tuple[int, int]:
    if not (start.isdecimal() and end.isdecimal() and int(start) <= int(end)):
        raise InputError(f"{path.name}: row {number}: '{start}' to '{end}' is no stretch: correct the row")
    return int(start), int(end)


def _gene(gene: str, name: str, contig: str, start: int, end: int, strand: str) -> Gene:
    strand = {"1": "+", "-1": "-"}.get(strand, strand)
    strand = strand if strand in ("+", "-") else "."
    tss = end - 1 if strand == "-" else start
    return Gene(gene_key(gene), name or gene, chrom_key(contig), tss, strand, start, end)


def _warnings(path: Path, genes: list[Gene]) -> list[str]:
    lengths = {gene.end - gene.start for gene in genes}
    if len(genes) < 3 or len(lengths) > 1 or lengths <= {0, 1}:
        return []
    return [
        f"{path.name}: all genes are {lengths.pop():,} bases long, so these are windows around a point, "
        "perhaps the gene's middle, and their ends are no transcription starts: give the starts, or a GTF"
    ]


def warn_of_middles(path: Path, genes: Iterable[Gene], places: dict[str, int]) -> list[str]:
    """Say so where a table of expression, ``places`` by gene (0-based), has the middles of genes.

    Such a table must not become the list of genes: a middle may be 100,000 bases from the start.
    """
    known = [gene for gene in genes if gene.gene in places and gene.end - gene.start > 100]
    middles = sum(abs(places[gene.gene] - (gene.start + gene.end) // 2) <= 1 for gene in known)
    if not known or 2 * middles < len(known):
        return []
    return [
        f"{path.name}: {middles} of {len(known)} genes stand at their middle and not where transcription "
        "starts; the places of --genes are used"
    ]


def write_genes(path: Path, genes: Iterable[Gene]) -> None:
    """Write genes as a table that ``load_genes`` reads."""
    rows = []
    for gene in genes:
        exons = ",".join(f"{start}-{end}" for start, end in gene.exons)
        rows.append({name: str(value) for name, value in gene._asdict().items()} | {"exons": exons})
    write_table(path, rows, COLUMNS)


def load_genes(path: Path) -> list[Gene]:
    """Read what ``write_genes`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Gene(
                row["gene"], row["name"], row["chrom"], int(row["tss"]), row["strand"], int(row["start"]),
                int(row["end"]), _stretches(row["exons"]),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]  # fmt: skip


def _stretches(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (part.split("-") for part in text.split(",") if part)
    return tuple((int(start), int(end)) for start, end in pairs)
