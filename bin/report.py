#!/usr/bin/env python3
"""The report: tables and pictures for MultiQC."""

from pathlib import Path
from typing import Annotated

import typer

from deepcohort.genome.command import Release, command, script
from deepcohort.report.tables import Files, write_tables

app = script(__doc__ or "")


def _files(help_text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(exists=True, dir_okay=False, help=help_text)
    return option


@command(app)
def tables(
    release: Release,
    out: Annotated[Path, typer.Option(help="Folder for MultiQC's custom content.")],
    accuracy: Annotated[list[Path] | None, _files("Accuracy table.")] = None,
    sites: Annotated[list[Path] | None, _files("Sites <cohort>.<chrom>.sites.tsv.gz.")] = None,
    harmonisation: Annotated[list[Path] | None, _files("Counts of harmonised sites.")] = None,
    checks: Annotated[list[Path] | None, _files("Check of a genotype file (.json).")] = None,
    counts: Annotated[list[Path] | None, _files("Counts of an imputed chunk and batch.")] = None,
    models: Annotated[
        list[Path] | None, typer.Option(exists=True, file_okay=False, help="Trained model of a chunk.")
    ] = None,
    fit: Annotated[list[Path] | None, _files("Sites, frequencies or people of a plan (.tsv).")] = None,
    calls: Annotated[list[Path] | None, _files("Counts of one person's calls.")] = None,
    evaluation: Annotated[list[Path] | None, _files("Table of calls that were judged.")] = None,
    population: Annotated[list[Path] | None, _files("Table of populations of a cohort.")] = None,
    expression: Annotated[list[Path] | None, _files("Table of predicted expression.")] = None,
    augmentation: Annotated[list[Path] | None, _files("Table of artificial people.")] = None,
    note: Annotated[list[str] | None, typer.Option(help="Sentence about the run as a whole.")] = None,
    versions: Annotated[Path | None, _files("Versions of the programs (YAML).")] = None,
) -> None:
    """Make the tables and pictures of the report."""
    files = Files(
        accuracy=accuracy or [],
        sites=sites or [],
        harmonisation=harmonisation or [],
        checks=checks or [],
        counts=counts or [],
        models=models or [],
        fit=fit or [],
        calls=calls or [],
        evaluation=evaluation or [],
        population=population or [],
        expression=expression or [],
        augmentation=augmentation or [],
        notes=note or [],
        versions=versions,
    )
    write_tables(files, out)


if __name__ == "__main__":
    app()
