"""A sequence model taught by the cohort itself, through the whole pipeline, from genotypes of PLINK 2."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Nextflow
from tests.expression.planted import GENES, PEOPLE, write_planted
from tests.genotypes import write_plink
from tests.pipeline.test_expression import stub_inputs

pytestmark = pytest.mark.pipeline


def test_what_a_motif_does_is_learnt_fold_by_fold(nextflow: Nextflow) -> None:
    write_planted(nextflow.folder)
    write_plink(nextflow.folder / "people", nextflow.folder / "v.vcf.gz")
    (nextflow.folder / "samples.csv").write_text("sample,file\nmine,people.pgen\n")
    # Small networks gain nothing by a second processor.
    (nextflow.folder / "one.config").write_text("process { withName: TRAIN_MODEL { cpus = 1 } }")
    run = nextflow.pipeline(
        *(
            "-c",
            "one.config",
            "--steps",
            "express",
            "--input",
            "samples.csv",
            "--fasta",
            "r.fa",
            "--genes",
            "genes.bed",
        ),
        *("--expression", "e.bed", "--expression_model", "cnn", "--expression_context", "512"),
        *("--expression_folds", "3", "--expression_epochs", "8"),
    )
    assert run.returncode == 0, run.output
    assert (run.tasks["CONVERT_TARGET"], run.tasks["TRAIN_MODEL"], run.tasks["PREDICT_GENES"]) == (1, 3, 2)
    folder = run.outdir / "expression"
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert (
        predictions.groupby("gene").size().to_dict().values() == {PEOPLE} or len(predictions) == PEOPLE * 14
    )
    assert not predictions["taught"].any()
    facts = [json.loads(path.read_text()) for path in sorted((folder / "models").glob("*.json"))]
    assert sorted(name for one in facts for name in one["held_out"]) == sorted(f"p{n}" for n in range(PEOPLE))
    assert all(
        one["unseen_chroms"] == ["2"] and not set(one["held_out"]) & set(one["trained_on"]) for one in facts
    )
    table = pd.read_csv(folder / "evaluation_summary.tsv", sep="\t")
    means = table[table["genes"] == "with_sequence"].set_index(["split", "group", "method"])
    assert means.loc[("people", "all", "cnn"), "number"] == GENES["1"]
    assert means.loc[("people", "all", "cnn"), "mean_r"] > 0.5
    # Genes of a chromosome that nobody taught, told by what others have in common with them.
    assert means.loc[("unseen_genes", "all", "cnn"), "number"] == GENES["2"]
    assert means.loc[("unseen_genes", "all", "cnn"), "mean_r"] > 0.3
    assert abs(means.loc[("permuted", "all", "cnn"), "mean_r"]) < 0.15
    assert "population" not in means.index and means.loc[("across_genes", "all", "cnn"), "note"].startswith(
        "refused"
    )


def test_two_cohorts_teach_a_model_each(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--steps", "express", "--expression", "e.bed"]
    options += [
        "--expression_model",
        "enformer",
        "--expression_weights",
        "w.h5",
        "--expression_train",
        "head",
    ]
    options += [
        "--expression_folds",
        "3",
        "--expression_checkpoints",
        "kept",
        "--expression_variants",
        "a.vcf.gz",
    ]
    run = nextflow.pipeline(*options)
    assert run.returncode == 0, run.output
    assert (run.tasks["TRAIN_MODEL"], run.tasks["PREDICT_GENES"], run.tasks["LIST_EFFECTS"]) == (6, 4, 4)
    models = {name for name in run.published if name.startswith("expression/models/")}
    assert models == {
        f"expression/models/{cohort}.fold0{fold}.{kind}"
        for cohort in ("one", "two") for fold in (1, 2, 3) for kind in ("safetensors", "json", "scores.tsv")
    }  # fmt: skip
    predicting = [Path(row["workdir"]) for row in run.trace if row["process"].endswith("PREDICT_GENES")]
    names = [{path.name.split(".")[0] for path in (folder / "trained").iterdir()} for folder in predicting]
    assert sorted(map(sorted, names)) == [["one"], ["one"], ["two"], ["two"]]


def test_what_cannot_be_taught(nextflow: Nextflow) -> None:
    options = [*stub_inputs(nextflow.folder), "--steps", "express"]
    run = nextflow.pipeline(*options, "--expression_train", "head")
    assert run.returncode != 0
    assert (
        "--expression_train head: a model is taught by measured expression: give --expression." in run.output
    )
    assert "--expression_train head: --expression_model xpresso is not taught here: take cnn or" in run.output
    assert "--expression_train head: teaches a part of a model that is there: give its" in run.output
    by_conda = ["--expression_model", "borzoi", "--expression_weights", "w.h5", "-profile", "conda"]
    run = nextflow.pipeline(*options, *by_conda)
    assert run.returncode != 0
    assert "--expression_model borzoi: its packages come by container only: take another" in run.output
    few = ["--expression_model", "cnn", "--expression", "e.bed", "--expression_folds", "2"]
    run = nextflow.pipeline(*options, *few)
    assert run.returncode != 0 and "--expression_folds 2: training needs three" in run.output
