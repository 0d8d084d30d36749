"""Artificial people in the report: pictures, tables and sentences."""

import json

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.report import augmentation
from deepcohort.report.tables import Files, write_tables

TABLES = {
    "quality": "generator against figure label value\ngenerator train ld_r all 0.97\n"
    "generator train af_r AFR 0.99\nheld_out_people held_out ld_r all 1\ncopies train ld_r all 0.99",
    "counts": "what count\nsites 900\nlearnt_from 80\nheld_out 20\nartificial 7\nrejected 3\ngiven_up 1\n"
    "sites_not_biallelic 2\npeople_without_label 0",
    "training": "step critic_loss generator_loss score\n0 0 0 -0.5\n10 -1 2 -0.4",
    "pca": "group label pc1 pc2\nheld_out A<b 1 2\nartificial A<b 1.5 2.5\nlearnt_from A<b 0 0",
    "frequencies": "label site real artificial\nAFR 100 0.2 0.25",
    "linkage": "row column r2\n100 200 0.3\n200 100 0.4",
    "decay": "distance real artificial\n1000 0.5 0.4",
    "spectrum": "maf real artificial\n0.1 0.5 0.4",
}


@pytest.fixture
def files(tmp_path):
    paths = []
    for kind, text in TABLES.items():
        paths.append(tmp_path / f"{kind}.tsv")
        paths[-1].write_text(text.replace(" ", "\t") + "\n")
    return paths


def content(folder, section):
    return json.loads((folder / f"augmentation_{section}_mqc.json").read_text())


def test_pictures_and_tables(files, tmp_path):
    write_tables(Files(augmentation=files), tmp_path / "mqc")
    assert content(tmp_path / "mqc", "figures")["data"] == {
        "the generator": {"train_ld_r": 0.97},
        "copies of the panel": {"train_ld_r": 0.99},
    }
    real, made = content(tmp_path / "mqc", "components")["data"]
    assert [(dot["x"], dot["y"]) for (dot,) in (*real.values(), *made.values())] == [(1, 2), (1.5, 2.5)]
    assert all("A&lt;b" in name for name in real)
    assert content(tmp_path / "mqc", "linkage")["data"] == {
        "100": {"100": 1.0, "200": 0.3},
        "200": {"100": 0.4, "200": 1.0},
    }
    for section in ("frequencies", "decay", "spectrum", "training"):
        assert content(tmp_path / "mqc", section)["data"]


def test_sentences(files):
    tables = augmentation.read(files)
    assert augmentation.facts(tables) == [
        "7 artificial people were made by a generator that learnt from 80 people of the panel at 900 sites; "
        "20 people were held out to judge it."
    ]
    said = augmentation.sentences(tables)
    assert said[0].startswith("3 artificial people were nearer to somebody of the panel than nine tenths")
    assert said[1].startswith("1 artificial people stayed too near") and said[2].startswith("2 sites have")
    assert len(said) == 3


def test_other_tables_are_refused(tmp_path):
    (tmp_path / "other.tsv").write_text("x\n")
    with pytest.raises(InputError, match=r"other.tsv: not a table of artificial people"):
        augmentation.read([tmp_path / "other.tsv"])


def test_without_them_there_is_no_such_chapter(tmp_path):
    write_tables(Files(), tmp_path / "mqc")
    assert not list((tmp_path / "mqc").glob("augmentation_*"))
