"""The model's arithmetic beside PyTorch's, and weights that are not its own."""

import h5py
import numpy as np
import pytest
import torch
from torch.nn import functional

from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.models import load_model
from deepcohort.expression.settings import Settings
from deepcohort.expression.xpresso import KERAS, SHAPES, Xpresso
from deepcohort.genome.errors import InputError


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(5)
    made = {name: rng.normal(size=shape) / np.sqrt(np.prod(shape[1:])) for name, shape in SHAPES.items()}
    return {name: array.astype(np.float32) for name, array in made.items()}


def by_torch(weights, letters):
    w = {name: torch.from_numpy(array) for name, array in weights.items()}
    x = torch.from_numpy(ONE_HOT[letters]).transpose(1, 2)
    x = functional.conv1d(functional.pad(x, (2, 3)), w["c1.weight"], w["c1.bias"]).relu()
    x = functional.conv1d(functional.max_pool1d(x, 30), w["c2.weight"], w["c2.bias"], padding=4).relu()
    x = functional.max_pool1d(x, 10).transpose(1, 2).flatten(1)
    x = functional.pad(x, (0, 6))
    for layer in ("d1", "d2"):
        x = functional.linear(x, w[f"{layer}.weight"], w[f"{layer}.bias"]).relu()
    return functional.linear(x, w["d3.weight"], w["d3.bias"])[:, 0].numpy()


def test_predictions_are_those_of_pytorch_from_either_file(tmp_path, weights):
    np.savez(tmp_path / "w.npz", **weights)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for ours, layer in KERAS.items():
            group = file.create_group(f"model_weights/{layer}/{layer}")
            group["kernel:0"] = weights[f"{ours}.weight"].T
            group["bias:0"] = weights[f"{ours}.bias"]
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGTNRY", np.uint8), (10, 10500))
    expected = by_torch(weights, letters)
    for name in ("w.npz", "w.h5"):
        model = load_model("xpresso", Settings(tmp_path / name))
        assert model.before + 1 + model.after == 10500
        assert np.allclose(model.predict(letters)[:, 0], expected, atol=1e-4)
    assert len(model.predict(letters[:0])) == 0


def test_letters():
    assert ONE_HOT[ord("C")].tolist() == [0, 1, 0, 0] and ONE_HOT[ord("R")].tolist() == [0.5, 0, 0.5, 0]
    assert not ONE_HOT[ord("N")].any()


def refused(tmp_path, weights, **changed):
    np.savez(tmp_path / "w.npz", **(weights | changed))
    with pytest.raises(InputError) as caught:
        Xpresso(Settings(tmp_path / "w.npz"))
    return str(caught.value)


def test_weights_of_another_model(tmp_path, weights):
    said = refused(tmp_path, weights, **{"d1.weight": np.zeros((64, 1120), np.float32)})
    assert said.startswith("w.npz: d1.weight is float32 of shape (64, 1120) but those of xpresso are numbers")
    said = refused(tmp_path, weights, **{"d2.bias": np.full(2, np.nan, np.float32)})
    assert said.startswith("w.npz: d2.bias holds values that are no numbers")
    said = refused(tmp_path, weights, **{"d2.bias": np.array([{}, {}])})
    assert said.startswith("w.npz: not weights of xpresso"), "objects would have to be unpickled"
    for name in ("other.npz", "other.h5"):
        (tmp_path / name).write_bytes(b"something else")
        with pytest.raises(InputError, match=f"{name}: not weights of xpresso"):
            Xpresso(Settings(tmp_path / name))
