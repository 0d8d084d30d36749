"""--phased_output: an unphased cohort comes out in phase, over chunks that were phased apart."""

import re

import numpy as np
import pysam
import pytest

from deepcohort.imputation.imputers import PHASING, Imputer
from deepcohort.imputation.models import KINDS, model
from tests.conftest import LANGUAGES, ROOT, Nextflow
from tests.pipeline.test_edge_input import ABSENT, MEN, TYPED_UNTIL, WOMEN, simulate, write_inputs

INPUTS = ("--steps", "impute", "--input", "samples.csv", "--panel", "panel.bcf", "--fasta", "ref.fa")


@pytest.mark.pipeline
def test_unphased_people_come_out_in_phase(nextflow: Nextflow) -> None:
    truth = simulate()
    write_inputs(nextflow.folder, truth)
    cut = ("--chunk_bases", "100000", "--overlap_bases", "20000", "--mask_fraction", "0")
    run = nextflow.pipeline(*INPUTS, *cut, "--phased_output", "--output_hds")
    assert run.returncode == 0, run.output
    assert run.tasks["IMPUTE_CHUNK"] > 1
    with pysam.VariantFile(str(run.outdir / "imputation/Köln.X.vcf.gz")) as vcf:
        assert "phase_at_borders" not in str(vcf.header)
        records = list(vcf)
    true = {}
    for (position, ref, alts), row in zip(
        truth.sites, truth.alleles[:, -2 * len(WOMEN) - len(MEN) :], strict=True
    ):
        for number, alt in enumerate(alts.split(","), 1):
            true[position, ref, alt] = row == number
    wrong = pairs = 0
    for person, name in enumerate(WOMEN):
        before = None
        for record in records:
            call = record.samples[name]
            assert call.phased and len(call["GT"]) == 2
            het = call["GT"][0] != call["GT"][1]
            assert het or call["PC"] is None
            copies = true[record.pos, record.ref, record.alts[0]][2 * person : 2 * person + 2]
            if het and copies.sum() == 1 and record.pos < TYPED_UNTIL and "TYPED" in record.info:
                agrees = bool(copies[0]) == bool(call["GT"][0])
                if before is not None:
                    assert 0.5 <= call["PC"] <= 1
                    wrong, pairs = wrong + (agrees != before), pairs + 1
                before = agrees
    assert pairs > 100
    assert wrong / pairs < 0.15
    for name in (*MEN, ABSENT):
        assert {record.samples[name]["PC"] for record in records if len(record.samples[name]["GT"]) == 1} <= {
            None
        }
    dosages = np.array([[sum(c["HDS"]) - c["DS"][0] for c in r.samples.values()] for r in records])
    assert np.abs(dosages).max() < 0.0021


@pytest.mark.pipeline
@pytest.mark.parametrize("language", ["v1", "v2"])
def test_an_imputer_that_cannot_phase_is_refused(nextflow: Nextflow, language: str) -> None:
    (nextflow.folder / "samples.csv").touch()
    files = ("--steps", "impute", "--input", "samples.csv", "--panel", "samples.csv")
    run = nextflow.pipeline(*files, "--imputer", "knn", "--phased_output", **LANGUAGES[language])
    assert run.returncode != 0
    message = (
        "--phased_output: --imputer knn does not phase people: leave it out, or take copying or adaptive"
    )
    assert message in run.output


def test_pipeline_and_package_agree_on_who_phases() -> None:
    text = (ROOT / "modules/imputation/phasing.nf").read_text()
    assert re.findall(r"'([a-z-]+)'", text) == list(PHASING)
    needing_torch = {Imputer.lstm, Imputer.gpt, Imputer.ensemble}
    assert [
        kind for kind in KINDS if kind not in needing_torch and hasattr(model(kind), "impute_with_phase")
    ] == list(PHASING)
