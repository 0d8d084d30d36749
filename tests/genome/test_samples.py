import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.samples import Label, read_labels, read_samples, write_samples


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
