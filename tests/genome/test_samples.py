from pathlib import Path

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.samples import (
    Label,
    PanelSamples,
    read_labels,
    read_panel_samples,
    read_samples,
    require_people,
    write_samples,
)


def test_names_are_read_as_they_were_written(tmp_path):
    names = ["Zoë", "B C", "李"]
    write_samples(tmp_path / "names.txt", names)
    assert read_samples(tmp_path / "names.txt") == names


def test_labels_are_read_by_sample_whatever_the_order_of_columns(tmp_path):
    (tmp_path / "labels.tsv").write_text(
        "\ufeffsuperpopulation\tsample\tpopulation\tsex\nEUR\tZoë\tGBR\t\nAFR\tb\tYRI\tmale\n\n", "utf-8"
    )
    assert read_labels(tmp_path / "labels.tsv") == {
        "Zoë": Label("GBR", "EUR", ""),
        "b": Label("YRI", "AFR", "male"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "column sample, population, superpopulation is missing"),
        ("sample\tpopulation\na\tb\n", "column superpopulation is missing"),
        ("sample\tpopulation\tsuperpopulation\na\tb\n", "row 2 has 2 cells where the header has 3"),
        ("sample\tpopulation\tsuperpopulation\na\tb\tc\na\td\te\n", "row 3 labels sample a again"),
    ],
)
def test_bad_labels_are_refused(tmp_path, content, message):
    (tmp_path / "labels.tsv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_labels(tmp_path / "labels.tsv")


def test_people_of_the_panel_are_read_with_their_weights(tmp_path):
    (tmp_path / "panel.samples.txt").write_text("\ufeffZoë\nB C\t0.5\n\n李\t3 \r\n", "utf-8")
    assert read_panel_samples(tmp_path / "panel.samples.txt") == PanelSamples(
        ["Zoë", "B C", "李"], [1, 0.5, 3]
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n", "nobody is named: write a name a line, or leave --panel_samples out"),
        ("a\nb\na\t2\n", "line 3 names a again: keep one of the lines"),
        (
            "a\tx\n",
            "line 1: 'x' is no weight: write a number above 0 after the name and a tab, or the name alone",
        ),
        ("b\na\t0\n", "line 2: '0' is no weight"),
        ("a\t-1\n", "line 1: '-1' is no weight"),
        ("a\tinf\n", "line 1: 'inf' is no weight"),
        ("a\tnan\n", "line 1: 'nan' is no weight"),
        ("a\t1\t2\n", "line 1: '1 2' is no weight"),
    ],
)
def test_bad_lists_of_people_are_refused(tmp_path, content, message):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(InputError) as error:
        read_panel_samples(tmp_path / "list.txt")
    assert str(error.value).startswith(f"list.txt: {message}")


def test_people_whom_the_panel_lacks_are_refused():
    require_people(Path("panel.bcf"), ["a", "b"], ["b"])
    with pytest.raises(InputError) as error:
        require_people(Path("panel.bcf"), ["a", "b"], ["b", "d", "c"])
    assert str(error.value) == (
        "--panel_samples names c, whom panel.bcf lacks (2 of 3 are not there): take such lines out; a tab "
        "stands between name and weight"
    )
