"""Genes shared out: stretches of a chromosome's genes that one task works on."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from deepcohort.expression.genes import Gene, write_genes
from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region
from deepcohort.genome.tables import write_table

COLUMNS = ("shard", "chrom", "genes")


def inside(genes: Sequence[Gene], regions: Sequence[Region]) -> list[Gene]:
    """Genes whose transcription starts in one of the regions; raises ``InputError`` where there is none."""
    kept = [
        gene
        for gene in genes
        if any(one.chrom == gene.chrom and one.start <= gene.tss + 1 <= one.end for one in regions)
    ]
    if not kept:
        raise InputError("--regions: transcription starts in them at none of the genes: give others")
    return kept


def share_out(genes: Sequence[Gene], size: int) -> Iterator[tuple[str, list[Gene]]]:
    """Names of shards, which sort as the genome does, and at most ``size`` genes of one chromosome each."""
    number = 0
    for _, some in groupby(genes, lambda gene: gene.chrom):
        together = list(some)
        for first in range(0, len(together), size):
            number += 1
            yield f"{number:05d}", together[first : first + size]


def write_shards(folder: Path, table: Path, genes: Sequence[Gene], size: int) -> None:
    """Write the genes of each shard (``<shard>.tsv``) and the table of shards."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, some in share_out(genes, size):
        write_genes(folder / f"{name}.tsv", some)
        rows.append({"shard": name, "chrom": some[0].chrom, "genes": str(len(some))})
    write_table(table, rows, COLUMNS)
