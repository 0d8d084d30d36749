"""The autoregressive networks: what they may see, what they learn, and training that is cut off."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.network_options import Loss, NetworkOptions
from deepcohort.imputation.panel_people import as_target, genotypes_of, people_of, without
from tests.imputation.cohort import cohort
from tests.imputation.haplotypes import founders, panel_chunk

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the networks are NOT tested here")

from deepcohort.genome.checkpoint import Checkpoint  # noqa: E402
from deepcohort.imputation import autoregressive_training, by_autoregressive  # noqa: E402
from deepcohort.imputation.autoregressive import (  # noqa: E402
    Architecture,
    Network,
    generate,
    genotype_counts,
    log_frequencies,
    shifted,
)
from deepcohort.imputation.autoregressive_training import Lessons, window_loss  # noqa: E402

KINDS = [Imputer.lstm, Imputer.gpt]
PEOPLE, SITES = 20, 12
OPTIONS = NetworkOptions(window=30, flank=5, embedding=8, hidden=8, epochs=3)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def network(kind, seed=1):
    """A network with a head that is not zero, so that what it sees shows."""
    torch.manual_seed(seed)
    made = Network(Architecture(str(kind), PEOPLE, SITES, 8, 8, 2))
    torch.nn.init.normal_(made.head.weight)
    return made


def panel(seed=1):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 3, (SITES, PEOPLE)).astype(np.uint8))


def observed(seed=1, people=5):
    found = np.random.default_rng(seed).integers(-1, 3, (1, SITES, people)).astype(np.int8)
    return torch.from_numpy(found)


def settings(kind, **more):
    return Settings(kind, Device.cpu, 1, 1, **({"network": OPTIONS} | more))


def linked(n_people=150, n_sites=60):
    """A panel in strong linkage, its typed sites and some people taken out of it."""
    rng = np.random.default_rng(5)
    whole = panel_chunk(founders(rng, n_sites, 2 * n_people, ancestors=4))
    return whole, np.arange(0, n_sites, 2), people_of(whole)[:20]


def test_features_are_sums_over_differences_modulo_3():
    net, genotypes = network(Imputer.lstm), panel()
    found = net.site_features(genotypes)
    for site in range(SITES):
        for g in range(3):
            remainders = (g - genotypes[site].long()) % 3
            expected = net.vectors[torch.arange(PEOPLE), remainders].sum(dim=0)
            torch.testing.assert_close(found[site, g], expected, atol=1e-5, rtol=1e-5)


def test_a_person_of_the_panel_is_taken_out_of_the_features():
    """What is left is as if the person were not among those that the network reads."""
    net, genotypes = network(Imputer.lstm), panel()
    people = torch.tensor([3, 7])
    own = genotypes[:, people].T.long()
    previous = shifted(torch.nn.functional.one_hot(own, 3).float())
    with_own = net.read(net.site_features(genotypes), previous)
    found = with_own - net.own_features(previous, own, people)
    for row, person in enumerate(people.tolist()):
        others = [j for j in range(PEOPLE) if j != person]
        before = previous[row, 1:].argmax(dim=1)
        for site in range(1, SITES):
            remainders = (before[site - 1] - genotypes[site, others].long()) % 3
            expected = net.vectors[others, remainders].sum(dim=0)
            torch.testing.assert_close(found[row, site], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_later_sites_change_nothing_before(kind):
    net, genotypes, seen = network(kind), panel()[None], observed()
    present = torch.ones(1, SITES, dtype=torch.bool)
    before = generate(net, genotypes, seen, present)
    for site in (4, 9):
        changed, otherwise = seen.clone(), genotypes.clone()
        changed[:, site] = (changed[:, site] + 2) % 3
        otherwise[:, site + 1] = (otherwise[:, site + 1] + 1) % 3
        after = generate(net, otherwise, changed, present)
        assert torch.equal(before[:, : site + 1], after[:, : site + 1])
        assert not torch.equal(before[:, site + 1], after[:, site + 1])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_earlier_sites_only(kind):
    net = network(kind)
    features = torch.randn(1, SITES, 8, requires_grad=True)
    net(features, torch.zeros(1, SITES, 3))[0, 6, 1].backward()
    reached = features.grad.abs().sum(dim=2)[0] > 0
    assert reached.tolist() == [True] * 7 + [False] * (SITES - 7)


@pytest.mark.parametrize("kind", KINDS)
def test_site_by_site_is_the_same_as_all_at_once(kind):
    net, genotypes = network(kind), panel()
    seen = observed().clamp(min=0)
    present = torch.ones(1, SITES, dtype=torch.bool)
    found = generate(net, genotypes[None], seen, present)[0].transpose(0, 1)
    previous = shifted(torch.nn.functional.one_hot(seen[0].T.long(), 3).float())
    frequency = log_frequencies(genotype_counts(genotypes))[None]
    at_once = net(net.read(net.site_features(genotypes), previous), frequency).exp()
    torch.testing.assert_close(found, at_once, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_training_sees_no_untyped_genotype_of_the_person(kind, monkeypatch):
    """Another truth at an untyped site changes that site's own term of the loss and no other."""
    net, genotypes = network(kind), panel()
    typed = torch.arange(SITES) % 3 == 0
    people = torch.tensor([2])

    def loss(of, only):
        own = torch.zeros(1, SITES, dtype=torch.bool)
        own[0, only] = True
        lessons = Lessons(of[None], of[None, :, :0], torch.ones(1, SITES, dtype=torch.bool), own, typed[None])
        return window_loss(net, lessons, Loss.plain, 0, people).item()

    changed = genotypes.clone()
    changed[4, 2] = (changed[4, 2] + 1) % 3
    for site in range(SITES):
        same = loss(genotypes, site) == pytest.approx(loss(changed, site), abs=1e-5)
        assert same == (site != 4)
    typed_one = genotypes.clone()
    typed_one[3, 2] = (typed_one[3, 2] + 1) % 3
    assert loss(genotypes, 5) != pytest.approx(loss(typed_one, 5), abs=1e-5)


def test_weighted_loss_by_hand():
    net, genotypes = network(Imputer.lstm), panel()
    every = torch.ones(1, SITES, dtype=torch.bool)
    people = torch.arange(4)
    lessons = Lessons(genotypes[None], genotypes[None, :, :0], every, every, every)

    def one(loss, site):
        own = torch.zeros(1, SITES, dtype=torch.bool)
        own[0, site] = True
        return window_loss(net, replace(lessons, own=own), loss, 0, people).item()

    frequency = genotypes.float().mean(dim=1).numpy() / 2
    weight = np.minimum(frequency, 1 - frequency) + autoregressive_training.RAREST
    expected = sum(weight[site] * one(Loss.plain, site) for site in range(SITES)) / weight.sum()
    assert window_loss(net, lessons, Loss.weighted, 0, people).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "bidirectional", "epochs"), [("lstm", False, 6), ("lstm", True, 6), ("gpt", True, 4)]
)
def test_what_is_learnt_beats_the_frequencies(kind, bidirectional, epochs):
    whole, typed, hidden = linked()
    kept = without(whole, hidden)
    options = replace(OPTIONS, epochs=epochs, embedding=16, hidden=16, bidirectional=bidirectional)
    kind = Imputer(kind)
    chosen = settings(kind, network=options)
    trained = by_autoregressive.train(kept, typed, chosen)
    assert trained.facts["loss"] < 0.97 * trained.facts["start_loss"]
    chances = by_autoregressive.genotype_chances(kept, as_target(whole, hidden, typed), trained, chosen)
    truth = genotypes_of(whole, np.arange(60))[:, :20]
    untyped = np.setdiff1d(np.arange(60), typed)
    found = np.take_along_axis(chances, truth[..., None].astype(int), 2)[untyped]
    genotypes = genotypes_of(kept, untyped)
    plain = np.stack([(genotypes == g).mean(axis=1) for g in range(3)], axis=1)
    plain = np.take_along_axis(plain, truth[untyped].astype(int), 1)
    share = np.log(found).mean() / np.log(np.maximum(plain, 1e-3)).mean()
    assert share < (0.9 if bidirectional else 0.95)
    np.testing.assert_allclose(chances.sum(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_training_that_was_killed_goes_on_to_the_same_weights(kind, tmp_path, monkeypatch):
    whole, typed, _ = linked(60)
    expected = by_autoregressive.train(whole, typed, settings(kind))
    save, saved = Checkpoint.save, []

    def killed(*arguments):
        save(*arguments)
        saved.append(1)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", killed)
    kept = settings(kind, checkpoint=tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        by_autoregressive.train(whole, typed, kept)
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["forwards.safetensors"]
    found = by_autoregressive.train(whole, typed, kept)
    assert found.facts == expected.facts
    for name, value in expected.weights.items():
        assert found.weights[name].tobytes() == value.tobytes(), name


def test_checkpoints_of_others_are_refused(tmp_path):
    whole, typed, _ = linked(60)
    kept = settings(Imputer.lstm, checkpoint=tmp_path)
    by_autoregressive.train(whole, typed, kept)
    with pytest.raises(InputError, match="a checkpoint of another training: give an empty --checkpoint"):
        by_autoregressive.train(whole, typed[:-1], kept)
    path = tmp_path / "forwards.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"forwards.safetensors: not a checkpoint .*give an empty"):
        by_autoregressive.train(whole, typed, kept)


def test_windows_and_people_in_groups_are_the_same(monkeypatch):
    data = cohort(n_panel=60)
    trained = by_autoregressive.train(data.panel, data.target.typed, settings(Imputer.gpt))
    ask = (data.panel, data.target, trained, settings(Imputer.gpt))
    together = by_autoregressive.genotype_chances(*ask)
    monkeypatch.setattr(by_autoregressive, "ROWS", 5)
    np.testing.assert_allclose(by_autoregressive.genotype_chances(*ask), together, atol=1e-5)


def test_a_large_panel_is_read_in_part(monkeypatch):
    monkeypatch.setattr(by_autoregressive, "LARGEST_PANEL", 10)
    data = cohort(n_panel=60)
    trained = by_autoregressive.train(data.panel, data.target.typed, settings(Imputer.lstm))
    assert trained.facts["panel_people_read"] == len(trained.weights["people"]) == 10
    found = by_autoregressive.genotype_chances(data.panel, data.target, trained, settings(Imputer.lstm))
    assert np.isfinite(found).all()


def test_too_few_people_leave_the_frequencies():
    data = cohort(n_panel=10)
    trained = by_autoregressive.train(data.panel, data.target.typed, settings(Imputer.lstm))
    assert (trained.facts["people"], trained.facts["loss"]) == (0, None)
    found = by_autoregressive.genotype_chances(data.panel, data.target, trained, settings(Imputer.lstm))
    counts = np.stack([(genotypes_of(data.panel, np.arange(90)) == g).sum(axis=1) for g in range(3)], axis=1)
    np.testing.assert_allclose(found[:, 0], (counts + 0.5) / (5 + 1.5), atol=1e-5)


def test_what_cannot_be_is_refused():
    data = cohort(n_panel=60)
    odd = settings(Imputer.gpt, network=replace(OPTIONS, hidden=10))
    with pytest.raises(InputError, match="hidden size 10: the transformer has 4 heads: give a multiple of 4"):
        by_autoregressive.train(data.panel, data.target.typed, odd)
    trained = by_autoregressive.train(data.panel, data.target.typed, settings(Imputer.lstm))
    fewer = without(data.panel, trained.weights["people"][:1])
    with pytest.raises(InputError, match="trained on another panel chunk: make it by train-chunk"):
        by_autoregressive.genotype_chances(fewer, data.target, trained, settings(Imputer.lstm))
