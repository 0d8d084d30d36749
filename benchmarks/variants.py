"""Variant calls beside freebayes, bcftools and GATK (``python -m benchmarks.variants``).

Every caller runs on the same reads in the same run, with one thread and its defaults; all are judged by
``deepcohort.variants.evaluate``. Needed on the PATH: freebayes, bcftools, samtools, bwa, java and mvn.
"""

import subprocess
from pathlib import Path
from typing import Annotated

import numpy as np
import pysam
import typer

from benchmarks.caller_stages import READING, REALIGNED, stages_of
from benchmarks.callers import FOR_SHORT_READS, ROOT, Caller, call, gatk_libraries
from benchmarks.datasets import data_folder
from benchmarks.tables import show, write_table
from deepcohort.genome.regions import Region, merged, parse_regions
from deepcohort.genome.tables import write_table as write_columns
from deepcohort.variants import evaluation_table as tables
from deepcohort.variants.error_profile import ErrorProfile, learn
from deepcohort.variants.evaluate import evaluate
from deepcohort.variants.simulate import Outputs, Wanted, simulate
from deepcohort.variants.tensors import LAYOUTS

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Out = Annotated[Path, typer.Option(help="Folder for what is made; what is there is not made again.")]
Callers = Annotated[list[Caller], typer.Option("--caller", help="Callers to run.")]

WINDOW = "chr20:10000001-10100000"
READS = "HG002.30x.GRCh37.chr20_10.0_10.1Mb.bam"
TRUTH = "HG002.v4.2.1.GRCh37lift.chr20_9995000_11095000"
DEPTH = 30.6
"""Mean depth of the real reads."""

LOWER_DEPTHS = (20, 15, 10)
SEEDS = (1, 2, 3, 4, 5)

GENOTYPES = "HG002.v4.2.1.GRCh38.chr20_0_10Mb"
LONG_READS = {
    "HiFi": (
        "HG002.hifi_revio.GRCh38.chr20_9.0_9.1Mb.bam",
        "chr20:9000001-9100000",
        Caller.bcftools_hifi,
    ),
    "ONT R10": (
        "HG002.ont_r10.GRCh38.chr20_5.050_5.075Mb.bam",
        "chr20:5050001-5075000",
        Caller.bcftools_ont,
    ),
}
"""Reads, where they lie, and the peer set for them."""

PROFILE = ROOT / "assets/error_profiles/hiseq2500_2x148.npz"
COVERAGE, READ_LENGTH = 30.0, 148


def plain_fasta(name: str, out: Path) -> Path:
    """Unpack a reference of the data folder, as not all callers read packed ones, and index it."""
    fasta = out / name.removesuffix(".gz")
    out.mkdir(parents=True, exist_ok=True)
    if not fasta.with_name(f"{fasta.name}.fai").exists():
        with fasta.open("wb") as to:
            packed = data_folder() / "variants" / name
            subprocess.run(["gzip", "-dc", packed], stdout=to, check=True)
        pysam.faidx(str(fasta))
    return fasta


def write_overlap(bed: Path, region: Region, out: Path) -> Path:
    """Write the parts of a BED file that lie in a region."""
    parts = [
        part._replace(start=max(part.start, region.start), end=min(part.end, region.end))
        for part in parse_regions(str(bed))
        if part.chrom == region.chrom and part.end >= region.start and part.start <= region.end
    ]
    out.write_text("".join(f"chr{p.chrom}\t{p.start - 1}\t{p.end}\n" for p in merged(parts)))
    return out


def downsampled(reads: Path, depth: int, seed: int, out: Path) -> Path:
    """Keep whole pairs at random, so that ``depth`` is left."""
    path = out / f"{depth}x.{seed}.bam"
    if not path.with_name(f"{path.name}.bai").exists():
        share = f"{seed + depth / DEPTH:.4f}"
        subprocess.run(["samtools", "view", "-b", "-s", share, "-o", path, reads], check=True)
        pysam.samtools.index(str(path))
    return path


def figure(row: dict[str, str], name: str) -> str:
    """A figure with its interval."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{float(value):.4f} [{float(low):.4f}, {float(high):.4f}]" if value != "NA" else "NA"


def table(
    label: str, counts: list[list[dict[str, str]]], costs: dict[str, tuple[float, float]]
) -> list[dict[str, str]]:
    """Rows of the printed table: a caller and a type of variant each."""
    rows = []
    for (name, kind), row in tables.overall(tables.figures(counts, seed=1)).items():
        if kind not in ("snp", "indel"):
            continue
        cpu, memory = costs[name]
        rows.append(
            {
                "reads": label, "caller": name, "type": kind, "truth": row["truth"],
                "F1": figure(row, "f1"), "precision": figure(row, "precision"),
                "recall": figure(row, "recall"), "genotype errors": row["truth_genotype_errors"],
                "CPU s": f"{cpu:.1f}", "GB": f"{memory:.2f}",
            }
        )  # fmt: skip
    return rows


def judged(
    caller: Caller, reads: Path, fasta: Path, region: str, truth: Path, bed: Path, out: Path, libraries: Path
) -> tuple[list[dict[str, str]], tuple[float, float]]:
    """Call and judge: counts by block, and processor seconds and memory of the call."""
    calls = out / f"{reads.stem}.{caller}.vcf.gz"
    cost = call(caller, reads, fasta, region, calls, libraries)
    found = evaluate(calls, truth, fasta, bed)
    rows = tables.judged_rows(caller, found)
    write_columns(out / f"{reads.stem}.{caller}.judged.tsv", rows, tables.JUDGED_COLUMNS)
    return tables.count_rows(caller, found.counts()), (cost.cpu_s, cost.peak_gb)


def compared(
    label: str,
    people: list[Path],
    fasta: Path,
    region: str,
    truth: Path,
    bed: Path,
    out: Path,
    callers: list[Caller],
) -> list[dict[str, str]]:
    """All callers on all these reads, whose counts are pooled; costs are means."""
    libraries = gatk_libraries(out.parent) if Caller.gatk in callers else out
    counts, costs = [], {}
    for caller in callers:
        runs = [judged(caller, reads, fasta, region, truth, bed, out, libraries) for reads in people]
        counts += [rows for rows, _ in runs]
        costs[caller.value] = (
            sum(cost[0] for _, cost in runs) / len(runs),
            max(cost[1] for _, cost in runs),
        )
    return table(label, counts, costs)


@app.command()
def real(out: Out, caller: Callers = FOR_SHORT_READS, quick: bool = False) -> None:
    """HG002 at 30x over 100 kb, and downsampled, seeds pooled (``--quick``: one seed)."""
    folder = out / "real"
    folder.mkdir(parents=True, exist_ok=True)
    source = data_folder() / "variants"
    fasta = plain_fasta("GRCh37.chr20.windows.fa.gz", out)
    (region,) = parse_regions(WINDOW)
    bed = write_overlap(source / f"{TRUTH}.bed", region, folder / "confident.bed")
    sets = {"30x": [source / READS]}
    for depth in LOWER_DEPTHS:
        seeds = SEEDS[:1] if quick else SEEDS
        sets[f"{depth}x"] = [downsampled(source / READS, depth, seed, folder) for seed in seeds]
    rows = []
    for label, reads in sets.items():
        rows += compared(label, reads, fasta, WINDOW, source / f"{TRUTH}.vcf.gz", bed, folder, caller)
        write_table(folder / "real.tsv", rows)
    show(rows)


@app.command()
def long(out: Out) -> None:
    """Long reads of HG002: HiFi over 100 kb, nanopore over 25 kb."""
    folder = out / "long"
    folder.mkdir(parents=True, exist_ok=True)
    source = data_folder() / "variants"
    fasta = plain_fasta("GRCh38.chr20_0_10Mb.fa.gz", out)
    rows = []
    for label, (name, window, preset) in LONG_READS.items():
        (region,) = parse_regions(window)
        bed = write_overlap(source / f"{GENOTYPES}.bed", region, folder / f"{label}.bed")
        callers = [preset, Caller.deepcohort, Caller.learnt]
        truth = source / f"{GENOTYPES}.vcf.gz"
        rows += compared(label, [source / name], fasta, window, truth, bed, folder, callers)
        write_table(folder / "long.tsv", rows)
    show(rows)


@app.command()
def simulated(
    out: Out,
    caller: Callers = FOR_SHORT_READS,
    region: Annotated[str, typer.Option(help="Of GRCh38 chr20:7.0-8.9 Mb.")] = "chr20:7000001-8900000",
    coverage: float = COVERAGE,
    added_per_kb: Annotated[float, typer.Option(help="Variants added to those of HG002.")] = 0,
    seed: int = 1,
) -> None:
    """Reads of a person with HG002's genotypes, judged everywhere and inside HG002's confident regions."""
    folder = out / f"simulated.{region.replace(':', '_')}.{coverage:g}x.{added_per_kb:g}.{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    fasta = plain_fasta("GRCh38.chr20_0_10Mb.fa.gz", out)
    (asked,) = parse_regions(region)
    files = made(folder, fasta, asked, seed, coverage, added_per_kb)
    confident = data_folder() / "variants" / f"{GENOTYPES}.bed"
    beds = {"everywhere": files.bed, "confident": write_overlap(confident, asked, folder / "confident.bed")}
    assert files.bam is not None
    rows = []
    for label, bed in beds.items():
        rows += compared(label, [files.bam], fasta, region, files.truth, bed, folder, caller)
        write_table(folder / "simulated.tsv", rows)
    show(rows)


def made(
    folder: Path, fasta: Path, region: Region, seed: int, coverage: float = COVERAGE, added_per_kb: float = 0
) -> Outputs:
    """Simulate a person and align the reads by bwa, once."""
    files = Outputs(folder / "truth.vcf.gz", folder / "truth.bed", folder / "reads.bam", None)
    if not (folder / "reads.bam.bai").exists():
        genotypes = data_folder() / "variants" / f"{GENOTYPES}.vcf.gz"
        wanted = Wanted(coverage, READ_LENGTH, added_per_kb, "simulated", seed)
        profile = ErrorProfile.load(PROFILE)
        simulate(genotypes, None, fasta, region, profile, wanted, files, use_bwa=True, threads=2)
    return files


@app.command()
def speed(out: Out, caller: Callers = FOR_SHORT_READS) -> None:
    """Processor seconds for each further Mb at 30x: the slope from 1 to 3 simulated Mb."""
    fasta = plain_fasta("GRCh38.chr20_0_10Mb.fa.gz", out)
    rows = []
    libraries = gatk_libraries(out) if Caller.gatk in caller else out
    for one in caller:
        costs = []
        for mb in (1, 3):
            folder = out / f"speed.{mb}"
            folder.mkdir(parents=True, exist_ok=True)
            (region,) = parse_regions(f"chr20:1000001-{mb + 1}000000")
            reads = made(folder, fasta, region, 1).bam
            assert reads is not None
            costs.append(call(one, reads, fasta, f"chr{region}", folder / f"{one}.vcf.gz", libraries))
        slope = (costs[1].cpu_s - costs[0].cpu_s) / 2
        row = {"caller": one.value}
        row |= {f"CPU s {mb} Mb": f"{cost.cpu_s:.1f}" for mb, cost in zip((1, 3), costs, strict=True)}
        rows.append(row | {"CPU s a Mb": f"{slope:.1f}", "GB": f"{costs[1].peak_gb:.2f}"})
        write_table(out / "speed.tsv", rows)
    show(rows)


@app.command()
def stages(out: Out, layout: str = "compact") -> None:
    """Processor seconds before a network is asked: HG002 at 30x over 100 kb, on one core."""
    fasta = plain_fasta("GRCh37.chr20.windows.fa.gz", out)
    (window,) = parse_regions(WINDOW)
    reads = data_folder() / "variants" / READS
    stages_of(reads, fasta, window._replace(end=window.start + 9_999), LAYOUTS[layout])  # compiles
    number, spent = stages_of(reads, fasta, window, LAYOUTS[layout])
    spent |= {
        "candidates to tensors": sum(spent[stage] for stage in spent if stage not in (READING, *REALIGNED)),
        "without realignment": sum(spent[stage] for stage in spent if stage not in REALIGNED),
        "all": sum(spent.values()),
    }
    rows = [
        {"stage": stage, "CPU s": f"{seconds:.3f}", "candidates a second": f"{number / seconds:.0f}"}
        for stage, seconds in spent.items()
    ]
    write_table(out / f"stages.{layout}.tsv", rows)
    show(rows)


@app.command()
def errors(out: Out, region: str = "chr20:6000001-6200000") -> None:
    """Errors of real reads beside those of reads simulated by what was learnt from them."""
    folder = out / "errors"
    folder.mkdir(parents=True, exist_ok=True)
    source = data_folder() / "variants"
    (window,) = parse_regions(WINDOW)
    bed = write_overlap(source / f"{TRUTH}.bed", window, folder / "confident.bed")
    old, new = (plain_fasta(f"{name}.fa.gz", out) for name in ("GRCh37.chr20.windows", "GRCh38.chr20_0_10Mb"))
    (asked,) = parse_regions(region)
    files = made(folder, new, asked, 1)
    assert files.bam is not None
    profiles = {
        "real": learn([source / READS], old, parse_regions(str(bed)), source / f"{TRUTH}.vcf.gz"),
        "simulated": learn([files.bam], new, [asked], files.truth),
    }
    rows = error_rows(profiles)
    write_table(folder / "errors.tsv", rows)
    show(rows)


def error_rows(profiles: dict[str, ErrorProfile]) -> list[dict[str, str]]:
    """Rates by quality, part of the read and length of the homopolymer, a column for each profile."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name, profile in profiles.items():
        for what, label, value in _rates(profile):
            found.setdefault((what, label), {})[name] = value
    return [{"what": what, "at": label, **values} for (what, label), values in found.items()]


def _rates(profile: ErrorProfile) -> list[tuple[str, str, str]]:
    seen = profile.substitutions.sum(axis=(1, 2, 3))
    wrong = seen - np.diagonal(profile.substitutions, axis1=2, axis2=3).sum(axis=(1, 2))
    rates = [("substitutions", "all", wrong.sum() / seen.sum())]
    for low in range(5, 41, 5):
        own = slice(low, low + 5)
        rates.append(("share of the bases", f"Q{low}-{low + 4}", seen[own].sum() / seen.sum()))
        rates.append(("substitutions", f"Q{low}-{low + 4}", wrong[own].sum() / max(1, seen[own].sum())))
    errors = np.divide(wrong, seen, out=np.zeros(len(seen)), where=seen > 0)
    by_part = profile.following.sum(axis=(0, 1, 3))
    for part, counts in enumerate(by_part):
        label = f"tenth {part + 1} of the read"
        rates.append(("mean quality", label, counts @ np.arange(len(counts)) / counts.sum()))
        rates.append(("substitutions by its qualities", label, counts @ errors / counts.sum()))
    for first, last in ((1, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 20)):
        own = slice(first, last + 1)
        for what, hits in (("insertions", profile.inserted), ("deletions", profile.deleted)):
            rate = hits[own].sum() / max(1, profile.crossed[own].sum())
            rates.append((what, f"homopolymers of {first}-{last}", rate))
    sizes = profile.insert_sizes
    rates.append(("mean fragment", "all", sizes @ np.arange(len(sizes)) / sizes.sum()))
    rates.append(("clipped reads", "all", 1 - profile.clips[0] / profile.clips.sum()))
    rates.append(("duplicates", "all", profile.duplicates[1] / profile.duplicates[0]))
    return [(what, label, f"{value:.3g}") for what, label, value in rates]


if __name__ == "__main__":
    app()
