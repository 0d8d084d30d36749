"""The same genotypes as VCF and as PLINK 2 give the same sequences and predictions."""

import numpy as np
import pysam

from deepcohort.expression import outputs
from deepcohort.expression.genes import Gene
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.people import Sequences
from deepcohort.expression.predict import predictions
from deepcohort.expression.views import Averaged
from deepcohort.genome.vcf import make_index
from deepcohort.inputs.other_formats import convert_plink
from tests.expression.cohorts import OTHER, Additive
from tests.genotypes import write_plink, write_vcf

PEOPLE = [f"p{n}" for n in range(30)]


def write_cohort(folder):
    """Phased, unphased and missing genotypes of SNVs, indels and sites of three alleles."""
    rng = np.random.default_rng(5)
    reference = "".join(rng.choice(list("ACGT"), 1000))
    (folder / "r.fa").write_text(f">1\n{reference}\n")
    pysam.faidx(str(folder / "r.fa"))
    rows = []
    for n, place in enumerate(range(400, 600, 7)):
        base = reference[place]
        alts = [OTHER[base], [OTHER[OTHER[base]], base + "TT", "<DEL>"][n % 3]][: 1 + n % 2]
        pairs = np.sort(rng.integers(0, len(alts) + 1, (30, 2)), axis=1)
        marks = rng.choice(["|", "/"], 30)
        cells = [f"{a}{mark}{b}" for (a, b), mark in zip(pairs, marks, strict=True)]
        cells[n % 30] = "./."
        rows.append(("1", place + 1, base, ",".join(alts), cells))
    return write_vcf(folder / "v.vcf.gz", rows, PEOPLE, {"1": 1000})


def predicted(folder, vcf):
    """Bytes of the table of people, and what was counted."""
    make_index(vcf, vcf.with_name(f"{vcf.name}.tbi"))
    genes = [Gene(strand, strand, "1", 500, strand, 500, 501) for strand in "+-"]
    sequences = Sequences(folder / "r.fa", [vcf], "1")
    made = predictions("c", genes, sequences, Averaged(Additive(80, 60)), How(Mode.exact))
    outputs.write(made, folder / "p.parquet", None, None, None)
    return (folder / "p.parquet").read_bytes(), sequences.counts


def test_plink_2_and_vcf_give_the_same_bytes(tmp_path):
    vcf = write_cohort(tmp_path)
    convert_plink(*write_plink(tmp_path / "plink", vcf), None, tmp_path / "converted.vcf.gz")
    table, counts = predicted(tmp_path, vcf)
    again, counted = predicted(tmp_path, tmp_path / "converted.vcf.gz")
    assert table == again and counts == counted
    for what in ("genotypes_missing", "genotypes_unphased_drawn", "records_symbolic", "haplotypes_unique"):
        assert counts[what] > 3
