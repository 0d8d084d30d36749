"""The weights of the caller that are shipped (``python -m benchmarks.train_caller``): reads are simulated,
examples are made of them, the network and the trees are trained. bwa is needed on the PATH.

People are simulated with the benchmark genotypes of HG002 and HG001 on real sequence of chromosome 20; the
stretches where callers are compared (GRCh38 7.0-8.9 Mb and 10.02-10.12 Mb, and those of the long reads) are
in no set. Depth, length of reads, sequencer and seed differ from stretch to stretch.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from benchmarks.callers import ROOT
from benchmarks.datasets import data_folder
from benchmarks.variants import plain_fasta
from deepcohort.genome.command import Device
from deepcohort.genome.devices import torch_device
from deepcohort.genome.regions import Region, parse_regions
from deepcohort.variants.error_profile import ErrorProfile
from deepcohort.variants.examples import make_examples
from deepcohort.variants.names import Layout
from deepcohort.variants.simulate import Outputs, Wanted, simulate
from deepcohort.variants.train_caller import train_caller
from deepcohort.variants.training import How, Lessons

PROFILES = ("hiseq2500_2x148", "hiseqx_2x151")
DEPTHS = (30, 10, 20, 8, 40, 15, 12, 25, 60)
LENGTHS = (148, 151, 100, 148, 250, 125, 151)
STRETCH = 400_000
ADDED_PER_KB = 0.4
"""Variants added to those that the person has, mostly indels, so that few people teach much."""


class Source(NamedTuple):
    """Where people are simulated: genotypes and reference of the data folder, a region, how often."""

    genotypes: str
    fasta: str
    region: str
    times: int


HG002 = "HG002.v4.2.1.GRCh38.chr20_0_10Mb.vcf.gz", "GRCh38.chr20_0_10Mb.fa.gz"
HG001 = "HG001.v3.3.2.GRCh37.chr20.phased.vcf.gz", "GRCh37.chr20.windows.fa.gz"

TRAINING = (
    Source(*HG002, "chr20:1100001-5030000", 2),
    Source(*HG002, "chr20:5100001-6450000", 2),
    Source(*HG001, "chr20:100001-990000", 2),
    Source(*HG001, "chr20:10120001-11080000", 2),
)
HELD_OUT = (Source(*HG002, "chr20:6500001-6950000", 4), Source(*HG001, "chr20:59780001-59990000", 4))


class Set(NamedTuple):
    """One stretch of a source, with what its reads are like."""

    source: Source
    region: Region
    profile: str
    wanted: Wanted


def sets(sources: tuple[Source, ...]) -> Iterator[Set]:
    """Cut the sources into stretches; what their reads are like goes round."""
    number = 0
    for source in sources:
        (whole,) = parse_regions(source.region)
        for _ in range(source.times):
            for start in range(whole.start, whole.end, STRETCH):
                end = min(whole.end, start + STRETCH - 1)
                if end - start < STRETCH // 4:
                    continue
                number += 1
                depth, length = DEPTHS[number % len(DEPTHS)], LENGTHS[number % len(LENGTHS)]
                wanted = Wanted(depth, length, ADDED_PER_KB, f"person{number}", number)
                yield Set(source, whole._replace(start=start, end=end), PROFILES[number % 3 == 0], wanted)


def indexed(name: str, out: Path) -> Path:
    """Unpack a reference and index it for bwa, once for all sets."""
    fasta = plain_fasta(name, out)
    if not fasta.with_name(f"{fasta.name}.sa").exists():
        subprocess.run(["bwa", "index", fasta], check=True, stderr=subprocess.DEVNULL)
    return fasta


def folder_of(one: Set) -> str:
    """Name of a set."""
    return f"{one.source.fasta.split('.')[0]}.{one.wanted.name}"


def made(one: Set, fasta: Path, out: Path) -> Outputs:
    """Simulate a set, once."""
    folder = out / folder_of(one)
    folder.mkdir(parents=True, exist_ok=True)
    files = Outputs(folder / "truth.vcf.gz", folder / "truth.bed", folder / "reads.bam", None)
    if not (folder / "reads.bam.bai").exists():
        profile = ErrorProfile.load(ROOT / f"assets/error_profiles/{one.profile}.npz")
        genotypes = data_folder() / "variants" / one.source.genotypes
        simulate(genotypes, None, fasta, one.region, profile, one.wanted, files, use_bwa=True, threads=2)
    return files


def examples(one: Set, layout: str, out: Path, name: str) -> Path:
    """Simulate a set and make examples of it, once."""
    path = out / f"examples.{layout}" / name / f"{folder_of(one)}.npz"
    if not path.exists():
        fasta = indexed(one.source.fasta, out)
        files = made(one, fasta, out / name)
        assert files.bam is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        make_examples(files.bam, fasta, files.truth, files.bed, f"chr{one.region}", layout).save(path)
    return path


def main(
    out: Annotated[Path, typer.Option(help="Folder for what is made; what is there stays.")],
    layout: Annotated[Layout, typer.Option(help="Of the tensors.")] = Layout.compact,
    epochs: int = 8,
    threads: int = 2,
    stretches: Annotated[int | None, typer.Option(min=1, help="Learn from so many, evenly taken.")] = None,
) -> None:
    """Simulate the reads, make the examples, train, and write the caller to OUT/caller.LAYOUT."""
    out.mkdir(parents=True, exist_ok=True)
    learnt = list(sets(TRAINING))
    if stretches is not None:
        learnt = [learnt[at] for at in np.unique(np.linspace(0, len(learnt) - 1, stretches).astype(int))]
    held_out = [examples(one, layout.value, out, "held_out") for one in sets(HELD_OUT)]
    training = [examples(one, layout.value, out, "training") for one in learnt]
    folder = out / f"caller.{layout}"
    device = torch_device(Device.auto, threads)
    how = How(epochs, (1.0, 1.0, 1.0), seed=1)
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    train_caller(Lessons(training, held_out), folder, how, device=device, checkpoint=checkpoint)


if __name__ == "__main__":
    typer.run(main)
