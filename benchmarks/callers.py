"""The variant callers that are compared: freebayes, bcftools, GATK HaplotypeCaller, and our own."""

import os
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path

import deepcohort
from benchmarks.timing import Cost, load, save, timed

ROOT = Path(__file__).parents[1]
Command = list[str | Path]
POM = Path(__file__).parent / "gatk" / "pom.xml"
"""What Maven gets GATK by."""

WEIGHTS = Path(os.environ.get("DEEPCOHORT_CALLER", ROOT / "assets/callers/short_reads")).absolute()
"""Of our trained callers; the variable names another one's folder."""


class Caller(StrEnum):
    """A program with its defaults and no filter; ours by the haplotypes alone, with what is trained, and with
    gaps learnt from the reads; bcftools as it is set for long reads too.
    """

    freebayes = "freebayes"
    bcftools = "bcftools"
    gatk = "gatk"
    deepcohort = "deepcohort"
    cnn = "deepcohort-cnn"
    rf = "deepcohort-rf"
    gbm = "deepcohort-gbm"
    ensemble = "deepcohort-ensemble"
    learnt = "deepcohort-learnt"
    bcftools_hifi = "bcftools-pacbio-ccs"
    bcftools_ont = "bcftools-ont"


FOR_SHORT_READS: list[Caller] = [
    one for one in Caller if one not in (Caller.learnt, Caller.bcftools_hifi, Caller.bcftools_ont)
]


def call(caller: Caller, reads: Path, fasta: Path, region: str, out: Path, libraries: Path) -> Cost:
    """Call variants of a region into ``out`` (.vcf.gz), with one thread; skip what exists.

    reads: BAM with its index. region: contig:first-last. libraries: folder of GATK's jars. Returns what the
    calling took, all programs of a caller together. A small process starts the programs: the kernel counts
    the memory of whoever starts a program as the program's.
    """
    cost = _cost_of(out)
    if not cost.exists():
        files = [reads.absolute(), fasta.absolute(), region, out.absolute(), libraries.absolute()]
        starter = [sys.executable, "-m", "benchmarks.callers", caller, *map(str, files)]
        subprocess.run(starter, check=True, cwd=ROOT)
    stages = load(cost)
    return Cost(
        round(sum(stage.wall_s for stage in stages.values()), 2),
        round(sum(stage.cpu_s for stage in stages.values()), 2),
        max(stage.peak_gb for stage in stages.values()),
    )


def start(caller: Caller, reads: Path, fasta: Path, region: str, out: Path, libraries: Path) -> None:
    """Run a caller, index its calls, and note what it took beside them."""
    others: dict[Caller, Callable[..., dict[str, Cost]]] = {
        Caller.freebayes: _freebayes,
        Caller.bcftools: partial(_bcftools, "illumina"),
        Caller.bcftools_hifi: partial(_bcftools, "pacbio-ccs"),
        Caller.bcftools_ont: partial(_bcftools, "ont"),
        Caller.gatk: _gatk,
        Caller.learnt: _learnt,
    }
    program = others.get(caller, partial(_deepcohort, caller))
    stages = program(reads, fasta, region, out, libraries)
    subprocess.run(["bcftools", "index", "-f", "-t", out], check=True)
    save(_cost_of(out), stages)


def _cost_of(out: Path) -> Path:
    return out.with_name(out.name.replace(".vcf.gz", ".cost.json"))


def _freebayes(reads: Path, fasta: Path, region: str, out: Path, libraries: Path) -> dict[str, Cost]:
    contig, _, stretch = region.rpartition(":")
    first, last = map(int, stretch.split("-"))
    raw = out.with_name(f"{out.name}.raw.vcf")
    command: Command = ["freebayes", "-f", fasta, "-r", f"{contig}:{first - 1}-{last}", "-v", raw, reads]
    stages = {"call": timed(command, out.with_name(f"{out.name}.log"))}
    # It writes every place it looked at; below QUAL 1 it says itself that there is nothing.
    subprocess.run(["bcftools", "view", "-i", "QUAL>=1", "-Oz", "-o", out, raw], check=True)
    raw.unlink()
    return stages


def _bcftools(
    preset: str, reads: Path, fasta: Path, region: str, out: Path, libraries: Path
) -> dict[str, Cost]:
    """preset: of mpileup, whose plain settings are those of illumina."""
    piled = out.with_name(f"{out.name}.mpileup.bcf")
    settings: Command = [] if preset == "illumina" else ["-X", preset]
    pileup: Command = ["bcftools", "mpileup", *settings, "-f", fasta, "-r", region, "-a", "AD,DP", "-Ou"]
    pileup += ["-o", piled, reads]
    stages = {"mpileup": timed(pileup, out.with_name(f"{out.name}.mpileup.log"))}
    command: Command = ["bcftools", "call", "-mv", "-Oz", "-o", out, piled]
    stages["call"] = timed(command, out.with_name(f"{out.name}.log"))
    piled.unlink()
    return stages


def _gatk(reads: Path, fasta: Path, region: str, out: Path, libraries: Path) -> dict[str, Cost]:
    _dictionary(fasta)
    command: Command = [
        "java", "-Xmx3g", "-cp", f"{libraries}/*", "org.broadinstitute.hellbender.Main", "HaplotypeCaller",
        "-R", fasta, "-I", reads, "-L", region, "-O", out, "--native-pair-hmm-threads", "1",
    ]  # fmt: skip
    return {"call": timed(command, out.with_name(f"{out.name}.log"))}


def _deepcohort(
    caller: Caller, reads: Path, fasta: Path, region: str, out: Path, libraries: Path
) -> dict[str, Cost]:
    command = [*_ours("call-region", reads, fasta), "--region", region, "--out", out]
    _, _, trained = caller.value.partition("-")
    command += ["--caller", trained, "--weights", WEIGHTS, "--device", "cpu"] if trained else []
    return {"call": timed(command, out.with_name(f"{out.name}.log"))}


def _learnt(reads: Path, fasta: Path, region: str, out: Path, libraries: Path) -> dict[str, Cost]:
    """Learn from the reads of the region that is called, as the pipeline does."""
    pieces, gaps = (out.with_name(f"{out.name}.{end}") for end in ("pieces.tsv", "gaps.tsv"))
    pieces.write_text(f"piece\tregion\thaploid\n000001\t{region}\tfalse\n")
    learn = [*_ours("learn-gaps", reads, fasta), "--pieces", pieces, "--gaps", "learnt", "--out", gaps]
    command = [*_ours("call-region", reads, fasta), "--region", region, "--gaps", gaps, "--out", out]
    stages = {"learn": timed(learn, out.with_name(f"{out.name}.learn.log"))}
    stages["call"] = timed(command, out.with_name(f"{out.name}.log"))
    return stages


def _ours(command: str, reads: Path, fasta: Path) -> Command:
    release: Command = ["--release", deepcohort.__version__]
    return [sys.executable, ROOT / "bin/variants.py", command, reads, *release, "--fasta", fasta]


def _dictionary(fasta: Path) -> None:
    """Write the list of sequences that GATK wants beside a FASTA."""
    path = fasta.with_suffix(".dict")
    if not path.exists():
        subprocess.run(["samtools", "dict", "-o", path, fasta], check=True)


def gatk_libraries(folder: Path) -> Path:
    """Let Maven put GATK's jars into a folder, once."""
    libraries = folder / "gatk"
    if not any(libraries.glob("gatk-*.jar")):
        libraries.mkdir(parents=True, exist_ok=True)
        command: Command = ["mvn", "-q", "-f", POM, "dependency:copy-dependencies"]
        subprocess.run([*command, f"-DoutputDirectory={libraries}"], check=True)
    return libraries


if __name__ == "__main__":
    name, reads_file, fasta_file, stretch, calls_file, jars = sys.argv[1:]
    start(Caller(name), Path(reads_file), Path(fasta_file), stretch, Path(calls_file), Path(jars))
