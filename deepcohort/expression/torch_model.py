"""What sequence models of PyTorch share: batches, gradients, weights that are never unpickled."""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.settings import Settings
from deepcohort.genome.errors import InputError

AT_ONCE = 49_152
"""Bases of a batch on a CPU, or one sequence: more takes no less time."""
AT_ONCE_GPU = 16
"""Times as many on a GPU; halved whenever its memory does not hold them."""

STRETCH = 16_384
"""Bases whose gradient is found at once."""
DAMAGED = (EOFError, RuntimeError, ValueError, IndexError, KeyError, AttributeError, TypeError)
"""What PyTorch's reader of a file that is none of its own may stop at."""


class TorchModel(ABC):
    """A network in evaluation mode that is asked of letters; subclasses tell ``first`` and ``rest``.

    first: the layers that see the neighbourhood alone, [n, length, 4] to [n, bins, channels]. rest: all other
    layers, to [n, tracks]. halo: bases on either side, of whole bins, that a feature depends on; None where
    the first layers see everything.
    """

    name: str
    before: int
    after: int
    stranded = False
    additive = True
    tracks: Sequence[str]
    bin: int
    halo: int | None = None

    def __init__(self, network: nn.Module, device: str) -> None:
        self.device = torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.at_once = AT_ONCE * (AT_ONCE_GPU if self.device.type == "cuda" else 1)

    @abstractmethod
    def first(self, x: Tensor) -> Tensor:
        """Features [n, bins, channels] of shares of bases [n, length, 4]."""

    @abstractmethod
    def rest(self, features: Tensor) -> Tensor:
        """Outputs [n, tracks] of features of the whole window."""

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Expression, float64[n, tracks], of letters uint8[n, before + 1 + after]."""
        made = self._batches(lambda x: self.rest(self.first(self._shares(x))), sequences, sequences.shape[1])
        return made.astype(np.float64).reshape(len(sequences), len(self.tracks))

    def features(self, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first layers, float32[n, length / bin, channels], of letters uint8[n, length]."""
        return self._batches(lambda x: self.first(self._shares(x)), sequences, sequences.shape[1])

    def readout(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The other layers: float64[n, tracks] of float32[n, bins, channels]; they take an eighth."""
        bases = features.shape[1] * self.bin // 8
        made = self._batches(lambda x: self.rest(torch.from_numpy(x).to(self.device)), features, bases)
        return made.astype(np.float64)

    def gradient(self, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Change of each output with the share of each base, float32[tracks, length, 4], at letters.

        The first layers are gone back through stretch by stretch with a halo, so that memory is a stretch's.
        """
        x = self._shares(sequence[None])
        features = torch.from_numpy(self.features(sequence[None])).to(self.device).requires_grad_(True)
        values = self.rest(features)[0]
        slopes = [torch.autograd.grad(value, features, retain_graph=True)[0] for value in values]
        del values
        made = torch.zeros((len(slopes), *x.shape[1:]), device=self.device)
        halo, length = self.halo, x.shape[1]
        size = length if halo is None else STRETCH // self.bin * self.bin
        for start in range(0, length, size):
            end = min(length, start + size)
            low, high = max(0, start - (halo or 0)), min(length, end + (halo or 0))
            part = x[:, low:high].clone().requires_grad_(True)
            seen = slice(start // self.bin, -(-end // self.bin))
            out = self.first(part)[:, (start - low) // self.bin :][:, : seen.stop - seen.start]
            for n, slope in enumerate(slopes):
                (one,) = torch.autograd.grad(out, part, slope[:, seen], retain_graph=n + 1 < len(slopes))
                made[n, low:high] += one[0]
        return made.cpu().numpy()

    def _shares(self, sequences: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(ONE_HOT[sequences]).to(self.device)

    def _batches(
        self, run: Callable[[NDArray[Any]], Tensor], data: NDArray[Any], bases: int
    ) -> NDArray[np.float32]:
        """Results of ``run`` for rows of ``data``, each of so many bases, as many at once as fit."""
        made: list[NDArray[np.float32]] = []
        start = 0
        while start < len(data):
            rows = max(1, self.at_once // max(1, bases))
            try:
                with torch.inference_mode():
                    made.append(run(data[start : start + rows]).cpu().numpy())
            except torch.OutOfMemoryError:
                if rows == 1:
                    raise InputError(
                        f"--context: the memory of the GPU does not hold one window of {self.name}: give a "
                        "shorter one, or --device cpu"
                    ) from None
                self.at_once = self.at_once // 2
                torch.cuda.empty_cache()
                continue
            start += rows
        return np.concatenate(made) if made else np.zeros(0, np.float32)


def read_arrays(path: Path, model: str) -> dict[str, Tensor]:
    """Arrays of a file of safetensors, or of PyTorch's own that holds nothing else.

    Raises ``InputError`` where it is neither.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        arrays = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, pickle.UnpicklingError, *DAMAGED):
        arrays = None
    if not isinstance(arrays, dict) or not all(isinstance(value, Tensor) for value in arrays.values()):
        raise InputError(
            f"{path.name}: no arrays of weights: give {model} a .safetensors, or a file of PyTorch that "
            "holds a state dict and nothing else"
        )
    return arrays


def put_arrays(network: nn.Module, arrays: dict[str, Tensor], path: Path, model: str) -> None:
    """Put weights into a network, all of them; one array may be named once where the network names it twice.

    Raises ``InputError`` where names or shapes are those of another network.
    """
    own = network.state_dict(keep_vars=True)
    strange = [name for name in arrays if name not in own]
    wrong = [name for name in arrays if name in own and arrays[name].shape != own[name].shape]
    given = {id(own[name]) for name in arrays if name in own}
    missing = [name for name, value in own.items() if id(value) not in given]
    for names, what in ((strange, "does not have"), (wrong, "has in another shape"), (missing, "needs")):
        if names:
            raise InputError(
                f"{path.name}: not weights of {model}, which {what} {names[0]} ({len(names)} such arrays): "
                "give the weights of this model"
            )
    network.load_state_dict(arrays, strict=False)


def pick_tracks(
    settings: Settings, outputs: int, known: dict[str, tuple[int, ...]], model: str,
    named: dict[int, tuple[str, ...]] | None = None,
) -> list[int]:  # fmt: skip
    """Indices of the outputs that a user asks for, by index, by a name of ``known`` or by ``track_names``.

    ``named`` are the model's own names, for where the user gives no table. The table of names has a header,
    and columns ``index`` and ``description`` or ``identifier``; a name is found in them in whole, else in
    part. Raises ``InputError`` where nothing is asked for, or is not there.
    """
    if not settings.tracks:
        raise InputError(
            f"{model} has {outputs:,} outputs: choose by --tracks, with indices or names such as "
            f"{', '.join(known) or '0'}"
        )
    named = _names(settings.track_names) if settings.track_names else named or {}
    found: list[int] = []
    for wanted in settings.tracks:
        indices = [int(wanted)] if wanted.isdecimal() else list(known.get(wanted, ()))
        indices = indices or [n for n, names in named.items() if wanted in names]
        indices = indices or [n for n, names in named.items() if any(wanted in name for name in names)]
        if not indices or max(indices) >= outputs:
            raise InputError(
                f"--tracks {wanted}: no such output of {model}: give indices below {outputs}, names such as "
                f"{', '.join(known) or 'none here'}, or names of the table --track-names"
            )
        found += [n for n in indices if n not in found]
    return found


def _names(path: Path) -> dict[int, tuple[str, ...]]:
    import csv

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    columns = [name for name in ("identifier", "description") if rows and name in rows[0]]
    try:
        return {int(row["index"]): tuple(row[name] for name in columns) for row in rows}
    except (KeyError, ValueError, TypeError):
        raise InputError(
            f"{path.name}: no table of outputs: it needs the columns index and description or identifier, "
            "parted by tabs"
        ) from None
