"""predict, effects and train as tasks call them."""

import numpy as np
import pandas as pd
import pytest

from deepcohort.expression.genes import Gene, write_genes
from deepcohort.expression.study import Scale, make_study, save_study
from tests.expression.cohorts import cohort
from tests.expression.test_models import OWN
from tests.scripts import run_script


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cohort of 60 people with one gene, a table of it and a model of the user's own."""
    folder = tmp_path_factory.mktemp("engine")
    gene, _ = cohort(folder, 2000, range(900, 1100, 17), 60)
    write_genes(folder / "1.tsv", [gene])
    (folder / "mine.py").write_text(OWN.replace("3, 2, True", "60, 40, True"))
    return folder


def files(folder):
    return ("--genes", folder / "1.tsv", "--fasta", folder / "r.fa")


def test_linear_mode_of_a_model_of_one_s_own(folder):
    outs = [("--out", "p.parquet"), ("--out-counts", "c.tsv"), ("--out-effects", "e.parquet")]
    outs += [("--out-tracks", "t.parquet"), ("--out-modes", "m.tsv")]
    given = (*files(folder), "--genotypes", folder / "v.vcf.gz", "--model", f"{folder / 'mine.py'}:Mine")
    options = [part for name, file in outs for part in (name, folder / file)]
    done = run_script("expression", "predict", "--cohort", "c", *given, "--mode", "auto", *options)
    assert done.returncode == 0, done.stderr
    assert "cost of 1 genes in mode auto: one pass of mine takes" in done.stderr
    modes = pd.read_csv(folder / "m.tsv", sep="\t")
    counts = pd.read_csv(folder / "c.tsv", sep="\t").set_index("what")["count"]
    assert modes.loc[0, "haplotypes_unique"] == counts["haplotypes_unique"] > 1
    people, tracks = pd.read_parquet(folder / "p.parquet"), pd.read_parquet(folder / "t.parquet")
    assert len(people) == len(tracks) == 60 and set(tracks["track"]) == {"gc"}
    done = run_script("expression", "predict", "--cohort", "c", *given, "--mode", "grad", *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "ERROR: --mode grad: mine tells no gradients: use --mode ism"


def test_listed_variants(folder):
    reference = (folder / "r.fa").read_text().split("\n")[1]
    base = reference[1010]
    text = f"chrom\tpos\tref\talt\nchr1\t1011\t{base}\t{'A' if base in 'GC' else 'C'}\n"
    text += f"chr1\t1011\t{'A' if base in 'GC' else 'C'}\tAT\n"
    (folder / "list.tsv").write_text(text)
    checked = ("--out", folder / "kept.tsv", "--out-notes", folder / "l.notes.tsv")
    listed = ("--variants", folder / "list.tsv", "--fasta", folder / "r.fa")
    done = run_script("expression", "check", *listed, *checked)
    assert done.returncode == 0, done.stderr
    assert "1 variants of list.tsv on chromosome 1 have another REF" in (folder / "l.notes.tsv").read_text()
    given = (*files(folder), "--model", f"{folder / 'mine.py'}:Mine", "--variants", folder / "kept.tsv")
    done = run_script("expression", "effects", "--cohort", "c", *given, "--out", folder / "l.parquet")
    assert done.returncode == 0, done.stderr
    (row,) = pd.read_parquet(folder / "l.parquet").to_dict("records")
    assert row["effect"] == pytest.approx((-1 if base in "GC" else 1) / 101)
    ratio = np.log2((1 + row["reference"] + row["effect"]) / (1 + row["reference"]))
    assert row["log2_ratio"] == pytest.approx(ratio)


def test_training(folder):
    people = [f"p{n}" for n in range(60)]
    rng = np.random.default_rng(1)
    values = "\t".join(f"{value:.3f}" for value in rng.normal(size=60))
    (folder / "e.bed").write_text(
        "\t".join(["#chr", "start", "end", "gene_id", *people]) + f"\n1\t5\t6\tG\t{values}\n"
    )
    from deepcohort.expression.measured import read_measured

    study = make_study(
        read_measured(folder / "e.bed"), list(range(60)), np.zeros((60, 0)), [""] * 60, np.arange(60),
        folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    save_study(folder / "study.npz", study)
    given = (*files(folder), "--genotypes", folder / "v.vcf.gz", "--expression", folder / "e.bed")
    outs = ("--out", folder / "w.safetensors", "--out-scores", folder / "r.tsv")
    outs += ("--out-facts", folder / "w.json")
    options = ("--study", folder / "study.npz", "--epochs", "1", "--context", "512")
    done = run_script("expression", "train", *given, *options, *outs)
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(folder / "r.tsv", sep="\t")
    assert scores["gene"].tolist() == ["G"] and scores["people"].tolist() == [20]
    done = run_script("expression", "train", *given, *options[:-1], "500", *outs)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("ERROR: --context 500: cnn sees")


def test_genes_without_a_sequence_leave_empty_tables(folder):
    write_genes(folder / "none.tsv", [Gene("X", "X", "1", 5000, "+", 5000, 5001)])
    given = ("--genes", folder / "none.tsv", *files(folder)[2:], "--genotypes", folder / "v.vcf.gz")
    outs = ("--out", folder / "n.parquet", "--out-counts", folder / "n.tsv", "--out-modes", folder / "nm.tsv")
    model = ("--model", f"{folder / 'mine.py'}:Mine", "--mode", "ism")
    done = run_script("expression", "predict", "--cohort", "c", *given, *model, *outs)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_parquet(folder / "n.parquet")) == 0
    counts = pd.read_csv(folder / "n.tsv", sep="\t").set_index("what")["count"]
    assert counts["genes_beyond_contig"] == 1
