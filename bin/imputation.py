#!/usr/bin/env python3
"""Imputation: panel packed, models trained, chunks imputed, parts joined, accuracy measured."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.samples import read_samples
from deepcohort.imputation.imputers import Imputer

# Commands import what they call: numba and PyTorch take seconds that the others need not spend.

app = script(__doc__ or "")


class TruthKind(StrEnum):
    """What imputed genotypes are compared with."""

    truth = "truth"
    masked = "masked"


InFile = Annotated[Path, typer.Option(exists=True, dir_okay=False)]
ImputerOption = Annotated[Imputer, typer.Option(help="Model.")]


def _stretch(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last)):
        raise InputError(f"'{text}' is not a stretch: write first-last, as in 1000001-6000000")
    return int(first), int(last)


@command(app)
def pack_panel(
    release: Release,
    panel: Annotated[Path, typer.Argument(exists=True, help="Phased VCF or BCF with its index beside it.")],
    region: Annotated[str, typer.Option(help="contig:first-last with the overlap.")],
    core: Annotated[str, typer.Option(help="first-last that the chunk answers for.")],
    out: Annotated[Path, typer.Option(help="Packed chunk (.npz).")],
    genetic_map: Annotated[Path | None, typer.Option(exists=True, help="Map, or a folder of maps.")] = None,
) -> None:
    """Pack the panel's haplotypes of one chunk."""
    from deepcohort.imputation.panel import pack_panel as pack

    contig, _, padded = region.rpartition(":")
    if not contig:
        raise InputError(f"'{region}' is not a region: write contig:first-last, as in chr20:1000001-6000000")
    pack(panel, contig, _stretch(padded), _stretch(core), genetic_map).save(out)


@command(app)
def train_chunk(
    release: Release,
    panel: InFile,
    target_sites: Annotated[Path, typer.Option(exists=True, help="Sites of the target, indexed.")],
    out: Annotated[Path, typer.Option(help="Folder of the trained model.")],
    imputer: ImputerOption = Imputer.copying,
    seed: Seed = 1,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
) -> None:
    """Train a model on one chunk of the panel."""
    from deepcohort.imputation.models import Settings, model
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.targets import typed_sites

    packed = PanelChunk.load(panel)
    settings = Settings(imputer, device, threads, seed)
    model(imputer).train(packed, typed_sites(target_sites, packed), settings).save(out)


@command(app)
def impute_chunk(
    release: Release,
    panel: InFile,
    trained: Annotated[Path, typer.Option(exists=True, help="Folder of the trained model.")],
    target: Annotated[Path, typer.Option(exists=True, help="Genotypes, indexed.")],
    samples: Annotated[Path, typer.Option(exists=True, help="Names of the batch's people, one a line.")],
    out: Annotated[Path, typer.Option(help="Imputed part (.vcf.gz).")],
    out_counts: Annotated[Path, typer.Option(help="What was counted (.tsv).")],
    imputer: ImputerOption = Imputer.copying,
    mask_fraction: Annotated[
        float, typer.Option(min=0, max=0.9, help="Hide this share of the typed sites and impute only those.")
    ] = 0.0,
    hds: Annotated[bool, typer.Option("--hds", help="Write haplotype dosages too.")] = False,
    seed: Seed = 1,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
) -> None:
    """Impute a batch of people over one chunk."""
    from deepcohort.imputation.chunk import impute_chunk as impute
    from deepcohort.imputation.models import Settings
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.parts import write_part
    from deepcohort.imputation.targets import read_target
    from deepcohort.imputation.trained import Trained

    learnt = Trained.load(trained, imputer)
    packed = PanelChunk.load(panel)
    people = read_target(target, packed, read_samples(samples))
    if mask_fraction:
        people = people.masking(packed.pos, mask_fraction, seed)
    imputed = impute(packed, people, learnt, Settings(imputer, device, threads, seed))
    write_part(out, packed, people, imputed, hds, threads)
    batch = samples.name.removesuffix(".txt")
    chunk = out.name.removesuffix(f".{batch}.vcf.gz")
    with written_whole(out_counts) as unfinished:
        rows = (f"{chunk}\t{batch}\t{what}\t{count}\n" for what, count in imputed.counts.items())
        unfinished.write_text("".join(["chunk\tbatch\twhat\tcount\n", *rows]))


@command(app)
def join(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="Parts <chunk>.<batch>.vcf.gz.")],
    cohort: Annotated[str, typer.Option(help="Name of the cohort.")],
    chrom: Annotated[str, typer.Option(help="Chromosome.")],
    samples_order: Annotated[Path, typer.Option(exists=True, help="All people, one a line.")],
    out: Annotated[Path, typer.Option(help="Imputed chromosome (.vcf.gz or .bcf).")],
    out_sites: Annotated[Path, typer.Option(help="Table of sites (.tsv.gz).")],
    threads: Threads = 1,
) -> None:
    """Join the chunks and batches of one chromosome."""
    from deepcohort.imputation.join import join_parts

    join_parts(parts, read_samples(samples_order), chrom, out, out_sites, threads)


@command(app)
def accuracy(
    release: Release,
    imputed: InFile,
    truth: Annotated[Path, typer.Option(exists=True, help="True genotypes.")],
    kind: Annotated[TruthKind, typer.Option(help="Truth file, or typed sites that were hidden.")],
    imputer: ImputerOption,
    cohort: Annotated[str, typer.Option(help="Name of the cohort.")],
    chrom: Annotated[str, typer.Option(help="Chromosome.")],
    out: Annotated[Path, typer.Option(help="Sums of this chromosome (.tsv).")],
    labels: Annotated[Path | None, typer.Option(exists=True, help="Populations of people (.tsv).")] = None,
    seed: Seed = 1,
) -> None:
    """Compare the imputed genotypes of one chromosome with the true ones."""
    from deepcohort.imputation.accuracy import PART_COLUMNS, score_chromosome, write_table

    rows = score_chromosome(
        imputed,
        truth,
        kind=kind.value,
        cohort=cohort,
        chrom=chrom,
        imputer=imputer,
        labels=labels,
        seed=seed,
    )
    write_table(out, rows, PART_COLUMNS)


@command(app)
def combine_accuracy(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="Sums of chromosomes.")],
    out: Annotated[Path, typer.Option(help="accuracy.tsv")],
) -> None:
    """Pool the sums of all chromosomes to the table of accuracy."""
    from deepcohort.imputation.accuracy_table import COLUMNS, combine, write_table

    write_table(out, combine(parts), COLUMNS)


if __name__ == "__main__":
    app()
