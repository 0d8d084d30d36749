"""People together, through the whole pipeline: reads and gVCFs, to the cohort's VCF."""

from pathlib import Path

import numpy as np
import pysam
import pytest

from deepcohort.variants.calls_vcf import call_region
from deepcohort.variants.joint import genotype_region
from tests.conftest import Nextflow
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
    folder = nextflow.folder
    truth = write_family(folder)
    for name in ("ann", "bob", "cyd"):
        out = folder / f"{name}.whole.vcf.gz"
        call_region(
            folder / f"{name}.bam",
            folder / "ann.fa",
            "chr20",
            out,
            sample=name,
            gvcf=folder / f"{name}.g.vcf.gz",
        )
    (folder / "bob's.g.vcf.gz").write_bytes((folder / "bob.g.vcf.gz").read_bytes())
    (folder / "samples.csv").write_text("sample,file\ncyd,cyd.bam\nann,ann.bam\nbob,bob's.g.vcf.gz\n")
    options = ["--steps", "call", "--input", "samples.csv", "--fasta", "ann.fa", "--call_bases", "9000"]
    run = nextflow.pipeline(*options)
    assert run.returncode == 0, run.output
    assert (run.tasks["CALL_REGION"], run.tasks["CHECK_GVCF"], run.tasks["GENOTYPE_REGION"]) == (4, 1, 2)
    names = {f"variants/{name}" for name in ("ann", "ann.g", "cyd", "cyd.g", "cohort")}
    published = {f"{name}.vcf.gz{index}" for name in names for index in ("", ".tbi")}
    assert run.published == published | {"report/multiqc_report.html"}
    assert "Genotyped together" in (run.outdir / "report/multiqc_report.html").read_text()

    # Where the genome was cut, and who came as gVCF, leaves no trace.
    variants = run.outdir / "variants"
    assert (variants / "ann.g.vcf.gz").read_bytes() == (folder / "ann.g.vcf.gz").read_bytes()
    people, found = copies_of(variants / "cohort.vcf.gz")
    assert people == ["ann", "bob", "cyd"]
    right = sum(found.get(pos) == copies for pos, copies in truth.items())
    assert right > 0.95 * len(truth) and len(found) < 1.05 * len(truth)
    gvcfs = [folder / f"{name}.g.vcf.gz" for name in people]
    genotype_region(gvcfs, folder / "ann.fa", "chr20", folder / "whole.vcf.gz")
    rows = [
        pysam.bcftools.view("-H", str(one)) for one in (folder / "whole.vcf.gz", variants / "cohort.vcf.gz")
    ]
    assert rows[0] == rows[1]


def test_gvcfs_alone(nextflow: Nextflow) -> None:
    for name in ("a.g.vcf.gz", "b.g.vcf.bgz", "ref.fa", "family.ped"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.g.vcf.gz\nbob,b.g.vcf.bgz\n")
    options = ["--input", "samples.csv", "--fasta", "ref.fa", "--pedigree", "family.ped"]
    run = nextflow.pipeline("-stub", "--steps", "call", *options)
    assert run.returncode == 0, run.output
    assert run.tasks == {
        "CHECK_SHEET": 1,
        "CHECK_FASTA": 1,
        "CHECK_GVCF": 2,
        "PLAN_COHORT": 1,
        "GENOTYPE_REGION": 2,
        "JOIN_COHORT": 1,
        "MENDELIAN": 1,
        "REPORT_TABLES": 1,
        "MULTIQC": 1,
    }
    cohort = {"variants/cohort.vcf.gz", "variants/cohort.vcf.gz.tbi", "variants/mendelian.tsv"}
    assert run.published == cohort | {"report/multiqc_report.html"}


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
