"""The remade design of a published study: what is cut, how it is scored, and its table."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.protocol import Plain, Result, app, chances, entrants, pooled, result_of
from benchmarks.published_design import QUICK, Design, Source, problems
from deepcohort.imputation.imputers import Imputer


@pytest.fixture(scope="module")
def people():
    return Source.simulated.people()


def first_problem(people, design=Design.spread, band="0.6"):
    return next(iter(problems(Source.simulated, people, band, design, QUICK, 1)))


@pytest.mark.parametrize(
    ("design", "observed"),
    [("first", list(range(12))), ("spread", [2, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57])],
)
def test_a_fifth_of_the_sites_is_observed(people, design, observed):
    problem = first_problem(people, Design(design))
    assert problem.target.typed.tolist() == observed
    assert problem.asked.tolist() == [site for site in range(60) if site not in observed]
    assert problem.panel.n_haplotypes == 2 * (QUICK.people - QUICK.targets)
    assert not problem.target.phased.any()


def test_targets_are_not_in_the_panel_and_sites_are_of_the_frequency(people):
    problem = first_problem(people, band="0.1")
    frequency = people.alt_frequency()
    rows = np.searchsorted(people.pos, problem.panel.pos)
    assert ((frequency[rows] >= 0.05) & (frequency[rows] <= 0.15)).all()
    everybody = problem.panel.alt_frequency()[problem.asked] * 96 + problem.truth.sum(axis=1)
    np.testing.assert_allclose(everybody, frequency[rows][problem.asked] * 120)


def test_chunks_lie_side_by_side(people):
    sizes = replace(QUICK, sites=20)
    found = list(problems(Source.simulated, people, "0.1", Design.first, sizes, 3))
    assert len(found) == 3
    assert found[0].panel.pos[-1] < found[1].panel.pos[0] < found[2].panel.pos[0]


def test_plain_guesses(people):
    problem = first_problem(people)
    (_, frequent, *_), (_, mean, *_) = (chances(problem, entrants(1)[i]) for i in (1, 2))
    panel = problem.panel.alleles(problem.asked)
    genotypes = panel[:, 0::2] + panel[:, 1::2]
    for site in range(len(genotypes)):
        assert set(frequent[site]) == {np.bincount(genotypes[site], minlength=3).argmax()}
    np.testing.assert_allclose(mean, np.broadcast_to(genotypes.mean(axis=1)[:, None], mean.shape))


def test_accuracy_and_determination_of_each_person(people, tmp_path):
    problem = first_problem(people)
    copying = next(one for one in entrants(1) if one.kind is Imputer.copying)
    guess, dosage, *_ = chances(problem, copying)
    accuracy, r2 = result_of(problem, copying, tmp_path).figures
    for person, truth in enumerate(problem.truth.T.astype(float)):
        assert accuracy[person] == pytest.approx(np.mean(guess[:, person] == truth))
        unexplained = np.mean((dosage[:, person] - truth) ** 2) / np.var(truth)
        assert r2[person] == pytest.approx(1 - unexplained)


def test_intervals_draw_people_within_their_source():
    def result(level, noise):
        right = 100 * level + noise * np.resize([-1.0, 1.0], 40)
        return Result(100, right, np.zeros(40), np.ones(40), 1.0, 2.0)

    row = pooled([("a", result(0.9, 4)), ("b", result(0.5, 0))])
    assert row["accuracy"].startswith("70.0 (")
    low, high = (float(text) for text in row["accuracy"][6:-1].split(", "))
    # The mean of one source varies by 4 / sqrt(40), that of both by half of it.
    assert high - low == pytest.approx(2 * 1.96 * 4 / 40**0.5 / 2, abs=0.4)
    assert (row["chunks"], row["train_s"], row["impute_s"]) == ("2", "1.0", "2.0")


def test_every_model_runs_and_copying_is_above_the_plain_ones(tmp_path):
    arguments = ["run", "--quick", "--out", str(tmp_path), "--band", "0.6", "--design", "spread"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    with (tmp_path / "all.tsv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert set(rows) == {one.name for one in entrants(1)}
    r2 = {name: float(row["r2"].split()[0]) for name, row in rows.items()}
    assert r2["copying"] > r2["knn"] > r2[Plain.mean] > r2[Plain.random]
    assert r2["ensemble"] > r2["lstm"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")} == before


def test_the_ablation_changes_one_respect(tmp_path):
    names = ["lstm", "lstm, window 100, flank 20", "lstm, bidirectional True"]
    only = [part for name in names for part in ("--only", name)]
    done = CliRunner().invoke(
        app, ["ablation", "--quick", "--out", str(tmp_path), *only], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert all(name in done.output for name in names)


def test_an_unknown_model_is_named(tmp_path):
    done = CliRunner().invoke(app, ["run", "--quick", "--out", str(tmp_path), "--only", "nonsense"])
    assert done.exit_code == 2
    assert "nonsense is none of: random genotypes;" in " ".join(done.output.replace("│", "").split())
