"""Trained callers: the network, trees, and all of them together; how they are kept and loaded.

A folder holds ``caller.json``, which says what the weights are of and what they were trained on, and
``network.safetensors``, ``rf.safetensors`` and ``gbm.safetensors``.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import deepcohort
from deepcohort.genome.command import Device
from deepcohort.genome.devices import torch_device
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.variants.evidence import Caller, Evidence
from deepcohort.variants.familiar import Watched
from deepcohort.variants.features import NAMES
from deepcohort.variants.genotypes import LEAST_LOG
from deepcohort.variants.names import Name
from deepcohort.variants.tensors import CHANNELS, LAYOUTS, VERSION, Shape
from deepcohort.variants.trees import Kind, Trees

if TYPE_CHECKING:
    from deepcohort.variants.network import Network

log = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

SIDECAR = "caller.json"

AT_ONCE = 32
"""Tensors that the network sees together; fewer are filled up, so that each is told alike in any company."""

DIGITS = 2
"""Digits that are kept of the log of a chance: what a processor's way of summing changes lies below."""


@dataclass(frozen=True)
class TreeCaller:
    """Trees as a caller."""

    trees: Trees
    shape: Shape | None = None

    def log_chances(self, evidence: Evidence) -> Float64:
        """Logs of the chances of 0, 1 and 2 copies, float64[N, 3]."""
        return floored(self.trees.log_chances(evidence.features))


@dataclass(frozen=True)
class NetworkCaller:
    """The network as a caller, on a device of PyTorch."""

    network: "Network"
    shape: Shape
    device: str

    def log_chances(self, evidence: Evidence) -> Float64:
        """Logs of the chances of 0, 1 and 2 copies, float64[N, 3]."""
        import torch

        from deepcohort.variants.network import joined_heads

        found = []
        with torch.inference_mode():
            for first in range(0, len(evidence), AT_ONCE):
                own = slice(first, first + AT_ONCE)
                columns = evidence.tensors[own], evidence.features[own], evidence.log_chances[own]
                filled = [_filled(column) for column in columns]
                tensors = [torch.from_numpy(column).to(self.device) for column in filled]
                log_copies = joined_heads(*self.network(tensors[0], tensors[1], tensors[2].float()))
                found.append(log_copies.double().cpu().numpy()[: len(columns[0])])
        return floored(np.concatenate(found) if found else np.zeros((0, 3)))


@dataclass(frozen=True)
class Ensemble:
    """Several callers, whose logs of chances are averaged."""

    members: Sequence[TreeCaller | NetworkCaller]

    @property
    def shape(self) -> Shape | None:
        """See ``Caller``."""
        return next((one.shape for one in self.members if one.shape is not None), None)

    def log_chances(self, evidence: Evidence) -> Float64:
        """Logs of the chances of 0, 1 and 2 copies, float64[N, 3]."""
        mean: Float64 = np.mean([one.log_chances(evidence) for one in self.members], axis=0, dtype=np.float64)
        total: Float64 = mean - np.logaddexp.reduce(mean, axis=1, keepdims=True)
        return floored(total)


def floored(logs: Float64) -> Float64:
    """Logs of chances, rounded, ``LEAST_LOG`` at least."""
    rounded: Float64 = np.maximum(logs, LEAST_LOG).round(DIGITS) + 0.0
    return rounded


def _filled(column: NDArray[Any]) -> NDArray[Any]:
    missing = AT_ONCE - len(column)
    return np.pad(column, [(0, missing), *([(0, 0)] * (column.ndim - 1))]) if missing else column


def save_weights(folder: Path, name: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write the arrays of one model of a caller, ``NAME.safetensors``."""
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / f"{name}.safetensors") as unfinished:
        save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, unfinished)


def save_sidecar(folder: Path, layout: str, facts: dict[str, Any]) -> None:
    """Write ``caller.json``. facts: what it was trained on, and how well it does on what it was not."""
    said = {**expected(layout), "version": deepcohort.__version__, **facts}
    with written_whole(folder / SIDECAR) as unfinished:
        unfinished.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def expected(layout: str) -> dict[str, Any]:
    """What weights must say of their input to be used by this program."""
    shape = LAYOUTS[layout]
    return {
        "layout": layout,
        "tensor_version": VERSION,
        "shape": [shape.channels, shape.rows, shape.columns],
        "channels": list(CHANNELS[: shape.channels]),
        "features": list(NAMES),
    }


def loaded(name: Name, folder: Path | None, device: Device, threads: int) -> Watched | None:
    """Load a caller for a device, see ``load_caller``; it notes whether reads are like those it learnt from.

    Raises ``InputError`` too where no folder is given, or PyTorch or a GPU is needed and there is none.
    """
    if name is Name.haplotypes:
        return None
    if folder is None:
        raise InputError(f"--caller {name} needs --weights: give the folder of a trained caller")
    where = torch_device(device, threads) if name in (Name.cnn, Name.ensemble) else "cpu"
    facts = _facts(folder)
    return Watched(_caller(name, folder, facts["layout"], where), facts["reads"])


def load_caller(name: Name, folder: Path, device: str = "cpu") -> Caller:
    """Load a trained caller.

    Raises ``InputError`` where the folder holds no such caller, or one of another layout.
    """
    return _caller(name, folder, _facts(folder)["layout"], device)


def _caller(name: Name, folder: Path, layout: str, device: str) -> Caller:
    chosen = list(Kind) if name is Name.ensemble else [kind for kind in Kind if kind.value == name.value]
    members: list[TreeCaller | NetworkCaller] = [
        TreeCaller(Trees.of(kind, _arrays(folder, kind.value))) for kind in chosen
    ]
    if name in (Name.cnn, Name.ensemble):
        members.append(_network_caller(folder, layout, device))
    return members[0] if len(members) == 1 else Ensemble(members)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
        layout, _ = facts["layout"], facts["reads"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder}: holds no trained caller ({error}): give a folder that train-caller wrote"
        ) from None
    wanted = expected(layout) if layout in LAYOUTS else {"layout": f"one of {', '.join(LAYOUTS)}"}
    for key, value in wanted.items():
        if facts.get(key) != value:
            raise InputError(
                f"{folder / SIDECAR}: {key} is {facts.get(key)}, this program has {value}: train anew"
            )
    return facts


def _arrays(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    path = folder / f"{name}.safetensors"
    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: not the weights of {name} ({error}): give a folder that train-caller wrote"
        ) from None


def _network_caller(folder: Path, layout: str, device: str) -> NetworkCaller:
    import torch

    from deepcohort.variants.network import Network

    arrays = _arrays(folder, "network")
    shape = LAYOUTS[layout]
    network = Network(shape, np.zeros(len(NAMES)), np.ones(len(NAMES)))
    try:
        network.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    except RuntimeError as error:
        why = " ".join(str(error).split())[:100]
        raise InputError(
            f"{folder}/network.safetensors: not the weights of this network ({why}): train anew"
        ) from None
    return NetworkCaller(network.to(device).eval(), shape, device)
