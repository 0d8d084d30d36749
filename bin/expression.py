#!/usr/bin/env python3
"""Expression: people's sequences around genes, what a sequence model predicts of them, how well that fits."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcohort.expression.modes import Mode
from deepcohort.expression.part import Part
from deepcohort.expression.people import Unphased
from deepcohort.expression.study import Scale
from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script

if TYPE_CHECKING:
    from deepcohort.expression.views import Averaged

app = script(__doc__ or "")
log = logging.getLogger("expression")


def _file(help_text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(exists=True, dir_okay=False, help=help_text)
    return option


Cohort = Annotated[str, typer.Option(help="Name of the cohort.")]
Fasta = Annotated[Path, _file("Reference with its index.")]
GenesTable = Annotated[Path, _file("Genes of a shard, by plan (.tsv).")]
Genotypes = Annotated[list[Path], _file("Genotypes of the cohort, indexed.")]
Measured = Annotated[Path, _file("Measured expression (BED).")]
Model = Annotated[
    str, typer.Option(help="Sequence model: xpresso, enformer, borzoi, cnn, or your own as file.py:Class.")
]
Weights = Annotated[
    Path | None, typer.Option(help="Weights of the model, a file; nothing is fetched from a hub.")
]
Context = Annotated[int | None, typer.Option(min=1, help="Bases that the model sees.")]
Tracks = Annotated[str, typer.Option(help="Outputs of the model, by index or name, parted by commas.")]
TrackNames = Annotated[Path | None, _file("Names of all outputs (TSV: index, identifier, description).")]
Bins = Annotated[int | None, typer.Option(min=1, help="Outputs around the start that are averaged.")]
Average = Annotated[
    str,
    typer.Option(
        help="Views to average: strands for both, shiftN for windows moved by up to N bases, or both."
    ),
]
Trained = Annotated[
    list[Path] | None, _file("The model as train left it, a file for each fold (.safetensors).")
]
Variants = Annotated[Path, _file("Variants (VCF, or TSV of chrom, pos, ref, alt).")]
StudyFile = Annotated[Path, _file("By prepare (.npz).")]


def _model(
    name: str, weights: Path | None, context: int | None, tracks: str, track_names: Path | None,
    bins: int | None, average: str, trained: list[Path], device: Device, threads: int,
) -> "Averaged":  # fmt: skip
    """The model as the options say; PyTorch is looked for where it is needed alone."""
    from deepcohort.expression.cross_fitted import load_taught
    from deepcohort.expression.models import load_model
    from deepcohort.expression.settings import Settings
    from deepcohort.expression.views import Averaged, views
    from deepcohort.genome.devices import torch_device

    strands, shift = views(average)
    where = "cpu" if name == "xpresso" else torch_device(device, threads)
    wanted = tuple(part.strip() for part in tracks.split(",") if part.strip())
    settings = Settings(weights, context, wanted, track_names, bins, where)
    made = load_taught(name, settings, sorted(trained)) if trained else load_model(name, settings)
    return Averaged(made, strands=strands, shift=shift)


@command(app)
def plan(
    release: Release,
    genes: Annotated[Path, _file("Genes (GTF or BED).")],
    out: Annotated[Path, typer.Option(help="Folder of tables of genes, one for each shard.")],
    out_shards: Annotated[Path, typer.Option(help="The shards (.tsv).")],
    out_notes: Annotated[Path, typer.Option(help="What is doubtful (.tsv).")],
    expression: Annotated[Path | None, _file("Measured expression (BED).")] = None,
    regions: Annotated[
        str | None, typer.Option(help="Where genes start: chr:from-to,… or a BED file.")
    ] = None,
    shard_genes: Annotated[int, typer.Option(min=1, help="Largest number of genes of a shard.")] = 50,
) -> None:
    """Read genes and where they start, and share them out."""
    from deepcohort.expression.genes import read_genes, warn_of_middles
    from deepcohort.expression.measured import read_measured
    from deepcohort.expression.notes import write_notes
    from deepcohort.expression.shards import inside, write_shards
    from deepcohort.genome.regions import parse_regions

    found = read_genes(genes)
    chosen, warnings = found.genes, list(found.warnings)
    if expression is not None:
        warnings += warn_of_middles(expression, chosen, read_measured(expression).places)
    if regions is not None:
        chosen = inside(chosen, parse_regions(regions))
        warnings.append(
            f"{len(chosen):,} of {len(found.genes):,} genes start inside --regions; the others were left out."
        )
    for sentence in warnings:
        log.warning(sentence)
    write_shards(out, out_shards, chosen, shard_genes)
    write_notes(out_notes, "", warnings)


@command(app)
def predict(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    fasta: Fasta,
    genotypes: Genotypes,
    out: Annotated[Path, typer.Option(help="Predictions (.parquet).")],
    out_counts: Annotated[Path, typer.Option(help="What was counted (.tsv).")],
    model: Model = "xpresso",
    weights: Weights = None,
    context: Context = None,
    tracks: Tracks = "",
    track_names: TrackNames = None,
    bins: Bins = None,
    average: Average = "",
    trained: Trained = None,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
    mode: Annotated[Mode, typer.Option(help="How the model is asked.")] = Mode.exact,
    fallback: Annotated[
        bool, typer.Option(help="Ask the model of everything where a linear prediction is too far from it.")
    ] = True,
    effects: Annotated[bool, typer.Option(help="Tell the effect of each allele in mode exact too.")] = True,
    unphased: Annotated[
        Unphased, typer.Option(help="Unphased heterozygotes: put on haplotypes by chance, or averaged.")
    ] = Unphased.random,
    deletions: Annotated[
        bool, typer.Option(help="Take <DEL> and <CN0> for deletions up to INFO END.")
    ] = False,
    out_tracks: Annotated[Path | None, typer.Option(help="Predictions by track (.parquet).")] = None,
    out_effects: Annotated[Path | None, typer.Option(help="Effects of variants (.parquet).")] = None,
    out_modes: Annotated[
        Path | None, typer.Option(help="How each gene was predicted, and the error of linear modes (.tsv).")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Predict expression of everybody in the genes of a shard."""
    from deepcohort.expression import outputs
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.modes import How
    from deepcohort.expression.people import Sequences
    from deepcohort.expression.predict import estimate, predictions
    from deepcohort.genome.tables import write_table

    chosen = _model(
        model, weights, context, tracks, track_names, bins, average, trained or [], device, threads
    )
    wanted = load_genes(genes)
    sequences = Sequences(
        fasta, sorted(genotypes), wanted[0].chrom, unphased=unphased, deletions=deletions, seed=seed
    )
    how = How(mode, fallback=fallback, effects=effects and out_effects is not None, seed=seed)
    estimate(wanted, sequences, chosen, how)
    parts = predictions(cohort, wanted, sequences, chosen, how)
    outputs.write(parts, out, out_tracks, out_effects, out_modes)
    write_table(out_counts, outputs.count_rows(cohort, wanted[0].chrom, sequences), outputs.COUNT_COLUMNS)


@command(app)
def check(
    release: Release,
    variants: Variants,
    fasta: Fasta,
    out: Annotated[Path, typer.Option(help="Variants that fit the reference (.tsv).")],
    out_notes: Annotated[Path, typer.Option(help="What was left out (.tsv).")],
) -> None:
    """Keep the variants of a list whose REF is the reference's."""
    from deepcohort.expression.listed import fitting, read_list, write_list
    from deepcohort.expression.notes import write_notes

    kept, notes = fitting(variants.name, read_list(variants), fasta)
    for sentence in notes:
        log.warning(sentence)
    write_list(out, kept)
    write_notes(out_notes, variants.name, notes)


@command(app)
def effects(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    fasta: Fasta,
    variants: Variants,
    out: Annotated[Path, typer.Option(help="Effects of variants on genes (.parquet).")],
    model: Model = "xpresso",
    weights: Weights = None,
    context: Context = None,
    tracks: Tracks = "",
    track_names: TrackNames = None,
    bins: Bins = None,
    average: Average = "",
    trained: Trained = None,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
) -> None:
    """Tell what listed variants, kept by check, change in the genes of a shard."""
    from deepcohort.expression import outputs
    from deepcohort.expression.effects import By
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.listed import listed_effects, read_list
    from deepcohort.expression.people import Reference

    chosen = _model(
        model, weights, context, tracks, track_names, bins, average, trained or [], device, threads
    )
    wanted = load_genes(genes)
    chrom = wanted[0].chrom
    edits = read_list(variants).get(chrom, [])
    outputs.write_effects(out, listed_effects(cohort, wanted, edits, Reference(fasta, chrom), chosen, By.ism))


@command(app)
def train(
    release: Release,
    genes: Annotated[list[Path], _file("Genes of shards, by plan (.tsv).")],
    fasta: Fasta,
    genotypes: Genotypes,
    expression: Measured,
    study: StudyFile,
    out: Annotated[Path, typer.Option(help="Weights (.safetensors).")],
    out_scores: Annotated[Path, typer.Option(help="Correlation of each gene across people held out (.tsv).")],
    out_facts: Annotated[Path, typer.Option(help="What is known of the weights (.json).")],
    model: Annotated[str, typer.Option(help="What is taught: cnn or enformer.")] = "cnn",
    part: Annotated[Part, typer.Option(help="Which part of it is taught.")] = Part.all,
    weights: Weights = None,
    fold: Annotated[int, typer.Option(min=1, help="Fold of the study that is held out.")] = 1,
    context: Context = None,
    bins: Bins = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at most.")] = 50,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without gain after which it ends.")] = 5,
    checkpoint: Annotated[Path | None, typer.Option(help="Where training goes on after a kill.")] = None,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
    seed: Seed = 1,
) -> None:
    """Teach a sequence model differences between people of the same gene."""
    from deepcohort.expression.settings import Settings
    from deepcohort.expression.study import load_study
    from deepcohort.expression.train import train_files
    from deepcohort.genome.checkpoint import Limits
    from deepcohort.genome.devices import torch_device

    settings = Settings(weights, context, bins=bins, device=torch_device(device, threads))
    train_files(
        genes, fasta, sorted(genotypes), expression, load_study(study), out, out_scores, out_facts,
        name=model, settings=settings, part=part, fold=fold - 1, limits=Limits(epochs, patience), seed=seed,
        checkpoint=checkpoint,
    )  # fmt: skip


@command(app)
def prepare(
    release: Release,
    cohort: Cohort,
    genotypes: Genotypes,
    expression: Measured,
    out: Annotated[Path, typer.Option(help="The study (.npz).")],
    out_notes: Annotated[Path, typer.Option(help="What to know of it (.tsv).")],
    covariates: Annotated[Path | None, _file("Covariates (TSV, a row each).")] = None,
    labels: Annotated[Path | None, _file("Populations of people (TSV).")] = None,
    pedigree: Annotated[Path | None, _file("Families (PED): relatives are held out together.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Groups of people held out in turn.")] = 5,
    components: Annotated[int, typer.Option(min=0, help="Components of expression to take out.")] = 0,
    scale: Annotated[Scale, typer.Option(help="Scale to bring expression to.")] = Scale.none,
    seed: Seed = 1,
) -> None:
    """Say who is held out when, and what the others alone tell to take out of expression."""
    from deepcohort.expression.notes import write_notes
    from deepcohort.expression.prepare import prepare as prepared
    from deepcohort.expression.study import save_study

    study, notes = prepared(
        cohort, sorted(genotypes), expression, covariates, labels, pedigree,
        folds=folds, components=components, scale=scale, seed=seed,
    )  # fmt: skip
    for sentence in notes:
        log.warning(sentence)
    save_study(out, study)
    write_notes(out_notes, cohort, notes)


@command(app)
def fit(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    genotypes: Genotypes,
    expression: Measured,
    study: StudyFile,
    out: Annotated[Path, typer.Option(help="Predictions of held-out people (.parquet).")],
    out_weights: Annotated[Path, typer.Option(help="Weights learnt from everybody (.parquet).")],
    out_covariances: Annotated[Path, typer.Option(help="Covariances of their variants (.parquet).")],
    weights: Annotated[
        Path | None, _file("Weights to measure beside (PredictDB, or a scoring table).")
    ] = None,
    effects: Annotated[
        Path | None, _file("Effects of variants, by predict (.parquet), for the combination.")
    ] = None,
    tracks: Annotated[
        Path | None, _file("Predictions by track, by predict (.parquet), for the stacked model.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Fit plain models to the genes of a shard, and ask them of held-out people."""
    from deepcohort.expression.dosages import Genotypes as Opened
    from deepcohort.expression.fit import fit_genes
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.measured import read_measured
    from deepcohort.expression.outputs import write_parquet
    from deepcohort.expression.predictdb import Weights
    from deepcohort.expression.stacked import Tracks
    from deepcohort.expression.study import load_study
    from deepcohort.expression.told import Told

    made = fit_genes(
        cohort, load_genes(genes), read_measured(expression), Opened(sorted(genotypes)), load_study(study),
        Weights(weights) if weights else None, Told(effects) if effects else None,
        Tracks(tracks) if tracks else None, seed,
    )  # fmt: skip
    for path, table in zip((out, out_weights, out_covariances), made, strict=True):
        write_parquet(path, table)


@command(app)
def evaluate(
    release: Release,
    cohort: Cohort,
    genes: GenesTable,
    predictions: Annotated[Path, _file("By predict (.parquet).")],
    heldout: Annotated[Path, _file("By fit (.parquet).")],
    study: StudyFile,
    out: Annotated[Path, typer.Option(help="A row for each gene, split and method (.tsv).")],
    model: Model = "xpresso",
    facts: Annotated[
        Path | None, _file("Of the model, where these people taught it: by train (.json).")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Compare with measured expression across people, beside plain models on the same people."""
    import pandas as pd

    from deepcohort.expression import evaluate as evaluation
    from deepcohort.expression.facts import read_facts
    from deepcohort.expression.genes import load_genes
    from deepcohort.expression.study import load_study
    from deepcohort.genome.tables import write_table

    unseen = read_facts(facts)["unseen_chroms"] if facts else None
    rows = evaluation.evaluate(
        cohort, model, pd.read_parquet(predictions), pd.read_parquet(heldout), load_genes(genes),
        load_study(study), seed=seed, unseen=unseen,
    )  # fmt: skip
    write_table(out, rows, evaluation.COLUMNS)


@command(app)
def collect(
    release: Release,
    predictions: Annotated[list[Path], _file("By predict (.parquet).")],
    counts: Annotated[list[Path], _file("By predict (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder of the outputs.")],
    model: Model = "xpresso",
    tracks: Annotated[list[Path] | None, _file("By predict (.parquet).")] = None,
    effects: Annotated[list[Path] | None, _file("By predict (.parquet).")] = None,
    modes: Annotated[list[Path] | None, _file("By predict (.tsv).")] = None,
    notes: Annotated[list[Path] | None, _file("By plan and prepare (.tsv).")] = None,
    heldout: Annotated[list[Path] | None, _file("By fit (.parquet).")] = None,
    weights: Annotated[list[Path] | None, _file("By fit (.parquet).")] = None,
    covariances: Annotated[list[Path] | None, _file("By fit (.parquet).")] = None,
    evaluations: Annotated[list[Path] | None, _file("By evaluate (.tsv).")] = None,
    fasta_index: Annotated[
        Path | None, _file("Index of the reference (.fai), to draw effects along it.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Make one file of those of all shards and cohorts."""
    from deepcohort.expression.collect import Parts
    from deepcohort.expression.collect import collect as together

    given = (tracks, effects, modes, notes, heldout, weights, covariances, evaluations)
    together(Parts(predictions, counts, *(paths or [] for paths in given)), model, out, seed, fasta_index)


if __name__ == "__main__":
    app()
