"""The prior over groups of panel people: found without labels, adapted to the person, and worth it or off."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation import by_adaptive_copying
from deepcohort.imputation.ancestry import GroupPrior, adapted_prior, group_people
from deepcohort.imputation.by_adaptive_copying import impute, train
from deepcohort.imputation.calibration import BINS
from deepcohort.imputation.copying import CpuCopyModel, Prior, Rates, Sites
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.rates import HiddenPeople
from deepcohort.imputation.targets import TargetChunk
from tests.imputation.haplotypes import founders, leads, mosaics, panel_chunk, posteriors

SETTINGS = Settings(Imputer.adaptive_copying)
RATES = Rates(1e4, 5e-3)
CM = np.arange(240) * 0.01
TYPED = np.arange(2, 240, 6)


def two_populations(seed=1, people=40, targets=8):
    """Panel of two populations that share their sites but not their haplotypes, and people of the second.

    Returns the panel, the population of its haplotypes, and the targets' alleles int8[S, n, 2].
    """
    rng = np.random.default_rng(seed)
    sources = [founders(rng, 240, 30, ancestors=12) for _ in range(2)]
    drawn = [mosaics(rng, source, CM, Rates(4e3, 2e-3), 2 * people) for source in sources]
    new = mosaics(rng, sources[1], CM, Rates(4e3, 2e-3), 2 * targets)
    panel = panel_chunk(np.concatenate(drawn, axis=1).astype(np.uint8), cm=CM)
    return panel, np.repeat([0, 1], 2 * people), new.reshape(240, targets, 2)


def typed_target(truth, phased=True):
    genotypes = truth[TYPED] if phased else np.sort(truth[TYPED], axis=2)
    n = truth.shape[1]
    samples = [f"t{i}" for i in range(n)]
    return TargetChunk(samples, "20", TYPED, genotypes, np.full(n, phased), np.zeros(n, bool))


def test_groups_are_of_one_population_and_of_whole_people():
    panel, population, _ = two_populations()
    for number, group in zip((2, 9), group_people(panel, 1, (2, 9)), strict=True):
        assert group.dtype == np.int32
        assert (group[0::2] == group[1::2]).all()
        assert len(np.unique(group)) == number
        for found in np.unique(group):
            assert len(np.unique(population[group == found])) == 1


def test_groups_of_some_haplotypes_do_not_see_the_others():
    """What the others carry is changed, but nothing about which sites are common."""
    panel, _, _ = two_populations()
    alleles = panel.alleles(np.arange(240))
    kept = np.arange(20, 150)
    changed = alleles.copy()
    changed[:, :20] = changed[:, 19::-1]
    other = panel_chunk(changed, cm=CM)
    assert (group_people(panel, 1, [4], kept)[0] == group_people(other, 1, [4], kept)[0]).all()


def test_a_panel_too_small_for_groups_has_one():
    panel = panel_chunk(founders(np.random.default_rng(1), 50, 6))
    assert [group.tolist() for group in group_people(panel, 1, [8, 4])] == [[0] * 6] * 2


@pytest.mark.parametrize(("within", "strength"), [(0.6, 0.0), (0.0, 0.4), (0.6, 0.9)])
def test_the_prior_is_what_a_person_copies_on_average(within, strength):
    panel, _, truth = two_populations(targets=3)
    group = group_people(panel, 1, [6])[0]
    alleles = panel.alleles(TYPED)
    switches = RATES.switches(CM[TYPED], panel.n_haplotypes)
    observed = truth[TYPED].reshape(len(TYPED), -1)
    nothing = Sites.between(CM[TYPED], CM[:0])
    copier = CpuCopyModel().prepare(alleles, CM[TYPED], nothing, panel.carriers(TYPED[:0]))
    owner = np.array([0, 0, 1, 1, 2, 2])
    prior = adapted_prior(
        copier, switches, RATES.emission(observed), owner, group, GroupPrior(within, strength)
    )
    assert prior.within == within
    np.testing.assert_allclose(prior.weight[group].mean(axis=0), 1, rtol=1e-4)
    assert (prior.weight[:, 0] == prior.weight[:, 1]).all()
    even = Prior(group, np.ones((6, 6), np.float32), within)
    choice = np.full(len(group), 1 / len(group)), leads(even, 0)
    copied = [posteriors(alleles, switches, RATES.error, lane, *choice).mean(axis=0) for lane in observed.T]
    for person in range(3):
        of_person = (copied[2 * person] + copied[2 * person + 1]) / 2
        for found in np.unique(group):
            members = group == found
            expected = 1 - strength + strength * of_person[members].sum() / members.mean()
            assert prior.weight[found, 2 * person] == pytest.approx(expected, rel=1e-3)


def squared_correlation(chances, truth, phased):
    untyped = np.setdiff1d(np.arange(240), TYPED)
    first, second = chances[:, 0::2], chances[:, 1::2]
    dosage = first + second if phased else first + 2 * second
    return np.corrcoef(dosage[untyped].ravel(), truth.sum(axis=2)[untyped].ravel())[0, 1] ** 2


@pytest.mark.parametrize("phased", [True, False])
def test_people_of_one_population_are_imputed_better_than_by_the_plain_model(phased):
    panel, _, truth = two_populations(targets=30)
    trained = train(panel, TYPED, SETTINGS)
    learnt = trained.facts["prior"]
    assert learnt["within"] > 0
    assert trained.facts["adapted_loss"] < trained.facts["plain_loss"]
    calibrated = trained.facts["calibrated_loss"] != trained.facts["adapted_loss"]
    assert trained.weights["held"].any() == calibrated
    target, sites = typed_target(truth, phased), np.arange(240)
    found = {}
    for strength in (0.0, 0.9):
        for within in (0.0, learnt["within"]):
            prior = learnt | {"within": within, "strength": strength}
            model = replace(trained, facts=trained.facts | {"prior": prior})
            chances = impute(panel, target, sites, model, SETTINGS)
            found[within > 0, strength > 0] = squared_correlation(chances, truth, phased)
    plain = found.pop((False, False))
    assert min(found.values()) > plain


def test_a_prior_that_people_held_out_do_not_confirm_stays_off(monkeypatch):
    """The people who choose gain by every prior, those who judge by none."""
    panel, _, _ = two_populations()
    first = []

    def loss(self, rates, prior=None):
        first[:] = first or [self]
        gain = 0.0 if prior is None else prior.within
        return 1 - gain if self is first[0] else 1 + gain

    monkeypatch.setattr(HiddenPeople, "loss", loss)
    monkeypatch.setattr(HiddenPeople, "loss_of", lambda *_: 1.1)
    trained = train(panel, TYPED, SETTINGS)
    assert trained.facts["prior"]["within"] == trained.facts["prior"]["strength"] == 0
    assert not trained.weights["group"].any()


def test_a_first_pass_that_gains_little_is_spared(monkeypatch):
    panel, _, _ = two_populations()
    trained = train(panel, TYPED, SETTINGS)
    monkeypatch.setattr(by_adaptive_copying, "SMALLEST_GAIN", 0.9)
    assert train(panel, TYPED, SETTINGS).facts["prior"]["strength"] == 0
    assert trained.facts["prior"]["strength"] in by_adaptive_copying.STRENGTHS


def test_too_little_to_learn_from_is_plain_copying():
    panel, _, _ = two_populations(people=2)
    trained = train(panel, TYPED[:0], SETTINGS)
    assert trained.facts["prior"]["within"] == trained.facts["prior"]["strength"] == 0.0


def test_models_of_other_panels_are_refused():
    panel, _, truth = two_populations()
    other, _, _ = two_populations(people=20)
    trained, target = train(panel, TYPED, SETTINGS), typed_target(truth)
    with pytest.raises(InputError, match="a model of another panel: make it by train-chunk"):
        impute(other, target, np.arange(240), trained, SETTINGS)
    for wrong, message in (
        ({"prior": {"within": 0.5, "strength": 2.0}}, r"a model whose strength is 2\.0, which cannot be"),
        ({"prior": {"strength": 0.5}}, "not a learnt prior"),
        ({"rates": {}}, "not learnt rates of the copying model"),
    ):
        with pytest.raises(InputError, match=message):
            impute(panel, target, TYPED, replace(trained, facts=trained.facts | wrong), SETTINGS)
    without = {name: fact for name, fact in trained.facts.items() if name != "prior"}
    with pytest.raises(InputError, match=r"not a learnt prior \('prior'\): make it by train-chunk"):
        impute(panel, target, TYPED, replace(trained, facts=without), SETTINGS)


def test_whom_nothing_is_known_of_gets_the_frequencies_of_the_panel_whatever_was_learnt():
    panel, _, truth = two_populations(targets=2)
    target = typed_target(truth)
    target.genotypes[:, 1] = -1
    sites = np.setdiff1d(np.arange(240), TYPED)
    trained = train(panel, TYPED, SETTINGS)
    shift = {"shift": np.tile(np.array([2, 0], np.float32), (BINS, 1)), "held": np.ones(BINS, np.uint8)}
    shifted = replace(trained, weights=trained.weights | shift)
    chances = impute(panel, target, sites, shifted, SETTINGS)
    frequency = panel.alt_frequency()[sites]
    assert chances[:, 2:] == pytest.approx(np.repeat(frequency[:, None], 2, axis=1), abs=0.01)
    assert np.abs(chances[:, :2] - impute(panel, target, sites, trained, SETTINGS)[:, :2]).max() > 0.1
