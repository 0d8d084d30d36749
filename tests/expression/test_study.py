"""Splits of people, and what is taken out of expression: nothing comes from those held out."""

import gzip
import sqlite3
from contextlib import closing

import h5py
import numpy as np
import pandas as pd
import pytest

from deepcohort.expression.covariates import read_covariates
from deepcohort.expression.dosages import Genotypes
from deepcohort.expression.genes import Gene
from deepcohort.expression.matrices import write_h5ad
from deepcohort.expression.measured import Measured
from deepcohort.expression.predictdb import Weights, write_covariances, write_weights
from deepcohort.expression.shards import inside, share_out
from deepcohort.expression.study import (
    Kind,
    Scale,
    load_study,
    make_study,
    normalised_by_gene,
    residual,
    save_study,
    scaled,
)
from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import parse_regions
from deepcohort.genome.vcf import make_index
from tests.genotypes import bgzip, vcf_text, write_vcf


def study_of(values, **options):
    people = values.shape[1]
    measured = Measured([f"g{n}" for n in range(len(values))], [f"p{n}" for n in range(people)], values, {})
    chosen = {"folds": 5, "components": 0, "scale": Scale.none, "seed": 1} | options
    covariates = chosen.pop("covariates", np.zeros((people, 0)))
    families = chosen.pop("families", np.arange(people))
    return make_study(measured, list(range(people)), covariates, [""] * people, families, **chosen)


def expression(genes=30, people=60, seed=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(genes, 1)) * rng.normal(size=people) + rng.normal(size=(genes, people))


def test_folds_hold_everybody_out_once_and_relatives_together(tmp_path):
    families = np.arange(60) // 3
    study = study_of(expression(), families=families)
    held = [split.held for split in study.splits if split.kind is Kind.people]
    assert np.array_equal(np.sum(held, axis=0), np.ones(60)) and {h.sum() for h in held} == {12}
    for split in study.splits:
        if split.kind is not Kind.everybody:
            assert not set(families[split.train]) & set(families[split.held])
    save_study(tmp_path / "s.npz", study)
    again = load_study(tmp_path / "s.npz")
    assert again.people == study.people and again.sampled == study.sampled
    for one, other in zip(again.splits, study.splits, strict=True):
        assert one[:2] == other[:2] and np.array_equal(one.train, other.train)


def test_components_do_not_see_the_people_held_out():
    values = expression()
    study = study_of(values, components=2)
    split = next(split for split in study.splits if split.kind is Kind.people)
    changed = np.where(split.held, values + 50 * np.arange(60), values)
    other = study_of(changed, components=2)
    same = next(one for one in other.splits if one.kind is Kind.people)
    assert np.allclose(split.design[split.train], same.design[same.train])
    assert not np.allclose(split.design[split.held], same.design[same.held])
    adjusted = [one.adjusted(row[0], part)[split.train] for one, row, part in
                ((study, values, split), (other, changed, same))]  # fmt: skip
    assert np.allclose(*adjusted) and adjusted[0].std() < values[0].std()


def test_a_covariate_is_taken_out_and_the_mean_stays():
    rng = np.random.default_rng(2)
    age, rest = rng.normal(size=200), rng.normal(size=200)
    left = residual(5 + 3 * age + rest, age[:, None], np.arange(200) < 150)
    assert np.corrcoef(left[150:], rest[150:])[0, 1] > 0.99 and abs(left.mean() - 5) < 0.6


def test_ranks_are_those_among_the_people_trained_on():
    values = np.exp(np.random.default_rng(3).normal(size=300))
    train = np.arange(300) < 200
    made = scaled(values, Scale.rank, train)
    assert np.array_equal(np.argsort(made[train]), np.argsort(values[train]))
    assert abs(made[~train].mean()) < 0.25 and abs(made[train].std() - 1) < 0.05
    moved = scaled(np.where(train, values, values * 9), Scale.rank, train)
    assert np.array_equal(made[train], moved[train])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"folds": 61}, "60 people, relatives as one, cannot make 61 folds"),
        ({"scale": Scale.log}, "--expression_scale log: some expression is below 0"),
        ({"components": 15}, "--expression_components 15 is too many for 30 genes and 60 people: take fewer"),
    ],
)
def test_studies_that_cannot_be(options, said):
    with pytest.raises(InputError) as caught:
        study_of(expression(), **options)
    assert str(caught.value).startswith(said)


def test_expression_normalised_gene_by_gene_is_known():
    values = np.random.default_rng(1).normal(size=(20, 50))
    assert normalised_by_gene((values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True))
    assert not normalised_by_gene(values + np.arange(20)[:, None])


def test_covariates_of_words_and_numbers(tmp_path):
    path = tmp_path / "c.tsv"
    path.write_text("id\tb\ta\nage\t30\t40\nsex\tm\tf\n")
    assert read_covariates(path, ["a", "b"]).tolist() == [[40, 0], [30, 1]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id\ta\nage\t3\n", "c.tsv: has no column for b (1 of 2 people lack one)"),
        ("id\ta\tb\nage\t3\n", "c.tsv: row 2 has 2 cells, the header 3"),
        ("id\ta\tb\nage\t3\tNA\n", "c.tsv: row 2 has an empty cell"),
        ("id\ta\tb\nage\t3\tinf\n", "c.tsv: row 2 has a value that is no number"),
        ("id\ta\tb\ta\nage\t3\t4\t5\n", "c.tsv: a person has two columns"),
    ],
)
def test_covariates_that_cannot_be_read(tmp_path, text, said):
    (tmp_path / "c.tsv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_covariates(tmp_path / "c.tsv", ["a", "b"])
    assert str(caught.value).startswith(said)


def test_shards_are_of_one_chromosome_and_sort_as_the_genome_does():
    genes = [Gene(f"g{n}", "", chrom, n, "+", n, n + 1) for chrom in ("2", "10") for n in range(3)]
    shards = list(share_out(genes, 2))
    assert [(name, some[0].chrom, len(some)) for name, some in shards] == [
        ("00001", "2", 2), ("00002", "2", 1), ("00003", "10", 2), ("00004", "10", 1),
    ]  # fmt: skip
    assert inside(genes, parse_regions("10:1-2")) == genes[3:5]
    with pytest.raises(InputError, match=r"^--regions: transcription starts in them at none of the genes"):
        inside(genes, parse_regions("X"))


def test_weights_come_back_as_they_were_written(tmp_path):
    """Written by us, read as a user's own, with one variant turned round and one that is not there."""
    people = ["a", "b", "c"]
    records = [("chr1", 100, "A", "C", ["0/1", "1/1", "0/0"]), ("chr1", 200, "G", "T", ["0/0", "0/1", "0/1"])]
    vcf = write_vcf(tmp_path / "v.vcf.gz", records, people, {"chr1": 5000})
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    columns = ["gene", "name", "chrom", "pos", "id", "ref", "alt", "weight"]
    rows = [("G", "N", "1", 99, ".", "A", "C", 0.5), ("G", "N", "1", 199, "rs2", "T", "G", 2.0),
            ("G", "N", "1", 299, "rs3", "T", "G", 9.0)]  # fmt: skip
    scores = pd.DataFrame({"gene": ["G"], "r": [-0.5], "p": [0.01]})
    write_weights(tmp_path / "w.db", pd.DataFrame(rows, columns=columns), scores)
    told = Weights(tmp_path / "w.db").predict(Gene("G", "N", "1", 150, "+", 150, 151), Genotypes([vcf]))
    assert told is not None
    assert np.allclose(told[0], [0.5 + 4, 1 + 2, 0 + 2]) and told[1:] == (2, 3)
    extra = sqlite3.connect(tmp_path / "w.db").execute("SELECT * FROM extra").fetchall()
    assert extra == [("G", "N", 3, -0.25, 0.01, None)]
    with closing(sqlite3.connect(tmp_path / "no.db")) as other:
        other.execute("CREATE TABLE genes (gene TEXT)")
    with closing(sqlite3.connect(tmp_path / "empty.db")) as other:
        other.execute("CREATE TABLE weights (gene, rsid, ref_allele, eff_allele, weight)")
        other.execute("INSERT INTO weights VALUES ('G', 'rs1', NULL, 'A', 1)")
        other.commit()
    for name in ("no.db", "empty.db"):
        with pytest.raises(InputError, match=rf"^{name}: no weights of PredictDB in it"):
            Weights(tmp_path / name)


def test_scoring_tables_are_read_by_place_or_id(tmp_path):
    """The first variant by its place, turned round; the second by its ID; the third is not there."""
    people = ["a", "b", "c"]
    records = [("chr1", 100, "A", "C", ["0/1", "1/1", "0/0"]), ("chr1", 200, "G", "T", ["0/0", "0/1", "0/1"])]
    text = vcf_text(records, people, {"chr1": 5000}).replace("chr1\t200\t.", "chr1\t200\trs2")
    vcf = bgzip(tmp_path / "v.vcf.gz", text)
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    rows = [
        ("rs1", "7", "100", "a", "c", "0.5"),
        ("rs2", "8", "", "T", "G", "2"),
        ("rs3", "9", "9", "T", "G", "1"),
    ]
    named = ["rsID", "chr_position", "hm_pos", "effect_allele", "other_allele", "effect_weight"]
    lines = ["\t".join(["gene", *named]), *("\t".join(["G", *row]) for row in rows)]
    with gzip.open(tmp_path / "s.txt.gz", "wt") as file:
        file.write("#pgs_id=PGS1\n" + "\n".join(lines) + "\n")
    told = Weights(tmp_path / "s.txt.gz").predict(Gene("G", "N", "1", 150, "+", 150, 151), Genotypes([vcf]))
    assert told is not None
    assert np.allclose(told[0], [0.5 * 1 + 0, 0 + 2, 0.5 * 2 + 2]) and told[1:] == (2, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("none", "s.tsv: neither weights of PredictDB (SQLite with a table weights) nor a scoring table"),
        ("gene\teffect_allele\tother_allele\teffect_weight\nG\tA\tC\t1\n", "s.tsv: neither weights"),
        ("gene\trsID\teffect_allele\tother_allele\teffect_weight\nG\trs1\tA\tC\t1\nG\trs2\tA\tC\tx\n",
         "s.tsv: row 2 has an effect_weight that is no number"),
    ],
)  # fmt: skip
def test_scoring_tables_that_cannot_be_read(tmp_path, text, said):
    (tmp_path / "s.tsv").write_text(text)
    with pytest.raises(InputError) as caught:
        Weights(tmp_path / "s.tsv")
    assert str(caught.value).startswith(said)


def test_covariances_are_the_same_bytes_each_time(tmp_path):
    table = pd.DataFrame([("G", "rs1", "rs2", 0.25)], columns=["gene", "one", "other", "value"])
    for name in ("a.gz", "b.gz"):
        write_covariances(tmp_path / name, [table])
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert pd.read_csv(tmp_path / "a.gz", sep=" ").iloc[0].tolist() == ["G", "rs1", "rs2", 0.25]


def test_matrices_have_the_parts_that_anndata_reads(tmp_path):
    people = pd.DataFrame({"cohort": ["c", "c"]}, index=["a", "b"])
    columns = [("first", 1, {"rows": np.array([1]), "values": np.array([2.5])})]
    write_h5ad(tmp_path / "x.h5ad", people, pd.DataFrame(index=["g", "h"]), ["first", "second"], columns)
    with h5py.File(tmp_path / "x.h5ad") as file:
        assert file.attrs["encoding-type"] == "anndata"
        assert {"X", "obs", "var", "layers", "uns", "obsm", "varm", "obsp", "varp"} == set(file)
        assert file["obs"]["_index"].asstr()[:].tolist() == ["a", "b"]
        assert file["obs"].attrs["column-order"].tolist() == ["cohort"]
        assert np.array_equal(file["X"][:], [[np.nan, np.nan], [np.nan, 2.5]], equal_nan=True)
        assert np.isnan(file["layers/second"][:]).all()
