"""Artificial people through the whole pipeline."""

import csv
import json
from pathlib import Path

import pytest

from tests.augmentation.panels import Founded
from tests.conftest import LANGUAGES, Nextflow
from tests.pipeline.test_stub import ALWAYS, ONE_COHORT, published_of

pytestmark = pytest.mark.pipeline

OWN = {
    f"augmentation/{name}"
    for name in (
        "generator.keras",
        "generator.json",
        "training.tsv",
        "synthetic.vcf.gz",
        "synthetic.vcf.gz.tbi",
        "labels.tsv",
        "quality.tsv",
    )
}
STUB = {
    "CHECK_SHEET": 1,
    "CHECK_UNPHASED": 1,
    "TRAIN_GENERATOR": 1,
    "GENERATE_PEOPLE": 1,
    "REPORT_TABLES": 1,
    "MULTIQC": 1,
}


def stub_inputs(folder: Path) -> list[str]:
    for name in ("a.vcf.gz", "panel.vcf.gz"):
        (folder / name).touch()
    (folder / "samples.csv").write_text("sample,file\none,a.vcf.gz\n")
    (folder / "labels.tsv").write_text("sample\tpopulation\tsuperpopulation\n")
    return ["-stub", "--panel", "panel.vcf.gz", "--panel_labels", "labels.tsv"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_panel_alone(nextflow: Nextflow, language: str) -> None:
    options = stub_inputs(nextflow.folder)
    run = nextflow.pipeline(
        *options, "--steps", "augment", "--augmentation_merge_small", "false", **LANGUAGES[language]
    )
    assert run.returncode == 0, run.output
    assert run.tasks == STUB
    logs = {"augmentation/training_info/events.out.tfevents.0"}
    assert run.published == OWN | ALWAYS | logs
    assert "--merge-small" not in run.scripts("TRAIN_GENERATOR")[0]


def test_imputation_with_and_without_them(nextflow: Nextflow) -> None:
    options = stub_inputs(nextflow.folder)
    run = nextflow.pipeline(*options, "--input", "samples.csv", "--steps", "augment,impute")
    assert run.returncode == 0, run.output
    twice = (
        "PACK_PANEL",
        "TRAIN_CHUNK",
        "IMPUTE_CHUNK",
        "JOIN_CHROMOSOME",
        "JOIN_SCORED",
        "ACCURACY",
        "COMBINE_ACCURACY",
    )
    expected = {name: number * (1 + (name in twice)) for name, number in ONE_COHORT.items()}
    own = {"TRAIN_GENERATOR": 1, "GENERATE_PEOPLE": 1, "COMPARE_ACCURACY": 1}
    assert run.tasks == expected | own
    assert OWN | published_of("one") | {"imputation/accuracy.tsv"} <= run.published
    region = nextflow.pipeline(
        *options, "--input", "samples.csv", "--steps", "augment,impute", "--augmentation_region", "20:1-9"
    )
    assert region.returncode != 0
    assert "--augmentation_region: with impute, artificial people cover what is imputed" in region.output


def test_people_are_made_and_imputed_from(nextflow: Nextflow) -> None:
    folder = nextflow.folder
    made = Founded(people=24, sites=260, founders=8)
    typed = folder / "typed"
    typed.mkdir()
    ours = [i for i in range(48) if i % 24 >= 4]
    panel, labels = made.write(folder, rows=ours)
    made.write(typed, rows=[i for i in range(48) if i % 24 < 4])
    (folder / "samples.csv").write_text("sample,file\nmine,typed/panel.vcf.gz\n")
    run = nextflow.pipeline(
        *("--steps", "augment,impute", "--input", "samples.csv", "--panel", panel, "--panel_labels", labels),
        *("--augmentation_label", "population", "--augmentation_people", "AAA=12,CCC=4,AAA+CCC=2"),
        *("--augmentation_steps", "5", "--mask_fraction", "0.2"),
    )
    assert run.returncode == 0, run.output
    with (run.outdir / "imputation/accuracy.tsv").open(newline="") as table:
        imputers = {row["imputer"] for row in csv.DictReader(table, delimiter="\t")}
    assert imputers == {"adaptive-copying", "adaptive-copying with artificial people"}
    rows = (run.outdir / "augmentation/labels.tsv").read_text().splitlines()
    assert len(rows) == 19 and rows[-1].split("\t")[:2] == ["SYN_AAA+CCC_0002", "AAA+CCC"]
    report = (run.outdir / "report/multiqc_report.html").read_text()
    for title in ("Quality beside plain generators", "LD, real | artificial", "with artificial people"):
        assert title in report


def test_populations_are_learnt_from_them_too(nextflow: Nextflow) -> None:
    folder = nextflow.folder
    made = Founded(people=30, sites=300, founders=8)
    typed = folder / "typed"
    typed.mkdir()
    panel, labels = made.write(folder, rows=[i for i in range(60) if i % 30 >= 3])
    made.write(typed, rows=[i for i in range(60) if i % 30 < 3])
    (folder / "samples.csv").write_text("sample,file\nmine,typed/panel.vcf.gz\n")
    options = [
        *("--steps", "augment,population", "--input", "samples.csv", "--panel", panel),
        *("--panel_labels", labels, "--augmentation_people", "AAA=20", "--augmentation_steps", "5"),
        *("--population_method", "svm", "--population_min_sites", "100", "--population_folds", "3"),
    ]
    refused = nextflow.pipeline(*options)
    assert refused.returncode != 0
    assert "--augmentation_label superpopulation: with population, artificial people" in refused.output
    run = nextflow.pipeline(*options, "--augmentation_label", "population", "--augmentation_held_out", "0.3")
    assert run.returncode == 0, run.output
    with (run.outdir / "population/mine.figures.tsv").open(newline="") as table:
        rows = {row["method"]: row for row in csv.DictReader(table, delimiter="\t")}
    assert {"svm", "svm+artificial"} <= rows.keys()
    held = json.loads((run.outdir / "augmentation/generator.json").read_text())["held_out"]
    assert {row["people"] for row in rows.values()} == {str(len(held))}
    report = (run.outdir / "report/multiqc_report.html").read_text()
    assert "linear SVM, with artificial people" in report
