"""A sequence model taught by the cohort itself, through the whole pipeline, from genotypes of PLINK 2."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from deepcohort.expression.part import Part
from deepcohort.expression.settings import Settings
from deepcohort.expression.taught import save_taught
from deepcohort.expression.train import pupil
from tests.conftest import Nextflow
from tests.expression.planted import GENES, PEOPLE, write_planted
from tests.genotypes import write_plink
from tests.pipeline.test_expression import stub_inputs

pytestmark = pytest.mark.pipeline

INPUTS = (
    *("--steps", "express", "--input", "samples.csv", "--fasta", "r.fa", "--genes", "genes.bed"),
    *("--expression", "e.bed"),
)


def kill_once(checkpoint: Path, until: threading.Event) -> None:
    """Kill the task that keeps this checkpoint as soon as it has kept it."""
    while not until.wait(0.05):
        for process in Path("/proc").glob("[0-9]*") if checkpoint.exists() else ():
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"train" in words and str(checkpoint).encode() in words:
                    os.kill(int(process.name), signal.SIGKILL)
                    return


@contextlib.contextmanager
def killed_once(checkpoint: Path) -> Iterator[None]:
    over = threading.Event()
    watcher = threading.Thread(target=kill_once, args=(checkpoint, over))
    watcher.start()
    yield
    over.set()
    watcher.join()


def test_what_a_motif_does_is_learnt_fold_by_fold_after_a_kill(nextflow: Nextflow) -> None:
    write_planted(nextflow.folder)
    write_plink(nextflow.folder / "people", nextflow.folder / "v.vcf.gz")
    (nextflow.folder / "samples.csv").write_text("sample,file\nmine,people.pgen\n")
    # Small networks gain nothing by a second processor.
    (nextflow.folder / "one.config").write_text("process { withName: TRAIN_MODEL { cpus = 1 } }")
    with killed_once(nextflow.folder / "kept/mine.fold02.checkpoint.safetensors"):
        run = nextflow.pipeline(
            *("-c", "one.config", *INPUTS, "--expression_model", "cnn", "--expression_context", "512"),
            *("--expression_folds", "3", "--expression_epochs", "8", "--expression_checkpoints", "kept"),
        )
    assert run.returncode == 0, run.output
    assert (run.tasks["CONVERT_TARGET"], run.tasks["TRAIN_MODEL"], run.tasks["PREDICT_GENES"]) == (1, 4, 2)
    training = [row for row in run.trace if row["process"].endswith("TRAIN_MODEL")]
    assert [(row["tag"], row["exit"]) for row in training if row["status"] == "FAILED"] == [
        ("mine:fold 2", "137")
    ]
    (again,) = (row for row in training if row["attempt"] == "2")
    assert "going on after" in (Path(again["workdir"]) / ".command.err").read_text()
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


def test_the_last_layer_of_a_network_that_is_there_is_taught(nextflow: Nextflow) -> None:
    write_planted(nextflow.folder, number=45, by_chrom={"1": 1, "2": 1})
    (nextflow.folder / "samples.csv").write_text("sample,file\nmine,v.vcf.gz\n")
    network, said = pupil("cnn", Settings(context=512), Part.all, 1)
    save_taught(nextflow.folder / "w.safetensors", network.named(), said | {"trained_on": []})
    run = nextflow.pipeline(
        *(*INPUTS, "--expression_model", "cnn", "--expression_weights", "w.safetensors"),
        *("--expression_train", "head", "--expression_folds", "3", "--expression_epochs", "3"),
    )
    assert run.returncode == 0, run.output
    before = load_file(nextflow.folder / "w.safetensors")
    for fold in (1, 2, 3):
        after = load_file(run.outdir / f"expression/models/mine.fold0{fold}.safetensors")
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert changed and changed <= {"out.weight", "out.bias"}
    predictions = pd.read_parquet(run.outdir / "expression/predictions.parquet")
    assert len(predictions) == 2 * 45 and not predictions["taught"].any()


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
