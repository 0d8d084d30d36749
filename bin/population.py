#!/usr/bin/env python3
"""Population: people of a cohort assigned to the panel's populations, and panel people recommended."""

from pathlib import Path
from typing import Annotated

import typer

from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script
from deepcohort.population.methods import Method

# Commands import what they call: TensorFlow takes seconds that the others need not spend.

app = script(__doc__ or "")

StudyFolder = Annotated[Path, typer.Option(exists=True, file_okay=False, help="What gather wrote.")]
Weights = Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Trained networks.")]


@command(app)
def gather(
    release: Release,
    cohort: Annotated[str, typer.Option(help="Name of the cohort.")],
    panel: Annotated[
        list[Path], typer.Option(exists=True, help="Genotypes of the panel (VCF, BCF), indexed.")
    ],
    target: Annotated[list[Path], typer.Option(exists=True, help="Genotypes of the cohort, indexed.")],
    labels: Annotated[Path, typer.Option(exists=True, help="Populations of the panel's people (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder of the study.")],
    out_windows: Annotated[Path, typer.Option(help="Windows, a row each (.tsv).")],
    pedigree: Annotated[Path | None, typer.Option(exists=True, help="Families (PED).")] = None,
    weights: Weights = None,
    artificial: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Artificial people to learn from too.")
    ] = None,
    min_sites: Annotated[int, typer.Option(min=1, help="Fewest sites to work with.")] = 500,
    max_sites: Annotated[int, typer.Option(min=1, help="Most sites to work with.")] = 100_000,
    folds: Annotated[int, typer.Option(min=2, help="Groups of people held out in turn.")] = 5,
    window_sites: Annotated[int, typer.Option(min=16, help="Most sites of a window.")] = 4000,
    seed: Seed = 1,
) -> None:
    """Read cohort and panel at the sites they share, and cut these into windows."""
    from deepcohort.genome.tables import write_table
    from deepcohort.population.artificial import ArtificialFiles
    from deepcohort.population.gather import gather as together
    from deepcohort.population.weights import read_known

    made = ArtificialFiles.of(artificial) if artificial else None
    study = together(
        cohort, panel, target, labels, out, artificial=made,
        pedigree=pedigree, known=read_known(weights) if weights else None,
        min_sites=min_sites, max_sites=max_sites, window_sites=window_sites, folds=folds, seed=seed,
    )  # fmt: skip
    rows = [{"window": w.name, "chrom": w.chrom, "sites": str((w.column >= 0).sum())} for w in study.windows]
    write_table(out_windows, rows, ("window", "chrom", "sites"))


@command(app)
def train_window(
    release: Release,
    study: StudyFolder,
    window: Annotated[str, typer.Option(help="Name of the window.")],
    out: Annotated[Path, typer.Option(help="What the networks say of everybody (.npz).")],
    out_net: Annotated[Path, typer.Option(help="Folder of the networks.")],
    out_logs: Annotated[Path, typer.Option(help="Folder of the course of the training.")],
    weights: Weights = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the panel's people.")] = 15,
    seed: Seed = 1,
    threads: Threads = 1,
    device: DeviceOption = Device.auto,
) -> None:
    """Train the networks of a window, one for each fold, or train the heads of given ones anew."""
    from deepcohort.genome.backend import set_up
    from deepcohort.population.study import Study
    from deepcohort.population.training import train_window as train

    set_up(seed, threads, device)
    out_logs.mkdir(parents=True, exist_ok=True)
    train(Study.load(study), window, out_net, out_logs, epochs=epochs, seed=seed, weights=weights).save(out)


@command(app)
def assign(
    release: Release,
    study: StudyFolder,
    out: Annotated[Path, typer.Option(help="Folder of the outputs.")],
    window: Annotated[
        list[Path] | None, typer.Option(exists=True, help="What train-window wrote (.npz).")
    ] = None,
    method: Annotated[
        Method, typer.Option(help="How people are assigned; auto takes the best.")
    ] = Method.auto,
    min_probability: Annotated[
        float, typer.Option(min=0, max=1, help="Below it, people are unassigned.")
    ] = 0.5,
    seed: Seed = 1,
) -> None:
    """Assign the cohort's people, and recommend people of the panel."""
    from deepcohort.genome.samples import write_samples
    from deepcohort.genome.tables import write_table
    from deepcohort.population import recommend
    from deepcohort.population.answer import answer
    from deepcohort.population.outputs import write_answer
    from deepcohort.population.study import Study

    opened = Study.load(study)
    found = answer(opened, sorted(window or []), method, seed)
    write_answer(opened, found, min_probability, out)
    advised = recommend.recommend(opened, found, seed)
    table = out / f"{opened.cohort}.panel_recommendation.tsv"
    write_table(table, recommend.rows(opened, advised), recommend.RECOMMENDED_COLUMNS)
    chosen = set(advised.people().tolist())
    names = [opened.panel_names[person] for person in advised.order.tolist() if person in chosen]
    write_samples(out / f"{opened.cohort}.panel.samples.txt", names)


@command(app)
def subset_panel(
    release: Release,
    panel: Annotated[Path, typer.Option(exists=True, help="A file of the panel (VCF, BCF).")],
    samples: Annotated[Path, typer.Option(exists=True, help="People to keep, a name a line.")],
    out: Annotated[Path, typer.Option(help="Their genotypes (.vcf.gz).")],
) -> None:
    """Write a file of the panel with some people alone."""
    from deepcohort.population.subset import subset_panel as subset

    subset(panel, samples, out)


@command(app)
def collect(
    release: Release,
    assignments: Annotated[list[Path], typer.Option(exists=True, help="Assignments of each cohort.")],
    recommendations: Annotated[list[Path], typer.Option(exists=True, help="Recommendation for each cohort.")],
    samples: Annotated[list[Path], typer.Option(exists=True, help="Panel people for each cohort.")],
    out_assignments: Annotated[Path, typer.Option(help="All of them (.tsv).")],
    out_recommendations: Annotated[Path, typer.Option(help="All of them (.tsv).")],
    out_samples: Annotated[Path, typer.Option(help="Panel people for all cohorts.")],
) -> None:
    """Make one table of those of all cohorts, and one list of panel people."""
    from deepcohort.population.collect import join_people, join_tables

    join_tables(assignments, out_assignments)
    join_tables(recommendations, out_recommendations)
    join_people(samples, out_samples)


if __name__ == "__main__":
    app()
