"""Populations in the report: pictures, tables and sentences."""

import json

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.report import population
from deepcohort.report.tables import Files, write_tables

TABLES = {
    "assignments": """cohort sample population superpopulation p_population p_superpopulation \
second p_second sites windows method flags
c a<b AAA EAST 0.9 1 BBB 0.1 90 2 svm none
c b unassigned WEST 0.4 0.8 DDD 0.3 5 1 svm few_sites,in_panel:x
c c unassigned unassigned 0.3 0.5 AAA 0.2 0 0 svm all_missing""",
    "figures": """cohort method taken people folds accuracy accuracy_error super_accuracy macro_f1 \
loss calibration_error super_calibration_error sure_share sure_right
c svm yes 40 5 0.8750 0.0100 0.9900 0.8600 0.3 0.0200 0.0100 0.9 1
c lda no 40 5 0.7000 0.0100 0.9800 0.6500 0.6 0.0500 0.0100 0.9 1""",
    "confusion": "cohort population superpopulation called people\n"
    "c AAA EAST AAA 15\n"
    "c AAA EAST CCC 5\n"
    "c CCC WEST CCC 20",
    "places": "cohort sample group label pc1 pc2 pc3 pc4\n"
    "c p1 panel EAST 1 2 0 0\n"
    "c p2 panel WEST -1 2 0 0\n"
    "c a<b input EAST 1 1 0 0",
    "mixture": "cohort sample superpopulation probability\nc a<b EAST 1\nc b WEST 0.8\nc b EAST 0.2",
    "counts": "cohort what count\nc used 1234\nc dropped_multiallelic 7\nc duplicates_in_panel 2",
    "panel_recommendation": """cohort what name value people full recommended same_population advice
c r2 0.01-0.05 10 NA 0.5 0.4 nan NA
c r2 all 10 NA 0.5 0.4 0.3 use_the_full_panel
c population AAA 0.6 20 NA 20 NA NA""",
}  # fmt: skip


@pytest.fixture
def files(tmp_path):
    paths = []
    for kind, text in TABLES.items():
        paths.append(tmp_path / f"c.{kind}.tsv")
        paths[-1].write_text(text.replace(" ", "\t") + "\n")
    return paths


def content(folder, section):
    return json.loads((folder / f"population_{section}_mqc.json").read_text())


def test_pictures_and_tables(files, tmp_path):
    write_tables(Files(population=files), tmp_path / "mqc")
    figures = content(tmp_path / "mqc", "figures")["data"]
    assert [(row["method"], row["taken"], row["accuracy"]) for row in figures.values()] == [
        ("linear SVM", "yes", 87.5),
        ("PCA and LDA", "no", 70.0),
    ]
    assert content(tmp_path / "mqc", "confusion")["data"] == {
        "AAA": {"AAA": 75.0, "CCC": 25.0},
        "CCC": {"AAA": 0.0, "CCC": 100.0},
    }
    (dots,) = content(tmp_path / "mqc", "components")["data"]
    people = {name: dot for name, (dot,) in dots.items() if dot.get("hide_in_legend")}
    assert [(dot["x"], dot["y"]) for dot in people.values()] == [(-1, 2), (1, 2), (1, 1)]
    assert list(dots.keys() - people.keys() ^ {"WEST (panel)", "EAST (panel)", "EAST (input)"}) == []
    assert dots["p1 (panel, EAST)"][0]["color"] == dots["a&lt;b (input, EAST)"][0]["color"]
    assert content(tmp_path / "mqc", "bars")["data"] == {
        "a&lt;b": {"EAST": 1},
        "b": {"WEST": 0.8, "EAST": 0.2},
    }
    first, whole = content(tmp_path / "mqc", "panels")["data"].values()
    assert "same_population" not in first and (whole["full"], whole["recommended"]) == (0.5, 0.4)


def test_sentences_name_what_is_unusual(files):
    tables = population.read(files)
    assert population.facts(tables) == [
        "c: of 3 people, 2 were assigned to a superpopulation and 1 to a population, by linear SVM, \
which named "
        "the population of 87.5 % and the superpopulation of 99.0 % of the panel's held-out people rightly."
    ]
    said = " ".join(population.sentences(tables))
    for words in (
        "1 people have no genotype at the sites used", "1 people have genotypes at less than a tenth",
        "1 people have the genotypes of somebody in the panel", "by 1,234 sites", "7 have several ALT",
        "2 pairs of the panel", "R² of 0.5 from the full panel, 0.4 from the people likest",
    ):  # fmt: skip
        assert words in said


def test_other_tables_are_refused(tmp_path):
    other = tmp_path / "c.other.tsv"
    other.write_text("cohort\n")
    with pytest.raises(InputError, match="not a table of populations"):
        population.read([other])
    other = tmp_path / "c.counts.tsv"
    other.write_text("cohort\n")
    with pytest.raises(InputError, match="columns count, what are missing"):
        population.read([other])


def test_without_populations_there_is_no_such_chapter(tmp_path):
    write_tables(Files(), tmp_path / "mqc")
    assert not list((tmp_path / "mqc").glob("population_*"))
