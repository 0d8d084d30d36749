"""The whole pipeline with pretended tasks: who runs how often, and what is published."""

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import LANGUAGES, Nextflow

pytestmark = pytest.mark.pipeline

# The stub of PLAN makes two chunks of one chromosome and two batches.
ONE_COHORT = {
    "CHECK_SHEET": 2,
    "CHECK_PANEL": 1,
    "CHECK_TARGET": 1,
    "PLAN": 1,
    "PACK_PANEL": 2,
    "TRAIN_CHUNK": 2,
    "IMPUTE_CHUNK": 6,
    "JOIN_CHROMOSOME": 1,
    "JOIN_SCORED": 1,
    "ACCURACY": 1,
    "COMBINE_ACCURACY": 1,
    "REPORT_TABLES": 1,
    "MULTIQC": 1,
}
ALWAYS = {"report/multiqc_report.html"}


def published_of(cohort: str, form: str = "vcf.gz", index: str = "tbi") -> set[str]:
    return {
        f"inputs/{cohort}.chunks.tsv",
        f"inputs/{cohort}.harmonisation.tsv",
        f"inputs/{cohort}.qc.tsv",
        f"inputs/{cohort}.frequencies.tsv",
        f"inputs/{cohort}.people.tsv",
        f"imputation/{cohort}.20.{form}",
        f"imputation/{cohort}.20.{form}.{index}",
        f"imputation/{cohort}.20.sites.tsv.gz",
    }


def write_inputs(folder: Path, *cohorts: str, name: str = "target {}.vcf.gz") -> list[str]:
    """Sheets of files that are empty, as stubs do not look into them; the options that name them."""
    data = folder / "it's data"
    data.mkdir()
    rows = ["sample,file,index,sex"]
    for cohort in cohorts:
        (data / name.format(cohort)).touch()
        rows.append(f"{cohort},{name.format(cohort)},,")
    (data / "samples.csv").write_text("\n".join(rows) + "\n")
    (data / "panel.vcf.gz").touch()
    (data / "panel.csv").write_text("chrom,file,index\n20,panel.vcf.gz,\n")
    return ["--steps", "impute", "--input", str(data / "samples.csv"), "--panel", str(data / "panel.csv")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_cohort_scored_on_hidden_sites(nextflow: Nextflow, language: str) -> None:
    options = write_inputs(nextflow.folder, "cohort")
    chosen = ["--output_hds", "false", "--phased_output", "--batch_size", "7"]
    run = nextflow.pipeline("-stub", *options, *chosen, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    warnings = [line for line in run.output.splitlines() if line.startswith("WARN")]
    # The newer parser of 25.04 does not know labels in a configuration.
    assert [line for line in warnings if "Unrecognized config option 'process.with" not in line] == []
    assert run.tasks == ONE_COHORT
    assert run.published == published_of("cohort") | ALWAYS | {"imputation/accuracy.tsv"}
    assert "Done in" in run.output and "out/report/multiqc_report.html" in run.output
    taken = json.loads((run.outdir / "pipeline_info/params.json").read_text())
    assert (taken["batch_size"], taken["output_hds"], taken["phased_output"]) == (7, False, True)
    assert taken["imputer"] == "adaptive-copying"


def test_a_truth_replaces_hidden_sites_for_its_cohort_only(nextflow: Nextflow) -> None:
    options = write_inputs(nextflow.folder, "known", "unknown", "third")
    truth = nextflow.folder / "truth.csv"
    truth.write_text("sample,vcf,bed\nknown,it's data/panel.vcf.gz,\n")
    labels = nextflow.folder / "labels.tsv"
    labels.write_text("sample\tpopulation\tsuperpopulation\n")
    run = nextflow.pipeline("-stub", *options, "--truth", truth, "--panel_labels", labels)
    assert run.returncode == 0, run.output
    assert run.tasks == {
        **{name: 3 * count for name, count in ONE_COHORT.items()},
        "CHECK_SHEET": 4,
        "CHECK_PANEL": 1,
        "CHECK_TRUTH": 1,
        "IMPUTE_CHUNK": 16,
        "JOIN_SCORED": 2,
        "COMBINE_ACCURACY": 1,
        "REPORT_TABLES": 1,
        "MULTIQC": 1,
    }
    cohorts = published_of("known") | published_of("unknown") | published_of("third")
    assert run.published == cohorts | ALWAYS | {"imputation/accuracy.tsv"}


def test_nothing_scored_and_a_panel_without_a_sheet(nextflow: Nextflow) -> None:
    options = write_inputs(nextflow.folder, "cohort")[:-1]
    panel = nextflow.folder / "it's data" / "panel.vcf.gz"
    fasta = nextflow.folder / "reference.fa"
    fasta.touch()
    settings = ["--mask_fraction", "0", "--output_format", "bcf", "--fasta", fasta, "--exclude_outliers"]
    settings += ["--chunks", nextflow.folder / "it's data" / "panel.csv"]  # stubs do not look into it
    run = nextflow.pipeline("-stub", *options, panel, *settings)
    assert run.returncode == 0, run.output
    unscored = {"JOIN_SCORED", "ACCURACY", "COMBINE_ACCURACY"}
    assert run.tasks == {
        **{name: count for name, count in ONE_COHORT.items() if name not in unscored},
        "IMPUTE_CHUNK": 4,
        "CHECK_SHEET": 1,
        "CHECK_FASTA": 1,
        "EXCLUDE_SITES": 1,
        "EXCLUDE_FROM_SITES": 1,
    }
    assert run.published == published_of("cohort", "bcf", "csi") | ALWAYS
    check_run_information(run.outdir / "pipeline_info", run.tasks)


def check_run_information(folder: Path, tasks: dict[str, int]) -> None:
    """Everything that pipeline_info promises, for a run of these tasks."""
    reports = {"timeline.html", "report.html", "dag.html", "params.json", "software_versions.yml", "cost.tsv"}
    reports.add("trace.txt")
    assert {path.name for path in folder.iterdir()} == reports
    versions = (folder / "software_versions.yml").read_text()
    assert set(tasks) <= {line.rstrip(":") for line in versions.splitlines() if not line.startswith(" ")}
    with (folder / "cost.tsv").open(newline="") as table:
        costs = {row["process"].split(":")[-1]: row for row in csv.DictReader(table, delimiter="\t")}
    total = costs.pop("total")
    assert {name: int(row["tasks"]) for name, row in costs.items()} == tasks
    assert float(total["cost"]) == pytest.approx(sum(float(row["cost"]) for row in costs.values()), abs=1e-5)
    assert float(total["cpu_hours"]) > 0 and float(total["gpu_hours"]) == 0


# By the stub's two chunks and two batches: each compared imputer does what the chosen one does for the score.
COMPARED = {
    "TRAIN_CHUNK": 2 + 2 + 2,
    "IMPUTE_CHUNK": 4 + 2 + 2 + 2,
    "ENGINE_PANEL": 2,
    "ENGINE_TARGET": 2 + 2,
    "BEAGLE_CHUNK": 2,
    "MINIMAC4_CHUNK": 2,
    "ENGINE_OUTPUT": 2 + 2,
    "JOIN_SCORED": 5,
    "ACCURACY": 5,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_imputers_are_compared_on_what_is_scored_only(nextflow: Nextflow, language: str) -> None:
    options = write_inputs(nextflow.folder, "cohort")
    named = ["--compare_imputers", "beagle,minimac4,copying,knn"]
    run = nextflow.pipeline("-stub", *options, *named, **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert run.tasks == ONE_COHORT | COMPARED
    assert run.published == published_of("cohort") | ALWAYS | {"imputation/accuracy.tsv"}


def test_a_compared_imputer_imputes_a_cohort_with_a_truth_wholly(nextflow: Nextflow) -> None:
    options = write_inputs(nextflow.folder, "known")
    truth = nextflow.folder / "truth.csv"
    truth.write_text("sample,vcf,bed\nknown,it's data/panel.vcf.gz,\n")
    named = ["--imputer", "beagle", "--compare_imputers", "naive"]
    run = nextflow.pipeline("-stub", *options, "--truth", truth, *named)
    assert run.returncode == 0, run.output
    engines = {"ENGINE_PANEL": 2, "ENGINE_TARGET": 4, "BEAGLE_CHUNK": 4, "ENGINE_OUTPUT": 4}
    assert run.tasks == ONE_COHORT | engines | {
        "CHECK_SHEET": 3,
        "CHECK_TRUTH": 1,
        "TRAIN_CHUNK": 2,
        "IMPUTE_CHUNK": 4,
        "ACCURACY": 2,
    }
