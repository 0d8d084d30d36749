"""Callers trained on made-up examples whose truth is known."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepcohort.genome.command import Device  # noqa: E402
from deepcohort.genome.errors import InputError  # noqa: E402
from deepcohort.variants import tensors, training, trees  # noqa: E402
from deepcohort.variants.callers import AT_ONCE, NetworkCaller, load_caller, loaded  # noqa: E402
from deepcohort.variants.evidence import Evidence  # noqa: E402
from deepcohort.variants.examples import Examples  # noqa: E402
from deepcohort.variants.features import NAMES  # noqa: E402
from deepcohort.variants.names import Name  # noqa: E402
from deepcohort.variants.network import Network, joined_heads  # noqa: E402
from deepcohort.variants.tensors import Shape  # noqa: E402
from deepcohort.variants.train_caller import facts_of, reliability, train_caller  # noqa: E402
from deepcohort.variants.training import How, Lessons, learn, new_network  # noqa: E402

SMALL = Shape(8, 9, 12, 1)
EVEN = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tensors.LAYOUTS, "compact", SMALL)
        patch.setattr(trees, "FOREST", 10)
        patch.setattr(trees, "ROUNDS", 10)
        patch.setattr(training, "AT_ONCE", 16)
        torch.set_num_threads(1)
        yield


def made_up(n, seed):
    """Haplotypes that say too little; bright pictures are of more copies, and so is the first feature."""
    rng = np.random.default_rng(seed)
    copies = rng.choice(3, n, p=[0.2, 0.5, 0.3])
    pictures = rng.integers(0, 60, (n, SMALL.channels, SMALL.rows, SMALL.columns))
    pictures[:, 7] += (90 * copies)[:, None, None]
    features = rng.normal(size=(n, len(NAMES))).astype(np.float32)
    features[:, 0] += copies
    features[:, NAMES.index("snp")] = 9
    right = np.where(rng.random(n) < 0.6, copies, rng.integers(0, 3, n))
    logs = np.log(np.where(np.arange(3) == right[:, None], 0.6, 0.2))
    evidence = Evidence(pictures.astype(np.uint8), features, logs)
    return Examples(evidence, copies.astype(np.int64), "compact")


@pytest.fixture(scope="module")
def files(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("examples")
    paths = [folder / f"{name}.npz" for name in ("a", "b", "held_out")]
    for seed, path in enumerate(paths):
        made_up(160, seed).save(path)
    return Lessons(paths[:2], paths[2:])


def features_of(lessons):
    return np.concatenate([one.features for one in facts_of(lessons)])


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    caller = tmp_path_factory.mktemp("trained") / "caller"
    train_caller(files, caller, How(3, EVEN, 1))
    return caller


def test_an_untrained_network_says_what_the_haplotypes_say(files):
    network = new_network("compact", features_of(files), How(1, EVEN, 1)).eval()
    evidence = made_up(50, 7).evidence
    logs = NetworkCaller(network, SMALL, "cpu").log_chances(evidence)
    np.testing.assert_allclose(logs, evidence.log_chances, atol=0.011)


def test_training_learns_from_pictures_and_figures_are_those_of_held_out_examples(folder, files):
    said = json.loads((folder / "caller.json").read_text())
    assert said["layout"] == "compact" and said["training"]["examples"] == 320
    errors = {name: by_type["snp"]["errors"] for name, by_type in said["held_out"].items()}
    held = Examples.load(files.held_out[0])
    assert errors["haplotypes"] == (held.evidence.log_chances.argmax(axis=1) != held.copies).sum()
    commonest = (held.copies != 1).sum()
    assert errors["cnn"] < 12 < errors["haplotypes"] < commonest
    assert errors["gbm"] < commonest
    for name in (Name.cnn, Name.rf, Name.gbm, Name.ensemble):
        caller = load_caller(name, folder)
        right = caller.log_chances(held.evidence).argmax(axis=1) == held.copies
        assert (~right).sum() == errors[name]
        totals = np.exp(caller.log_chances(held.evidence)).sum(axis=1)
        np.testing.assert_allclose(totals, 1, atol=0.02)


def test_the_ensemble_is_the_mean_of_its_members(folder):
    evidence = made_up(40, 9).evidence
    members = [load_caller(name, folder).log_chances(evidence) for name in (Name.rf, Name.gbm, Name.cnn)]
    mean = np.mean(members, axis=0)
    expected = mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(load_caller(Name.ensemble, folder).log_chances(evidence), expected, atol=0.006)
    assert load_caller(Name.ensemble, folder).shape == SMALL and load_caller(Name.rf, folder).shape is None


def test_candidates_are_told_alike_in_any_company(folder):
    evidence = made_up(2 * AT_ONCE + 5, 11).evidence
    caller = load_caller(Name.cnn, folder)
    together = caller.log_chances(evidence)
    for rows in (slice(0, 1), slice(7, 40), slice(60, None)):
        part = Evidence(evidence.tensors[rows], evidence.features[rows], evidence.log_chances[rows])
        np.testing.assert_array_equal(caller.log_chances(part), together[rows])
    nobody = Evidence(evidence.tensors[:0], evidence.features[:0], evidence.log_chances[:0])
    assert caller.log_chances(nobody).shape == (0, 3)


def test_a_training_that_goes_on_is_the_same_as_one_in_one_go(files, tmp_path):
    def trained(stops):
        for last in stops:
            network = new_network("compact", features_of(files), How(3, EVEN, 1))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(training.Course, "stalled", lambda self, _, last=last: self.epochs >= last)
                course = learn(network, files, How(3, EVEN, 1), "cpu", tmp_path / f"{len(stops)}.safetensors")
        return course.losses, network.state_dict()

    whole, in_parts = trained([3]), trained([1, 3])
    assert whole[0] == in_parts[0] and len(whole[0]) == 4
    for name, value in whole[1].items():
        assert torch.equal(value, in_parts[1][name]), name


def test_a_checkpoint_of_another_training_is_refused(files, tmp_path):
    path = tmp_path / "kept.safetensors"
    learn(new_network("compact", features_of(files), How(1, EVEN, 1)), files, How(1, EVEN, 1), "cpu", path)
    with pytest.raises(InputError, match="a checkpoint of another training"):
        learn(
            new_network("compact", features_of(files), How(1, EVEN, 2)), files, How(1, EVEN, 2), "cpu", path
        )
    again = Lessons([tmp_path / one.name for one in files.training], files.held_out)
    for one in files.training:
        dataclasses.replace(Examples.load(one), layout="full").save(tmp_path / one.name)
    network = new_network("compact", features_of(files), How(1, EVEN, 1))
    with pytest.raises(InputError, match="a checkpoint of another training"):
        learn(network, again, How(1, EVEN, 1), "cpu", path)


def test_class_weights_are_taken_back(files):
    weighted = Network(SMALL, np.zeros(len(NAMES)), np.ones(len(NAMES)), (5.0, 1.0, 1.0))
    evidence = made_up(20, 3).evidence
    inputs = [torch.from_numpy(one) for one in (evidence.tensors, evidence.features)]
    logs = torch.from_numpy(evidence.log_chances).float()
    with torch.no_grad():
        taken_back = weighted.eval()(*inputs, logs)[0]
    expected = logs - torch.tensor([np.log(5.0), 0, 0]).float()
    torch.testing.assert_close(taken_back, torch.log_softmax(expected, 1), atol=1e-5, rtol=1e-5)


def test_both_heads_count_alike():
    log_copies = torch.log(torch.tensor([[0.2, 0.6, 0.2]], dtype=torch.float64))
    joined = joined_heads(log_copies, torch.tensor([np.log(0.5 / 0.5)])).exp()
    odds = np.sqrt(0.8 / 0.2)
    there = odds / (1 + odds)
    np.testing.assert_allclose(joined.numpy(), [[1 - there, there * 0.75, there * 0.25]])


def test_reads_unlike_those_of_the_training_are_told(folder, files):
    evidence = Examples.load(files.training[0]).evidence
    watched = loaded(Name.rf, folder, Device.cpu, 1)
    np.testing.assert_array_equal(
        watched.log_chances(evidence), load_caller(Name.rf, folder).log_chances(evidence)
    )
    assert watched.strange() == []
    features = evidence.features.copy()
    features[:, NAMES.index("reads_this")] = np.log1p(200)
    watched = loaded(Name.rf, folder, Device.cpu, 1)
    watched.log_chances(Evidence(evidence.tensors[:9], features[:9], evidence.log_chances[:9]))
    assert watched.strange() == []
    watched = loaded(Name.rf, folder, Device.cpu, 1)
    watched.log_chances(Evidence(evidence.tensors, features, evidence.log_chances))
    (sentence,) = watched.strange()
    assert sentence.startswith("depth: 20") and "that the caller was trained on" in sentence


def test_reliability_tells_how_often_it_is_wrong():
    rng = np.random.default_rng(2)
    chances = rng.dirichlet([0.3, 0.3, 0.3], 20_000)
    copies = np.array([rng.choice(3, p=one) for one in chances])
    rows = reliability(np.log(np.maximum(chances, 1e-12)), copies)
    assert sum(row["examples"] for row in rows) == 20_000
    for row in rows:
        chance = np.sqrt(row["told"] / row["examples"])
        assert abs(row["wrong"] - row["told"]) < 4 * chance + 1e-3
    assert rows[0]["told"] > 0.4 > rows[-1]["told"]


def test_a_network_is_trained_on(folder, files, tmp_path):
    train_caller(files, tmp_path / "more", How(1, EVEN, 1), start=folder)
    first = json.loads((folder / "caller.json").read_text())["losses"]
    more = json.loads((tmp_path / "more/caller.json").read_text())["losses"]
    assert more[0] == pytest.approx(min(first), abs=1e-6)


def saved(path, examples, **changes):
    Examples(**{**examples.__dict__, **changes}).save(path)
    return path


def test_what_cannot_be_used_is_refused(folder, files, tmp_path):
    folder = shutil.copytree(folder, tmp_path / "caller")
    with pytest.raises(InputError, match="--caller cnn needs --weights"):
        loaded(Name.cnn, None, Device.cpu, 1)
    assert loaded(Name.haplotypes, None, Device.cpu, 1) is None
    with pytest.raises(
        InputError, match=r"holds no trained caller .*: give a folder that train-caller wrote"
    ):
        load_caller(Name.rf, tmp_path)
    (folder / "rf.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match=r"rf.safetensors: not the weights of rf"):
        load_caller(Name.rf, folder)
    sidecar = json.loads((folder / "caller.json").read_text())
    (folder / "caller.json").write_text(json.dumps(sidecar | {"tensor_version": 0}))
    with pytest.raises(InputError, match="tensor_version is 0, this program has 1: train anew"):
        load_caller(Name.cnn, folder)
    (folder / "caller.json").write_text(json.dumps(sidecar | {"layout": "other"}))
    with pytest.raises(InputError, match="layout is other, this program has one of base7, full, compact"):
        load_caller(Name.cnn, folder)
    (folder / "caller.json").write_text(json.dumps(sidecar))
    network = (folder / "network.safetensors").read_bytes()
    (folder / "network.safetensors").write_bytes((folder / "gbm.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"network.safetensors: not the weights of this network"):
        load_caller(Name.cnn, folder)
    (folder / "network.safetensors").write_bytes(network)
    examples = made_up(30, 5)
    other = saved(tmp_path / "other.npz", examples, layout="full")
    with pytest.raises(
        InputError, match=r"other.npz: examples of the layout full, the others are of compact"
    ):
        train_caller(Lessons(files.training, [other]), tmp_path / "x", How(1, EVEN, 1))
    alike = saved(tmp_path / "alike.npz", examples, copies=np.ones(30, np.int64))
    with pytest.raises(InputError, match=r"the examples hold only \[1\] copies"):
        train_caller(Lessons([alike], [alike]), tmp_path / "x", How(1, EVEN, 1))
    (tmp_path / "no.npz").write_bytes(b"no")
    with pytest.raises(InputError, match=r"no.npz: not a file of examples"):
        Examples.load(tmp_path / "no.npz")
    with pytest.raises(InputError, match=r"a caller of another layout than the examples \(full\)"):
        train_caller(Lessons([other], [other]), tmp_path / "x", How(1, EVEN, 1), start=folder)
