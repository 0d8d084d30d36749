#!/usr/bin/env python3
"""Tasks of the inputs room: sheets and files checked, the work planned."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepcohort.genome.command import Release, Threads, command, script
from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import parse_regions
from deepcohort.genome.samples import read_panel_samples
from deepcohort.inputs import fasta as reference
from deepcohort.inputs import gvcfs, reads, sheets
from deepcohort.inputs.checks import check_genotypes, write_check
from deepcohort.inputs.chunks import ChunkSize
from deepcohort.inputs.exclude import exclude_sites as exclude
from deepcohort.inputs.given_chunks import read_chunks
from deepcohort.inputs.other_formats import convert_impute, convert_plink
from deepcohort.inputs.plan import plan_imputation, read_checked
from deepcohort.inputs.plan_tables import PlanFiles, write_plan
from deepcohort.inputs.reads_likelihoods import merge_likelihoods as merge
from deepcohort.inputs.reads_likelihoods import write_likelihoods

app = script("Check what goes in, match target and panel sites, and plan the work.")

InputFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File to check.")]
Name = Annotated[str, typer.Option(help="Name of the file in all tables.")]
Index = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Index of the file; made without it.")
]
OutIndex = Annotated[Path, typer.Option(help="Where the index goes; .tbi or .csi decides its kind.")]
OutSites = Annotated[Path, typer.Option(help="Sites-only BCF with AC and AN (its index beside it).")]
Fasta = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Reference that REF is compared with (.fai beside it)."),
]
OutPeople = Annotated[Path, typer.Option(help="Sample of the genotypes, to tell people apart (.npz).")]
OutReport = Annotated[Path, typer.Option(help="What the file holds, as JSON.")]


class Kind(StrEnum):
    """Sheets there are."""

    input = "input"
    panel = "panel"
    labels = "labels"
    truth = "truth"
    caller_training = "caller_training"


@command(app)
def check_sheet(
    sheet: InputFile,
    release: Release,
    kind: Annotated[Kind, typer.Option(help="Which sheet it is.")],
    schema: Annotated[Path, typer.Option(exists=True, help="JSON schema of the sheet.")],
    name: Annotated[str, typer.Option(help="What messages call the sheet.")],
    out: Annotated[Path, typer.Option(help="The sheet with all columns in the schema's order.")],
) -> None:
    """Check a sheet against its schema and write it in one normal form."""
    read = sheets.load_schema(schema)
    sheets.write_sheet(out, sheets.check_sheet(sheet, read, kind=kind, name=name), read["separator"])


@command(app)
def convert_genotypes(
    genotypes: InputFile,
    release: Release,
    sites: Annotated[Path, typer.Option(exists=True, help="Its .pvar or .legend.")],
    people: Annotated[Path, typer.Option(exists=True, help="Its .psam or .sample.")],
    out: Annotated[Path, typer.Option(help="The same as .vcf.gz.")],
    chrom: Annotated[
        str | None, typer.Option(help="Chromosome to take of .pgen (default: all), or that .hap is of.")
    ] = None,
) -> None:
    """Write genotypes of PLINK 2 (.pgen) or haplotypes of IMPUTE (.hap) as VCF."""
    if genotypes.suffix == ".pgen":
        convert_plink(genotypes, sites, people, chrom, out)
    elif chrom is None:
        raise InputError(f"{genotypes.name}: does not say its chromosome: give --chrom")
    else:
        convert_impute(genotypes, sites, people, chrom, out)


@command(app)
def check_panel(
    file: InputFile,
    release: Release,
    name: Name,
    out_sites: OutSites,
    out_index: OutIndex,
    out_people: OutPeople,
    out_report: OutReport,
    index: Index = None,
    fasta: Fasta = None,
    panel_samples: Annotated[
        Path | None, typer.Option(exists=True, help="People of the panel to take, one a line.")
    ] = None,
    threads: Threads = 1,
) -> None:
    """Read a file of phased reference haplotypes once; refuse it or sum it up."""
    check = check_genotypes(
        file,
        panel=True,
        name=name,
        index=index,
        out_sites=out_sites,
        out_index=out_index,
        out_people=out_people,
        only=None if panel_samples is None else read_panel_samples(panel_samples).names,
        fasta=fasta,
        threads=threads,
    )
    write_check(check, out_report)


@command(app)
def check_target(
    file: InputFile,
    release: Release,
    name: Name,
    out_sites: OutSites,
    out_index: OutIndex,
    out_people: OutPeople,
    out_report: OutReport,
    index: Index = None,
    fasta: Fasta = None,
    threads: Threads = 1,
) -> None:
    """Read a file of a cohort's genotypes once; refuse it or sum it up."""
    check = check_genotypes(
        file,
        panel=False,
        name=name,
        index=index,
        out_sites=out_sites,
        out_index=out_index,
        out_people=out_people,
        fasta=fasta,
        threads=threads,
    )
    write_check(check, out_report)


@command(app)
def check_reads(
    file: InputFile,
    release: Release,
    name: Name,
    out_index: Annotated[Path, typer.Option(help="Where the index goes.")],
    out_report: OutReport,
    index: Index = None,
    threads: Threads = 1,
) -> None:
    """Check a BAM or CRAM of one person."""
    check = reads.check_reads(file, name=name, index=index, out_index=out_index, threads=threads)
    write_check(check, out_report)


@command(app)
def check_gvcf(
    file: InputFile,
    release: Release,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    out: Annotated[Path, typer.Option(help="The gVCF under that name (.g.vcf.gz; its index beside it).")],
) -> None:
    """Check a gVCF of one person."""
    gvcfs.check_gvcf(file, name, out)


@command(app)
def reads_likelihoods(
    file: InputFile,
    release: Release,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    index: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Index of the reads.")],
    panel_sites: Annotated[list[Path], typer.Option(exists=True, help="<name>.sites.bcf of check-panel.")],
    out: Annotated[Path, typer.Option(help="Likelihoods at the panel's sites (.bcf; its index beside it).")],
    fasta: Fasta = None,
) -> None:
    """Make likelihoods of one person's genotypes from the reads."""
    write_likelihoods(file, index, name, panel_sites, fasta, out)


@command(app)
def merge_likelihoods(
    files: Annotated[list[Path], typer.Argument(exists=True, help="Files of reads-likelihoods.")],
    release: Release,
    out: Annotated[Path, typer.Option(help="Everybody's likelihoods (.bcf; its index beside it).")],
    threads: Threads = 1,
) -> None:
    """Put people's likelihoods side by side."""
    merge(files, out, threads)


@command(app)
def check_fasta(
    file: InputFile,
    release: Release,
    name: Name,
    out_index: Annotated[Path, typer.Option(help="Where the .fai goes.")],
    out_report: OutReport,
) -> None:
    """Check a reference sequence and index it."""
    write_check(reference.check_fasta(file, name=name, out_index=out_index), out_report)


Files = list[Path]


@command(app)
def plan(
    release: Release,
    cohort: Annotated[str, typer.Option(help="Name of the cohort.")],
    panel_sites: Annotated[Files, typer.Option(exists=True, help="<name>.sites.bcf of check-panel.")],
    panel_reports: Annotated[Files, typer.Option(exists=True, help="<name>.check.json of check-panel.")],
    panel_people: Annotated[Files, typer.Option(exists=True, help="<name>.people.npz of check-panel.")],
    target_sites: Annotated[Files, typer.Option(exists=True, help="<name>.sites.bcf of check-target.")],
    target_reports: Annotated[Files, typer.Option(exists=True, help="<name>.check.json of check-target.")],
    target_people: Annotated[Files, typer.Option(exists=True, help="<name>.people.npz of check-target.")],
    out_chunks: Annotated[Path, typer.Option(help="Table of chunks, costliest first.")],
    out_batches: Annotated[Path, typer.Option(help="Folder of batches of samples.")],
    out_counts: Annotated[Path, typer.Option(help="Table of counts of the harmonisation.")],
    out_qc: Annotated[Path, typer.Option(help="Table of sites that need a look.")],
    out_frequencies: Annotated[Path, typer.Option(help="Table of frequencies, for a picture.")],
    out_people: Annotated[Path, typer.Option(help="Table of people who need a look.")],
    out_excluded: Annotated[Path, typer.Option(help="Contig and position of sites that are left out.")],
    regions: Annotated[str | None, typer.Option(help="chr:from-to,… or a BED file.")] = None,
    chunks: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Chunks of an earlier plan.")
    ] = None,
    chunk_variants: Annotated[int, typer.Option(min=1, help="Most panel variants of a core.")] = 20_000,
    chunk_bases: Annotated[int, typer.Option(min=1, help="Most bases of a core.")] = 50_000_000,
    overlap_bases: Annotated[int, typer.Option(min=0, help="Overlap on each side, in bases …")] = 250_000,
    overlap_typed: Annotated[int, typer.Option(min=0, help="… and in typed sites.")] = 100,
    batch_size: Annotated[int, typer.Option(min=1, help="Most samples of a batch.")] = 500,
    exclude_outliers: Annotated[
        bool, typer.Option("--exclude-outliers", help="Leave out sites whose frequency does not fit.")
    ] = False,
) -> None:
    """Harmonise target and panel sites, cut the genome into chunks and the people into batches."""
    if chunks is not None and regions is not None:
        raise InputError("--chunks and --regions both say where to work: give one of them")
    planned = plan_imputation(
        read_checked(panel_sites, panel_reports, panel_people),
        read_checked(target_sites, target_reports, target_people),
        regions=None if regions is None else parse_regions(regions),
        given=None if chunks is None else read_chunks(chunks),
        size=ChunkSize(chunk_variants, chunk_bases, overlap_bases, overlap_typed),
        batch_size=batch_size,
        exclude_outliers=exclude_outliers,
    )
    files = PlanFiles(out_chunks, out_batches, out_counts, out_qc, out_frequencies, out_people, out_excluded)
    write_plan(planned, cohort, files)


@command(app)
def exclude_sites(
    file: InputFile,
    release: Release,
    excluded: Annotated[Path, typer.Option(exists=True, help="Contig and position, from plan.")],
    out: Annotated[Path, typer.Option(help="The same file without these sites, indexed.")],
    threads: Threads = 1,
) -> None:
    """Copy a VCF or BCF without the sites that a plan excludes."""
    exclude(file, excluded, out, threads)


if __name__ == "__main__":
    app()
