"""Cohort and panel brought together: which sites, which people, and what is refused."""

import json
import re

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.population.gather import Known, gather
from deepcohort.population.study import Scale, Study
from tests.genotypes import write_vcf
from tests.population.people import HOME, Simulated, indexed


@pytest.fixture(scope="module")
def simulated():
    return Simulated()


def panel_and_input(simulated, folder, **options):
    """The last two people of each population are the input, the others the panel."""
    ours = [i for i in range(80) if i % 20 < 18]
    theirs = [i for i in range(80) if i % 20 >= 18]
    panel = simulated.write_vcf(folder / "panel.vcf.gz", ours)
    target = simulated.write_vcf(folder / "input.vcf.gz", theirs, **options)
    return panel, target, simulated.write_labels(folder / "labels.tsv", ours), ours, theirs


def test_sites_are_turned_to_the_panels_way(simulated, tmp_path):
    turned, flipped = {3, 7, 11}, {7, 21}
    panel, target, labels, ours, theirs = panel_and_input(
        simulated, tmp_path, turned=turned, flipped=flipped, prefix="chr"
    )
    study = gather("c", [panel], [target], labels, tmp_path / "study", min_sites=100)
    frequency = simulated.copies[ours].mean(axis=0) / 2
    kept = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= 0.01)
    assert (study.panel == simulated.copies[ours][:, kept]).all()
    assert (study.people == simulated.copies[theirs][:, kept]).all()
    assert [study.counts[what] for what in ("swapped", "flipped", "flipped_swapped", "same")] == [
        2,
        1,
        1,
        596,
    ]
    assert study.counts["used"] == len(kept) and study.counts["dropped_not_varying"] == 600 - len(kept)
    assert study.populations == sorted(HOME) and study.superpopulations == ["EAST", "WEST"]
    opened = Study.load(tmp_path / "study")
    assert (opened.panel == study.panel).all() and opened.windows[0].sites == study.windows[0].sites
    assert sorted(np.concatenate([w.column for w in study.windows]).tolist()) == list(range(len(kept)))
    assert {window.chrom for window in study.windows} == {"1", "2"}


def test_missing_haploid_and_multiallelic(simulated, tmp_path):
    records = []
    for i, (chrom, pos, ref, alt) in enumerate(simulated.sites):
        cells = ["0/1", "1" if i % 2 else "0", "./.", ".|1"]
        records.append((chrom, pos, ref, f"{alt},CCC" if i < 5 else alt, cells))
    target = indexed(write_vcf(tmp_path / "few.vcf.gz", records, ["a", "b", "c", "d"]))
    panel, _, labels, _, _ = panel_and_input(simulated, tmp_path)
    study = gather("c", [panel], [target], labels, tmp_path / "study", min_sites=100)
    assert study.counts["dropped_multiallelic"] == 5
    assert (study.people[0] == 1).all() and (study.people[2:] == -1).all()
    assert set(study.people[1].tolist()) == {0, 2}, "a man's one copy counts twice"


def test_unlabelled_people_and_labels_without_people_are_counted(simulated, tmp_path):
    panel, target, labels, _, _ = panel_and_input(simulated, tmp_path)
    lines = labels.read_text().splitlines(keepends=True)
    labels.write_text("".join([lines[0], *lines[3:], "nobody\tAAA\tEAST\n"]))
    study = gather("c", [panel], [target], labels, tmp_path / "study", min_sites=100)
    assert len(study.panel_names) == 70
    assert study.notes == [
        "c: 2 people of the panel have no label and were not learnt from.",
        "c: 1 labels are of people who are not in the panel.",
    ]


def test_relatives_and_duplicates_are_held_out_together(simulated, tmp_path):
    twin = Simulated()
    twin.copies[1] = twin.copies[0]
    panel, target, labels, _, _ = panel_and_input(twin, tmp_path)
    pedigree = tmp_path / "families.ped"
    pedigree.write_text("f1 AAA5 0 0 1 -9\n#comment\n0 AAA6 AAA5 0 1 -9\nf1 BBB7 0 0 2 -9\n")
    study = gather("c", [panel], [target], labels, tmp_path / "study", min_sites=100, pedigree=pedigree)
    fold = dict(zip(study.panel_names, study.fold.tolist(), strict=True))
    assert fold["AAA0"] == fold["AAA1"] and study.counts["duplicates_in_panel"] == 1
    assert fold["AAA5"] == fold["AAA6"] == fold["BBB7"] and study.counts["people_in_groups"] == 5
    table = np.zeros((study.folds, 4), int)
    np.add.at(table, (study.fold, study.label), 1)
    assert table.min() >= 2, "every fold has people of every population"


def test_windows_are_no_larger_than_asked_and_many_sites_are_thinned(simulated, tmp_path):
    panel, target, labels, _, _ = panel_and_input(simulated, tmp_path)
    study = gather(
        "c", [panel], [target], labels, tmp_path / "study", min_sites=100, window_sites=64, max_sites=300
    )
    assert study.counts["thinned"] == 300 and study.panel.shape[1] <= 300
    assert max(len(window.sites) for window in study.windows) <= 64


def test_known_windows_are_kept_and_what_they_lack_is_added(simulated, tmp_path):
    panel, target, labels, _, _ = panel_and_input(simulated, tmp_path)
    first = gather("c", [panel], [target], labels, tmp_path / "one", min_sites=100)
    window = first.windows[0]
    own = [*window.sites[10:60], (999_999, "A", "C")]
    known = Known({window.name: ("1", own)}, {"AAA0": 1, "BBB0": 0})
    second = gather("c", [panel], [target], labels, tmp_path / "two", min_sites=100, known=known)
    assert second.windows[0].sites == own and second.windows[0].column[-1] == -1
    columns = np.concatenate([w.column[w.column >= 0] for w in second.windows])
    assert sorted(columns.tolist()) == list(range(second.panel.shape[1]))
    assert second.fold[second.panel_names.index("AAA0")] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"min_sites": 601},
            "c: 600 sites are shared by panel and input, and --population_min_sites asks for 601",
        ),
        (
            {"flat": True},
            "sites are shared and varying in the panel, and --population_min_sites asks for 100",
        ),
        ({"labels": {}}, "labels.tsv: none of the panel's 72 people has a label"),
        ({"labels": {"AAA": "EAST"}}, "labels.tsv: all people are of AAA: label two populations at least"),
        ({"few": True}, "labels.tsv: population DDD has 4 people in the panel, and 5 are needed"),
        ({"two": True}, "labels.tsv: population AAA is of WEST and of EAST"),
        ({"ped": "f1 a b\n"}, "families.ped: line 1 has 3 columns: write family, person, father, mother"),
        ({"builds": True}, "input.vcf.gz is of GRCh38, but the panel panel.vcf.gz of GRCh37: lift one"),
        ({"others": True}, "other.vcf.gz: its people are not those of input.vcf.gz"),
    ],
)
def test_what_is_refused(tmp_path, options, sentence):
    made = Simulated()
    if options.get("flat"):
        made.copies[:] = 0
    panel, target, labels, ours, _theirs = panel_and_input(made, tmp_path)
    targets, pedigree = [target], None
    if "labels" in options:
        kept = [row for row in ours if made.label[row] in options["labels"]]
        labels = made.write_labels(labels, kept)
    if options.get("few"):
        labels = made.write_labels(labels, ours[:-14])
    if options.get("two"):
        labels.write_text(labels.read_text().replace("AAA0\tAAA\tEAST", "AAA0\tAAA\tWEST"))
    if "ped" in options:
        pedigree = tmp_path / "families.ped"
        pedigree.write_text(options["ped"])
    if options.get("builds"):
        for path, length in ((panel, 249250621), (target, 248956422)):
            records = [(c, p, r, a, ["0/1"] * 72) for c, p, r, a in made.sites[:5]]
            names = [made.names[i] for i in ours]
            indexed(write_vcf(path, records, names, {"1": length}))
    if options.get("others"):
        targets.append(made.write_vcf(tmp_path / "other.vcf.gz", ours))
    with pytest.raises(InputError, match=re.escape(sentence)):
        gather(
            "c", [panel], targets, labels, tmp_path / "study",
            min_sites=options.get("min_sites", 100), pedigree=pedigree,
        )  # fmt: skip


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a study"):
        Study.load(tmp_path)
    (tmp_path / "study.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match="not a study"):
        Study.load(tmp_path)


def test_scale_centres_and_hides_nothing_but_the_missing():
    copies = np.array([[0, 2, -1], [2, 2, -1], [1, -1, 1]], np.int8)
    numbers = Scale.of(copies)(copies)
    assert numbers[copies < 0].tolist() == [0, 0, 0]
    assert numbers[:, 0] == pytest.approx([-np.sqrt(2), np.sqrt(2), 0])
