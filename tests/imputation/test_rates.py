"""Rates of the copying model are found again where they are known."""

from dataclasses import asdict

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.copying import CpuCopyModel, Rates
from deepcohort.imputation.rates import LIMITS, START, LearntRates, learn_rates
from tests.imputation.haplotypes import founders, mosaics, panel_chunk

CM = np.arange(400) * 0.002
TYPED = np.arange(0, 400, 4)


def varied_panel(seed=1, n_people=80):
    """A panel without two equal haplotypes."""
    return panel_chunk(founders(np.random.default_rng(seed), 400, 2 * n_people, ancestors=40), cm=CM)


class Recorder:
    """A copying model that keeps what it was prepared with."""

    def __init__(self):
        self.prepared, self.observed = [], []

    def prepare(self, typed, cm, sites, carriers):
        self.copier = CpuCopyModel().prepare(typed, cm, sites, carriers)
        self.prepared.append((typed, sites, carriers))
        return self

    def dosages(self, switches, emission, prior=None):
        self.observed.append(emission.shape[2])
        return self.copier.dosages(switches, emission, prior)


def left_in_panel(panel, typed):
    """Which haplotypes of the panel are among ``typed``, bool[K]."""
    kept = {column.tobytes() for column in typed.T}
    return np.array([column.tobytes() in kept for column in panel.alleles(TYPED).T])


def panel_of_known_truth(rates, seed):
    """A panel whose people that ``seed`` will hide are drawn from the copying model over the others.

    Only typed alleles have errors: those of untyped ones are no part of what the model predicts.
    """
    panel, model = varied_panel(seed, n_people=120), Recorder()
    learn_rates(panel, TYPED, model, seed)
    kept = left_in_panel(panel, model.prepared[0][0])
    assert 0 < (~kept).sum() < kept.sum()
    alleles = panel.alleles(np.arange(400))
    rng, exact = np.random.default_rng(seed), Rates(rates.effective_size, 0.0)
    drawn = mosaics(rng, alleles[:, kept], CM, exact, (~kept).sum()).astype(np.uint8)
    drawn[TYPED] ^= rng.random((len(TYPED), drawn.shape[1])) < rates.error
    alleles[:, ~kept] = drawn
    return panel_chunk(alleles, cm=CM)


@pytest.mark.parametrize(
    "truth",
    [Rates(3e3, 1e-3), Rates(3e3, 0.03), Rates(3e4, 1e-3), Rates(3e4, 0.03), Rates(2e5, 0.01)],
    ids=str,
)
def test_known_rates_are_found_again(truth):
    learnt = learn_rates(panel_of_known_truth(truth, seed=2), TYPED, CpuCopyModel(), seed=2)
    assert 1 / 2.5 < learnt.effective_size / truth.effective_size < 2.5
    assert learnt.error < 2.5 * truth.error
    assert learnt.error > truth.error / 2.5 or truth.error <= 1e-3
    assert learnt.loss <= learnt.start_loss


def test_no_rates_of_a_grid_are_better():
    """The search goes one rate at a time; going through a grid of both finds nothing better."""
    panel, model = varied_panel(4), Recorder()
    learnt = learn_rates(panel, TYPED, model, seed=4)
    typed, sites, _ = model.prepared[0]
    kept = left_in_panel(panel, typed)
    asked = np.setdiff1d(np.arange(400), TYPED)
    carriers = panel.carriers(asked, np.flatnonzero(kept))
    copier = CpuCopyModel().prepare(typed, panel.cm[TYPED], sites, carriers)
    observed, truth = panel.alleles(TYPED)[:, ~kept].astype(np.int8), panel.alleles(asked)[:, ~kept]

    def loss(rates):
        switches = rates.switches(panel.cm[TYPED], typed.shape[1])
        chance = copier.dosages(switches, rates.emission(observed)).astype(float).clip(1e-4, 1 - 1e-4)
        return -np.log(np.where(truth, chance, 1 - chance)).mean()

    grid = [
        loss(Rates(10**size, 10**error))
        for size in np.arange(2, 8.1, 0.5)
        for error in np.arange(-4, -0.6, 0.5)
    ]
    assert learnt.loss == pytest.approx(loss(learnt.rates), rel=1e-4)
    assert learnt.loss < 1.01 * min(grid)


def test_what_is_told_about_the_search():
    learnt = learn_rates(varied_panel(3), TYPED, CpuCopyModel(), seed=3)
    assert learnt.loss <= learnt.start_loss
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(learnt, name) <= high
    assert (learnt.people, learnt.typed, learnt.sites, learnt.seed) == (20, 100, 300, 3)
    assert learnt.evaluations > 3
    assert learnt == learn_rates(varied_panel(3), TYPED, CpuCopyModel(threads=2), seed=3)


def test_loss_is_the_cross_entropy_of_hidden_people_whose_haplotypes_both_left():
    panel, model = varied_panel(n_people=13), Recorder()
    learnt = learn_rates(panel, TYPED, model, seed=1)
    ((typed, sites, carriers),) = model.prepared
    assert learnt.people == 3
    assert set(model.observed) == {6}
    assert typed.shape == (100, 20)
    assert (carriers.carriers < 20).all()
    kept = left_in_panel(panel, typed)
    hidden = np.flatnonzero(~kept)
    assert len(hidden) == 6
    assert (hidden[::2] % 2 == 0).all()
    assert (hidden[1::2] == hidden[::2] + 1).all()
    asked = np.setdiff1d(np.arange(400), TYPED)
    copier = CpuCopyModel().prepare(
        typed, panel.cm[TYPED], sites, panel.carriers(asked, np.flatnonzero(kept))
    )
    emission = START.emission(panel.alleles(TYPED)[:, hidden].astype(np.int8))
    dosage = copier.dosages(START.switches(panel.cm[TYPED], typed.shape[1]), emission)
    chance = dosage.astype(float).clip(1e-4, 1 - 1e-4)
    truth = panel.alleles(asked)[:, hidden]
    loss = -(truth * np.log(chance) + (1 - truth) * np.log(1 - chance)).mean()
    assert learnt.start_loss == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(
    ("people", "typed"),
    [(3, TYPED), (80, np.zeros(0, np.int64)), (80, np.arange(400))],
    ids=["tiny panel", "no typed site", "nothing but typed sites"],
)
def test_too_little_to_learn_from_leaves_the_start(people, typed):
    learnt = learn_rates(varied_panel(n_people=people), typed, CpuCopyModel(), seed=1)
    assert learnt.rates == START
    assert (learnt.people, learnt.loss, learnt.start_loss, learnt.evaluations) == (0, None, None, 0)


def test_haploid_people_are_hidden_too():
    panel = varied_panel(n_people=20)
    single = panel_chunk(panel.alleles(np.arange(400)), cm=CM, person=np.arange(40, dtype=np.int32))
    model = Recorder()
    assert learn_rates(single, TYPED, model, seed=1).people == 10
    assert set(model.observed) == {10}


def test_round_trip():
    learnt = LearntRates(2.5e5, 1e-3, 0.11, 0.12, 64, 300, 2000, 17, 1)
    assert LearntRates.of(asdict(learnt)) == learnt
    assert learnt.rates == Rates(2.5e5, 1e-3)


@pytest.mark.parametrize("facts", [{}, {"error": 1}, {"unknown": 1}], ids=["empty", "short", "other"])
def test_other_facts_are_refused(facts):
    with pytest.raises(InputError, match=r"not learnt rates of the copying model .*by train-chunk"):
        LearntRates.of(facts)


@pytest.mark.parametrize(
    ("name", "value"), [("error", 0.0), ("error", 1.0), ("effective_size", float("nan"))]
)
def test_impossible_rates_are_refused(name, value):
    facts = asdict(LearntRates(2.5e5, 1e-3, None, None, 0, 0, 0, 0, 1)) | {name: value}
    with pytest.raises(InputError, match=rf"{name} is .*: make them by train-chunk"):
        LearntRates.of(facts)
