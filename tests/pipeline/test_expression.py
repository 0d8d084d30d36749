"""Genotypes to predicted expression, through the whole pipeline."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest

from deepcohort.expression.study import Kind, load_study
from deepcohort.expression.xpresso import SHAPES
from tests.conftest import LANGUAGES, Nextflow, Run
from tests.genotypes import write_vcf
from tests.pipeline.test_stub import ALWAYS

pytestmark = pytest.mark.pipeline

OURS = {"predictions.parquet", "tracks.parquet", "variant_effects.parquet", "cohort.h5ad", "counts.tsv"}
OURS |= {"modes.tsv", "notes.tsv"}
STUBBED = OURS | {"cohort.expression.bedgraph", "cohort.expression.bw"}
MEASURED = {"evaluation.tsv", "evaluation_summary.tsv", "shown.tsv", "loci.tsv"}
WEIGHTS = {
    f"{name}.{kind}" for name in ("elastic_net", "combination") for kind in ("db", "covariances.txt.gz")
}

GTF = """20\tsim\tgene\t15001\t18000\t.\t+\t.\tgene_id "ENSG01.2"; gene_name "ONE";
20\tsim\tgene\t22001\t26000\t.\t-\t.\tgene_id "ENSG02"; gene_name "TWO";
20\tsim\tgene\t26001\t27000\t.\t.\t.\tgene_id "ENSG03";
20\tsim\tgene\t90001\t91000\t.\t+\t.\tgene_id "ENSG04";
"""


def write_inputs(folder: Path) -> list[str | Path]:
    """40 people, 30 variants on 40,000 bases; the fifth makes the expression of the first gene."""
    rng = np.random.default_rng(3)
    bases = "".join(rng.choice(list("ACGT"), 40_000))
    (folder / "ref.fa").write_text(f">chr20\n{bases}\n")
    people = [f"p{n}" for n in range(40)]
    records, dosages = [], []
    for n in range(30):
        pos = 12_000 + 400 * n
        alleles = rng.binomial(1, 0.4, (40, 2))
        dosages.append(alleles.sum(axis=1))
        ref = bases[pos - 1]
        cells = [f"{one}|{other}" for one, other in alleles]
        records.append(("20", pos, ref, "ACGT"[("ACGT".index(ref) + 1) % 4], cells))
    write_vcf(folder / "people.vcf.gz", records, people, {"20": 40_000})
    (folder / "samples.csv").write_text("sample,file\nmine,people.vcf.gz\n")
    (folder / "genes.gtf").write_text(GTF)
    arrays = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in SHAPES.items()}
    np.savez(folder / "weights.npz", **arrays)
    values = np.array([dosages[5] + rng.normal(0, 0.4, 40), rng.normal(5, 1, 40)])
    rows = [
        f"20\t{start}\t{start + 1}\t{gene}\t" + "\t".join(f"{value:.4f}" for value in row)
        for start, gene, row in ((15_000, "ENSG01", values[0]), (25_999, "ENSG02", values[1]))
    ]
    header = "#chr\tstart\tend\tgene_id\t" + "\t".join(people)
    (folder / "e.bed").write_text("\n".join([header, *rows]) + "\n")
    with closing(sqlite3.connect(folder / "their weights.db")) as database:
        database.execute("CREATE TABLE weights (gene, rsid, varID, ref_allele, eff_allele, weight)")
        cells = ("ENSG01.4", "rs1", f"chr20_14000_{records[5][2]}_{records[5][3]}_b38", *records[5][2:4], 1.0)
        database.execute("INSERT INTO weights VALUES (?, ?, ?, ?, ?, ?)", cells)
        database.commit()
    (folder / "families.ped").write_text("".join(f"f p{n} p8 p9 0 0\n" for n in range(4)))
    age = "\t".join(str(age) for age in rng.integers(20, 80, 40))
    (folder / "covariates.tsv").write_text("id\t" + "\t".join(people) + f"\nage\t{age}\n")
    return [
        *("--steps", "express", "--input", "samples.csv", "--fasta", "ref.fa", "--genes", "genes.gtf"),
        *("--expression_weights", "weights.npz"),
    ]


@pytest.fixture(scope="module")
def whole(nextflow_of_module: Nextflow) -> Run:
    options = write_inputs(nextflow_of_module.folder)
    measured = ["--expression", "e.bed", "--covariates", "covariates.tsv", "--expression_shard_genes", "2"]
    bases = (nextflow_of_module.folder / "ref.fa").read_text().split("\n")[1]
    (nextflow_of_module.folder / "listed ones.tsv").write_text(
        f"chrom\tpos\tref\talt\nchr20\t15100\t{bases[15_099]}\t{bases[15_099]}TTT\n"
    )
    measured += ["--expression_variants", "listed ones.tsv"]
    measured += ["--expression_baseline", "their weights.db", "--pedigree", "families.ped"]
    run = nextflow_of_module.pipeline(*options, *measured)
    assert run.returncode == 0, run.output
    return run


def test_people_are_predicted_and_compared_with_what_was_measured(whole: Run) -> None:
    assert whole.tasks["PREDICT_GENES"] == whole.tasks["FIT_BASELINES"] == whole.tasks["EVALUATE_GENES"] == 2
    folder = whole.outdir / "expression"
    drawn = {f"{name}.expression.{kind}" for name in ("mine", "listed_ones") for kind in ("bedgraph", "bw")}
    weights = {f"mine.{kind}" for kind in WEIGHTS}
    assert {path.name for path in folder.iterdir()} == OURS | MEASURED | weights | drawn
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert predictions.groupby("gene").size().to_dict() == {"ENSG01": 40, "ENSG02": 40}
    assert predictions.groupby("gene")["mean"].nunique().min() > 5
    with h5py.File(folder / "cohort.h5ad") as file:
        people, genes = (file[axis]["_index"].asstr()[:].tolist() for axis in ("obs", "var"))
        kept = file["layers/xpresso"][:]
    table = predictions.pivot(index="person", columns="gene", values="mean")
    assert np.allclose(kept, table.loc[people, genes])
    effects = pd.read_parquet(folder / "variant_effects.parquet")
    listed = effects[effects["cohort"] == "listed ones"]
    assert set(listed["gene"]) == {"ENSG01"} and set(listed["pos"]) == {15_100}
    assert listed["effect"].abs().min() > 0
    with pyBigWig.open(str(folder / "listed_ones.expression.bw")) as drawn_one:
        assert drawn_one.chroms() == {"chr20": 40_000}
        (found,) = drawn_one.intervals("chr20")
    assert found[:2] == (15_099, 15_100) and found[2] == pytest.approx(listed["effect"].iloc[0], rel=1e-5)
    scores = pd.read_csv(folder / "evaluation.tsv", sep="\t").set_index(["gene", "split", "group", "method"])
    assert scores.loc[("ENSG01", "people", "all", "elastic_net"), "r"] > 0.6
    assert abs(scores.loc[("ENSG01", "permuted", "all", "elastic_net"), "r"]) < 0.5
    assert ("ENSG02", "people", "all", "xpresso") in scores.index
    assert scores.loc[("ENSG01", "people", "all", "combination"), "r"] > 0.6
    summary = pd.read_csv(folder / "evaluation_summary.tsv", sep="\t").set_index("split")
    assert summary.loc["across_genes", "note"] == "fewer than 3 genes"


def test_weights_of_the_users_are_measured_beside_the_others(whole: Run) -> None:
    scores = pd.read_csv(whole.outdir / "expression/evaluation.tsv", sep="\t")
    given = scores[scores["method"] == "predictdb"].set_index(["split", "gene"])["r"]
    assert set(given.index) == {("people", "ENSG01"), ("permuted", "ENSG01")}
    assert given["people", "ENSG01"] > 0.7 and abs(given["permuted", "ENSG01"]) < 0.5


def test_relatives_are_held_out_together(whole: Run) -> None:
    (folder,) = {row["workdir"] for row in whole.trace if row["process"].endswith("PREPARE_EXPRESSION")}
    study = load_study(Path(folder) / "mine.study.npz")
    family = [study.people.index(f"p{n}") for n in (0, 1, 2, 3, 8, 9)]
    folds = [split.held[family] for split in study.splits if split.kind is Kind.people]
    assert len(folds) == 5 and sorted(held.sum() for held in folds) == [0, 0, 0, 0, 6]


def test_what_was_dropped_is_counted_and_told(whole: Run) -> None:
    with (whole.outdir / "expression/counts.tsv").open(newline="") as table:
        counts = {row["what"]: int(row["count"]) for row in csv.DictReader(table, delimiter="\t")}
    assert (counts["genes"], counts["genes_unstranded"], counts["genes_beyond_contig"]) == (4, 1, 1)
    report = (whole.outdir / "report/multiqc_report.html").read_text()
    for title in (
        "Sequence model beside elastic net",
        "Effects along genes",
        "Genes by rank",
        "Predicted and measured",
        "Signs",
    ):
        assert title in report
    assert "1 genes without a strand" in report and "no sign on trust" in report


def test_weights_are_read_as_other_programs_read_them(whole: Run) -> None:
    database = sqlite3.connect(whole.outdir / "expression/mine.elastic_net.db")
    rows = database.execute("SELECT varID, ref_allele, eff_allele, weight FROM weights WHERE gene = 'ENSG01'")
    best = max(rows, key=lambda row: abs(row[3]))
    fasta = pysam.FastaFile(str(whole.folder / "ref.fa"))
    assert best[:2] == (f"chr20_14000_{best[1]}_{best[2]}", fasta.fetch("chr20", 13_999, 14_000))
    assert best[3] > 0.3
    (name, number, r2) = database.execute(
        'SELECT genename, "n.snps.in.model", "pred.perf.R2" FROM extra WHERE gene = "ENSG01"'
    ).fetchone()
    assert name == "ONE" and number >= 1 and r2 > 0.4


STUB = {
    "CHECK_FASTA": 1,
    "CHECK_SHEET": 1,
    "CHECK_TARGET": 2,
    "PLAN_GENES": 1,
    "PREDICT_GENES": 4,
    "COLLECT_EXPRESSION": 1,
    "REPORT_TABLES": 1,
    "MULTIQC": 1,
}
FITTED = {"PREPARE_EXPRESSION": 2, "FIT_BASELINES": 4, "EVALUATE_GENES": 4}


def stub_inputs(folder: Path) -> list[str]:
    for name in ("a.vcf.gz", "b.bcf", "ref.fa", "genes.gtf", "w.h5", "e.bed", "mine.py", "panel.vcf.gz"):
        (folder / name).touch()
    (folder / "samples.csv").write_text("sample,file\none,a.vcf.gz\ntwo,b.bcf\n")
    return ["-stub", "--input", "samples.csv", "--fasta", "ref.fa", "--genes", "genes.gtf"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_cohorts(nextflow: Nextflow, language: str) -> None:
    options = [*stub_inputs(nextflow.folder), "--expression_weights", "w.h5", "--expression", "e.bed"]
    run = nextflow.pipeline(*options, "--steps", "express", **LANGUAGES[language])
    assert run.returncode == 0, run.output
    assert run.tasks == STUB | FITTED
    fitted = run.scripts("FIT_BASELINES")
    assert all(".effects.parquet" in text and ".tracks.parquet" in text for text in fitted)
    weights = {f"cohort.{kind}" for kind in WEIGHTS}
    assert run.published == ALWAYS | {f"expression/{name}" for name in STUBBED | MEASURED | weights}


def test_a_model_of_the_users_own_and_no_expression(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--steps", "express", "--expression_model", "mine.py:Best"]
    options += ["--expression_variants", "b.bcf"]
    run = nextflow.pipeline(*options, "--expression_fallback", "false", "--expression_average", "strands")
    assert run.returncode == 0, run.output
    assert run.tasks == STUB | {"CHECK_VARIANTS": 1, "LIST_EFFECTS": 2}
    assert run.published == ALWAYS | {f"expression/{name}" for name in STUBBED}
    asked = [Path(row["workdir"]) / "own" for row in run.trace if row["process"].endswith("PREDICT_GENES")]
    assert all((folder / "mine.py").exists() for folder in asked)


def test_imputed_genotypes_are_what_expression_starts_from(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--expression_weights", "w.h5", "--panel", "panel.vcf.gz"]
    run = nextflow.pipeline(*options, "--steps", "impute,express")
    assert run.returncode == 0, run.output
    assert run.tasks["JOIN_CHROMOSOME"] == 2 and run.tasks["PREDICT_GENES"] == 4
    assert all("one.20.vcf.gz" in text or "two.20.vcf.gz" in text for text in run.scripts("PREDICT_GENES"))


def test_what_expression_cannot_start_from(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--expression_weights", "w.h5", "--steps", "express"]
    (nextflow.folder / "a.bam").touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\none,a.bam\n")
    run = nextflow.pipeline(*options)
    assert run.returncode != 0
    assert "row 2, column file: a.bam holds no genotypes of a cohort, which express starts from" in run.output


def test_likelihoods_alone_are_refused(nextflow: Nextflow) -> None:
    options = write_inputs(nextflow.folder)
    bases = (nextflow.folder / "ref.fa").read_text().split("\n")[1]
    ref = bases[11_999]
    record = ("20", 12_000, ref, "ACGT"[("ACGT".index(ref) + 1) % 4], ["0,10,20"] * 40)
    write_vcf(nextflow.folder / "people.vcf.gz", [record], [f"p{n}" for n in range(40)], {"20": 40_000}, "PL")
    run = nextflow.pipeline(*options)
    assert run.returncode != 0 and "PREDICT_GENES" not in run.tasks
    assert "people.vcf.gz: has likelihoods of genotypes and no GT, and express reads alleles" in run.output


def test_called_people_are_what_expression_starts_from(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--expression_weights", "w.h5"]
    (nextflow.folder / "a.bam").touch()
    (nextflow.folder / "samples.csv").write_text("sample,file\nann,a.bam\n")
    options += ["--expression", "e.bed", "--expression_effects", "false"]
    run = nextflow.pipeline(*options, "--steps", "call,express")
    assert run.returncode == 0, run.output
    assert not any(".effects.parquet" in text for text in run.scripts("FIT_BASELINES"))
    assert "READS_LIKELIHOODS" not in run.tasks and run.tasks["PREDICT_GENES"] == 2
    assert all("cohort.vcf.gz" in text for text in run.scripts("PREDICT_GENES"))
