"""People together, through the whole pipeline: reads and gVCFs, to the cohort's VCF."""

from pathlib import Path

import numpy as np
import pysam
import pytest

from tests.conftest import LANGUAGES, Nextflow
from tests.variants.people import Person

pytestmark = pytest.mark.pipeline

LENGTH = 16_000


def write_family(folder: Path) -> dict[int, list[int]]:
    """Reads of three people over one reference, and how many copies each has by position."""
    rng = np.random.default_rng(7)
    sequence = "".join(rng.choice(list("ACGT"), LENGTH))
    haplotypes: list[list[tuple[int, str, str]]] = [[] for _ in range(6)]
    truth = {}
    for pos in range(700, LENGTH - 700, 200):
        ref = sequence[pos - 1]
        carried = rng.random(6) < 0.4
        for haplotype in np.flatnonzero(carried):
            haplotypes[haplotype].append((pos, ref, "ACGT"["ACGT".index(ref) - 1]))
        truth[pos] = carried.reshape(3, 2).sum(axis=1).tolist()
    for number, name in enumerate(("ann", "bob", "cyd")):
        person = Person(sequence, haplotypes[2 * number : 2 * number + 2]).sequenced(22, rng)
        person.write(folder, name, sample=f"{name} of the lab")
    return {pos: copies for pos, copies in truth.items() if any(copies)}


def copies_of(cohort: Path) -> tuple[list[str], dict[int, list[int]]]:
    with pysam.VariantFile(str(cohort)) as file:
        names = list(file.header.samples)
        found = {
            row.pos: [sum(row.samples[name]["GT"]) for name in names] for row in file if len(row.alts) == 1
        }
    return names, found


def test_reads_and_gvcfs_make_a_cohort(nextflow: Nextflow) -> None:
    truth = write_family(nextflow.folder)
    samples = nextflow.folder / "samples.csv"
    options = ["--steps", "call", "--input", "samples.csv", "--fasta", "ann.fa", "--call_bases", "7000"]
    samples.write_text("sample,file\ncyd,cyd.bam\nann,ann.bam\nbob,bob.bam\n")
    run = nextflow.pipeline(*options)
    assert run.returncode == 0, run.output
    assert run.tasks["CALL_REGION"] == 9 and run.tasks["GENOTYPE_REGION"] == 3
    names = {f"variants/{name}" for name in ("ann", "ann.g", "bob", "bob.g", "cyd", "cyd.g", "cohort")}
    published = {f"{name}.vcf.gz{index}" for name in names for index in ("", ".tbi")}
    assert run.published == published | {"report/multiqc_report.html"}
    people, found = copies_of(run.outdir / "variants/cohort.vcf.gz")
    assert people == ["ann", "bob", "cyd"]
    right = sum(found.get(pos) == copies for pos, copies in truth.items())
    assert right > 0.95 * len(truth) and len(found) < 1.05 * len(truth)
    assert "Genotyped together" in (run.outdir / "report/multiqc_report.html").read_text()

    # One comes as gVCF in a later run: the others' reads are called anew, the cohort is the same.
    given = nextflow.folder / "from elsewhere.g.vcf.gz"
    given.write_bytes((run.outdir / "variants/bob.g.vcf.gz").read_bytes())
    samples.write_text(f"sample,file\nann,ann.bam\nbob,{given.name}\ncyd,out/variants/cyd.g.vcf.gz\n")
    again = nextflow.pipeline(*options, "--outdir", "again")
    assert again.returncode == 0, again.output
    assert again.tasks["CHECK_GVCF"] == 2
    cohorts = [nextflow.folder / name / "variants/cohort.vcf.gz" for name in ("out", "again")]
    assert cohorts[0].read_bytes() == cohorts[1].read_bytes()
    assert not (nextflow.folder / "again/variants/bob.g.vcf.gz").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_gvcfs_alone(nextflow: Nextflow, language: str) -> None:
    for name in ("a.g.vcf.gz", "b.g.vcf.bgz", "ref.fa"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.g.vcf.gz\nbob,b.g.vcf.bgz\n")
    options = ["--steps", "call", "--input", "samples.csv", "--fasta", "ref.fa"]
    run = nextflow.pipeline("-stub", *options, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert run.tasks == {
        "CHECK_SHEET": 1,
        "CHECK_FASTA": 1,
        "CHECK_GVCF": 2,
        "PLAN_COHORT": 1,
        "GENOTYPE_REGION": 2,
        "JOIN_COHORT": 1,
        "REPORT_TABLES": 1,
        "MULTIQC": 1,
    }
    assert run.published == {
        "variants/cohort.vcf.gz",
        "variants/cohort.vcf.gz.tbi",
        "report/multiqc_report.html",
    }


@pytest.mark.parametrize(
    ("steps", "row", "message"),
    [
        (
            "call",
            "cohort,a.bam",
            "row 2, column sample: variants/cohort.vcf.gz holds everybody's genotypes: give this person",
        ),
        ("call,impute", "ann,a.g.vcf.gz", "row 2, column file: a.g.vcf.gz holds no genotypes of a cohort"),
    ],
)
def test_rows_that_cannot_be_joined(nextflow: Nextflow, steps: str, row: str, message: str) -> None:
    for name in ("a.g.vcf.gz", "a.bam", "ref.fa", "panel.vcf.gz"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text(f"sample,file\n{row}\n")
    options = ["--steps", steps, "--input", "samples.csv", "--fasta", "ref.fa", "--panel", "panel.vcf.gz"]
    run = nextflow.pipeline("-stub", *options)
    assert run.returncode != 0
    assert message in run.output
