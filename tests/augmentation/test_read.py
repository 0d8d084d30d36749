"""Panels read, or refused in one sentence."""

import numpy as np
import pytest

from deepcohort.augmentation.read import LabelBy, Phase, read_panel
from deepcohort.genome.errors import InputError
from tests.augmentation.panels import Founded


def read(folder, made, phased=True, **options):
    rows, missing = options.pop("rows", None), options.pop("missing", ())
    panel, labels = made.write(folder, phased, rows=rows, missing=missing)
    return read_panel([panel], labels, **{"by": LabelBy.population, **options})


@pytest.mark.parametrize("phased", [True, False])
def test_genotypes_and_labels(tmp_path, phased):
    made = Founded(people=12, sites=80)
    found = read(tmp_path, made, phased)
    expected = made.people(phased)
    assert np.array_equal(found.people.classes, expected.classes)
    assert found.people.phased is phased and found.people.labels == ["AAA", "CCC"]
    assert found.upper == {"AAA": "XAAA", "CCC": "XCCC"} and found.places.pos.tolist() == made.pos.tolist()
    genotypes = read(tmp_path, made, phased, phase=Phase.unphased).people
    assert np.array_equal(genotypes.classes, made.people(False).classes)


def test_a_part_of_the_region_and_missing_genotypes(tmp_path):
    made = Founded(people=12, sites=90)
    found = read(tmp_path, made, region="chr20:6000-36000", missing={(0, 12), (3, 20)})
    assert found.places.pos.tolist() == [pos for pos in made.pos if 6000 <= pos <= 36000]
    assert found.counts["genotypes_missing"] == 2 and found.people.classes.min() >= 0


def test_few_sites_along_several_chromosomes(tmp_path, monkeypatch):
    made = Founded(people=12, sites=180, chromosomes=3)
    found = read(tmp_path, made)
    assert np.array_equal(found.people.classes, made.people().classes)
    assert list(found.places.contigs) == ["20", "21", "22"] and found.places.chrom == made.chrom
    assert found.places.starts.tolist() == [0, 60, 120]
    between = np.diff(found.places.line())
    assert (between[[59, 119]] > 10**9).all() and (np.delete(between, [59, 119]) == 500).all()
    assert read(tmp_path, made, region="21").places.chrom == ["21"] * 60
    monkeypatch.setattr("deepcohort.augmentation.read.MOST_ALONG_GENOME", 89)
    with pytest.raises(InputError, match="more than 89 sites of several chromosomes, and so many are"):
        read(tmp_path, made)
    assert len(read(tmp_path, Founded(people=12, sites=90)).places.pos) == 90


def test_people_and_labels_that_do_not_meet_are_counted(tmp_path):
    made = Founded(people=12, sites=80)
    panel, labels = made.write(tmp_path)
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:-1], "nobody\tAAA\tXAAA"]) + "\n")
    found = read_panel([panel], labels, by=LabelBy.population)
    assert found.counts["people_without_label"] == found.counts["labels_without_person"] == 1


def test_small_populations_are_refused_or_merged(tmp_path):
    made = Founded(people=12, sites=80)
    rows = [*range(12), *range(12, 17)]
    with pytest.raises(InputError, match="CCC has 5 people in the panel, and 10 are needed"):
        read(tmp_path, made, rows=rows)
    panel, labels = made.write(tmp_path)
    text = labels.read_text()
    for number in range(12):
        text = text.replace(f"AAA{number}\tAAA", f"AAA{number}\t{'DDD' if number % 2 else 'EEE'}")
    labels.write_text(text)
    found = read_panel([panel], labels, by=LabelBy.population, merge_small=True)
    assert found.people.labels == ["CCC", "XAAA"] and found.upper["XAAA"] == "XAAA"
    assert "DDD has 6 people in the panel, and counts as its superpopulation." in found.notes


def test_what_cannot_be_learnt(tmp_path):
    made = Founded(people=12, sites=80)
    with pytest.raises(InputError, match="genotypes are unphased: phase the panel"):
        read(tmp_path, made, False, phase=Phase.phased)
    with pytest.raises(InputError, match="has no biallelic site: name a region that the panel covers"):
        read(tmp_path, made, region="20:9000000-9100000")
    with pytest.raises(InputError, match="no file of the panel has chromosome 7"):
        read(tmp_path, made, region="7:1-100")
    with pytest.raises(InputError, match="2 stretches; one is learnt"):
        read(tmp_path, made, region="20:1-100,20:300-400")
    made.haplotypes[:] = 0
    with pytest.raises(InputError, match="0 sites of the file have a MAF of 1 % or more, and 50 are"):
        read(tmp_path, made)


def test_labels_that_do_not_serve(tmp_path):
    made = Founded(people=12, sites=80)
    panel, labels = made.write(tmp_path)
    with pytest.raises(InputError, match="the panel has 2 files: name one region"):
        read_panel([panel, panel], labels)
    labels.write_text(labels.read_text().replace("AAA3\tAAA", "AAA3\t"))
    with pytest.raises(InputError, match="AAA3 has no population: write one"):
        read_panel([panel], labels, by=LabelBy.population)
    labels.write_text("sample\tpopulation\tsuperpopulation\nnobody\tA\tB\n")
    with pytest.raises(InputError, match=r"none of the 24 people of panel.vcf.gz has a label"):
        read_panel([panel], labels)
