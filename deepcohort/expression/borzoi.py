"""Borzoi: regulatory and RNA tracks from up to 524,288 bases (Linder et al. 2025, Nature Genetics 57:949).

The network is that of the package ``borzoi-pytorch``, whose versions of other packages exclude those of
Enformer's: it has an image of its own. The package's table of tracks says what each is of, which one is of
the other strand, and how coverage was squashed to train on, which is undone here.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcohort.expression.settings import Settings
from deepcohort.expression.torch_model import TorchModel, pick_tracks, put_arrays, read_arrays
from deepcohort.genome.errors import InputError

BIN = 32
WINDOW = 524_288
READ = 6144
"""Bins in the middle of the window that the published network was taught to tell."""
LEAST = 128
"""Bases that the network joins in the end."""
PACKAGE = "borzoi_pytorch"
FETCH = (
    "fetch them once where there is a network, by `curl -L -o borzoi.safetensors "
    "https://huggingface.co/johahi/borzoi-replicate-0/resolve/main/model.safetensors` (about 0.7 GB)"
)


class Track(NamedTuple):
    """An output of a gene's own strand.

    along, against: its index where genes run as the sequence does, and where they do not. squashed, scale,
    clip: coverage, to the power of 3/4 if squashed, above ``clip`` by the root of the rest alone, times
    ``scale`` is what the network was taught. rna: it is coverage by RNA, of exons.
    """

    name: str
    along: int
    against: int
    squashed: bool
    scale: float
    clip: float
    rna: bool


class Borzoi(TorchModel):
    """Coverage of a gene: that of RNA summed over bins of its exons, else the mean of bins around its start.

    Without exons RNA is read around the start too.
    """

    name = "borzoi"
    bin = BIN

    def __init__(self, settings: Settings) -> None:
        """Read weights; raises ``InputError`` without the package, and for those of another model."""
        if not find_spec(PACKAGE):
            raise InputError(
                "borzoi needs the package borzoi-pytorch, which cannot stand beside Enformer's: use an image "
                "that has it (containers/build.sh expression-borzoi)"
            )
        path = settings.file(self.name, FETCH)
        context, bins = settings.context or WINDOW, settings.bins or 10
        self.crop = min(READ, context // BIN)
        if context % LEAST or context > WINDOW or bins > self.crop:
            raise InputError(
                f"--context {context}, --bins {bins}: borzoi sees a multiple of {LEAST} bases, {WINDOW:,} at "
                f"most, and tells up to {READ:,} bins of {BIN} in their middle: leave both out"
            )
        arrays = read_arrays(path, self.name)
        if any("Wqkv" in name for name in arrays):
            raise InputError(f"{path.name}: weights of Flashzoi, which runs on GPUs of its own kind: {FETCH}")
        table = import_module(f"{PACKAGE}.pytorch_borzoi_model").TRACKS_DF
        made = _hyperparameters(arrays)
        if made is None or len(arrays.get("human_head.weight", ())) != len(table):
            raise InputError(f"{path.name}: not weights of borzoi: {FETCH}")
        names = zip(table["identifier"], table["description"], strict=True)
        named: dict[int, tuple[str, ...]] = dict(enumerate(names))
        chosen = pick_tracks(settings, len(table), {}, self.name, named)
        self.own = list(dict.fromkeys(track_of(table, n) for n in chosen))
        network: Any = import_module(PACKAGE).Borzoi.from_hparams(
            **made, flashed=False, bins_to_return=self.crop
        )
        put_arrays(network, arrays, path, self.name)
        kept = sorted({n for track in self.own for n in (track.along, track.against)})
        network.set_track_subset(kept)
        super().__init__(network, settings.device)
        self.before, self.after, self.bins = context // 2, context // 2 - 1, bins
        self.tracks = [track.name for track in self.own]
        self.place = {n: at for at, n in enumerate(kept)}
        self.aim((), along=True)

    def aim(self, exons: tuple[tuple[int, int], ...], *, along: bool) -> None:
        """What to read next: see ``Aimed``."""
        start = self.crop // 2 - self.bins // 2
        around = np.arange(start, start + self.bins)
        of_exons = bins_of(exons, self.crop)
        self.seen = np.union1d(around, of_exons)
        weights = np.zeros((len(self.seen), len(self.own)), np.float32)
        for n, track in enumerate(self.own):
            if track.rna and len(of_exons):
                weights[np.isin(self.seen, of_exons), n] = 1
            else:
                weights[np.isin(self.seen, around), n] = 1 / len(around)
        self.weights = torch.from_numpy(weights).to(self.device)
        outputs = [self.place[track.along if along else track.against] for track in self.own]
        self.outputs = torch.tensor(outputs, device=self.device)

    def first(self, x: Tensor) -> Tensor:
        """Everything, for the bins that are read alone: no layer is taken by itself."""
        net: Any = self.network
        middle = net.get_embs_after_crop(x.transpose(1, 2))[:, :, torch.from_numpy(self.seen).to(self.device)]
        made: Tensor = net.final_softplus(net.human_head(net.final_joined_convs(middle)))
        return made.transpose(1, 2)

    def rest(self, features: Tensor) -> Tensor:
        """Coverage of the tracks of the gene's strand, summed or averaged."""
        own = features[:, :, self.outputs]
        coverage = torch.stack([unsquashed(own[..., n], track) for n, track in enumerate(self.own)], dim=-1)
        return (coverage * self.weights).sum(dim=1)


def _hyperparameters(arrays: dict[str, Tensor]) -> dict[str, Any] | None:
    """Sizes of the network that weights are of; None where they are no Borzoi's."""
    try:
        _, heads, _, key = arrays["transformer.0.0.fn.1.rel_content_bias"].shape
        values = len(arrays["transformer.0.0.fn.1.to_v.weight"]) // heads
        width = len(arrays["horizontal_conv1.conv_layer.weight"])
        depth = len({name.split(".")[1] for name in arrays if name.startswith("transformer.")})
    except (KeyError, ValueError):
        return None
    return {
        "dim": width, "depth": depth, "heads": heads, "attn_dim_key": key, "attn_dim_value": values,
        "enable_mouse_head": "mouse_head.weight" in arrays,
    }  # fmt: skip


def track_of(table: Any, index: int) -> Track:
    """A row of the package's table, of both strands where there are two."""
    row, other = table.iloc[index], int(table["strand_pair"].iloc[index])
    along, against = (other, index) if row["identifier"].endswith("-") else (index, other)
    return Track(
        row["identifier"].rstrip("+-"), along, against, row["sum_stat"] == "sum_sqrt", float(row["scale"]),
        float(row["clip_soft"]), row["description"].startswith("RNA:"),
    )  # fmt: skip


def bins_of(exons: tuple[tuple[int, int], ...], count: int) -> NDArray[np.int64]:
    """Bins, of ``count`` with the first base transcribed first in the middle one, that touch an exon."""
    found = [np.arange(start // BIN, -(-end // BIN)) for start, end in exons]
    bins = np.unique(np.concatenate([np.zeros(0, np.int64), *found])) + count // 2
    return bins[(bins >= 0) & (bins < count)].astype(np.int64)


def unsquashed(values: Tensor, track: Track) -> Tensor:
    """Coverage that a track's values stand for."""
    made = values / track.scale
    made = torch.where(made > track.clip, (made - track.clip) ** 2 + track.clip, made)
    return made ** (4 / 3) if track.squashed else made
