"""The bundled cohort, imputed for real: few runs, which the tests share (pytest-xdist: --dist loadfile)."""

import csv
import hashlib
from pathlib import Path

import pysam
import pytest

from tests.conftest import ROOT, Nextflow, Run

pytestmark = pytest.mark.pipeline

DEMO = ROOT / "assets/demo"
CHROMOSOMES = ("20", "22")


@pytest.fixture(scope="module")
def demo(nextflow_of_module: Nextflow) -> Run:
    """``make demo``: both chromosomes, scored against the truth."""
    run = nextflow_of_module.pipeline("-profile", "test")
    assert run.returncode == 0, run.output
    return run


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One chromosome of the same cohort with the same settings but no truth, in a work folder of its own."""
    nextflow = Nextflow(tmp_path_factory.mktemp("masked"))
    settings = ["--chunk_bases", "1000000", "--batch_size", "50", "--genetic_map", DEMO / "genetic_map"]
    sheets = ["--input", DEMO / "samples.csv", "--panel", DEMO / "panel.csv"]
    run = nextflow.pipeline("--steps", "impute", "--regions", "22:1-100000000", *sheets, *settings)
    assert run.returncode == 0, run.output
    return run


def accuracy(run: Run) -> list[dict[str, str]]:
    with (run.outdir / "imputation/accuracy.tsv").open(newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def test_accuracy_is_far_above_the_panel_frequency(demo: Run) -> None:
    floors = {"0.1-0.5%": 0.6, "0.5-1%": 0.75, "1-5%": 0.88, "5-20%": 0.95, "20-50%": 0.97}
    rows = {row["maf_bin"]: row for row in accuracy(demo) if row["population"] == "all"}
    assert set(rows) == set(floors)
    for maf_bin, floor in floors.items():
        row = rows[maf_bin]
        assert row["source"] == "truth"
        assert float(row["r2"]) > floor, f"{maf_bin}: {row['r2']}"
        assert float(row["r2_low"]) < float(row["r2"]) < float(row["r2_high"])
        assert float(row["baseline_r2"]) < 0.2


def test_populations_of_the_labels_are_scored(demo: Run) -> None:
    assert {row["population"] for row in accuracy(demo)} >= {"all", "AFR", "EUR", "EAS"}


def test_everything_is_published(demo: Run) -> None:
    assert demo.published == {
        "report/multiqc_report.html",
        "imputation/accuracy.tsv",
        *(f"inputs/demo.{table}.tsv" for table in ("chunks", "harmonisation", "qc", "frequencies", "people")),
        *(f"imputation/demo.{chrom}.vcf.gz{index}" for chrom in CHROMOSOMES for index in ("", ".tbi")),
        *(f"imputation/demo.{chrom}.sites.tsv.gz" for chrom in CHROMOSOMES),
    }
    report = (demo.outdir / "report/multiqc_report.html").read_text()
    assert "R²" in report or "R2" in report


@pytest.mark.parametrize("chrom", CHROMOSOMES)
def test_genotypes_hold_every_panel_site_and_person_in_order(demo: Run, chrom: str) -> None:
    with (
        pysam.VariantFile(str(demo.outdir / f"imputation/demo.{chrom}.vcf.gz")) as imputed,
        pysam.VariantFile(str(DEMO / f"target.{chrom}.vcf.gz")) as target,
        pysam.VariantFile(str(DEMO / f"panel.{chrom}.vcf.gz")) as panel,
    ):
        assert list(imputed.header.samples) == list(target.header.samples)
        found = [(record.pos, record.ref, record.alts, record.id) for record in imputed]
        expected = [(record.pos, record.ref, (alt,)) for record in panel for alt in record.alts or ()]
    assert [site[:3] for site in found] == expected


def test_resume_computes_nothing_again(demo: Run, nextflow_of_module: Nextflow) -> None:
    again = nextflow_of_module.pipeline("-profile", "test", "-resume")
    assert again.returncode == 0, again.output
    assert {row["status"] for row in again.trace} == {"CACHED"}
    assert again.tasks == demo.tasks


def test_two_runs_give_the_same_bytes(demo: Run, masked: Run) -> None:
    assert masked.tasks["JOIN_CHROMOSOME"] == 1
    assert digests(masked.outdir / "imputation") == {
        name: digest for name, digest in digests(demo.outdir / "imputation").items() if ".22." in name
    }


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.name.startswith("demo.")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_without_a_truth_hidden_sites_are_scored(masked: Run) -> None:
    rows = [row for row in accuracy(masked) if row["population"] == "all"]
    assert rows and {row["source"] for row in rows} == {"masked"}
    assert {int(row["people"]) for row in rows} == {30}, "the first of two batches"
    assert all(float(row["r2"]) > 0.6 for row in rows if row["maf_bin"] in ("5-20%", "20-50%"))
