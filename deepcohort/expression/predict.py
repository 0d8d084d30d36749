"""Predicted expression of everybody in the genes of one chromosome."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from deepcohort.expression.genes import Gene
from deepcohort.expression.models import Model
from deepcohort.expression.people import COUNTED, GeneSequences, Sequences
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress

COLUMNS = ("cohort", "gene", "person", "haplotype1", "haplotype2", "mean")
COUNT_COLUMNS = ("cohort", "chrom", "what", "count")


def predict(cohort: str, genes: Sequence[Gene], sequences: Sequences, model: Model) -> pd.DataFrame:
    """Predict for each gene and person: a row each, ``COLUMNS``; the model sees each unique sequence once.

    Genes without a sequence have no rows. ``haplotype2`` is NaN, and ``mean`` the first one's value, for
    people with one haplotype. Raises ``InputError`` where genotypes and reference do not fit.
    """
    tables = []
    with progress("genes", len(genes)) as bar:
        for gene in genes:
            made = sequences.of_gene(gene, model.before, model.after)
            if made is not None:
                tables.append(_table(cohort, sequences.people, made, model))
            bar.update()
    sequences.check_reference()
    empty = pd.DataFrame({name: pd.Series(dtype=float if n > 2 else str) for n, name in enumerate(COLUMNS)})
    return pd.concat(tables, ignore_index=True) if tables else empty


def _table(cohort: str, people: list[str], made: GeneSequences, model: Model) -> pd.DataFrame:
    values = np.append(model.predict(made.unique), np.nan)[made.of]
    columns = (cohort, made.gene.gene, people, values[:, 0], values[:, 1], np.nanmean(values, axis=1))
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    with written_whole(path) as unfinished:
        table.to_parquet(unfinished, engine="pyarrow", index=False)


def count_rows(cohort: str, chrom: str, sequences: Sequences) -> list[dict[str, str]]:
    """What was met on the way, a row for each kind."""
    return [
        dict(zip(COUNT_COLUMNS, (cohort, chrom, what, str(sequences.counts[what])), strict=True))
        for what in COUNTED
    ]
