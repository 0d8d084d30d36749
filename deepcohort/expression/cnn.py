"""A small convolutional network that the pipeline trains on people: residual, with widening holes.

Its file of safetensors tells in its header what it is and whom it was trained on.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import deepcohort
from deepcohort.expression.settings import Settings
from deepcohort.expression.torch_model import TorchModel, put_arrays
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole

BIN = 16
FETCH = "make them by `expression.py train`"


@dataclass(frozen=True)
class Shape:
    """Bases seen, a multiple of twice ``BIN``; channels; residual blocks, each twice as wide as the last."""

    context: int = 8192
    channels: int = 32
    blocks: int = 5


class Network(nn.Module):
    """[n, length, 4] to [n, 1]: features of bins, added up with a weight for each bin's place."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        wide = shape.channels
        self.stem = nn.Conv1d(4, wide, 15, padding=7)
        self.pool = nn.AvgPool1d(BIN)
        self.holes = nn.ModuleList(
            nn.Conv1d(wide, wide, 5, padding=2 * 2**n, dilation=2**n) for n in range(shape.blocks)
        )
        self.mixes = nn.ModuleList(nn.Conv1d(wide, wide, 1) for _ in range(shape.blocks))
        self.places = nn.Parameter(torch.full((shape.context // BIN,), BIN / shape.context))
        self.out = nn.Linear(wide, 1)

    def first(self, x: Tensor) -> Tensor:
        """Features [n, bins, channels]."""
        x = self.pool(nn.functional.gelu(self.stem(x.transpose(1, 2))))
        for hole, mix in zip(self.holes, self.mixes, strict=True):
            x = x + mix(nn.functional.gelu(hole(x)))
        return x.transpose(1, 2)

    def rest(self, features: Tensor) -> Tensor:
        """Sum over places."""
        made: Tensor = self.out((features * self.places[:, None]).sum(dim=1))
        return made

    def forward(self, x: Tensor) -> Tensor:
        """Both."""
        return self.rest(self.first(x))


class Cnn(TorchModel):
    """Expression up to a constant for each gene: it learns differences between people."""

    name = "cnn"
    stranded = True
    additive = False
    bin = BIN
    tracks = ("expression",)

    def __init__(self, settings: Settings) -> None:
        """Read weights that ``save`` wrote; raises ``InputError`` for others."""
        settings.without(self.name, "context", "tracks", "track_names", "bins")
        path = settings.file(self.name, FETCH)
        said, arrays = _read(path)
        network = Network(Shape(**said["shape"]))
        put_arrays(network, arrays, path, self.name)
        self.trained_on: list[str] = said["trained_on"]
        self._set(network, settings.device)

    @classmethod
    def of(cls, network: Network, device: str) -> "Cnn":
        """A network as it is."""
        made = cls.__new__(cls)
        made.trained_on = []
        made._set(network, device)
        return made

    def _set(self, network: Network, device: str) -> None:
        super().__init__(network, device)
        length = len(network.places) * BIN
        self.before, self.after = length // 2, length // 2 - 1
        # What the stem sees beyond a bin, and each block beyond what the one before sees, in whole bins.
        self.halo = BIN * (1 + 2 * (2 ** len(network.holes) - 1))

    def first(self, x: Tensor) -> Tensor:
        """Features of bins."""
        net: Any = self.network
        made: Tensor = net.first(x)
        return made

    def rest(self, features: Tensor) -> Tensor:
        """Expression."""
        net: Any = self.network
        made: Tensor = net.rest(features)
        return made


def save(path: Path, network: Network, shape: Shape, facts: dict[str, Any]) -> None:
    """Write weights with what they are of; ``facts`` as JSON knows them, ``trained_on`` names people."""
    said = {
        "model": "cnn", "version": deepcohort.__version__, "shape": asdict(shape),
        "input": "letters on the gene's strand as shares of A, C, G, T; the start is the middle", **facts,
    }  # fmt: skip
    arrays = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with written_whole(path) as unfinished:
        save_file(arrays, unfinished, {"deepcohort": json.dumps(said)})


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            said = json.loads((file.metadata() or {})["deepcohort"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        Shape(**said["shape"])
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        raise InputError(f"{path.name}: not weights of cnn: {FETCH}") from None
    return said, arrays
