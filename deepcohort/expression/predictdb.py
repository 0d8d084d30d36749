"""Weights of variants for genes as PredictDB keeps them: SQLite that PrediXcan and other TWAS programs read.

Tables as MetaXcan describes them (Barbeira et al. 2018, Nature Communications 9:1825): ``weights`` with gene,
rsid, varID, ref_allele, eff_allele and weight; ``extra`` with a row for each gene. Beside it covariances of
variants, which programs need that work on summary statistics.
"""

import gzip
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.dosages import Genotypes, Variant
from deepcohort.expression.genes import Gene, gene_key
from deepcohort.expression.scoring_table import scoring_rows
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import chrom_key

Floats = NDArray[np.float64]
SQLITE = b"SQLite format 3\0"
"""How a database begins."""
FARTHEST = 1_000_000
"""Bases from a gene's start within which variants of given weights are looked for."""


class Weight(NamedTuple):
    """What one copy of ``effect`` adds to the expression of a gene; ``pos`` is 0-based, -1 where not said."""

    rsid: str
    pos: int
    other: str
    effect: str
    weight: float


class Weights:
    """Weights that a user gives."""

    def __init__(self, path: Path) -> None:
        """Read all genes of a database, or of a ``scoring_table``; raises ``InputError`` for other files."""
        self.by_gene: dict[str, list[Weight]] = defaultdict(list)
        with path.open("rb") as file:
            database = file.read(len(SQLITE)) == SQLITE
        rows = self._of_database(path) if database else scoring_rows(path)
        for gene, rsid, pos, other, effect, weight in rows:
            self.by_gene[gene_key(gene)].append(Weight(rsid, pos, other.upper(), effect.upper(), weight))

    @staticmethod
    def _of_database(path: Path) -> Iterator[tuple[str, str, int, str, str, float]]:
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                names = {row[1] for row in database.execute("PRAGMA table_info(weights)")}
                place = "varID" if "varID" in names else "rsid"
                query = f"SELECT gene, rsid, {place}, ref_allele, eff_allele, weight FROM weights"
                for gene, rsid, varid, other, effect, weight in database.execute(query):
                    alleles = other.upper(), effect.upper()
                    yield str(gene), str(rsid), _position(str(varid)), *alleles, float(weight)
        except (sqlite3.Error, ValueError, AttributeError, TypeError):
            raise InputError(
                f"{path.name}: no weights of PredictDB in it: give SQLite with a table weights of gene, "
                "rsid, ref_allele, eff_allele, weight"
            ) from None

    def predict(self, gene: Gene, genotypes: Genotypes) -> tuple[Floats, int, int] | None:
        """Predictions float64[people] of everybody with genotypes, variants used, variants that weights name.

        None where there are no weights for the gene. A variant fits by place or ID, and both alleles.
        """
        wanted = self.by_gene.get(gene.gene)
        if not wanted:
            return None
        variants, x = genotypes.near(gene.chrom, gene.tss - FARTHEST, gene.tss + FARTHEST)
        column = {key: n for n, variant in enumerate(variants) for key in _keys(variant)}
        total, used = np.zeros(len(genotypes.people)), 0
        for row in wanted:
            for place in (row.rsid, row.pos):
                straight = column.get((place, row.other, row.effect))
                turned = column.get((place, row.effect, row.other))
                if straight is not None or turned is not None:
                    copies = x[:, straight] if straight is not None else 2 - x[:, turned]
                    mean = np.nanmean(copies) if not np.isnan(copies).all() else 0.0
                    total += row.weight * np.where(np.isnan(copies), mean, copies)
                    used += 1
                    break
        return total, used, len(wanted)


def _keys(variant: Variant) -> list[tuple[str | int, str, str]]:
    alleles = (variant.ref.upper(), variant.alt.upper())
    by_place: list[tuple[str | int, str, str]] = [(variant.pos, *alleles)]
    return by_place + ([(variant.id, *alleles)] if variant.id != "." else [])


def _position(varid: str) -> int:
    """0-based position of ``chr_position_ref_alt_build``, also with colons; -1 of others."""
    cells = varid.replace(":", "_").split("_")
    return int(cells[1]) - 1 if len(cells) >= 4 and cells[1].isdecimal() else -1


def variant_name(chrom: str, pos: int, ref: str, alt: str) -> str:
    """What a variant is called in ``varID``."""
    return f"chr{chrom_key(chrom)}_{pos + 1}_{ref}_{alt}"


def write_weights(path: Path, weights: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Write a database of weights (columns gene, name, chrom, pos, id, ref, alt, weight).

    scores: r and p of held-out people by gene (columns gene, r, p); genes without are NULL there.
    """
    by_gene = scores.set_index("gene")
    with written_whole(path) as unfinished, closing(sqlite3.connect(unfinished)) as database:
        database.execute(
            "CREATE TABLE weights (gene TEXT, rsid TEXT, varID TEXT, ref_allele TEXT, eff_allele TEXT, "
            "weight DOUBLE)"
        )
        columns = ("pred.perf.R2", "pred.perf.pval", "pred.perf.qval")
        numbers = ", ".join(f'"{name}" DOUBLE' for name in columns)
        database.execute(
            f'CREATE TABLE extra (gene TEXT, genename TEXT, "n.snps.in.model" INTEGER, {numbers})'
        )
        rows = [_row(*row) for row in weights.loc[:, list(WEIGHT_COLUMNS)].itertuples(index=False)]
        database.executemany("INSERT INTO weights VALUES (?, ?, ?, ?, ?, ?)", rows)
        for (gene, name), some in weights.groupby(["gene", "name"], sort=False):
            r, p = by_gene.loc[gene, ["r", "p"]] if gene in by_gene.index else (np.nan, np.nan)
            cells = (float(np.sign(r) * r**2), float(p)) if np.isfinite(r) else (None, None)
            values = (gene, name, len(some), *cells, None)
            database.execute("INSERT INTO extra VALUES (?, ?, ?, ?, ?, ?)", values)
        database.execute("CREATE INDEX weights_gene ON weights (gene)")
        database.execute("CREATE INDEX extra_gene ON extra (gene)")
        database.commit()


WEIGHT_COLUMNS = ("gene", "chrom", "pos", "id", "ref", "alt", "weight")


def _row(
    gene: str, chrom: str, pos: int, name: str, ref: str, alt: str, weight: float
) -> tuple[str, str, str, str, str, float]:
    varid = variant_name(chrom, int(pos), ref, alt)
    return gene, name if name != "." else varid, varid, ref, alt, float(weight)


def write_covariances(path: Path, covariances: Sequence[pd.DataFrame]) -> None:
    """Write covariances (columns gene, one, other, value) as MetaXcan reads them, gzipped."""
    # No name and no time of day in the header: the same input gives the same bytes.
    with (
        written_whole(path) as unfinished,
        unfinished.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
    ):
        packed.write(b"GENE RSID1 RSID2 VALUE\n")
        for table in covariances:
            for row in table.itertuples(index=False):
                packed.write(f"{row.gene} {row.one} {row.other} {row.value:.6g}\n".encode())
