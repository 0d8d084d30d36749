"""The trained copying model: it begins as the exact one, learns places, and keeps only what helps."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.by_adaptive_copying import impute as impute_adaptive
from deepcohort.imputation.by_adaptive_copying import learn_adapted
from deepcohort.imputation.calibration import BINS, Calibration
from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.copying import Rates
from deepcohort.imputation.gate import Gate, learn_gate
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.places import Places
from deepcohort.imputation.trained import Trained
from tests.imputation.haplotypes import founders, mosaics, panel_chunk
from tests.imputation.test_adaptive_copying import CM, TYPED, two_populations, typed_target

torch = pytest.importorskip("torch", reason="PyTorch is not installed: neural copying is NOT tested here")

from deepcohort.genome.checkpoint import Checkpoint  # noqa: E402
from deepcohort.imputation import by_neural_copying, copying_training  # noqa: E402
from deepcohort.imputation.by_neural_copying import Learnt, impute, train  # noqa: E402

SETTINGS = Settings(Imputer.neural_copying)
HOT = slice(100, 104)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def hot():
    """A panel whose haplotypes all change in one short stretch, which the map knows nothing of."""
    rng = np.random.default_rng(3)
    truth = CM + 3.0 * np.clip((np.arange(240) - HOT.start) / 4, 0, 1)
    source = founders(rng, 240, 40, ancestors=20)
    panel = panel_chunk(mosaics(rng, source, truth, Rates(2e3, 2e-3), 160).astype(np.uint8), cm=CM)
    return panel, train(panel, TYPED, SETTINGS)


def test_switches_are_learnt_where_they_happen(hot):
    panel, trained = hot
    learnt = Learnt.of(trained, panel)
    assert trained.facts["held_out"]["rates_by_place"] < trained.facts["held_out"]["without_rates_by_place"]
    fastest = TYPED[int(np.argmax(learnt.speed))]
    assert HOT.start <= fastest <= HOT.stop + 6


def test_a_part_that_people_held_out_do_not_confirm_is_left_out(monkeypatch):
    panel, _, truth = two_populations()
    monkeypatch.setattr(by_neural_copying._Judge, "accepts", lambda *_: False)
    trained = train(panel, TYPED, SETTINGS)
    learnt, base = Learnt.of(trained, panel), trained.facts["rates"]
    assert (learnt.speed == 1).all()
    np.testing.assert_allclose(learnt.errors, base["error"], rtol=1e-6)
    assert learnt.gate.n_experts == 1
    assert not learnt.calibration.held.any()
    target, sites = typed_target(truth), np.arange(240)
    untrained = impute(panel, target, sites, trained, SETTINGS)
    plain = impute_adaptive(panel, target, sites, trained, SETTINGS)
    np.testing.assert_allclose(untrained, plain, atol=1e-6)


def test_with_too_few_people_to_train_on_it_is_adaptive_copying(monkeypatch):
    """Its calibration too."""
    panel, _, truth = two_populations()
    held = replace(
        Calibration.none(), shift=np.full((BINS, 2), 0.3, np.float32), held=np.ones(BINS, np.bool_)
    )
    base = replace(learn_adapted(panel, TYPED, SETTINGS), calibration=held)
    monkeypatch.setattr(by_neural_copying, "learn_adapted", lambda *_: base)
    monkeypatch.setattr(by_neural_copying, "_draw", lambda *_: [])
    trained = train(panel, TYPED, SETTINGS)
    target, sites = typed_target(truth), np.arange(240)
    adaptive = Trained(Imputer.adaptive_copying, base.facts(), base.weights())
    plain = impute_adaptive(panel, target, sites, adaptive, SETTINGS)
    np.testing.assert_allclose(impute(panel, target, sites, trained, SETTINGS), plain, atol=1e-6)


def test_judges_want_a_gain(hot):
    panel, _ = hot
    people = by_neural_copying._draw(panel, TYPED, SETTINGS)
    judge = by_neural_copying._Judge(panel, people[0], 1, SETTINGS)
    truth = judge.hidden.truth.astype(np.float32)
    good, better = 0.9 * truth + 0.05, 0.91 * truth + 0.045
    assert judge.accepts("one", good, better)
    assert not judge.accepts("two", better, good)
    assert not judge.accepts("three", good, better, gain=0.5)
    assert judge.losses["without_three"] == judge.hidden.loss_of(good)


def test_hidden_people_are_all_different(hot):
    panel, _ = hot
    owners = [set(one.owner.tolist()) for one in by_neural_copying._draw(panel, TYPED, SETTINGS)]
    assert len(owners) == 2 + by_neural_copying.LEARNERS
    assert sum(map(len, owners)) == len(set.union(*owners))


def test_other_typed_sites_than_it_was_learnt_for(hot):
    """Between two sites that it knows the same switches happen, whichever sites lie between them."""
    panel, trained = hot
    learnt = Learnt.of(trained, panel)
    fewer = TYPED[::2]
    every, some = (learnt.rates(panel, typed) for typed in (TYPED, fewer))
    np.testing.assert_allclose(every.speed[1:], learnt.speed[1:], rtol=1e-4)
    way = np.diff(CM[TYPED], prepend=CM[TYPED[0]]) * every.speed
    expected = np.diff(np.cumsum(way)[::2])
    np.testing.assert_allclose(
        (np.diff(CM[fewer], prepend=CM[fewer[0]]) * some.speed)[1:], expected, rtol=1e-4
    )
    np.testing.assert_allclose(some.errors, learnt.errors[::2])
    more = np.sort(np.concatenate([TYPED, [0, 1, 239]]))
    assert np.isfinite(learnt.rates(panel, more).switches(CM[more], 160)).all()


def test_training_goes_on_after_a_kill(tmp_path, monkeypatch):
    panel, _, _ = two_populations(people=24)
    monkeypatch.setattr(copying_training, "EPOCHS", 3)
    monkeypatch.setattr(copying_training, "PATIENCE", 9)
    whole = train(panel, TYPED, SETTINGS)
    settings = replace(SETTINGS, checkpoint=tmp_path)
    save, saved = Checkpoint.save, []

    def killed(self, *arguments):
        save(self, *arguments)
        saved.append(self.path)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        train(panel, TYPED, settings)
    again = train(panel, TYPED, settings)
    assert len(saved) == 3
    assert again.facts == whole.facts
    for name, values in whole.weights.items():
        np.testing.assert_array_equal(again.weights[name], values)
    with pytest.raises(InputError, match="a checkpoint of another training"):
        train(panel, TYPED, replace(settings, seed=2))


def test_long_chunks_are_learnt_from_window_by_window(monkeypatch):
    panel, _, _ = two_populations(people=24)
    monkeypatch.setattr(copying_training, "SPAN", 10)
    monkeypatch.setattr(copying_training, "MARGIN", 3)
    monkeypatch.setattr(copying_training, "SITES", 50)
    looked_at = []
    loss = copying_training.Window.loss

    def noted(self, parameters, lanes):
        looked_at.append((self.part.start, self.part.stop))
        return loss(self, parameters, lanes)

    monkeypatch.setattr(copying_training.Window, "loss", noted)
    train(panel, TYPED, SETTINGS)
    assert {(0, 13), (7, 23), (17, 33), (27, 40)} == set(looked_at)


def test_models_of_other_panels_or_shapes_are_refused(hot):
    panel, trained = hot
    target = typed_target(np.zeros((240, 1, 2), np.int8))
    for name, wrong in (("speed", trained.weights["speed"][1:]), ("shift", np.full(3, np.nan, np.float32))):
        other = replace(trained, weights=trained.weights | {name: wrong})
        with pytest.raises(InputError, match=f"a model without .*{name}, or with"):
            impute(panel, target, TYPED, other, SETTINGS)
    with pytest.raises(InputError, match="a model of another panel"):
        impute(
            panel_chunk(founders(np.random.default_rng(1), 240, 20), cm=CM), target, TYPED, trained, SETTINGS
        )


def test_typed_sites_tell_how_they_are_imputed_without_themselves(hot):
    """Errors differ from site to site; with several experts nothing is told."""
    panel, trained = hot
    rng = np.random.default_rng(4)
    people = mosaics(rng, panel.alleles(np.arange(240)), CM, Rates(2e3, 2e-3), 24).astype(np.int8)
    target = typed_target(people.reshape(240, 12, 2))
    errors = np.linspace(1e-3, 0.1, len(TYPED)).astype(np.float32)
    alone = {name: array for name, array in trained.weights.items() if name != "gate"} | {"errors": errors}
    one = replace(trained, weights=alone)
    told = impute_chunk(panel, target, one, SETTINGS).left_out
    assert set(told) == set(TYPED)
    for place in (0, 7, 30):
        without = target.genotypes.copy()
        without[place] = -1
        chances = impute(panel, replace(target, genotypes=without), TYPED[place : place + 1], one, SETTINGS)
        assert told[TYPED[place]].dosage == pytest.approx(chances.sum(), rel=1e-2, abs=1e-2)
    mixed = replace(trained, weights=alone | {"gate": np.zeros((1, 4), np.float32)})
    assert not impute_chunk(panel, target, mixed, SETTINGS).left_out


def simulated_experts(n_experts, seed=1):
    """Truth and what experts say of it, the first one worst."""
    rng = np.random.default_rng(seed)
    panel = panel_chunk(founders(rng, 60, 30), cm=np.arange(60) * 0.02)
    places = Places.of(panel.alt_frequency(), panel.cm, panel.cm[::7])
    truth = (rng.random((60, 400)) < panel.alt_frequency()[:, None]).astype(np.uint8)
    noises = 1.5 - 0.5 * np.arange(n_experts)
    said = [1 / (1 + np.exp(-(4.0 * truth - 2 + noise * rng.normal(size=truth.shape)))) for noise in noises]
    return places, truth, [one.astype(np.float32) for one in said]


def cross_entropy(chance, truth):
    return -np.log(np.where(truth == 1, chance, 1 - chance)).mean()


def test_a_closed_gate_is_the_first_expert():
    places, _, said = simulated_experts(2)
    assert Gate.closed().mixed(said, places) is said[0]


def test_the_gate_learns_whom_to_trust():
    places, truth, said = simulated_experts(3)
    gate = learn_gate(said, truth, places)
    assert gate.n_experts == 3
    assert cross_entropy(gate.mixed(said, places), truth) < min(cross_entropy(one, truth) for one in said)
    away = [np.abs(gate.mixed(said, places) - one).mean() for one in said]
    assert away[2] < away[0]
