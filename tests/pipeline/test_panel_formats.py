"""Panels that are no VCF, through the whole pipeline."""

from pathlib import Path

import numpy as np
import pgenlib
import pytest
from cyvcf2 import VCF

from tests.conftest import ROOT, Nextflow

pytestmark = pytest.mark.pipeline

DEMO = ROOT / "assets/demo"


def write_plink(folder: Path, panel: Path) -> None:
    """The panel as PLINK 2 has it, among sites of another chromosome."""
    vcf = VCF(str(panel))
    records = list(vcf)
    folder.mkdir()
    people = len(vcf.samples)
    with pgenlib.PgenWriter(
        str(folder / "all.pgen").encode(),
        people,
        variant_ct=len(records) + 1,
        nonref_flags=False,
        hardcall_phase_present=True,
        allele_ct_limit=max(len(record.ALT) for record in records) + 1,
    ) as writer:
        writer.append_alleles(np.zeros(2 * people, np.int32), all_phased=True)
        for record in records:
            codes = np.array(record.genotypes, np.int32)[:, :2]
            writer.append_alleles(
                np.ascontiguousarray(codes).ravel(), all_phased=True, allele_ct=len(record.ALT) + 1
            )
    rows = ["#CHROM\tPOS\tID\tREF\tALT\n", "19\t1\t.\tA\tC\n"]
    rows += [f"{r.CHROM}\t{r.POS}\t{r.ID or '.'}\t{r.REF}\t{','.join(r.ALT)}\n" for r in records]
    (folder / "all.pvar").write_text("".join(rows))
    (folder / "all.psam").write_text("".join(["#IID\n", *(f"{name}\n" for name in vcf.samples)]))


def options(folder: Path, panel: str) -> list[str]:
    sheet = folder / "panel.csv"
    sheet.write_text(f"chrom,file\n22,{panel}\n")
    return ["--steps", "impute", "--input", str(DEMO / "samples.csv"), "--panel", str(sheet)]


def test_a_panel_of_plink_2_gives_what_the_same_vcf_gives(nextflow: Nextflow) -> None:
    write_plink(nextflow.folder / "my panel", DEMO / "panel.22.vcf.gz")
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
