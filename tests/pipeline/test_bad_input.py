"""Input that is refused: the run fails, and its last words are the sentence that helps."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, Nextflow

pytestmark = pytest.mark.pipeline

DEMO = ROOT / "assets/demo"


def truncate(folder: Path) -> str:
    (folder / "cut.vcf.gz").write_bytes((DEMO / "target.22.vcf.gz").read_bytes()[:5000])
    return "sample,file\ncohort,cut.vcf.gz\n"


def other_chromosome(folder: Path) -> str:
    shutil.copy(DEMO / "target.20.vcf.gz", folder)
    return "sample,file\ncohort,target.20.vcf.gz\n"


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        ("sample,path\ncohort,a.vcf.gz\n", "samples.csv: column file is missing"),
        (
            "sample,file\ncohort,a.vcf.gz\ncohort,b.vcf.gz\n",
            "samples.csv: row 3, column file: there is no file",
        ),
        ("sample,file\nperson,a.bam\n", "holds no genotypes of a cohort"),
        (truncate, "ERROR: cut.vcf.gz: truncated"),
        (other_chromosome, "20"),
    ],
    ids=["column", "path", "reads", "truncated", "chromosome"],
)
def test_bad_input_ends_in_a_sentence(nextflow: Nextflow, sheet: object, sentence: str) -> None:
    text = sheet(nextflow.folder) if callable(sheet) else sheet
    (nextflow.folder / "samples.csv").write_text(str(text))
    for name in ("a.vcf.gz", "a.bam"):
        (nextflow.folder / name).touch()
    panel = DEMO / "panel.22.vcf.gz"
    run = nextflow.pipeline("--steps", "impute", "--input", "samples.csv", "--panel", panel)
    assert run.returncode != 0
    assert "Stopped after" in run.output and "Unexpected error" not in run.output
    end = run.output[run.output.index("Launching") :]
    assert sentence in end, run.output
    assert not (nextflow.folder / "out/imputation").exists()
    assert "Traceback" not in run.output
