"""Reads to variants, through the whole pipeline."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pysam
import pytest

from tests.conftest import LANGUAGES, Nextflow
from tests.genotypes import bgzip, write_vcf
from tests.pipeline.test_stub import ALWAYS
from tests.variants.people import Person

pytestmark = pytest.mark.pipeline

LENGTH = 30_000


def write_person(folder: Path) -> None:
    """Reads, reference and truth of somebody with a variant every 400 bases or so."""
    rng = np.random.default_rng(3)
    sequence = "".join(rng.choice(list("ACGT"), LENGTH))
    edits: list[list[tuple[int, str, str]]] = [[], []]
    records = []
    for pos in range(700, LENGTH - 700, 400):
        ref = sequence[pos - 1]
        alt = "ACGT"["ACGT".index(ref) - 1] if pos // 400 % 2 else ref + "".join(rng.choice(list("ACGT"), 4))
        carried = [(0,), (1,), (0, 1)][int(rng.integers(3))]
        for haplotype in carried:
            edits[haplotype].append((pos, ref, alt))
        records.append(("chr20", pos, ref, alt, ["|".join("1" if h in carried else "0" for h in (0, 1))]))
    Person(sequence, edits).sequenced(30, rng).write(folder, "a b", sample="somebody else")
    write_vcf(folder / "truth.vcf.gz", records, ["me"], {"chr20": LENGTH})
    (folder / "known.bed").write_text(f"chr20\t500\t{LENGTH - 500}\n")
    (folder / "samples.csv").write_text("sample,file,sex\nme,a b.bam,female\n")
    (folder / "truth.csv").write_text("sample,vcf,bed\nme,truth.vcf.gz,known.bed\n")


def write_known(path: Path, truth: Path) -> None:
    """The true variants with an ID and a number each."""
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=chr20>"]
    lines += ['##INFO=<ID=NUMBER,Number=1,Type=Integer,Description="Its number">']
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    with pysam.VariantFile(str(truth)) as variants:
        lines += [
            f"chr20\t{one.pos}\trs{number}\t{one.ref}\t{one.alts[0]}\t.\t.\tNUMBER={number}"
            for number, one in enumerate(variants)
        ]
    bgzip(path, "\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--annotate", "known.vcf.gz", "--annotate known.vcf.gz: write a name and a file"),
        ("--compare", "a=none.vcf.gz", "--compare a=none.vcf.gz: there is no file none.vcf.gz"),
        ("--compare", "a=a.bam,a=a.bam", "--compare a=a.bam,a=a.bam: a name is there twice"),
        ("--call_with", "a={sample}.vcf.gz", "--call_with a=ann.vcf.gz: there is no file ann.vcf.gz"),
    ],
)
def test_files_with_names_that_are_wrong_are_told(
    nextflow: Nextflow, option: str, value: str, message: str
) -> None:
    for name in ("a.bam", "ref.fa"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.bam\n")
    run = nextflow.pipeline(
        *("-stub", "--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa", option, value)
    )
    assert run.returncode != 0 and message in run.output, run.output


def test_variants_of_a_person_are_called_and_judged(nextflow: Nextflow) -> None:
    write_person(nextflow.folder)
    write_known(nextflow.folder / "known.vcf.gz", nextflow.folder / "truth.vcf.gz")
    shutil.copy(nextflow.folder / "truth.vcf.gz", nextflow.folder / "all of me.vcf.gz")
    pysam.tabix_index(str(nextflow.folder / "all of me.vcf.gz"), preset="vcf")
    run = nextflow.pipeline(
        *("--steps", "call", "--input", "samples.csv", "--fasta", "a b.fa", "--truth", "truth.csv"),
        *("--call_bases", "10000", "--annotate", "db=known.vcf.gz", "--annotate_fields", "NUMBER"),
        *("--compare", "perfect=truth.vcf.gz", "--call_with", "perfect=all of {sample}.vcf.gz"),
    )
    assert run.returncode == 0, run.output
    assert run.tasks["CALL_REGION"] == 3
    assert run.published == {
        "variants/me.vcf.gz",
        "variants/me.vcf.gz.tbi",
        "variants/me.g.vcf.gz",
        "variants/me.g.vcf.gz.tbi",
        "variants/cohort.vcf.gz",
        "variants/cohort.vcf.gz.tbi",
        "variants/evaluation.tsv",
        "variants/concordance.tsv",
        "report/multiqc_report.html",
    }
    report = (run.outdir / "report/multiqc_report.html").read_text()
    assert "Called variants" in report and "Against the truth" in report and "Beside other callers" in report
    with pysam.VariantFile(str(run.outdir / "variants/me.vcf.gz")) as calls:
        assert list(calls.header.samples) == ["me"]
        records = list(calls)
    positions = [record.pos for record in records]
    assert positions == sorted(positions) and len(positions) > 50
    assert sum(record.info.get("AGREE") == ("perfect",) for record in records) > 50
    for file in ("me", "cohort"):
        with pysam.VariantFile(str(run.outdir / f"variants/{file}.vcf.gz")) as calls:
            known = [record for record in calls if record.id]
        assert len(known) > 50
        assert all(record.info["db_NUMBER"] == (int(record.id.removeprefix("rs")),) for record in known)
    with (run.outdir / "variants/concordance.tsv").open(newline="") as table:
        shared = {
            (row["other"], row["type"], row["truth"]): row for row in csv.DictReader(table, delimiter="\t")
        }
    assert int(shared["perfect", "snp", "right"]["shared"]) > 20
    assert int(shared["perfect", "snp", "wrong"]["other_alone"]) == 0
    with (run.outdir / "variants/evaluation.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    for kind in ("snp", "indel"):
        figures = [row for row in rows if row["type"] == kind and row["stratum"] == "all"]
        assert len(figures) == 1 and float(figures[0]["f1"]) > 0.98, figures


def test_a_caller_is_trained_and_calls(nextflow: Nextflow) -> None:
    """What it learns from is told that some variants are none, so that it sees all kinds."""
    write_person(nextflow.folder)
    with pysam.VariantFile(str(nextflow.folder / "truth.vcf.gz")) as known:
        rows = [(r.chrom, r.pos, r.ref, r.alts[0], [r.samples[0]["GT"]]) for r in known]
    kept = [(*row[:4], ["|".join(map(str, row[4][0]))]) for n, row in enumerate(rows) if n % 4]
    write_vcf(nextflow.folder / "known.vcf.gz", kept, ["me"], {"chr20": LENGTH})
    (nextflow.folder / "training.csv").write_text(
        "sample,file,vcf,bed\nlearnt,a b.bam,known.vcf.gz,known.bed\n"
    )
    run = nextflow.pipeline(
        *("--steps", "call", "--input", "samples.csv", "--fasta", "a b.fa", "--call_bases", "15000"),
        *("--caller", "ensemble", "--caller_training", "training.csv", "--caller_epochs", "1"),
        *("--call_gaps", "learnt"),
    )
    assert run.returncode == 0, run.output
    assert run.tasks["LEARN_GAPS"] == 2
    assert run.tasks["MAKE_EXAMPLES"] == 2 and run.tasks["TRAIN_CALLER"] == 1
    sidecar = json.loads((run.outdir / "variants/caller/caller.json").read_text())
    assert sidecar["training"]["files"] == ["learnt.000001"]
    assert set(sidecar["held_out"]) == {"haplotypes", "rf", "gbm", "cnn", "ensemble"}
    with pysam.VariantFile(str(run.outdir / "variants/me.vcf.gz")) as calls:
        assert len([record for record in calls if record.filter.keys() == ["PASS"]]) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_to_learn_from_and_people_to_call(nextflow: Nextflow, language: str) -> None:
    for name in ("a.bam", "b.bam", "ref.fa", "truth.vcf.gz", "truth.bed"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.bam\n")
    (nextflow.folder / "training.csv").write_text("sample,file,vcf,bed\nbob,b.bam,truth.vcf.gz,truth.bed\n")
    options = ["--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa", "--caller", "cnn"]
    run = nextflow.pipeline("-stub", *options, "--caller_training", "training.csv", **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert (
        run.tasks["MAKE_EXAMPLES"] == 2 and run.tasks["TRAIN_CALLER"] == 1 and run.tasks["CALL_REGION"] == 2
    )
    assert "variants/caller/caller.json" in run.published


def test_training_files_that_are_missing_are_told(nextflow: Nextflow) -> None:
    for name in ("a.bam", "ref.fa", "truth.vcf.gz"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.bam\n")
    (nextflow.folder / "training.csv").write_text("sample,file,vcf,bed\nbob,a.bam,truth.vcf.gz,no.bed\n")
    run = nextflow.pipeline(
        *("-stub", "--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa"),
        *("--caller_training", "training.csv"),
    )
    assert run.returncode != 0
    assert "row 2, column bed: there is no file" in run.output


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_people_one_of_them_with_a_truth(nextflow: Nextflow, language: str) -> None:
    for name in ("a.bam", "b.cram", "ref.fa", "truth.vcf.gz"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file,sex\nann,a.bam,\nbob,b.cram,male\n")
    (nextflow.folder / "truth.csv").write_text("sample,vcf,bed\nbob,truth.vcf.gz,\n")
    options = ["--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa", "--truth", "truth.csv"]
    run = nextflow.pipeline("-stub", *options, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert run.tasks == {
        "CHECK_SHEET": 2,
        "CHECK_FASTA": 1,
        "CHECK_READS": 2,
        "CHECK_TRUTH": 1,
        "PLAN_CALLS": 2,
        "LEARN_GAPS": 2,
        "CALL_REGION": 4,
        "JOIN_CALLS": 2,
        "JOIN_GVCFS": 2,
        "PLAN_COHORT": 1,
        "GENOTYPE_REGION": 2,
        "JOIN_COHORT": 1,
        "EVALUATE_CALLS": 1,
        "COMBINE_EVALUATIONS": 1,
        "REPORT_TABLES": 1,
        "MULTIQC": 1,
    }
    names = ("ann", "bob", "ann.g", "bob.g", "cohort")
    called = {f"variants/{name}.vcf.gz{index}" for name in names for index in ("", ".tbi")}
    assert run.published == called | ALWAYS | {"variants/evaluation.tsv"}


def test_genotypes_are_not_called(nextflow: Nextflow) -> None:
    for name in ("a.vcf.gz", "ref.fa"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.vcf.gz\n")
    run = nextflow.pipeline("-stub", "--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa")
    assert run.returncode != 0
    assert "row 2, column file: a.vcf.gz holds genotypes already, and call starts from reads" in run.output
