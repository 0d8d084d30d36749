#!/usr/bin/env python3
"""Augmentation: artificial people learnt from a region of a labelled panel, and what they are worth."""

from pathlib import Path
from typing import Annotated

import typer

from deepcohort.augmentation.generator import Method
from deepcohort.augmentation.read import LabelBy, Phase
from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script

# Commands import what they call: TensorFlow takes seconds that the others need not spend.

app = script(__doc__ or "")

PanelFiles = Annotated[list[Path], typer.Option(exists=True, help="Genotypes of the panel, indexed.")]
Labels = Annotated[Path, typer.Option(exists=True, help="Populations of the panel's people (.tsv).")]
Where = Annotated[str | None, typer.Option(help="chr:from-to; without it, the panel's one file.")]
By = Annotated[LabelBy, typer.Option(help="Column of the labels that is learnt.")]
PhaseOption = Annotated[Phase, typer.Option(help="Learn haplotypes or genotypes.")]
MergeSmall = Annotated[
    bool, typer.Option("--merge-small", help="Small populations count as their superpopulation.")
]


@command(app)
def train(
    release: Release,
    panel: PanelFiles,
    labels: Labels,
    out: Annotated[Path, typer.Option(help="Folder of the generator.")],
    region: Where = None,
    label: By = LabelBy.superpopulation,
    phase: PhaseOption = Phase.auto,
    merge_small: MergeSmall = False,
    method: Annotated[Method, typer.Option(help="What kind of generator.")] = Method.pca,
    steps: Annotated[int | None, typer.Option(min=0, help="Steps of the generator.")] = None,
    held_out: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Share of each label's people who are held out.")
    ] = 0.2,
    checkpoints: Annotated[Path | None, typer.Option(help="Folder to go on from after a kill.")] = None,
    pedigree: Annotated[
        Path | None, typer.Option(exists=True, help="Families (PED): relatives are held out together.")
    ] = None,
    seed: Seed = 1,
    threads: Threads = 1,
    device: DeviceOption = Device.auto,
) -> None:
    """Learn a generator from a region of the panel."""
    from deepcohort.augmentation import generator
    from deepcohort.augmentation.read import read_panel
    from deepcohort.genome.backend import set_up

    set_up(seed, threads, device)
    known = read_panel(
        panel, labels, region=region, by=label, phase=phase, merge_small=merge_small, seed=seed
    )
    generator.train(
        known, out, method=method, steps=steps, share=held_out, seed=seed, threads=threads,
        checkpoints=checkpoints, pedigree=pedigree,
    )  # fmt: skip


@command(app)
def generate(
    release: Release,
    panel: PanelFiles,
    labels: Labels,
    generator: Annotated[Path, typer.Option(exists=True, file_okay=False, help="What train wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of the outputs.")],
    people: Annotated[str, typer.Option(help="AFR=500,EAS=100, or balance.")] = "balance",
    region: Where = None,
    label: By = LabelBy.superpopulation,
    phase: PhaseOption = Phase.auto,
    merge_small: MergeSmall = False,
    with_panel: Annotated[
        bool, typer.Option("--with-panel", help="Write the panel with them added, too.")
    ] = False,
    seed: Seed = 1,
    threads: Threads = 1,
    device: DeviceOption = Device.auto,
) -> None:
    """Draw people, and judge the generator against held-out people beside plain ones."""
    from deepcohort.augmentation.make import make
    from deepcohort.augmentation.read import read_panel
    from deepcohort.genome.backend import set_up

    set_up(seed, threads, device)
    known = read_panel(
        panel, labels, region=region, by=label, phase=phase, merge_small=merge_small, seed=seed
    )
    make(known, generator, people, out, with_panel=with_panel, seed=seed)


@command(app)
def compare(
    release: Release,
    with_artificial: Annotated[Path, typer.Option(exists=True, help="Accuracy with them in the panel.")],
    without: Annotated[Path, typer.Option(exists=True, help="Accuracy without them.")],
    out: Annotated[Path, typer.Option(help="Both (.tsv).")],
) -> None:
    """Put the accuracy of imputation with and without artificial people into one table."""
    from deepcohort.augmentation.compare import join_accuracy

    join_accuracy(with_artificial, without, out)


if __name__ == "__main__":
    app()
