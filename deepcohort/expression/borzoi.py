"""Borzoi: regulatory and RNA tracks from 524,288 bases (Linder et al. 2025, Nature Genetics 57:949).

The network is that of the package ``borzoi-pytorch``, whose versions of other packages exclude those of
Enformer's: it has an image of its own. Tracks are on the scale that the network was trained on, which for RNA
is squashed; what is read is the start of the gene, which suits tracks of CAGE and open chromatin.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor

from deepcohort.expression.settings import Settings
from deepcohort.expression.torch_model import TorchModel, pick_tracks, put_arrays, read_arrays
from deepcohort.genome.errors import InputError

WINDOW = 524_288
PACKAGE = "borzoi_pytorch"
FETCH = (
    "fetch them once where there is a network, by `curl -L -o borzoi.safetensors "
    "https://huggingface.co/johahi/borzoi-replicate-0/resolve/main/model.safetensors` (about 0.7 GB)"
)


class Borzoi(TorchModel):
    """Mean of the bins of 32 bases around the start of the tracks that are asked for."""

    name = "borzoi"
    bin = 32

    def __init__(self, settings: Settings) -> None:
        """Read weights; raises ``InputError`` without the package, and for those of another model."""
        if not find_spec(PACKAGE):
            raise InputError(
                "borzoi needs the package borzoi-pytorch, which cannot stand beside Enformer's: use an image "
                "that has it"
            )
        settings.without(self.name, "context")
        path = settings.file(self.name, FETCH)
        arrays = read_arrays(path, self.name)
        head = arrays.get("human_head.weight")
        if head is None:
            raise InputError(f"{path.name}: not weights of borzoi: {FETCH}")
        chosen = pick_tracks(settings, len(head), {}, self.name)
        network: Any = import_module(PACKAGE).Borzoi.from_hparams(
            flashed=any("Wqkv" in name for name in arrays),
            enable_mouse_head=any(name.startswith("mouse_head.") for name in arrays),
        )
        put_arrays(network, arrays, path, self.name)
        network.set_track_subset(chosen)
        super().__init__(network, settings.device)
        self.bins = settings.bins or 10
        self.before, self.after = WINDOW // 2, WINDOW // 2 - 1
        self.tracks = [str(n) for n in chosen]

    def first(self, x: Tensor) -> Tensor:
        """Everything, for the bins around the middle: no layer is taken alone."""
        made: Tensor = self.network(x.transpose(1, 2)).transpose(1, 2)
        start = made.shape[1] // 2 - self.bins // 2
        return made[:, start : start + self.bins]

    def rest(self, features: Tensor) -> Tensor:
        """Their mean."""
        return features.mean(dim=1)
