"""Trained models: what is saved comes back, and anything else is refused in a sentence."""

import json

import numpy as np
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.trained import Trained


@pytest.fixture
def folder(tmp_path):
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2], np.int64)}
    Trained(Imputer.copying, {"people": 3, "loss": 0.5}, weights).save(tmp_path / "c.model")
    return tmp_path / "c.model"


def change(folder, **changed):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_round_trip(folder):
    found = Trained.load(folder, Imputer.copying)
    assert found.facts == {"people": 3, "loss": 0.5}
    assert found.weights["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.weights["b"].dtype == np.int64


def test_without_weights_there_is_one_file(tmp_path):
    Trained(Imputer.knn, {}).save(tmp_path / "m")
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["model.json"]
    assert Trained.load(tmp_path / "m", Imputer.knn).weights == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{}", "\udcff"], ids=["empty", "list", "number", "none", "bytes"]
)
def test_another_sidecar_is_refused(folder, text):
    (folder / "model.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"c.model: not a trained model .*make it by train-chunk"):
        Trained.load(folder, Imputer.copying)


def test_a_model_of_another_kind_or_version_is_refused(folder):
    with pytest.raises(InputError, match=r"a model for --imputer copying, not for knn"):
        Trained.load(folder, Imputer.knn)
    change(folder, version="0.0.0")
    with pytest.raises(InputError, match=r"made by version 0.0.0, this is"):
        Trained.load(folder, Imputer.copying)


def test_weights_that_are_cut_missing_or_others_are_refused(folder):
    path = folder / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"weights.safetensors: not the weights of the model"):
        Trained.load(folder, Imputer.copying)
    path.unlink()
    with pytest.raises(InputError, match=r"weights.safetensors: not the weights of the model"):
        Trained.load(folder, Imputer.copying)
    path.write_bytes(whole)
    change(folder, weights={"a": ["float32", 2, 4]})
    with pytest.raises(InputError, match=r"not the weights that model.json describes"):
        Trained.load(folder, Imputer.copying)
