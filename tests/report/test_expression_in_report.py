"""The report's chapter on predicted expression, from tables as the room writes them."""

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.report import expression
from deepcohort.report.sections import PALE, PALETTE

EVALUATION = """cohort\tgene\tname\tsplit\tgroup\tmethod\tr\tlow\thigh
c\tG1\tONE\tpeople\tall\txpresso\t-0.4\t-0.6\t-0.1
c\tG1\tONE\tpeople\tall\telastic_net\t0.5\t0.2\t0.7
c\tG2\tTWO\tpeople\tall\txpresso\t0.1\t-0.1\t0.3
c\tG2\tTWO\tpeople\tall\telastic_net\tNA\tNA\tNA
c\tG1\tONE\tpermuted\tall\txpresso\t0.9\tNA\tNA
"""
SHOWN = """cohort\tgene\tname\tperson\tpredicted\telastic_net\tmeasured
c\tG1\tONE\ta\t1.0\t0.1\t5.0
c\tG1\tONE\tb\t3.0\t0.2\t4.0
"""
COUNTS = (
    "cohort\twhat\tcount\nc\tgenes\t5\nc\tgenes_unstranded\t2\nc\thaplotypes\t6\nc\thaplotypes_unique\t3\n"
)
MODES = "cohort\tgene\tlinear_ok\tused\nc\tG1\tno\tlinear\nc\tG2\tyes\tlinear\n"
LOCI = """cohort\tgene\tname\tchrom\tpos\teffect\tweight
c\tG1\tONE\t20\t1000\t0.5\t2
c\tG1\tONE\t20\t1000\t-0.1\t3
c\tG1\tONE\t20\t2000\t-0.1\tNA
"""


@pytest.fixture
def tables(tmp_path):
    texts = {"evaluation": EVALUATION, "shown": SHOWN, "counts": COUNTS, "modes": MODES, "loci": LOCI}
    texts["notes"] = "cohort\twhat\n\tSome genes were left out.\n"
    for name, text in texts.items():
        (tmp_path / f"{name}.tsv").write_text(text)
    return expression.read([tmp_path / f"{name}.tsv" for name in texts])


def test_signs_are_beside_those_of_the_plain_model(tables):
    found = {section.id: section for section in expression.sections(tables)}
    assert found["expression_signs"].data["xpresso"] == {
        "surely_below": 1, "below": 0, "above": 1, "surely_above": 0,
    }  # fmt: skip
    ((dot,),) = found["expression_beside"].data[0].values()
    assert (dot["x"], dot["y"]) == (0.5, -0.4)
    assert found["expression_ranks"].data == [{"xpresso": [[1, 0.1], [2, -0.4]]}]
    assert found["expression_heat"].data == {"a": {"ONE": -1}, "b": {"ONE": 1}}
    assert found["expression_people"].data[0]["b"][0] == {"x": 4, "y": 3, "color": "#0072b2"}


def test_effects_have_the_colour_of_what_people_taught(tables):
    (gene,) = next(one.data for one in expression.sections(tables) if one.id == "expression_loci")
    assert [(dot["x"], dot["y"], dot["color"]) for dot in gene["20:1,000"]] == [
        (1000, 0.5, PALETTE[0]), (1000, -0.1, PALETTE[1]),
    ]  # fmt: skip
    assert gene["20:2,000"][0]["color"] == PALE


def test_the_combination_has_a_picture_of_its_own_beside_elastic_net(tmp_path):
    (tmp_path / "evaluation.tsv").write_text(EVALUATION + "c\tG1\tONE\tpeople\tall\tcombination\t0.6\t0\t1\n")
    tables = expression.read([tmp_path / "evaluation.tsv"])
    found = next(one for one in expression.sections(tables) if one.id == "expression_beside")
    ((ours,), (theirs,)) = (next(iter(tab.values())) for tab in found.data)
    assert (ours["y"], theirs["y"]) == (-0.4, 0.6) and ours["x"] == theirs["x"] == 0.5
    assert [tab["ylab"] for tab in found.settings["data_labels"]] == ["r of xpresso", "r of combination"]


def test_what_to_know_is_said(tables):
    said = expression.sentences(tables)
    assert said[:2] == [expression.LIMIT, "Some genes were left out."]
    assert said[2].startswith("c: at 1 of 2 genes a linear prediction was too far from the model; 1 of them")
    assert said[3] == "c: not used, or taken as the reference: 2 genes without a strand."
    (fact,) = expression.facts(tables)
    assert fact.startswith("c: expression of 3 of 5 genes was predicted, from 3 different sequences of 6")


def test_a_run_without_expression_has_no_chapter(tmp_path):
    tables = expression.read([])
    assert not any(section.data for section in expression.sections(tables))
    assert expression.sentences(tables) == [] == expression.facts(tables)
    (tmp_path / "other.tsv").write_text("x\n")
    with pytest.raises(InputError, match=r"^other.tsv: not a table of expression: make it with 'collect'"):
        expression.read([tmp_path / "other.tsv"])
