"""Input that is refused: the run fails, and its last words are the sentence that helps."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, Nextflow, Run
from tests.genotypes import Record, write_vcf

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
    require_sentence(run, sentence)
    assert not (nextflow.folder / "out/imputation").exists()


def require_sentence(run: Run, sentence: str) -> None:
    """The run failed, and after Nextflow's words on the task comes the sentence once more."""
    assert run.returncode != 0
    assert "Unexpected error" not in run.output and "Traceback" not in run.output
    lines = run.output[run.output.index("Launching") :].splitlines()
    stopped = next(number for number, line in enumerate(lines) if line.startswith("Stopped after"))
    # An error in the workflow itself is told just before, one of a task just after.
    around = lines[stopped - 3 :]
    assert any(sentence in line for line in around), run.output
    assert len(around) <= 8


def sites(start: int, alleles: str, mark: str = "|") -> list[Record]:
    """Sixty sites of two people, every thousand bases."""
    return [
        ("20", start + 1000 * i, alleles[0], alleles[1], [f"0{mark}1", f"{i % 2}{mark}1"]) for i in range(60)
    ]


PANEL = sites(5000, "AC")
PEOPLE = ["a", "b"]
REFUSED: dict[str, tuple[list[Record], list[Record], list[str], str]] = {
    "twice": (PANEL, sites(5000, "AC"), ["a", "a"], "target.vcf.gz: sample 'a' occurs twice in the header"),
    "unphased": (
        sites(5000, "AC", "/"),
        sites(5000, "AC"),
        PEOPLE,
        "panel.vcf.gz: the genotype of a at 20:5000 is not phased (0/1): a reference panel must be phased",
    ),
    "unsorted": (
        PANEL,
        sites(5000, "AC")[::-1],
        PEOPLE,
        "target.vcf.gz: record 2 at 20:63000 comes after 20:64000",
    ),
    "empty": (PANEL, [], PEOPLE, "target.vcf.gz: empty: the VCF has a header but no record"),
    "nothing shared": (PANEL, sites(5500, "AC")[:40], PEOPLE, "no site"),
    "two builds": (PANEL, sites(5000, "AG"), PEOPLE, "look like different genome builds on chromosome 20"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_genotypes_that_cannot_be_imputed_are_refused(nextflow: Nextflow, case: str) -> None:
    panel, target, people, sentence = REFUSED[case]
    write_vcf(nextflow.folder / "panel.vcf.gz", panel, PEOPLE)
    write_vcf(nextflow.folder / "target.vcf.gz", target, people, {"20": None})
    (nextflow.folder / "samples.csv").write_text("sample,file\ncohort,target.vcf.gz\n")
    run = nextflow.pipeline("--steps", "impute", "--input", "samples.csv", "--panel", "panel.vcf.gz")
    require_sentence(run, sentence)
    assert not (nextflow.folder / "out/imputation").exists()
