#!/usr/bin/env python3
"""Imputation: panel packed, models trained, chunks imputed, parts joined, accuracy measured."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.samples import read_panel_samples, read_samples
from deepcohort.imputation.imputers import Engine, Imputer, members_of
from deepcohort.imputation.network_options import Loss, NetworkOptions

if TYPE_CHECKING:
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.targets import TargetChunk

# Commands import what they call: numba and PyTorch take seconds that the others need not spend.

app = script(__doc__ or "")


class TruthKind(StrEnum):
    """What imputed genotypes are compared with."""

    truth = "truth"
    masked = "masked"


InFile = Annotated[Path, typer.Option(exists=True, dir_okay=False)]
ImputerOption = Annotated[Imputer, typer.Option(help="Model.")]
EngineOption = Annotated[Engine, typer.Option(help="Outside program.")]
TargetFile = Annotated[Path, typer.Option(exists=True, help="Genotypes, indexed.")]
SamplesFile = Annotated[Path, typer.Option(exists=True, help="Names of the batch's people, one a line.")]
MaskFraction = Annotated[
    float, typer.Option(min=0, max=0.9, help="Hide this share of the typed sites and impute only those.")
]


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
    panel_samples: Annotated[
        Path | None, typer.Option(exists=True, help="People of the panel to take, one a line.")
    ] = None,
) -> None:
    """Pack the panel's haplotypes of one chunk."""
    from deepcohort.imputation.panel import pack_panel as pack

    contig, _, padded = region.rpartition(":")
    if not contig:
        raise InputError(f"'{region}' is not a region: write contig:first-last, as in chr20:1000001-6000000")
    samples = None if panel_samples is None else read_panel_samples(panel_samples).names
    pack(panel, contig, _stretch(padded), _stretch(core), genetic_map, samples).save(out)


@command(app)
def train_chunk(
    release: Release,
    panel: InFile,
    target_sites: Annotated[Path, typer.Option(exists=True, help="Sites of the target, indexed.")],
    out: Annotated[Path, typer.Option(help="Folder of the trained model.")],
    imputer: ImputerOption = Imputer.adaptive_copying,
    seed: Seed = 1,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
    window: Annotated[int, typer.Option(min=2, help="lstm, gpt: sites of a sequence.")] = 500,
    flank: Annotated[int, typer.Option(min=0, help="lstm, gpt: typed sites that lead in.")] = 100,
    hidden: Annotated[int | None, typer.Option(min=1, help="lstm, gpt: size of the network.")] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="lstm, gpt: number of layers.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="lstm, gpt: epochs of training at most.")] = 30,
    loss: Annotated[Loss, typer.Option(help="lstm, gpt: cross-entropy, or weighted by MAF.")] = Loss.plain,
    bidirectional: Annotated[
        bool, typer.Option("--bidirectional", help="lstm, gpt: a second network from right to left.")
    ] = False,
    members: Annotated[str, typer.Option(help="ensemble: its models, by comma.")] = "copying,lstm,gpt",
    checkpoint: Annotated[
        Path | None, typer.Option(help="lstm, gpt: folder where training goes on after a kill.")
    ] = None,
) -> None:
    """Train a model on one chunk of the panel."""
    from deepcohort.imputation.models import Settings, model
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.targets import learnt_from, typed_sites

    packed = PanelChunk.load(panel)
    network = NetworkOptions(
        window=window,
        flank=flank,
        hidden=hidden,
        layers=layers,
        epochs=epochs,
        loss=loss,
        bidirectional=bidirectional,
    )
    settings = Settings(imputer, device, threads, seed, network, members_of(members), checkpoint)
    typed = learnt_from(typed_sites(target_sites, packed), packed.n_sites)
    model(imputer).train(packed, typed, settings).save(out)


@command(app)
def impute_chunk(
    release: Release,
    panel: InFile,
    trained: Annotated[Path, typer.Option(exists=True, help="Folder of the trained model.")],
    target: TargetFile,
    samples: SamplesFile,
    out: Annotated[Path, typer.Option(help="Imputed part (.vcf.gz).")],
    out_counts: Annotated[Path, typer.Option(help="What was counted (.tsv).")],
    imputer: ImputerOption = Imputer.adaptive_copying,
    mask_fraction: MaskFraction = 0.0,
    hds: Annotated[bool, typer.Option("--hds", help="Write haplotype dosages too.")] = False,
    phased_output: Annotated[
        bool, typer.Option("--phased-output", help="Write unphased people in phase, with how sure it is.")
    ] = False,
    seed: Seed = 1,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
) -> None:
    """Impute a batch of people over one chunk."""
    from deepcohort.imputation.chunk import impute_chunk as impute
    from deepcohort.imputation.models import Settings, as_told_by
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.parts import write_part
    from deepcohort.imputation.trained import Trained

    learnt = Trained.load(trained, imputer)
    packed = PanelChunk.load(panel)
    people = _people(target, packed, samples, mask_fraction, seed)
    settings = Settings(imputer, device, threads, seed, phased_output=phased_output)
    imputed = impute(packed, people, learnt, settings)
    write_part(out, packed, as_told_by(imputer, people), imputed, hds, threads, phased_output)
    _write_counts(out_counts, out, samples, imputed.counts)


def _people(
    target: Path, panel: "PanelChunk", samples: Path, mask_fraction: float, seed: int
) -> "TargetChunk":
    """Read the batch's genotypes; of a share of the typed sites nothing is left but where they are."""
    from deepcohort.imputation.targets import read_target

    people = read_target(target, panel, read_samples(samples))
    if mask_fraction and people.likelihoods is not None:
        raise InputError(
            f"{target.name}: has likelihoods and no GT, so what is hidden cannot be compared with anything: "
            "give --mask-fraction 0"
        )
    return people.masking(panel.pos, mask_fraction, seed) if mask_fraction else people


def _write_counts(path: Path, part: Path, samples: Path, counts: dict[str, int]) -> None:
    batch = samples.name.removesuffix(".txt")
    chunk = part.name.removesuffix(f".{batch}.vcf.gz")
    with written_whole(path) as unfinished:
        rows = (f"{chunk}\t{batch}\t{what}\t{count}\n" for what, count in counts.items())
        unfinished.write_text("".join(["chunk\tbatch\twhat\tcount\n", *rows]))


@command(app)
def engine_panel(
    release: Release,
    panel: InFile,
    out: Annotated[Path, typer.Option(help="The chunk's haplotypes (.vcf.gz).")],
    out_map: Annotated[Path, typer.Option(help="Genetic map in PLINK's layout.")],
    threads: Threads = 1,
) -> None:
    """Write one chunk of the panel for outside programs."""
    from deepcohort.imputation.engine_files import write_map, write_panel
    from deepcohort.imputation.panel import PanelChunk

    packed = PanelChunk.load(panel)
    write_panel(out, packed, threads)
    write_map(out_map, packed)


@command(app)
def engine_target(
    release: Release,
    engine: EngineOption,
    panel: InFile,
    target: TargetFile,
    samples: SamplesFile,
    out: Annotated[Path, typer.Option(help="Typed genotypes (.vcf.gz); empty: too few for the program.")],
    mask_fraction: MaskFraction = 0.0,
    seed: Seed = 1,
    threads: Threads = 1,
) -> None:
    """Write a batch of people over one chunk for an outside program."""
    from deepcohort.imputation.engines import write_input
    from deepcohort.imputation.panel import PanelChunk

    packed = PanelChunk.load(panel)
    people = _people(target, packed, samples, mask_fraction, seed)
    write_input(out, target, engine, packed, people, threads)


@command(app)
def engine_output(
    release: Release,
    engine: EngineOption,
    panel: InFile,
    target: TargetFile,
    samples: SamplesFile,
    imputed: Annotated[Path, typer.Option(exists=True, help="What the program wrote.")],
    out: Annotated[Path, typer.Option(help="Imputed part (.vcf.gz).")],
    out_counts: Annotated[Path, typer.Option(help="What was counted (.tsv).")],
    mask_fraction: MaskFraction = 0.0,
    hds: Annotated[bool, typer.Option("--hds", help="Write haplotype dosages too.")] = False,
    seed: Seed = 1,
    threads: Threads = 1,
) -> None:
    """Make a part of what an outside program imputed, as if a model of ours had."""
    from deepcohort.imputation.engines import read_imputed
    from deepcohort.imputation.panel import PanelChunk
    from deepcohort.imputation.parts import write_part

    packed = PanelChunk.load(panel)
    people = _people(target, packed, samples, mask_fraction, seed)
    found = read_imputed(imputed, engine, packed, people)
    write_part(out, packed, people, found, hds, threads)
    _write_counts(out_counts, out, samples, found.counts)


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
    imputer: Annotated[str, typer.Option(help="Name of the model or program.")],
    cohort: Annotated[str, typer.Option(help="Name of the cohort.")],
    chrom: Annotated[str, typer.Option(help="Chromosome.")],
    out: Annotated[Path, typer.Option(help="Sums of this chromosome (.tsv).")],
    labels: Annotated[Path | None, typer.Option(exists=True, help="Populations of people (.tsv).")] = None,
    seed: Seed = 1,
) -> None:
    """Compare the imputed genotypes of one chromosome with the true ones."""
    from deepcohort.genome.tables import write_table
    from deepcohort.imputation.accuracy import PART_COLUMNS, score_chromosome

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
    from deepcohort.genome.tables import write_table
    from deepcohort.imputation.accuracy_table import COLUMNS, combine

    write_table(out, combine(parts), COLUMNS)


if __name__ == "__main__":
    app()
