"""Xpresso: expression of a gene from the 10,500 bases around its start.

By Agarwal and Shendure (2020, Cell Reports 31:107663): two convolutions with maxima, then three dense layers;
written anew in numpy from the published architecture. The user gives the weights, which are read as plain
arrays and never unpickled.
"""

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.settings import Settings
from deepcohort.genome.errors import InputError

Array = NDArray[np.float32]
SHAPES = {
    "c1.weight": (128, 4, 6), "c1.bias": (128,), "c2.weight": (32, 128, 9), "c2.bias": (32,),
    "d1.weight": (64, 1126), "d1.bias": (64,), "d2.weight": (2, 64), "d2.bias": (2,),
    "d3.weight": (1, 2), "d3.bias": (1,),
}  # fmt: skip
"""Arrays of a ``.npz``: outputs, inputs, width."""
KERAS = {"c1": "conv1d_1", "c2": "conv1d_2", "d1": "dense_1", "d2": "dense_2", "d3": "dense_3"}
"""Layers as Keras names them in the published files."""
HALF_LIFE = 6
"""Features of the transcript's half-life, which come last; zero, that is average, here."""
BATCH = 8
FETCH = "download the published trained model for your tissue (a .h5 of Keras, see docs/expression.md)"


class Xpresso:
    """The model: ``before`` bases upstream, the first base transcribed, ``after`` bases downstream."""

    name = "xpresso"
    before = 6999
    after = 3500
    stranded = True
    additive = False
    tracks = ("expression",)

    def __init__(self, settings: Settings) -> None:
        """Read weights from ``.npz`` or Keras' HDF5; raises ``InputError`` for those of another model."""
        settings.without(self.name, "context", "tracks", "track_names", "bins")
        self.weights = _read(settings.file(self.name, FETCH))

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Standardised log expression, float64[n, 1], of letters uint8[n, 10500] on the gene's strand."""
        parts = [self._forward(ONE_HOT[sequences[i : i + BATCH]]) for i in range(0, len(sequences), BATCH)]
        return np.concatenate([np.zeros(0), *parts])[:, None]

    def _forward(self, x: Array) -> Array:
        x = self._pooled(self._convolved(x, "c1"), 30)
        x = self._pooled(self._convolved(x, "c2"), 10)
        flat = x.reshape(len(x), -1)
        flat = np.concatenate([flat, np.zeros((len(x), HALF_LIFE), np.float32)], axis=1)
        hidden = np.maximum(self._dense(flat, "d1"), 0)
        return self._dense(np.maximum(self._dense(hidden, "d2"), 0), "d3")[:, 0]

    def _convolved(self, x: Array, layer: str) -> Array:
        """Convolution of [n, length, channels] to the same length, and ReLU; even widths pad right."""
        kernel = self.weights[f"{layer}.weight"]
        width = kernel.shape[2]
        padded = np.pad(x, ((0, 0), ((width - 1) // 2, width // 2), (0, 0)))
        around = sliding_window_view(padded, width, axis=1).reshape(*x.shape[:2], -1)
        made: Array = around @ kernel.reshape(len(kernel), -1).T + self.weights[f"{layer}.bias"]
        return np.maximum(made, 0)

    def _pooled(self, x: Array, by: int) -> Array:
        made: Array = x.reshape(len(x), x.shape[1] // by, by, x.shape[2]).max(axis=2)
        return made

    def _dense(self, x: Array, layer: str) -> Array:
        made: Array = x @ self.weights[f"{layer}.weight"].T + self.weights[f"{layer}.bias"]
        return made


def _read(path: Path) -> dict[str, Array]:
    try:
        arrays = _from_npz(path) if path.suffix == ".npz" else _from_keras(path)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        raise InputError(
            f"{path.name}: not weights of xpresso: give the published HDF5 of Keras, or a .npz of its arrays"
        ) from None
    for name, shape in SHAPES.items():
        if arrays[name].shape != shape or arrays[name].dtype.kind != "f":
            raise InputError(
                f"{path.name}: {name} is {arrays[name].dtype} of shape {arrays[name].shape} but those of "
                f"xpresso are numbers of shape {shape}: give the weights of this model"
            )
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{path.name}: {name} holds values that are no numbers: copy the file again")
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _from_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in SHAPES}


def _from_keras(path: Path) -> dict[str, NDArray[np.generic]]:
    """Arrays of Keras' HDF5, whose kernels are width, inputs, outputs, turned round as ``SHAPES``."""
    import h5py

    arrays = {}
    with h5py.File(path, "r") as file:
        for ours, layer in KERAS.items():
            group = file["model_weights"][layer][layer]
            arrays[f"{ours}.weight"] = np.asarray(group["kernel:0"]).T
            arrays[f"{ours}.bias"] = np.asarray(group["bias:0"])
    return arrays
