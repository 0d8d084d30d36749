"""Predicted expression beside plain models on real people (``python -m benchmarks.expression``)."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.tables import show, write_table
from deepcohort.expression.dosages import Genotypes
from deepcohort.expression.evaluate import evaluate
from deepcohort.expression.fit import fit_genes
from deepcohort.expression.genes import Gene, read_genes
from deepcohort.expression.measured import read_measured
from deepcohort.expression.models import load_model
from deepcohort.expression.people import Sequences, Unphased
from deepcohort.expression.predict import predict
from deepcohort.expression.prepare import prepare
from deepcohort.expression.settings import Settings
from deepcohort.expression.study import Kind, Scale
from deepcohort.expression.views import Averaged

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Given = Annotated[Path, typer.Option(exists=True)]
COLUMNS = ("genes", "unphased", "method", "number", "mean_r", "of_seeds", "negative")


def scores(
    genes: list[Gene], expression: Path, genotypes: Path, predictions: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """A column of r for each method, a row for each gene."""
    study, _ = prepare(
        "cohort",
        [genotypes],
        expression,
        None,
        None,
        None,
        folds=5,
        components=0,
        scale=Scale.none,
        seed=seed,
    )
    measured = read_measured(expression)
    made = fit_genes("cohort", genes, measured, Genotypes([genotypes]), study, None, None, seed)
    rows = evaluate("cohort", "xpresso", predictions, made.heldout, genes, study, seed=seed)
    table = pd.DataFrame(rows)
    table = table[(table["split"] == Kind.people) & (table["group"] == "all")]
    table["r"] = pd.to_numeric(table["r"], errors="coerce")
    return table.pivot(index="gene", columns="method", values="r")


def told(genes: str, unphased: str, method: str, by_seed: list["pd.Series[float]"]) -> dict[str, str]:
    """A row of the table: the mean over genes and seeds, and its smallest and largest of a seed."""
    r = pd.concat(by_seed, axis=1)
    means = r.mean()
    span = f"{means.min():.3f} to {means.max():.3f}"
    negative = f"{np.mean(r.to_numpy() < 0):.2f}"
    cells = (genes, unphased, method, str(len(r)), f"{means.mean():.3f}", span, negative)
    return dict(zip(COLUMNS, cells, strict=True))


@app.command()
def main(
    fasta: Given,
    vcf: Given,
    expression: Given,
    weights: Given,
    out: Annotated[Path, typer.Option(help="Table (.tsv).")],
    sequenced: Annotated[str, typer.Option(help="Gene whose bases the reference has.")],
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of phase and folds.")] = 5,
) -> None:
    """Xpresso on one gene, plain models on all genes, by seeds of phase and folds."""
    genes = read_genes(expression).genes
    (one,) = (gene for gene in genes if gene.gene == sequenced)
    model = Averaged(load_model("xpresso", Settings(weights)))
    rows = []
    for unphased in Unphased:
        by_seed = []
        for seed in range(1, seeds + 1):
            sequences = Sequences(fasta, [vcf], one.chrom, unphased=unphased, seed=seed)
            by_seed.append(scores([one], expression, vcf, predict("cohort", [one], sequences, model), seed))
        rows.append(told(sequenced, unphased, "xpresso", [table["xpresso"] for table in by_seed]))
    plain = [scores(genes, expression, vcf, pd.DataFrame({"gene": []}), seed) for seed in range(1, seeds + 1)]
    for method in ("top_snp", "elastic_net"):
        rows.append(told(sequenced, "", method, [table.loc[[sequenced], method] for table in plain]))
        rows.append(told("all", "", method, [table[method] for table in plain]))
    write_table(out, rows)
    show(rows)


if __name__ == "__main__":
    app()
