"""Real people and real weights: published predictions, haplotypes of bcftools, one gene end to end."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pysam.bcftools
import pytest

from deepcohort.expression.edits import reverse_complement
from deepcohort.expression.genes import Gene
from deepcohort.expression.people import Sequences
from deepcohort.expression.settings import Settings
from deepcohort.expression.xpresso import Xpresso
from deepcohort.genome.vcf import make_index

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
HERE = DATA / "expression"
WEIGHTS = HERE / "xpresso_mit/GM12878_trainepoch.06-0.5062.h5"
CEU = HERE / "eqtlcat_geuvadis_ceu89/derived"
PHASED = HERE / "1000g_eur_chr20_shapeit4"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not HERE.is_dir(), reason=f"real data is not there: {HERE} (set DEEPCOHORT_DATA)"),
]


def test_published_predictions():
    model = Xpresso(Settings(WEIGHTS))
    fasta = pysam.FastaFile(str(HERE / "reference_pieces/GRCh37_chr1_1-3400000.fa.gz"))
    texts, expected = [], []
    with (HERE / "xpresso_mit/chr1_GRCh37_expected_GM12878.tsv").open() as table:
        for row in csv.DictReader(table, delimiter="\t"):
            start = int(row["tss_1based_hg19"]) - 1
            left, right = (model.before, model.after) if row["strand"] == "+" else (model.after, model.before)
            text = fasta.fetch(fasta.references[0], start - left, start + right + 1).upper().encode()
            texts.append(text if row["strand"] == "+" else reverse_complement(text))
            expected.append(float(row["published_ref_pred"]))
    made = model.predict(np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1))
    assert len(made) == 14 and np.abs(made[:, 0] - expected).max() < 1e-4


def consensus(folder, vcf, fasta, person, haplotype, start, end):
    """A haplotype of a stretch (0-based, end excluded) by bcftools."""
    stretch = folder / f"{start}.fa"
    stretch.write_text(f">20:{start + 1}-{end}\n{fasta.fetch('20', start, end)}\n")
    pysam.faidx(str(stretch))
    told = pysam.bcftools.consensus("-f", str(stretch), "-H", str(haplotype), "-s", person, str(vcf))
    return "".join(told.split("\n")[1:])


@pytest.mark.parametrize("tss", [1_500_000, 2_203_000, 3_100_000])
def test_haplotypes_are_those_of_bcftools_consensus(tmp_path, tss):
    """Left and right of the start alone: the left part's length says where the start came to lie."""
    before, after, around = 6999, 3500, 1000
    start, end = tss - before - around, tss + after + 1 + around
    some = tmp_path / "some.vcf.gz"
    given = PHASED / "reference.vcf.gz"
    options = ("-r", f"20:{start + 1}-{end}", "-Oz", "-o", str(some), str(given))
    pysam.bcftools.view(*options, catch_stdout=False)
    make_index(some, tmp_path / "some.vcf.gz.tbi")
    sequences = Sequences(PHASED / "GRCh37.chr20_1-4Mb.fa.gz", [given], "20")
    found = sequences.of_gene(Gene("G", "G", "20", tss, "+", tss, tss + 1), before, after)
    counts = sequences.counts
    assert found is not None and counts["haplotypes_tss_deleted"] == counts["records_ref_mismatch"] == 0
    assert counts["haplotypes_unique"] == len(found.unique) > 20
    fasta = pysam.FastaFile(str(PHASED / "GRCh37.chr20_1-4Mb.fa.gz"))
    # People with different haplotypes, among them some whose sequence changed its length.
    for person in range(0, 300, 37):
        for haplotype in (0, 1):
            name = sequences.people[person]
            left = consensus(tmp_path, some, fasta, name, haplotype + 1, start, tss)
            right = consensus(tmp_path, some, fasta, name, haplotype + 1, tss, end)
            ours = found.unique[found.of[person, haplotype]].tobytes().decode()
            assert ours == left[-before:] + right[: after + 1]


@pytest.fixture(scope="module")
def one_gene(nextflow_of_module):
    """Results of the pipeline for 89 people, the gene whose reference is there, and one whose is not."""
    folder = nextflow_of_module.folder
    bed = CEU / "geuvadis_ceu89.expression.cqn.GRCh38.bed.gz"
    with gzip.open(bed, "rt") as lines:
        (folder / "e.bed").write_text("".join(next(lines) for _ in range(3)))
    (folder / "samples.csv").write_text(f"sample,file\nceu,{CEU / 'geuvadis_ceu89.GRCh38.vcf.gz'}\n")
    fasta = CEU / "GRCh38_chr1_window_1290000-1515000.fa.gz"
    run = nextflow_of_module.pipeline(
        *("--steps", "express", "--input", "samples.csv", "--fasta", fasta, "--expression_weights", WEIGHTS),
        *("--genes", "e.bed", "--expression", "e.bed"),
    )
    assert run.returncode == 0, run.output
    return run.outdir / "expression"


@pytest.mark.pipeline
def test_one_gene_of_89_people_end_to_end(one_gene):
    rows = pd.read_csv(one_gene / "evaluation.tsv", sep="\t").set_index(["split", "gene", "method"])
    score = rows.loc[("people", "ENSG00000224870", "xpresso")]
    assert score["people"] == 89 and score["r"] == pytest.approx(0.25, abs=0.01)
    assert score["low"] < score["r"] < score["high"]
    assert {"top_snp", "elastic_net", "combination"} <= set(rows.loc[("people", "ENSG00000142615")].index)
    assert rows.loc[("people", "ENSG00000224870", "combination"), "people"] == 89
    predictions = pd.read_parquet(one_gene / "predictions.parquet")
    columns = ["cohort", "gene", "person", "haplotype1", "haplotype2", "mean", "taught"]
    assert list(predictions) == columns and not predictions["taught"].any()
    assert len(predictions) == 89 and predictions["person"].nunique() == 89
    assert np.allclose(predictions["mean"], predictions[["haplotype1", "haplotype2"]].mean(axis=1))
    counts = pd.read_csv(one_gene / "counts.tsv", sep="\t").set_index("what")["count"]
    assert counts["genotypes_unphased_drawn"] == 241 and counts["genes_beyond_contig"] == 1
