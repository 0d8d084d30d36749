"""People who are the same by their genotypes, among simulated ones."""

import numpy as np
import pytest

from deepcohort.inputs.checks import check_genotypes, write_check
from deepcohort.inputs.people import MEMORY, SITES, PeopleSample, Sketch, find_same
from deepcohort.inputs.plan import plan_imputation, read_checked
from tests.genotypes import write_vcf

N_SITES = 400
POSITIONS = [1_000 + 12_000 * i for i in range(N_SITES)]
COHORT, PANEL = [f"c{i}" for i in range(12)], [f"p{i}" for i in range(30)]


def haplotypes(people, seed):
    rng = np.random.default_rng(seed)
    frequency = np.random.default_rng(0).uniform(0.4, 0.6, N_SITES)
    return (rng.random((N_SITES, people, 2)) < frequency[:, None, None]).astype(int)


def checked(folder, name, genotypes, people, mark, alleles="AG", contig="20"):
    """A file of these genotypes (-1 is missing) that went through its check."""
    rows = []
    for position, row in zip(POSITIONS, genotypes, strict=True):
        cells = [f"{a}{mark}{b}".replace("-1", ".") for a, b in row.tolist()]
        rows.append((contig, position, alleles[0], alleles[1], cells))
    made = [folder / f"{name}.{kind}" for kind in ("sites.bcf", "check.json", "people.npz")]
    check = check_genotypes(
        write_vcf(folder / f"{name}.bcf", rows, people),
        panel=mark == "|",
        name=name,
        index=None,
        out_sites=made[0],
        out_index=folder / f"{name}.bcf.csi",
        out_people=made[2],
    )
    write_check(check, made[1])
    return read_checked([made[0]], [made[1]], [made[2]])[0]


def test_copies_are_found_in_cohort_and_panel_whatever_the_phase_the_errors_and_the_alleles(tmp_path):
    ours, theirs = haplotypes(len(COHORT), 1), haplotypes(len(PANEL), 2)
    rng = np.random.default_rng(3)
    ours[:, 3] = theirs[:, 7, ::-1]
    ours[:, 5] = ours[:, 9]
    for person in (3, 5):
        wrong = rng.choice(N_SITES, 4, replace=False)  # 1 % errors
        ours[wrong, person] = 1 - ours[wrong, person]
    ours[rng.random(ours.shape[:2]) < 0.02] = -1
    # REF and ALT the other way round in the target.
    target = checked(tmp_path, "target", np.where(ours < 0, -1, 1 - ours), COHORT, "/", "GA", "chr20")
    planned = plan_imputation([checked(tmp_path, "panel", theirs, PANEL, "|")], [target])
    found = [(person.person, person.reason, person.other) for person in planned.people]
    assert found == [("c3", "in_panel", "p7"), ("c5", "in_cohort", "c9")]
    assert all(0.98 <= person.value < 1 for person in planned.people)
    counts = {what: count for chrom, what, count in planned.counts if chrom == "all"}
    assert counts == {"qc_people_sites": N_SITES, "qc_in_cohort": 1, "qc_in_panel": 1}


def test_strangers_and_few_sites_tell_nothing(tmp_path):
    ours, theirs = haplotypes(len(COHORT), 1), haplotypes(len(PANEL), 2)
    panel = checked(tmp_path, "panel", theirs, PANEL, "|")
    assert plan_imputation([panel], [checked(tmp_path, "target", ours, COHORT, "/")]).people == []
    target = checked(tmp_path, "few", theirs, PANEL, "/")
    few = PeopleSample.load(target.people)
    few = PeopleSample(few.chrom[:99], few.pos[:99], few.ref[:99], few.alt[:99], few.copies[:99])
    all_of_it = [(PeopleSample.load(panel.people), PANEL)]
    assert find_same([(few, PANEL)], all_of_it) == ([], 99)
    found, sites = find_same(all_of_it, all_of_it)
    assert sites == N_SITES
    assert [(one.person, one.other) for one in found] == [(name, name) for name in PANEL]


def test_people_are_matched_by_name_over_files_in_another_order(tmp_path):
    theirs = haplotypes(len(PANEL), 2)
    sample = PeopleSample.load(checked(tmp_path, "panel", theirs, PANEL, "|").people)
    names = PANEL[::-1]
    other = PeopleSample(["21"] * N_SITES, sample.pos, sample.ref, sample.alt, sample.copies[:, ::-1])
    found, sites = find_same([(sample, PANEL), (other, names)], [(sample, PANEL), (other, names)])
    assert sites == 2 * N_SITES
    assert {(one.person, one.other, one.value) for one in found} == {(name, name, 1.0) for name in PANEL}


def test_somebody_who_lacks_many_genotypes_is_named(tmp_path):
    ours = haplotypes(len(COHORT), 1)
    ours[:50, 2] = -1
    ours[:30, 4] = -1
    panel = checked(tmp_path, "panel", haplotypes(len(PANEL), 2), PANEL, "|")
    people = plan_imputation([panel], [checked(tmp_path, "target", ours, COHORT, "/")]).people
    assert [(one.person, one.reason, one.value) for one in people] == [("c2", "missing", 0.125)]


def test_a_sketch_keeps_what_it_took_and_no_more_than_it_may(tmp_path):
    target = checked(tmp_path, "target", haplotypes(len(COHORT), 1), COHORT, "/")
    sample = PeopleSample.load(target.people)
    assert sample.copies == pytest.approx(haplotypes(len(COHORT), 1).sum(axis=2))
    assert sample.pos.tolist() == POSITIONS
    assert Sketch(100).most == SITES
    assert Sketch(1_000_000).most * 1_000_000 / 4 <= MEMORY
