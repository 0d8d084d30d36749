"""A small convolutional network that the pipeline trains on people: residual, with widening holes.

Its file of safetensors tells in its header what it is and whom it was trained on.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import deepcohort
from deepcohort.expression.settings import Settings
from deepcohort.expression.taught import FETCH, read_taught
from deepcohort.expression.teachable import Teachable
from deepcohort.expression.torch_model import put_arrays
from deepcohort.genome.errors import InputError

BIN = 16


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

    def pooled(self, features: Tensor) -> Tensor:
        """Sum over places, [n, channels]."""
        return (features * self.places[:, None]).sum(dim=1)


class Cnn(Teachable):
    """Expression up to a constant for each gene: it learns differences between people."""

    name = "cnn"
    stranded = True
    bin = BIN

    def __init__(self, settings: Settings) -> None:
        """Read weights that ``save`` wrote; raises ``InputError`` for others."""
        settings.without(self.name, "context", "tracks", "track_names", "bins")
        path = settings.file(self.name, FETCH)
        said, arrays = _read(path)
        network = Network(Shape(**said["shape"]))
        put_arrays(network, arrays, path, self.name)
        self.taught_by = (frozenset(said["trained_on"]),)
        self.shape = Shape(**said["shape"])
        self._set(network, settings.device)

    @classmethod
    def of(cls, network: Network, shape: Shape, device: str) -> "Cnn":
        """A network as it is."""
        made = cls.__new__(cls)
        made.taught_by, made.shape = (frozenset(),), shape
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

    @property
    def last(self) -> nn.Linear:
        """The sum over channels."""
        net: Any = self.network
        made: nn.Linear = net.out
        return made

    def pooled(self, features: Tensor) -> Tensor:
        """Sum over places."""
        net: Any = self.network
        made: Tensor = net.pooled(features)
        return made

    def trunk(self) -> list[nn.Parameter]:
        """All but the weights of places and the last layer."""
        return [value for name, value in self.named().items() if not name.startswith(("places", "out."))]

    def named(self) -> dict[str, nn.Parameter]:
        """All parameters."""
        return dict(self.network.named_parameters())


def description(shape: Shape) -> dict[str, Any]:
    """What weights are of, as JSON knows it."""
    return {
        "model": "cnn", "version": deepcohort.__version__, "shape": asdict(shape),
        "input": "letters on the gene's strand as shares of A, C, G, T; the start is the middle",
    }  # fmt: skip


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    said, arrays = read_taught(path, "cnn")
    try:
        Shape(**said["shape"])
    except (KeyError, TypeError):
        raise InputError(f"{path.name}: not weights of cnn: {FETCH}") from None
    return said, arrays
