"""Plain models, the pool, and what is said of people."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.families import groups_of
from deepcohort.population import plain
from deepcohort.population.answer import answer, to_superpopulations
from deepcohort.population.components import Components, Kernel
from deepcohort.population.methods import Method
from deepcohort.population.outputs import assigned, write_answer
from deepcohort.population.people import alike, split
from deepcohort.population.pool import calibration_error, cross_fitted, fit_weights, log_softmax, pooled
from deepcohort.population.recommend import recommend, rows
from deepcohort.population.study import Scale, Study, Window
from tests.population.people import HOME, Simulated


@pytest.fixture(scope="module", autouse=True)
def small_forest():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "TREES", 10)
        yield


@pytest.fixture(scope="module")
def study():
    return make_study(Simulated(people=25, sites=500, drift=(0.2, 0.1)))


@pytest.fixture(scope="module")
def found(study):
    return answer(study, [], Method.auto, 1)


def make_study(made, held=5):
    """The first ``held`` people of each population are the input."""
    people = len(made.names) // len(made.home)
    theirs = [i for i in range(len(made.names)) if i % people < held]
    ours = [i for i in range(len(made.names)) if i % people >= held]
    populations = sorted(made.home)
    label = np.array([populations.index(made.label[i]) for i in ours])
    half = len(made.sites) // 2
    windows = [
        Window(
            f"{chrom}.1",
            str(chrom),
            [s[1:] for s in made.sites[first : first + half]],
            np.arange(first, first + half),
        )
        for chrom, first in ((1, 0), (2, half))
    ]
    continents = sorted(set(made.home.values()))
    return Study(
        "c", made.copies[ours], made.copies[theirs].copy(), [made.names[i] for i in ours],
        [made.names[i] for i in theirs], label, populations,
        np.array([continents.index(made.home[p]) for p in populations]), continents,
        split(label, np.arange(len(label)), 5, 1), windows, {"used": 500}, [],
    )  # fmt: skip


def test_plain_models_tell_populations_that_drifted_apart(study, found):
    truth = [study.populations.index(name[:3]) for name in study.names]
    assert (found.probability.argmax(axis=1) == truth).mean() > 0.9
    assert found.probability.sum(axis=1) == pytest.approx(np.ones(len(truth)))
    figures = {one.method: one for one in found.figures}
    assert set(figures) == {*plain.MODELS, "ensemble"}
    assert figures[found.method].accuracy == max(one.accuracy for one in found.figures)
    guess = found.held_out.argmax(axis=1)
    assert figures[found.method].accuracy == pytest.approx((guess == study.label).mean())
    upper = to_superpopulations(found.probability, study)
    assert upper[:, 0] == pytest.approx(found.probability[:, :2].sum(axis=1))


def test_the_figures_of_shuffled_labels_are_those_of_chance(study):
    """If anything of a held-out person reached its model, it would show here."""
    rng = np.random.default_rng(3)
    shuffled = Study(**{**vars(study), "label": rng.permutation(study.label)})
    found = answer(shuffled, [], Method.auto, 1)
    assert max(one.accuracy for one in found.figures) < 0.45


def test_who_has_no_genotype_or_is_in_the_panel_is_told(study):
    people = study.people.copy()
    people[0] = -1
    people[1, 30:] = -1
    people[2] = study.panel[7]
    found = answer(Study(**{**vars(study), "people": people}), [], Method.discriminant, 1)
    told = assigned(Study(**{**vars(study), "people": people}), found, 0.0)
    assert (told[0]["population"], told[0]["superpopulation"]) == ("unassigned", "unassigned")
    assert [row["flags"] for row in told[:4]] == [
        "all_missing",
        "few_sites",
        f"in_panel:{study.panel_names[7]}",
        "none",
    ]
    assert (told[0]["sites"], told[0]["windows"], told[1]["sites"], told[1]["windows"]) == (
        "0",
        "0",
        "30",
        "1",
    )


def test_people_below_the_probability_are_unassigned(study, found):
    assert {row["population"] for row in assigned(study, found, 1.0)} == {"unassigned"}
    assert "unassigned" not in {row["population"] for row in assigned(study, found, 0.0)}
    half = assigned(study, found, 0.9)
    assert all((row["population"] == "unassigned") == (float(row["p_population"]) < 0.9) for row in half)


def test_networks_must_be_there_when_asked_for(study):
    with pytest.raises(InputError, match="--population_method cnn: no window has a network"):
        answer(study, [], Method.cnn, 1)


def test_files_have_a_row_for_everybody(study, found, tmp_path):
    write_answer(study, found, 0.5, tmp_path)
    lines = (tmp_path / "c.populations").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == study.names
    chances = np.loadtxt(tmp_path / "c.population.probs")
    assert chances == pytest.approx(found.probability, abs=1e-4)
    assert (tmp_path / "c.population.names").read_text().split() == sorted(HOME)
    with (tmp_path / "c.confusion.tsv").open(newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    assert sum(int(row["people"]) for row in table) == len(study.label)
    right = sum(int(row["people"]) for row in table if row["population"] == row["called"])
    with (tmp_path / "c.figures.tsv").open(newline="") as file:
        taken = [row for row in csv.DictReader(file, delimiter="\t") if row["taken"] == "yes"]
    assert [row["method"] for row in taken] == [found.method]
    assert float(taken[0]["accuracy"]) == pytest.approx(right / len(study.label), abs=1e-4)
    with (tmp_path / "c.places.tsv").open(newline="") as file:
        groups = [row["group"] for row in csv.DictReader(file, delimiter="\t")]
    assert groups == ["panel"] * 80 + ["input"] * 20


def test_two_populations_are_enough():
    made = Simulated(people=20, sites=200, home={"AAA": "EAST", "CCC": "WEST"}, drift=(0.3, 0.1))
    found = answer(make_study(made), [], Method.auto, 1)
    assert max(one.accuracy for one in found.figures) > 0.95
    assert (found.probability.argmax(axis=1) == [0] * 5 + [1] * 5).all()


def test_kernel_and_components_are_those_of_plain_algebra(study):
    panel, people = study.panel[:40], study.people[:6]
    scaled, others = Scale.of(panel)(panel).astype(float), Scale.of(panel)(people).astype(float)
    kernel = Kernel(panel)
    assert kernel.with_learnt(people) == pytest.approx(others @ scaled.T / 500, abs=1e-5)
    components = Components(kernel)
    assert components.own @ components.own.T * components.norm == pytest.approx(
        scaled @ scaled.T / 500, abs=1e-5
    )
    assert components.of(panel) == pytest.approx(components.own, abs=1e-4)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    first = others @ axes[0] / np.sqrt(500 * components.norm)
    assert np.abs(components.of(people)[:, 0]) == pytest.approx(np.abs(first), abs=1e-4)


def test_one_model_is_pooled_to_its_temperature():
    rng = np.random.default_rng(1)
    odds = rng.normal(0, 2, (4000, 3))
    truth = np.array([rng.choice(3, p=p) for p in np.exp(log_softmax(odds))])
    assert fit_weights([3 * odds], truth) == pytest.approx([1 / 3], rel=0.1)
    useless = rng.normal(0, 2, (4000, 3))
    weights = fit_weights([odds, useless], truth)
    assert weights[0] == pytest.approx(1, abs=0.1) and weights[1] < 0.05
    chance = np.exp(pooled([log_softmax(odds)], np.ones(1)))
    assert calibration_error(chance.max(axis=1), chance.argmax(axis=1) == truth) < 0.03
    assert calibration_error(np.full(10, 0.95), np.arange(10) < 5) == pytest.approx(0.45)


def test_a_person_has_no_say_in_the_weights_that_pool_it():
    rng = np.random.default_rng(2)
    models, truth, fold = (
        [rng.normal(size=(60, 3)) for _ in range(2)],
        rng.integers(0, 3, 60),
        np.arange(60) % 3,
    )
    before = cross_fitted(models, truth, fold)
    truth[fold == 1] = (truth[fold == 1] + 1) % 3
    after = cross_fitted(models, truth, fold)
    assert (before[fold == 1] == after[fold == 1]).all() and (before[fold != 1] != after[fold != 1]).any()


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=30), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_groups_are_never_split(pairs, seed):
    names = [str(number) for number in range(30)]
    group = groups_of(names, [(names[a], names[b]) for a, b in pairs])
    fold = split(np.arange(30) % 3, group, 5, seed)
    assert all(fold[a] == fold[b] and group[a] == group[b] for a, b in pairs)
    assert set(fold.tolist()) <= set(range(5))


def test_alike_counts_equal_genotypes_where_both_are_known():
    ours = np.array([[0, 1, 2, -1] * 60], np.int8)
    theirs = np.array([[0, 1, 1, 1] * 60, [-1] * 240], np.int8)
    assert alike(ours, theirs) == pytest.approx(np.array([[2 / 3, 0]]))


def linked(seed=5, people=40, sites=400):
    """Two populations whose people are mosaics of twelve founders' haplotypes each."""
    made = Simulated(people=people, sites=sites, home={"AAA": "EAST", "CCC": "WEST"})
    rng = np.random.default_rng(seed)
    for first in (0, people):
        founders = rng.integers(0, 2, (12, sites))
        for row in range(first, first + people):
            haplotypes = [
                founders[np.repeat(rng.integers(0, 12, sites // 40), 40), np.arange(sites)] for _ in "ab"
            ]
            made.copies[row] = np.sum(haplotypes, axis=0)
    return made


def test_panels_are_ranked_and_measured_on_hidden_sites():
    study = make_study(linked(), held=8)
    study = Study(**{**vars(study), "people": study.people[:8], "names": study.names[:8]})
    found = recommend(study, answer(study, [], Method.discriminant, 1), 1)
    assert found.weight[0] > 0.9
    assert {study.panel_names[i][:3] for i in found.order[:32].tolist()} == {"AAA"}
    r2 = {panel: max(value for number, value in bins.values() if number) for panel, bins in found.r2.items()}
    assert min(r2.values()) > 0.5, "linked sites tell each other"
    table = rows(study, found)
    assert [row["name"] for row in table if row["what"] == "population"] == ["AAA", "CCC"]
    whole = next(row for row in table if row["name"] == "all")
    assert whole["advice"] == ("use the full panel" if found.take_full else "use the recommended people")
    assert found.take_full == (not float(whole["recommended"]) > float(whole["full"]))
    assert len(found.people()) == (64 if found.take_full else 32)


def test_unlinked_sites_tell_nothing_of_each_other():
    made = Simulated(people=40, sites=400, home={"AAA": "EAST", "CCC": "WEST"}, drift=(0.001, 0.001))
    study = make_study(made)
    found = recommend(study, answer(study, [], Method.discriminant, 1), 1)
    assert max(value for bins in found.r2.values() for number, value in bins.values() if number) < 0.1
