"""Genotypes that are no VCF, through the whole pipeline."""

from pathlib import Path

import numpy as np
import pytest
from cyvcf2 import VCF

from tests.conftest import ROOT, Nextflow
from tests.genotypes import write_plink

pytestmark = pytest.mark.pipeline

DEMO = ROOT / "assets/demo"


def options(folder: Path, panel: str) -> list[str]:
    sheet = folder / "panel.csv"
    sheet.write_text(f"chrom,file\n22,{panel}\n")
    return ["--steps", "impute", "--input", str(DEMO / "samples.csv"), "--panel", str(sheet)]


def test_a_panel_of_plink_2_gives_what_the_same_vcf_gives(nextflow: Nextflow) -> None:
    (nextflow.folder / "my panel").mkdir()
    write_plink(nextflow.folder / "my panel/all", DEMO / "panel.22.vcf.gz")
    chosen = ["--imputer", "naive", "--regions", "22:1-1500000", "--mask_fraction", "0"]
    run = nextflow.pipeline(*options(nextflow.folder, "my panel/all.pgen"), *chosen)
    assert run.returncode == 0, run.output
    assert run.tasks["CONVERT_PANEL"] == 1
    panel = {
        (record.POS, record.REF, alt): (np.array(record.genotypes)[:, :2] == allele).mean()
        for record in VCF(str(DEMO / "panel.22.vcf.gz"))
        for allele, alt in enumerate(record.ALT, 1)
        if record.POS <= 1_500_000
    }
    imputed = {
        (record.POS, record.REF, record.ALT[0]): record.INFO["RAF"]
        for record in VCF(str(run.outdir / "imputation/demo.22.vcf.gz"))
    }
    assert imputed == pytest.approx(panel, abs=1e-4)


def test_haplotypes_of_impute_and_what_they_need_beside_them(nextflow: Nextflow) -> None:
    for name in ("p.hap.gz", "p.legend.gz"):
        (nextflow.folder / name).touch()
    without = nextflow.pipeline("-stub", *options(nextflow.folder, "p.hap.gz"))
    assert without.returncode != 0
    said = "row 2, column file: p.hap.gz needs p.sample or p.samples or p.sample.gz beside it"
    assert said in without.output
    (nextflow.folder / "p.samples").touch()
    run = nextflow.pipeline("-stub", *options(nextflow.folder, "p.hap.gz"))
    assert run.returncode == 0, run.output
    assert run.tasks["CONVERT_PANEL"] == run.tasks["CHECK_PANEL"] == 1


def test_a_cohort_of_plink_2_and_what_it_needs_beside_it(nextflow: Nextflow) -> None:
    for name in ("a.pgen", "a.psam", "b.vcf.gz", "ref.fa", "genes.gtf", "w.h5"):
        (nextflow.folder / name).touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\none,a.pgen\none,b.vcf.gz\n")
    chosen = ["--steps", "express", "--input", "samples.csv", "--fasta", "ref.fa", "--genes", "genes.gtf"]
    without = nextflow.pipeline("-stub", *chosen, "--expression_weights", "w.h5")
    assert without.returncode != 0
    assert "row 2, column file: a.pgen needs a.pvar or a.pvar.zst beside it" in without.output
    (nextflow.folder / "a.pvar.zst").touch()
    run = nextflow.pipeline("-stub", *chosen, "--expression_weights", "w.h5")
    assert run.returncode == 0, run.output
    assert (run.tasks["CONVERT_TARGET"], run.tasks["CHECK_TARGET"]) == (1, 2)
