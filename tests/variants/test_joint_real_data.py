"""A real trio and 24 real exomes genotyped together."""

import os
from pathlib import Path

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.variants.calls_vcf import call_region
from deepcohort.variants.joint import genotype_region
from deepcohort.variants.joint_sites import CERTAIN
from deepcohort.variants.mendelian import mendelian_errors
from deepcohort.variants.normalise import normalised

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WINDOWS = DATA / "variants/GRCh37.chr20.windows.fa.gz"
TRIO = ("HG001", "NA12891", "NA12892")
EXOMES = DATA / "variants/tp53_24samples"
SLICE = 7_572_000
"""Position of the slice's first base on chromosome 17."""

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not there: {DATA} (set DEEPCOHORT_DATA)"),
]


def together(folder, reads, fasta, region):
    """The cohort's VCF and everybody's own."""
    own = {name: (folder / f"{name}.vcf.gz", folder / f"{name}.g.vcf.gz") for name in reads}
    for name, bam in reads.items():
        call_region(bam, fasta, region, own[name][0], sample=name, gvcf=own[name][1])
    genotype_region([gvcf for _, gvcf in own.values()], fasta, region, folder / "cohort.vcf.gz")
    return folder / "cohort.vcf.gz", {name: calls for name, (calls, _) in own.items()}


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    reads = {name: DATA / f"variants/trio10kb.{name}.GRCh37.chr20_10.00_10.01Mb.bam" for name in TRIO}
    return together(tmp_path_factory.mktemp("trio"), reads, WINDOWS, "chr20:10000001-10010000")


@pytest.fixture(scope="module")
def exomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exomes")
    (fasta_of_slice,) = EXOMES.glob("*.fasta")
    bases = "".join(fasta_of_slice.read_text().splitlines()[1:])
    bams = {bam.stem: bam for bam in EXOMES.glob("*.bam")}
    with pysam.AlignmentFile(str(next(iter(bams.values())))) as file:
        length = file.get_reference_length("17")
    rest = length - SLICE + 1 - len(bases)
    fasta = folder / "padded.fa"
    fasta.write_text(">17\n" + "N" * (SLICE - 1) + bases + "N" * rest + "\n")
    pysam.samtools.faidx(str(fasta))
    return together(folder, bams, fasta, f"17:{SLICE}-{SLICE + len(bases) - 1}")


def alleles_of(record):
    """Each ALT in the shortest way; records of one position share the longest REF."""
    return [
        normalised(record.REF.encode(), record.POS - 1, record.POS, record.REF, alt) for alt in record.ALT
    ]


def test_nothing_is_lost_that_somebody_has(trio, exomes):
    for cohort, own in (trio, exomes):
        known = {allele for record in VCF(str(cohort)) for allele in alleles_of(record)}
        certain = 0
        for calls in own.values():
            for record in VCF(str(calls)):
                alleles = alleles_of(record)
                for number in set(record.genotypes[0][:-1]) - {0}:
                    if record.format("GQ")[0][0] >= CERTAIN:
                        assert alleles[number - 1] in known
                        certain += 1
        assert certain > 100


def test_the_trio_fits(trio, tmp_path):
    cohort, _ = trio
    (tmp_path / "trio.ped").write_text(f"f {' '.join(TRIO)} 2 0\n")
    rows = mendelian_errors(cohort, tmp_path / "trio.ped", None)
    assert sum(int(row["records"]) for row in rows) > 70
    assert sum(int(row["errors"]) for row in rows) <= 3
    assert sum(int(row["incomplete"]) for row in rows) == 0


def test_the_exomes_have_the_known_variants_of_tp53(exomes):
    cohort, _ = exomes
    found = {(record.POS, record.REF, record.ALT[0]): record for record in VCF(str(cohort))}
    common = found[7_579_472, "G", "C"]  # rs1042522
    assert common.INFO["AN"] == 48 and 0.6 < common.INFO["AF"] < 0.95
    assert (7_579_643, "CCCCCAGCCCTCCAGGT", "C") in found  # rs17878362
    assert min(np.min(record.INFO["HWE"]) for record in found.values()) > 1e-3
    missing = 0
    for record in found.values():
        none = record.format("DP")[:, 0] == 0
        unknown = record.genotype.array()[:, 0] == -1
        assert unknown[none].all()
        missing += int(none.sum())
    assert missing > 20
