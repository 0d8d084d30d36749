"""Enformer: regulatory tracks, among them CAGE, from up to 196,608 bases.

By Avsec et al. (2021, Nature Methods 18:1196). The network is that of the package ``enformer-pytorch``, the
weights are a file of the user's. Its stem and convolutional tower see at most 259 bases around a bin, which
makes the halo of three bins exact: 7 by the stem and 2 each at strides of 2, 4, ... 64 by the tower.
Transformer layers see the whole window.
"""

import os
import re
from typing import Any

import torch
from torch import Tensor

from deepcohort.expression.settings import Settings
from deepcohort.expression.torch_model import TorchModel, pick_tracks, put_arrays, read_arrays
from deepcohort.genome.errors import InputError

BIN = 128
HALO = 3 * BIN
WINDOW = 196_608
TRACKS = {
    "lymphoblastoid": (5110,),
    "whole_blood": (4805, 4806, 5067),
    "b_cell": (5081, 5083, 5086),
    "brain": (4980,),
}
"""CAGE of GM12878, whole blood, CD19+ B cells and the adult brain among the human outputs."""
FETCH = (
    "fetch them once where there is a network, by `curl -L -o enformer.bin "
    "https://huggingface.co/EleutherAI/enformer-official-rough/resolve/main/pytorch_model.bin` (about 1 GB)"
)


class Enformer(TorchModel):
    """Mean of the bins around the start of the tracks that are asked for, on the scale of coverage."""

    name = "enformer"
    bin = BIN
    halo = HALO

    def __init__(self, settings: Settings) -> None:
        """Read weights; raises ``InputError`` for those of another model, windows and tracks it has not."""
        path = settings.file(self.name, FETCH)
        context, self.bins = settings.context or WINDOW, settings.bins or 10
        if context % (2 * BIN) or not self.bins * BIN <= context <= WINDOW:
            raise InputError(
                f"--context {context}: enformer sees whole pairs of bins of {BIN} bases, {self.bins} bins at "
                f"least and {WINDOW:,} bases at most: give for example 49152"
            )
        arrays = read_arrays(path, self.name)
        made = _hyperparameters(arrays)
        if made is None:
            raise InputError(f"{path.name}: not weights of enformer: {FETCH}")
        chosen = pick_tracks(settings, made["output_heads"]["human"], TRACKS, self.name)
        network = _network(made, context)
        put_arrays(network, arrays, path, self.name)
        super().__init__(network, settings.device)
        self.before, self.after = context // 2, context // 2 - 1
        names = {n: name for name, several in TRACKS.items() if len(several) == 1 for n in several}
        self.tracks = [names.get(n, str(n)) for n in chosen]
        self.chosen = torch.tensor(chosen, device=self.device)

    def first(self, x: Tensor) -> Tensor:
        """The stem and the tower."""
        net: Any = self.network
        made: Tensor = net.conv_tower(net.stem(x.transpose(1, 2))).transpose(1, 2)
        return made

    def rest(self, features: Tensor) -> Tensor:
        """Transformer layers, then the last ones for the bins around the middle alone."""
        net: Any = self.network
        x = net.transformer(features)
        start = x.shape[1] // 2 - self.bins // 2
        x = net.final_pointwise(x[:, start : start + self.bins])
        last = net.heads["human"]
        made = torch.nn.functional.linear(x, last[0].weight[self.chosen], last[0].bias[self.chosen])
        return torch.nn.functional.softplus(made).mean(dim=1)


def _hyperparameters(arrays: dict[str, Tensor]) -> dict[str, Any] | None:
    """Sizes of the network that weights are of; None where they are no Enformer's."""
    names = {re.sub(r"^_trunk\.(1|2|4|6)\.", lambda found: PLACES[found[1]], name): name for name in arrays}
    try:
        half, bases, _ = arrays[names["stem.0.weight"]].shape
        _, heads, _, key = arrays[names["transformer.0.0.fn.1.rel_content_bias"]].shape
        width = arrays[names["conv_tower.0.0.2.weight"]].shape[0]
        outputs = {name.split(".")[1]: len(arrays[name]) for name in arrays if _LAST.fullmatch(name)}
    except (KeyError, ValueError):
        return None
    layers = {what: len({found[1] for name in names if (found := re.match(rf"{what}\.(\d+)\.", name))})
              for what in ("transformer", "conv_tower")}  # fmt: skip
    if bases != 4 or "human" not in outputs:
        return None
    # The widths of the tower are rounded to a multiple, of which weights tell the result alone.
    multiple = next((n for n in (128, 64, 32, 16, 8, 4, 2) if half % n == 0 and width % n == 0), 1)
    return {
        "dim": 2 * half, "depth": layers["transformer"], "heads": heads, "attn_dim_key": key,
        "num_downsamples": layers["conv_tower"] + 1, "output_heads": outputs, "dim_divisible_by": multiple,
    }  # fmt: skip


PLACES = {"1": "stem.", "2": "conv_tower.", "4": "transformer.", "6": "final_pointwise."}
"""The package names these layers twice."""
_LAST = re.compile(r"_heads\.\w+\.0\.weight")


def _network(made: dict[str, Any], context: int) -> Any:
    os.environ.setdefault("USE_TF", "0")  # the package's own dependency would import TensorFlow
    from enformer_pytorch import Enformer as Network

    # The published weights were trained with TensorFlow's rounding of positions, kept for the full window.
    rounded = context == WINDOW and made["dim"] // made["heads"] == 192
    return Network.from_hparams(**made, target_length=-1, use_tf_gamma=rounded)
