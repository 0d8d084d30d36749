"""Predicted expression beside plain models on real people (``python -m benchmarks.expression``)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer
from numpy.typing import NDArray

from benchmarks.tables import show, write_table
from deepcohort.expression.baselines import AROUND, COMBINATION, RAREST, fit
from deepcohort.expression.dosages import Genotypes
from deepcohort.expression.evaluate import evaluate, of_everybody
from deepcohort.expression.fit import fit_genes
from deepcohort.expression.genes import Gene, read_genes
from deepcohort.expression.measured import read_measured
from deepcohort.expression.models import load_model
from deepcohort.expression.modes import How
from deepcohort.expression.outputs import write_parquet
from deepcohort.expression.part import Part
from deepcohort.expression.people import Sequences, Unphased
from deepcohort.expression.predict import predictions
from deepcohort.expression.prepare import prepare
from deepcohort.expression.settings import Settings
from deepcohort.expression.study import Kind, Scale, Study
from deepcohort.expression.told import Told
from deepcohort.expression.train import Asked, groups, lessons, pupil, train
from deepcohort.expression.views import Averaged
from deepcohort.genome.checkpoint import Limits
from deepcohort.genome.progress import progress

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Floats = NDArray[np.float64]
Given = Annotated[Path, typer.Option(exists=True)]
Out = Annotated[Path, typer.Option(help="Table (.tsv).")]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds of phase and folds.")]
COLUMNS = ("genes", "what", "method", "number", "mean_r", "se", "of_seeds", "negative")
PLAIN = ("top_snp", "elastic_net", "blup")
OF_REFERENCE = {"top_snp": "top1", "elastic_net": "enet"}
PATIENCE = 5
"""Epochs without gain after which training ends, as by default."""
WIDE = 3.92
"""Standard errors in an interval of 95 %."""
CAUSAL, HERITABILITY = 3, 0.2
"""Variants that make a gene's simulated expression, and the share of variance that they explain."""
KINDS = {"informative": 0.1, "half": 0.5, "none": None}
"""How large the noise in simulated effects is beside effects of causal variants; or nothing but noise."""


def study_of(expression: Path, vcf: Path, scale: Scale, seed: int) -> Study:
    """Folds by seed; without nulls and learning curves, which are not asked for here."""
    study, _ = prepare(
        "cohort", [vcf], expression, None, None, None, folds=5, components=0, scale=scale, seed=seed
    )
    return replace(study, sampled=set())


def judged(
    genes: list[Gene], expression: Path, vcf: Path, model: str, told: tuple[pd.DataFrame, Told | None],
    study: Study, seed: int, unseen: Sequence[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Evaluation of everybody held out, r and its interval as numbers; told: predictions, effects."""
    predicted, effects = told
    made = fit_genes(
        "cohort", genes, read_measured(expression), Genotypes([vcf]), study, None, effects, None, seed
    )
    rows = evaluate("cohort", model, predicted, made.heldout, genes, study, seed=seed, unseen=unseen)
    table = of_everybody(pd.DataFrame(rows))
    return table.assign(
        **{name: pd.to_numeric(table[name], errors="coerce") for name in ("r", "low", "high")}
    )


def scores(
    genes: list[Gene], expression: Path, vcf: Path, told: tuple[pd.DataFrame, Told] | None, scale: Scale,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """A column of r for each method, a row for each gene; told: predictions, and effects of variants."""
    study = study_of(expression, vcf, scale, seed)
    table = judged(genes, expression, vcf, "xpresso", told or (pd.DataFrame({"gene": []}), None), study, seed)
    return table.pivot(index="gene", columns="method", values="r")


def told(genes: str, what: str, method: str, by_seed: Sequence["pd.Series[float]"]) -> dict[str, str]:
    """A row: the mean over genes and seeds, its standard error over genes, its span over seeds."""
    r = pd.concat(by_seed, axis=1)
    of_genes, of_seeds = r.mean(axis=1), r.mean()
    se = f"{of_genes.std() / np.sqrt(len(r)):.3f}" if len(r) > 1 else "NA"
    span = f"{of_seeds.min():.3f} to {of_seeds.max():.3f}"
    negative = f"{np.mean(r.to_numpy() < 0):.2f}"
    cells = (genes, what, method, str(len(r)), f"{of_genes.mean():.3f}", se, span, negative)
    return dict(zip(COLUMNS, cells, strict=True))


def asked(
    gene: Gene, fasta: Path, vcf: Path, model: Averaged, unphased: Unphased, seed: int, effects: Path
) -> tuple[pd.DataFrame, Told]:
    """What the model predicts of people, and what it tells of variants."""
    sequences = Sequences(fasta, [vcf], gene.chrom, unphased=unphased, seed=seed)
    (made,) = predictions("cohort", [gene], sequences, model, How(effects=True, seed=seed))
    assert made.effects is not None
    write_parquet(effects, made.effects)
    return made.people, Told(effects)


@app.command()
def sequenced(
    fasta: Given,
    vcf: Given,
    expression: Given,
    weights: Given,
    gene: Annotated[str, typer.Option(help="Gene whose bases the reference has.")],
    out: Out,
    seeds: Seeds = 5,
) -> None:
    """Xpresso, plain models and their combination on one gene, by seeds of phase and folds."""
    (one,) = (found for found in read_genes(expression).genes if found.gene == gene)
    model = Averaged(load_model("xpresso", Settings(weights)))
    rows = []
    for unphased in Unphased:
        tables = []
        for seed in range(1, seeds + 1):
            of_model = asked(one, fasta, vcf, model, unphased, seed, out.with_suffix(".effects.parquet"))
            tables.append(scores([one], expression, vcf, of_model, Scale.none, seed))
        methods = ("xpresso", *PLAIN, COMBINATION)
        rows += [told(gene, unphased, name, [table[name] for table in tables]) for name in methods]
        gain = [table[COMBINATION] - table["elastic_net"] for table in tables]
        rows.append(told(gene, unphased, "combination less elastic net", gain))
    write_table(out, rows)
    show(rows)


def cross_taught(
    gene: Gene,
    fasta: Path,
    vcf: Path,
    expression: Path,
    study: Study,
    context: int,
    limits: Limits,
    seed: int,
) -> pd.DataFrame:
    """What a cnn tells of everybody who did not teach it, fold by fold, less its mean over those who did."""
    sequences = Sequences(fasta, [vcf], gene.chrom, seed=seed)
    measured, told = read_measured(expression), np.zeros(len(study.people))
    for fold in range(sum(split.kind is Kind.people for split in study.splits)):
        model, _ = pupil("cnn", Settings(context=context), Part.all, seed)
        given = list(lessons([gene], sequences, measured, study, fold, model))
        made = train(model, Part.all, given, groups(study, fold), limits, seed)
        with torch.no_grad():
            values = Asked(model, Part.all, given).of(given[0], np.arange(len(told))).numpy()
        held = made.groups.held
        told[held] = (values - values[~held].mean())[held]
    return pd.DataFrame({"gene": gene.gene, "person": study.people, "mean": told, "taught": False})


@app.command()
def taught(
    fasta: Given,
    vcf: Given,
    expression: Given,
    gene: Annotated[str, typer.Option(help="Gene whose bases the reference has.")],
    out: Out,
    context: Annotated[int, typer.Option(help="Bases that the network sees.")] = 8192,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at most.")] = 50,
    seeds: Seeds = 5,
) -> None:
    """A cnn taught by people on one gene beside plain models, by seeds of folds; se is over people."""
    (one,) = (found for found in read_genes(expression).genes if found.gene == gene)
    tables = []
    for seed in range(1, seeds + 1):
        study = study_of(expression, vcf, Scale.none, seed)
        by_cnn = cross_taught(one, fasta, vcf, expression, study, context, Limits(epochs, PATIENCE), seed)
        table = judged([one], expression, vcf, "cnn", (by_cnn, None), study, seed, unseen=[])
        tables.append(table.set_index("method"))
    rows = []
    for name in ("cnn", *PLAIN):
        row = told(gene, "taught", name, [table["r"][[name]] for table in tables])
        over_people = np.nanmean([(table["high"][name] - table["low"][name]) / WIDE for table in tables])
        rows.append(row | {"se": f"{over_people:.3f}"})
    write_table(out, rows)
    show(rows)


@app.command()
def plain(
    vcf: Given,
    expression: Given,
    out: Out,
    reference: Annotated[Path | None, typer.Option(exists=True, help="gene, enet, top1 (.csv).")] = None,
    scale: Annotated[Scale, typer.Option(help="Scale of expression.")] = Scale.rank,
    seeds: Seeds = 5,
) -> None:
    """Plain models on all genes by seeds of folds, beside other figures of r by gene."""
    genes = read_genes(expression).genes
    tables = [scores(genes, expression, vcf, None, scale, seed) for seed in range(1, seeds + 1)]
    rows = [told("all", scale, name, [table[name] for table in tables]) for name in PLAIN]
    others = pd.read_csv(reference).set_index("gene") if reference else pd.DataFrame()
    for name, column in OF_REFERENCE.items() if reference else ():
        other = others[column].reindex(tables[0].index)
        rows.append(told("all", "reference", name, [other]))
        rows.append(told("all", "less reference", name, [table[name] - other for table in tables]))
    write_table(out, rows)
    show(rows)


def simulated_gene(x: Floats, rng: np.random.Generator) -> tuple[Floats, dict[str, Floats]]:
    """Expression float64[people] that few variants make, and effects float64[variants] by kind."""
    common = np.flatnonzero((x.mean(axis=0) > 2 * RAREST) & (x.mean(axis=0) < 2 - 2 * RAREST))
    causal = rng.choice(common, CAUSAL, replace=False)
    slopes = np.zeros(x.shape[1])
    slopes[causal] = rng.normal(size=CAUSAL)
    made = x @ slopes
    y = np.sqrt(HERITABILITY) * made / made.std() + np.sqrt(1 - HERITABILITY) * rng.normal(size=len(x))
    noise = rng.normal(size=len(slopes))
    known = {kind: slopes + size * noise if size else noise for kind, size in KINDS.items()}
    return y, known


@app.command()
def simulated(
    vcf: Given,
    expression: Given,
    out: Out,
    genes: Annotated[int, typer.Option(min=2, help="Genes, by chance.")] = 40,
    seed: int = 1,
) -> None:
    """The combination where effects tell what made expression, or nothing: real genotypes, simulated rest."""
    rng = np.random.default_rng(seed)
    found = read_genes(expression).genes
    chosen = [found[n] for n in np.sort(rng.choice(len(found), genes, replace=False))]
    genotypes, study = Genotypes([vcf]), study_of(expression, vcf, Scale.none, seed)
    place = {name: n for n, name in enumerate(genotypes.people)}
    by_kind: dict[str, dict[str, list[float]]] = {
        kind: {"elastic_net": [], COMBINATION: []} for kind in KINDS
    }
    with progress("genes", len(chosen)) as bar:
        for gene in chosen:
            _, x = genotypes.near(gene.chrom, gene.tss - AROUND, gene.tss + AROUND + 1)
            x = np.nan_to_num(x[[place[name] for name in study.people]])
            y, known = simulated_gene(x, rng)
            for kind, effects in known.items():
                for name, r in held_out(x, y, effects, study, seed).items():
                    by_kind[kind][name].append(r)
            bar.update()
    rows = []
    for kind, methods in by_kind.items():
        made = {name: pd.Series(values) for name, values in methods.items()}
        rows += [told("simulated", kind, name, [values]) for name, values in made.items()]
        gain = made[COMBINATION] - made["elastic_net"]
        rows.append(told("simulated", kind, "combination less elastic net", [gain]))
    write_table(out, rows)
    show(rows)


def held_out(x: Floats, y: Floats, effects: Floats, study: Study, seed: int) -> dict[str, float]:
    """r of the elastic net and of the combination, people of all folds together; 0 for flat predictions."""
    predicted = {name: np.zeros(len(y)) for name in ("elastic_net", COMBINATION)}
    for split in study.splits:
        if split.kind is Kind.people:
            fitted = fit(x, y, split.train, seed, effects)
            for name, values in predicted.items():
                values[split.held] = fitted[name].of(x[split.held])
    return {
        name: float(np.corrcoef(values, y)[0, 1]) if np.ptp(values) else 0.0
        for name, values in predicted.items()
    }


if __name__ == "__main__":
    app()
