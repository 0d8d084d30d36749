"""Every imputer through the whole pipeline, on a small cohort of women and men."""

import csv
import json
import re
import shutil

import numpy as np
import pysam
import pytest

from tests.conftest import ROOT, Nextflow
from tests.pipeline.test_edge_input import PEOPLE, simulate, write_inputs

pytestmark = pytest.mark.pipeline

SCHEMA = json.loads((ROOT / "nextflow_schema.json").read_text())
IMPUTERS = SCHEMA["$defs"]["imputation"]["properties"]["imputer"]["enum"]
SMALL = [
    "--imputer_hidden",
    "8",
    "--imputer_layers",
    "1",
    "--imputer_epochs",
    "1",
    "--imputer_window",
    "100",
    "--imputer_flank",
    "20",
]
"""Networks that are trained in seconds: what they know is not asked here."""
TRAINED_STEP_BY_STEP = ("lstm", "gpt", "ensemble", "neural-copying")
DEFAULT = SCHEMA["$defs"]["imputation"]["properties"]["imputer"]["default"]


@pytest.mark.parametrize("imputer", [name for name in IMPUTERS if name != DEFAULT])
def test_imputer(nextflow: Nextflow, imputer: str) -> None:
    if imputer in ("beagle", "minimac4") and shutil.which(imputer) is None:
        pytest.skip(f"{imputer} is not installed (Debian's package {imputer})")
    truth = simulate()
    write_inputs(nextflow.folder, truth)
    run = nextflow.pipeline(
        *("--steps", "impute", "--input", "samples.csv", "--panel", "panel.bcf", "--fasta", "ref.fa"),
        *("--imputer", imputer, "--mask_fraction", "0.3", *SMALL),
        *("--imputer_checkpoints", nextflow.folder / "kept here"),
    )
    if imputer == "minimac4":  # some of these people are not phased
        assert run.returncode != 0
        assert "minimac4 imputes phased genotypes only" in run.output
        return
    assert run.returncode == 0, run.output
    with pysam.VariantFile(str(run.outdir / "imputation/Köln.X.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == PEOPLE
        records = list(vcf)
    dosages = np.array([[call["DS"][0] for call in record.samples.values()] for record in records])
    assert len(records) == sum(len(alt.split(",")) for _, _, alt in truth.sites)
    assert ((dosages >= 0) & (dosages <= 2)).all()
    assert len(np.unique(dosages)) > 2
    with (run.outdir / "imputation/accuracy.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert {(row["imputer"], row["source"]) for row in rows} == {(imputer, "masked")}
    assert (run.outdir / "report/multiqc_report.html").exists()
    kept = [path.parts for path in (nextflow.folder / "kept here").rglob("*.safetensors")]
    assert bool(kept) == (imputer in TRAINED_STEP_BY_STEP)
    assert all(any(re.fullmatch(rf"Köln\.X\..*\.{imputer}", part) for part in parts) for parts in kept)
