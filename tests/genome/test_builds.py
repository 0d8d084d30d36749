import pytest

from deepcohort.genome.builds import build_of


@pytest.mark.parametrize(
    ("lengths", "build"),
    [
        ({"20": 63_025_520}, "GRCh37"),
        ({"chr20": 64_444_167, "chrX": 156_040_895}, "GRCh38"),
        ({"20": 63_025_520, "21": None, "GL000191.1": 106_433}, "GRCh37"),
        ({"20": 63_025_520, "21": 46_709_983}, None),
        ({"20": 4_000_000}, None),
        ({"20": None}, None),
        ({}, None),
    ],
)
def test_a_build_is_known_by_its_chromosomes(lengths, build):
    assert build_of(lengths) == build
