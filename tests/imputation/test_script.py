"""The script as Nextflow calls it: from a panel and a target to a chromosome and its accuracy."""

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from tests.genotypes import write_vcf
from tests.imputation.cohort import cohort
from tests.scripts import run_script

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = [f"Zoë{i}" for i in range(6)]


run = partial(run_script, "imputation")


def done(*arguments):
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    return result


def refused(message, *arguments, **options):
    result = run(*arguments, **options)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Panel, target, its sites and the list of people, as the earlier steps leave them."""
    folder, data = tmp_path_factory.mktemp("script"), cohort(people=12)
    panel, every = data.panel, data.panel.alleles(np.arange(90))

    def written(name, contig, sites, rows, samples):
        records = [
            (contig, int(panel.pos[site]), panel.ref[site], panel.alt[site], [f"{a}|{b}" for a, b in row])
            for site, row in zip(sites, rows, strict=True)
        ]
        path = write_vcf(folder / name, records, samples)
        pysam.bcftools.index("-f", str(path), catch_stdout=False)
        return path

    people = data.truth[:, :6]
    typed = data.target.typed
    written("panel.bcf", "20", range(90), every.reshape(90, -1, 2), [f"p{i}" for i in range(20)])
    target = written("target.vcf.gz", "chr20", typed, people[typed], SAMPLES)
    written("truth.vcf.gz", "20", range(90), people, SAMPLES)
    sites = folder / "target.sites.bcf"
    pysam.bcftools.view("-G", "-Ob", "-o", str(sites), str(target), catch_stdout=False)
    pysam.bcftools.index("-f", str(sites), catch_stdout=False)
    (folder / "batch_0001.txt").write_text("".join(f"{name}\n" for name in SAMPLES[:4]), encoding="utf-8")
    (folder / "batch_0002.txt").write_text("".join(f"{name}\n" for name in SAMPLES[4:]), encoding="utf-8")
    (folder / "all.txt").write_text("".join(f"{name}\n" for name in SAMPLES), encoding="utf-8")
    return folder


def pack(files, *, region="20:1-90000", core="1-90000", out="c.panel.npz"):
    return ["pack-panel", "--region", region, "--core", core, "--out", files / out, files / "panel.bcf"]


def train(files, *more):
    sites, panel = ("--target-sites", files / "target.sites.bcf"), ("--panel", files / "c.panel.npz")
    return ["train-chunk", *panel, *sites, "--out", files / "c.model", "--seed", 3, *more]


def impute(files, batch="batch_0001", part="c", *more):
    out = files / f"{part}.{batch}.vcf.gz"
    return [
        "impute-chunk",
        *("--panel", files / "c.panel.npz", "--trained", files / "c.model"),
        *("--target", files / "target.vcf.gz", "--samples", files / f"{batch}.txt"),
        *("--out", out, "--out-counts", files / f"{part}.{batch}.counts.tsv", *more),
    ]


def join(files, part="c"):
    return [
        *("join", "--cohort", "k", "--chrom", "20", "--samples-order", files / "all.txt"),
        *("--out", files / f"{part}.k.20.vcf.gz", "--out-sites", files / f"{part}.k.20.sites.tsv.gz"),
        *sorted(files.glob(f"{part}.batch_*.vcf.gz")),
    ]


@pytest.fixture(scope="module")
def prepared(files):
    """The files, with the panel packed and a model trained."""
    done(*pack(files))
    done(*train(files))
    return files


def test_from_panel_to_accuracy(prepared):
    files = prepared
    for batch in ("batch_0001", "batch_0002"):
        log = done(*impute(files, batch, "c", "--hds", "--threads", 2, "--device", "cpu")).stderr
        assert "copying model on the CPU, 2 threads" in log
        done(*impute(files, batch, "m", "--mask-fraction", 0.4))
    for part, kind, truth in (("c", "truth", "truth"), ("m", "masked", "target")):
        done(*join(files, part))
        done(
            *("accuracy", "--imputed", files / f"{part}.k.20.vcf.gz", "--truth", files / f"{truth}.vcf.gz"),
            *("--kind", kind, "--imputer", "copying", "--cohort", "k", "--chrom", "20"),
            *("--out", files / f"{part}.part.tsv"),
        )
    parts = [files / f"{part}.part.tsv" for part in "cm"]
    done("combine-accuracy", "--out", files / "accuracy.tsv", *parts)

    imputed, masked = (VCF(str(files / f"{part}.k.20.vcf.gz")) for part in "cm")
    assert imputed.samples == masked.samples == SAMPLES
    assert len(list(imputed)) == 90
    assert 0 < len(list(masked)) < 30
    learnt = json.loads((files / "c.model" / "model.json").read_text())
    assert (learnt["people"], learnt["typed"], learnt["seed"]) == (5, 30, 3)
    with (files / "c.batch_0001.counts.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert {(row["chunk"], row["batch"]) for row in rows} == {("c", "batch_0001")}
    assert {row["what"]: row["count"] for row in rows}["people"] == "4"
    with (files / "accuracy.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert {(row["source"], row["people"]) for row in rows} == {("truth", "6"), ("masked", "6")}


def test_plain_imputers_learn_nothing(prepared, tmp_path):
    done(*train(prepared, "--imputer", "knn", "--out", tmp_path / "knn.model"))
    assert "people" not in json.loads((tmp_path / "knn.model" / "model.json").read_text())
    model = ("--trained", tmp_path / "knn.model", "--imputer")
    done(*impute(prepared, "batch_0001", "k", *model, "knn"))
    refused("a model for --imputer knn, not for svd", *impute(prepared, "batch_0001", "x", *model, "svd"))


def test_another_release_is_refused(files):
    message = "the pipeline is version 0.0.0-other but the installed package deepcohort is"
    refused(message, *pack(files), release="0.0.0-other")


@pytest.mark.parametrize(
    ("region", "core", "message"),
    [
        ("20:5-1", "1-5", "ERROR: '5-1' is not a stretch: write first-last, as in 1000001-6000000"),
        ("20:1-5", "0-5", "ERROR: '0-5' is not a stretch"),
        ("20:1-5", "1-x", "ERROR: '1-x' is not a stretch"),
        ("1-5", "1-5", "ERROR: '1-5' is not a region: write contig:first-last"),
        ("20:200000-300000", "200000-300000", "no variant between 20:200000 and 300000"),
    ],
)
def test_bad_stretches_are_refused(files, region, core, message):
    refused(message, *pack(files, region=region, core=core, out="bad.npz"))
    assert not (files / "bad.npz").exists()


def test_a_gpu_where_there_is_none_is_refused(prepared, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    message = "--device cuda: PyTorch sees no GPU here: use --device cpu"
    refused(message, *impute(prepared, part="x"), "--device", "cuda")
    assert not list(prepared.glob("x.*"))


def test_people_who_are_not_in_the_target_are_refused(prepared, tmp_path):
    (tmp_path / "batch_0001.txt").write_text("Zoë0\nNemo\n", encoding="utf-8")
    refused("there is no sample Nemo", *impute(prepared, part="x"), "--samples", tmp_path / "batch_0001.txt")


def test_a_model_that_is_none_is_refused(prepared, tmp_path):
    refused("not a trained model", *impute(prepared, part="x"), "--trained", tmp_path)
    assert not list(prepared.glob("x.*"))


def test_a_missing_batch_is_refused(prepared, tmp_path):
    done(*impute(prepared, "batch_0002", "z"))
    refused("give all batches of the cohort", *join(prepared, "z"))
