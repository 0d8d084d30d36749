"""Genotypes to populations, through the whole pipeline."""

import csv
import shutil
from pathlib import Path

import pysam
import pytest

from tests.conftest import LANGUAGES, Nextflow
from tests.pipeline.test_stub import ALWAYS, published_of
from tests.population.people import Simulated

pytestmark = pytest.mark.pipeline

TABLES = {"populations", "population.probs", "population.names", "figures.tsv", "confusion.tsv"}
ALL_COHORTS = {"assignments.tsv", "panel_recommendation.tsv", "panel.samples.txt"}


def write_inputs(folder: Path) -> list[str | Path]:
    """A panel of three populations, and six other people of them as the cohort."""
    made = Simulated(
        people=20, sites=240, drift=(0.3, 0.1), home={"AAA": "EAST", "BBB": "EAST", "CCC": "WEST"}
    )
    ours = [i for i in range(60) if i % 20 >= 2]
    made.write_vcf(folder / "the panel.vcf.gz", ours)
    made.write_vcf(folder / "people.vcf.gz", [i for i in range(60) if i % 20 < 2], turned={4, 9})
    made.write_labels(folder / "labels.tsv", ours)
    (folder / "samples.csv").write_text("sample,file\nmine,people.vcf.gz\n")
    return [
        *("--steps", "population", "--input", "samples.csv", "--panel", folder / "the panel.vcf.gz"),
        *(
            "--panel_labels",
            "labels.tsv",
            "--population_min_sites",
            "100",
            "--population_epochs",
            "3",
            "--population_folds",
            "2",
        ),
    ]


def test_people_are_assigned_by_networks_and_plain_models(nextflow: Nextflow) -> None:
    options = write_inputs(nextflow.folder)
    run = nextflow.pipeline(*options, "--population_subset")
    assert run.returncode == 0, run.output
    assert run.tasks["TRAIN_WINDOW"] == 2 and run.tasks["CHECK_UNPHASED"] == 1
    folder = run.outdir / "population"
    assert {f"mine.{kind}" for kind in TABLES} | ALL_COHORTS <= {path.name for path in folder.iterdir()}
    with (folder / "assignments.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert len(rows) == 6 and all(row["superpopulation"] in ("EAST", "WEST") for row in rows)
    assert sum(row["sample"].startswith(row["population"]) for row in rows) >= 5
    networks = {path.name for path in (folder / "mine_net").iterdir()}
    assert len(networks) == 2 * 2 * 2 and all(name.endswith((".keras", ".json")) for name in networks)
    with pysam.VariantFile(str(folder / "panel/panel.vcf.gz")) as subset:
        assert list(subset.header.samples) == (folder / "panel.samples.txt").read_text().split()
        assert len(list(subset)) == 240
    report = (run.outdir / "report/multiqc_report.html").read_text()
    for title in ("Methods beside each other", "Principal components", "Confusion of held-out people"):
        assert title in report
    shutil.copytree(folder / "mine_net", nextflow.folder / "nets")
    known = nextflow.pipeline(*options, "--population_weights", "nets")
    assert known.returncode == 0, known.output
    assert all("nets" in script for script in known.scripts("TRAIN_WINDOW"))


STUB = {
    "CHECK_SHEET": 2,
    "CHECK_UNPHASED": 1,
    "CHECK_TARGET": 2,
    "PLAN": 2,
    "GATHER_COHORT": 2,
    "TRAIN_WINDOW": 4,
    "ASSIGN_POPULATIONS": 2,
    "COLLECT_POPULATIONS": 1,
    "REPORT_TABLES": 1,
    "MULTIQC": 1,
}
IMPUTED = {
    "CHECK_PANEL": 1,
    "PACK_PANEL": 4,
    "TRAIN_CHUNK": 4,
    "IMPUTE_CHUNK": 12,
    "JOIN_CHROMOSOME": 2,
    "JOIN_SCORED": 2,
    "ACCURACY": 2,
    "COMBINE_ACCURACY": 1,
}


def stub_inputs(folder: Path) -> list[str]:
    for name in ("a.vcf.gz", "b.bcf", "panel.vcf.gz"):
        (folder / name).touch()
    (folder / "samples.csv").write_text("sample,file\none,a.vcf.gz\ntwo,b.bcf\n")
    (folder / "labels.tsv").write_text("sample\tpopulation\tsuperpopulation\n")
    return ["-stub", "--input", "samples.csv", "--panel", "panel.vcf.gz", "--panel_labels", "labels.tsv"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_cohorts(nextflow: Nextflow, language: str) -> None:
    options = stub_inputs(nextflow.folder)
    run = nextflow.pipeline(*options, "--steps", "population", **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert run.tasks == STUB
    own = {f"population/{cohort}.{kind}" for cohort in ("one", "two") for kind in TABLES}
    own |= {
        f"population/{cohort}_{kind}"
        for cohort in ("one", "two")
        for window in ("20.1-2", "20.3-4")
        for kind in (f"net/{window}.fold1.keras", f"training_info/{window}.history.tsv")
    }
    plans = {name for cohort in ("one", "two") for name in published_of(cohort) if name.startswith("inputs/")}
    assert run.published == own | plans | ALWAYS | {f"population/{name}" for name in ALL_COHORTS}


def test_a_plain_method_trains_nothing_and_its_people_are_imputed_from(nextflow: Nextflow) -> None:
    options = stub_inputs(nextflow.folder)
    run = nextflow.pipeline(*options, "--steps", "population,impute", "--population_method", "svm")
    assert run.returncode == 0, run.output
    absent = ("CHECK_UNPHASED", "TRAIN_WINDOW")
    assert run.tasks == {name: number for name, number in STUB.items() if name not in absent} | IMPUTED
    assert all("panel.samples.txt" in script for script in run.scripts("PACK_PANEL"))


def test_what_population_cannot_start_from(nextflow: Nextflow) -> None:
    options = stub_inputs(nextflow.folder)
    given = nextflow.pipeline(*options, "--steps", "population", "--panel_samples", "labels.tsv")
    assert given.returncode != 0
    assert "--panel_samples: --steps population chooses people of the panel itself" in given.output
    (nextflow.folder / "a.bam").touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\none,a.bam\n")
    reads = nextflow.pipeline(*options, "--steps", "population")
    assert reads.returncode != 0
    assert "row 2, column file: a.bam holds no genotypes of a cohort, which population starts" in reads.output


def test_people_who_come_as_reads_are_called_and_assigned(nextflow: Nextflow) -> None:
    options = stub_inputs(nextflow.folder)
    for name in ("a.bam", "b.bam", "ref.fa"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.bam\nben,b.bam\n")
    told = nextflow.pipeline(*options, "--steps", "call,population")
    assert told.returncode != 0 and "--steps call,population needs --fasta." in told.output
    run = nextflow.pipeline(*options, "--steps", "call,population", "--fasta", "ref.fa")
    assert run.returncode == 0, run.output
    tasks = ("READS_LIKELIHOODS", "MERGE_LIKELIHOODS", "GATHER_COHORT", "JOIN_CALLS", "JOIN_COHORT")
    assert [run.tasks[name] for name in tasks] == [2, 1, 1, 2, 1]
    assert {"population/reads.populations", "variants/cohort.vcf.gz"} <= run.published
