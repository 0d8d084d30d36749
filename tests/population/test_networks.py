"""Networks of a window: trained, written, taken up again, and refused."""

import json

import numpy as np
import pytest

from deepcohort.genome.backend import set_up
from deepcohort.genome.errors import InputError
from deepcohort.population import plain
from deepcohort.population.answer import CNN, answer
from deepcohort.population.gather import gather
from deepcohort.population.methods import Method
from deepcohort.population.network import HiddenSites, build_trunk
from deepcohort.population.study import Study
from deepcohort.population.training import train_window
from deepcohort.population.weights import read_known, read_sidecar
from tests.population.people import Simulated

EPOCHS = 6


@pytest.fixture(scope="module", autouse=True)
def small_forest():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "TREES", 10)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study of two windows, both trained; a folder with networks, logs and answers."""
    folder = tmp_path_factory.mktemp("networks")
    made = Simulated(people=30, sites=400, drift=(0.3, 0.25))
    ours = [i for i in range(120) if i % 30 < 26]
    panel = made.write_vcf(folder / "panel.vcf.gz", ours)
    target = made.write_vcf(folder / "input.vcf.gz", [i for i in range(120) if i % 30 >= 26])
    labels = made.write_labels(folder / "labels.tsv", ours)
    gather("c", [panel], [target], labels, folder / "study", min_sites=100, folds=2)
    study = Study.load(folder / "study")
    set_up(1, 1, "cpu")
    for window in study.windows:
        told = train_window(study, window.name, folder / "net", folder / "logs", epochs=EPOCHS, seed=1)
        told.save(folder / f"{window.name}.npz")
    return folder, study


def answers(folder, study):
    return [folder / f"{window.name}.npz" for window in study.windows]


def test_networks_learn_and_are_pooled(trained):
    folder, study = trained
    found = answer(study, answers(folder, study), Method.cnn, 1)
    truth = [study.populations.index(name[:3]) for name in study.names]
    assert (found.probability.argmax(axis=1) == truth).mean() > 0.6, "chance is 0.25"
    figures = {one.method: one for one in found.figures}
    assert figures[CNN].accuracy > 0.6 and figures[CNN].super_accuracy > 0.9
    assert found.windows.tolist() == [2] * len(truth)


def test_what_is_written_says_what_it_is(trained):
    folder, study = trained
    window = study.windows[0]
    sidecar = read_sidecar(folder / "net" / f"{window.name}.fold1.keras")
    assert sidecar.sites == window.sites and sidecar.populations == study.populations
    held = [name for name, fold in zip(study.panel_names, study.fold, strict=True) if fold == 0]
    assert sidecar.held_out == held and sidecar.trained_on == len(study.panel_names) - len(held)
    history = (folder / "logs" / f"{window.name}.history.tsv").read_text().splitlines()
    assert len(history) == 1 + 2 * EPOCHS
    assert (folder / "logs" / f"{window.name}.fold1" / "events.out.tfevents.0").stat().st_size > 100
    known = read_known(folder / "net")
    assert known.fold == dict(zip(study.panel_names, study.fold.tolist(), strict=True))


def test_the_same_seed_gives_the_same_answers(trained, tmp_path):
    folder, study = trained
    name = study.windows[0].name
    again = train_window(study, name, tmp_path / "net", tmp_path / "logs", epochs=EPOCHS, seed=1)
    with np.load(folder / f"{name}.npz") as before:
        assert (before["people"] == again.people).all() and (before["panel"] == again.panel).all()


def test_a_head_is_trained_anew_for_the_sites_that_are_left(trained, tmp_path):
    folder, study = trained
    made = Simulated(people=30, sites=400, drift=(0.3, 0.25))
    target = made.write_vcf(tmp_path / "half.vcf.gz", range(26, 30), sites=range(0, 400, 2))
    known = read_known(folder / "net")
    second = gather(
        "c", [folder / "panel.vcf.gz"], [target], folder / "labels.tsv", tmp_path / "study",
        min_sites=100, known=known,
    )  # fmt: skip
    assert [w.name for w in second.windows] == [w.name for w in study.windows]
    assert (second.fold == study.fold).all()
    window = second.windows[0]
    assert 80 < (window.column >= 0).sum() < len(window.sites)
    told = train_window(
        second, window.name, tmp_path / "net", tmp_path / "logs", epochs=2, seed=1, weights=folder / "net"
    )
    assert (told.panel.argmax(axis=1) == second.label).mean() > 0.4
    old, new = (
        keras_weights(place / f"{window.name}.fold1.keras") for place in (folder / "net", tmp_path / "net")
    )
    assert (old["trunk"] == new["trunk"]).all() and (old["head"] != new["head"]).any()


def keras_weights(path):
    from deepcohort.genome.backend import keras

    model = keras.models.load_model(path, compile=False)
    return {
        part: np.concatenate([w.ravel() for w in model.get_layer(part).get_weights()])
        for part in ("trunk", "head")
    }


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("checksum", "not the network that its JSON describes (other checksum): copy both again"),
        ("json", "fold1.json: not the description of a network"),
        ("kind", "a network of the kind old, not blocks"),
        ("populations", "a network for 4 other populations than the panel's 4"),
        ("sites", "a network of other sites than its window's"),
        ("unreadable", "cannot be read as a Keras network"),
    ],
)
def test_networks_that_do_not_fit_are_refused(trained, tmp_path, spoil, sentence):
    import hashlib

    folder, study = trained
    name = study.windows[0].name
    for suffix in ("keras", "json"):
        (tmp_path / f"{name}.fold1.{suffix}").write_bytes(
            (folder / "net" / f"{name}.fold1.{suffix}").read_bytes()
        )
    network, sidecar = tmp_path / f"{name}.fold1.keras", tmp_path / f"{name}.fold1.json"
    said = json.loads(sidecar.read_text())
    if spoil in ("checksum", "unreadable"):
        network.write_bytes(b"nothing")
    if spoil == "unreadable":
        said["sha256"] = hashlib.sha256(b"nothing").hexdigest()
    if spoil == "kind":
        said["architecture"] = "old"
    if spoil == "populations":
        said["populations"] = ["A", "B", "C", "D"]
    if spoil == "sites":
        said["sites"][0][0] += 1
    sidecar.write_text("[]" if spoil == "json" else json.dumps(said))
    with pytest.raises(InputError) as error:
        train_window(study, name, tmp_path / "net", tmp_path / "logs", epochs=1, seed=1, weights=tmp_path)
    assert sentence in str(error.value)


def test_folders_of_networks_that_do_not_fit_are_refused(trained, tmp_path):
    folder, study = trained
    with pytest.raises(InputError, match="there is no network"):
        read_known(tmp_path)
    name = study.windows[0].name
    for fold in ("fold1", "fold2"):
        for suffix in ("keras", "json"):
            (tmp_path / f"{name}.{fold}.{suffix}").write_bytes(
                (folder / "net" / f"{name}.fold1.{suffix}").read_bytes()
            )
    with pytest.raises(InputError, match="was held out of another fold too"):
        read_known(tmp_path)
    with pytest.raises(InputError, match="has no window nowhere"):
        study.window("nowhere")


def test_sites_are_hidden_in_training_only():
    layer = HiddenSites(0.5, 1)
    given = np.ones((50, 400), np.float32)
    assert (np.asarray(layer(given)) == 1).all()
    shares = 1 - np.asarray(layer(given, training=True)).mean(axis=1)
    assert 0 <= shares.min() < 0.15 and 0.35 < shares.max() < 0.6


@pytest.mark.parametrize("sites", [1, 16, 17, 700])
def test_a_trunk_takes_any_number_of_sites(sites):
    trunk = build_trunk(sites, 1)
    assert trunk(np.zeros((2, sites), np.float32)).shape == (2, trunk.output_shape[1])


def test_a_gpu_that_is_not_there_is_said():
    from deepcohort.genome.backend import tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match="TensorFlow sees no GPU"):
        set_up(1, 1, "cuda")


def test_a_window_that_tells_nothing_harms_nothing(trained, tmp_path):
    """A window whose networks answer at random gets next to no weight."""
    folder, study = trained
    rng = np.random.default_rng(1)
    with np.load(answers(folder, study)[0]) as stored:
        noise = {
            name: np.log(rng.dirichlet(np.ones(stored[name].shape[1]), len(stored[name])))
            for name in stored.files
        }
    np.savez(tmp_path / "noise.npz", **noise)
    alone = answer(study, answers(folder, study), Method.cnn, 1)
    beside = answer(study, [*answers(folder, study), tmp_path / "noise.npz"], Method.cnn, 1)
    one, other = (next(f for f in found.figures if f.method == CNN) for found in (alone, beside))
    assert other.accuracy > one.accuracy - 0.05
