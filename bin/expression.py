#!/usr/bin/env python3
"""Expression: people's sequences around genes, what a sequence model predicts of them, how well that fits."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepcohort.expression.people import Unphased
from deepcohort.genome.command import Release, Seed, command, script

app = script(__doc__ or "")
log = logging.getLogger("expression")


class ModelName(StrEnum):
    """Sequence models."""

    xpresso = "xpresso"


Cohort = Annotated[str, typer.Option(help="Name of the cohort.")]
GenesTable = Annotated[Path, typer.Option(exists=True, help="Genes of one chromosome, by genes (.tsv).")]
Genotypes = Annotated[list[Path], typer.Option(exists=True, help="Genotypes of the cohort, indexed.")]


@command(app)
def genes(
    release: Release,
    genes: Annotated[Path, typer.Option(exists=True, help="Genes (GTF or BED).")],
    out: Annotated[Path, typer.Option(help="Folder of tables, one for each chromosome.")],
    expression: Annotated[Path | None, typer.Option(exists=True, help="Measured expression (BED).")] = None,
) -> None:
    """Read genes and where they start, and share them out by chromosome."""
    from itertools import groupby

    from deepcohort.expression.genes import read_genes, warn_of_middles, write_genes
    from deepcohort.expression.measured import read_measured

    found = read_genes(genes)
    warnings = found.warnings
    if expression is not None:
        warnings = warnings + warn_of_middles(expression, found.genes, read_measured(expression).places)
    for sentence in warnings:
        log.warning(sentence)
    out.mkdir(parents=True, exist_ok=True)
    for chrom, some in groupby(found.genes, lambda gene: gene.chrom):
        write_genes(out / f"{chrom}.tsv", some)


@command(app)
def predict(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    fasta: Annotated[Path, typer.Option(exists=True, help="Reference with its index.")],
    genotypes: Genotypes,
    weights: Annotated[Path, typer.Option(exists=True, help="Weights of the model.")],
    out: Annotated[Path, typer.Option(help="Predictions (.parquet).")],
    out_counts: Annotated[Path, typer.Option(help="What was counted (.tsv).")],
    model: Annotated[ModelName, typer.Option(help="Sequence model.")] = ModelName.xpresso,
    unphased: Annotated[
        Unphased, typer.Option(help="Unphased heterozygotes: put on haplotypes by chance, or averaged.")
    ] = Unphased.random,
    seed: Seed = 1,
) -> None:
    """Predict expression of everybody in the genes of one chromosome."""
    from deepcohort.expression import predict as prediction
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.models import load_model
    from deepcohort.expression.people import Sequences
    from deepcohort.genome.tables import write_table

    chosen = load_model(model, weights)
    wanted = load_genes(genes)
    sequences = Sequences(fasta, sorted(genotypes), wanted[0].chrom, unphased=unphased, seed=seed)
    prediction.write_parquet(out, prediction.predict(cohort, wanted, sequences, chosen))
    rows = prediction.count_rows(cohort, wanted[0].chrom, sequences)
    write_table(out_counts, rows, prediction.COUNT_COLUMNS)


@command(app)
def evaluate(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    genotypes: Genotypes,
    predictions: Annotated[Path, typer.Option(exists=True, help="By predict (.parquet).")],
    expression: Annotated[Path, typer.Option(exists=True, help="Measured expression (BED).")],
    out: Annotated[Path, typer.Option(help="A row for each gene and method (.tsv).")],
    model: Annotated[ModelName, typer.Option(help="Sequence model.")] = ModelName.xpresso,
    folds: Annotated[int, typer.Option(min=2, help="Groups of people held out in turn.")] = 5,
    seed: Seed = 1,
) -> None:
    """Compare with measured expression across people, beside plain models on the same people."""
    import pandas as pd

    from deepcohort.expression import evaluate as evaluation
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.measured import read_measured
    from deepcohort.genome.tables import write_table

    rows = evaluation.evaluate(
        cohort, model, pd.read_parquet(predictions), load_genes(genes), read_measured(expression),
        sorted(genotypes), folds=folds, seed=seed,
    )  # fmt: skip
    write_table(out, rows, evaluation.COLUMNS)


@command(app)
def collect(
    release: Release,
    predictions: Annotated[list[Path], typer.Option(exists=True, help="By predict (.parquet).")],
    counts: Annotated[list[Path], typer.Option(exists=True, help="By predict (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder of the outputs.")],
    evaluations: Annotated[list[Path] | None, typer.Option(exists=True, help="By evaluate (.tsv).")] = None,
    seed: Seed = 1,
) -> None:
    """Make one table of those of all chromosomes."""
    from deepcohort.expression import collect as collection

    out.mkdir(parents=True, exist_ok=True)
    collection.collect_predictions(predictions, out / "predictions.parquet")
    collection.collect_counts(counts, out / "counts.tsv")
    if evaluations:
        summary = out / "evaluation_summary.tsv"
        collection.collect_evaluations(evaluations, out / "evaluation.tsv", summary, seed)


if __name__ == "__main__":
    app()
