"""Artificial people beside the panel's: who is learnt from, and by whom their worth is told."""

import json

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.population.answer import ADDED, answer
from deepcohort.population.artificial import ArtificialFiles
from deepcohort.population.gather import gather
from deepcohort.population.methods import Method
from deepcohort.population.outputs import confusion_rows
from deepcohort.population.plain import MODELS
from deepcohort.population.study import Artificial, Study
from tests.genotypes import write_vcf
from tests.population.people import Simulated, indexed

KINDS = {"AAA": "EAST", "CCC": "WEST"}
STRANGERS = [f"{kind}{number}" for kind in KINDS for number in (2, 7, 12, 17)]


def written(folder, made, labels=("AAA", "CCC", "AAA+CCC"), held=tuple(STRANGERS), sites=range(0, 200)):
    """A panel and a cohort, and one artificial person of each label, who is person 0 of it again."""
    ours = [i for i in range(40) if i % 20 >= 1]
    panel = made.write_vcf(folder / "panel.vcf.gz", ours)
    target = made.write_vcf(folder / "input.vcf.gz", [0, 20])
    known = made.write_labels(folder / "labels.tsv", ours)
    more = folder / "made"
    more.mkdir()
    copies = made.copies[[0, 20, 1]]
    records = [
        (*made.sites[i], [("0/0", "0/1", "1/1")[copies[j, i]] for j in range(len(labels))]) for i in sites
    ]
    names = [f"SYN_{label}_0001" for label in labels]
    indexed(write_vcf(more / "synthetic.vcf.gz", records, names))
    rows = "".join(f"{name}\t{label}\tX\n" for name, label in zip(names, labels, strict=True))
    (more / "labels.tsv").write_text(f"sample\tpopulation\tsuperpopulation\n{rows}")
    (more / "generator.json").write_text(json.dumps({"held_out": list(held)}))
    return [panel], [target], known, folder / "study", ArtificialFiles.of(more)


@pytest.fixture(scope="module")
def simulated():
    return Simulated(people=20, sites=300, drift=(0.2, 0.05), home=KINDS)


def gathered(folder, made, pedigree=None, **options):
    panel, target, known, out, files = written(folder, made, **options)
    return gather("c", panel, target, known, out, artificial=files, min_sites=100, pedigree=pedigree)


def test_they_are_read_at_the_studys_sites(simulated, tmp_path):
    study = gathered(tmp_path, simulated)
    opened = Study.load(tmp_path / "study")
    assert opened.artificial.label.tolist() == [0, 1]
    assert np.array_equal(opened.artificial.copies, study.artificial.copies)
    shared = (study.artificial.copies >= 0).all(axis=0)
    # The cohort is the very people whom the artificial ones are copies of.
    assert np.array_equal(study.people[:, shared], study.artificial.copies[:, shared])
    assert shared.sum() == study.counts["sites_of_artificial_people"] < len(shared)
    assert [study.panel_names[i] for i in study.judging] == STRANGERS
    assert study.counts["artificial_people"] == 2


def test_relatives_of_those_learnt_from_are_no_strangers(simulated, tmp_path):
    pedigree = tmp_path / "p.ped"
    pedigree.write_text("f\tAAA2\t0\t0\nf\tAAA3\t0\t0\n")
    study = gathered(tmp_path, simulated, pedigree=pedigree)
    assert [study.panel_names[i] for i in study.judging] == STRANGERS[1:]


def test_methods_are_told_with_and_without_them_by_strangers(simulated, tmp_path):
    study = gathered(tmp_path, simulated)
    found = answer(study, [], Method.svm, 1)
    names = {*MODELS, "ensemble"}
    assert {one.method for one in found.figures} == names | {name + ADDED for name in names}
    assert {one.people for one in found.figures} == {len(STRANGERS)}
    assert found.method.removesuffix(ADDED) == "svm" and len(found.held_out) == len(STRANGERS)
    assert sum(int(row["people"]) for row in confusion_rows(study, found)) == len(STRANGERS)


def test_models_do_learn_from_them_and_real_ones_alone_do_not(simulated, tmp_path):
    """Artificial people of the wrong label spoil models that learn from them, and no others."""
    study = gathered(tmp_path, simulated)
    wrong = Artificial(
        np.tile(np.asarray(study.panel), (3, 1)), np.tile(1 - study.label, 3), study.artificial.strangers
    )
    alone = answer(Study(**{**vars(study), "artificial": None}), [], Method.svm, 1)
    spoilt = answer(Study(**{**vars(study), "artificial": wrong}), [], Method.svm, 1)
    assert spoilt.method == "svm"
    for name, chances in alone.by_method.items():
        assert (spoilt.by_method[name].argmax(axis=1) == chances.argmax(axis=1)).all()
    figures = {one.method: one.accuracy for one in spoilt.figures}
    assert figures["svm"] == 1 and figures["svm" + ADDED] <= 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"labels": ("EAST", "WEST")},
            r"^labels.tsv: none of the 2 artificial people is of one of the panel's",
        ),
        ({"held": ("AAA2",)}, r"^generator.json: 1 people of the panel were held out .* too few"),
        ({"sites": ()}, r"^synthetic.vcf.gz: artificial people have none of the \d+ sites"),
    ],
)
def test_what_cannot_be_learnt_from(simulated, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        gathered(tmp_path, simulated, **options)


def test_a_damaged_description(simulated, tmp_path):
    *given, files = written(tmp_path, simulated)
    files.generator.write_text("[]")
    with pytest.raises(InputError, match=r"^generator.json: not the description of a generator"):
        gather("c", *given, artificial=files, min_sites=100)
