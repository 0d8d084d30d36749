"""Enformer taught by people: its published layers with a new last one, or all but its convolutions taught.

The new layer starts at 0, so that it tells no differences that it was not taught. Files hold what was taught
alone, and are read with the published weights. Several of them share what none of them changed.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import deepcohort
from deepcohort.expression.enformer import BIN, HALO, Enformer
from deepcohort.expression.part import Part
from deepcohort.expression.settings import Settings
from deepcohort.expression.taught import FETCH, read_taught
from deepcohort.expression.teachable import Teachable
from deepcohort.expression.torch_model import TorchModel
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import checksum


class Upper(nn.Module):
    """What follows the convolutions: transformer layers, the layer after them, and a last one."""

    def __init__(self, transformer: nn.Module, pointwise: nn.Module, width: int, bins: int) -> None:
        super().__init__()
        self.transformer, self.pointwise, self.bins = transformer, pointwise, bins
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def pooled(self, features: Tensor) -> Tensor:
        """Mean of the bins around the middle, [n, width]."""
        x = self.transformer(features)
        start = x.shape[1] // 2 - self.bins // 2
        made: Tensor = self.pointwise(x[:, start : start + self.bins]).mean(dim=1)
        return made


class Tunable(Teachable):
    """Enformer with a last layer of its own, to be taught; of its two strands it reads the reference's."""

    name = "enformer"
    bin = BIN
    halo = HALO

    def __init__(self, settings: Settings) -> None:
        """Read published weights; the settings' tracks are not used."""
        base = Enformer(replace(settings, tracks=("0",)))
        net: Any = base.network
        self.before, self.after, self.bins = base.before, base.after, base.bins
        self.base = checksum(settings.weights) if settings.weights else ""
        self.upper = Upper(net.transformer, net.final_pointwise, net.heads["human"][0].in_features, self.bins)
        super().__init__(nn.ModuleList([net, self.upper]), settings.device)

    def first(self, x: Tensor) -> Tensor:
        """The stem and the tower."""
        net: Any = self.network
        made: Tensor = net[0].conv_tower(net[0].stem(x.transpose(1, 2))).transpose(1, 2)
        return made

    @property
    def last(self) -> nn.Linear:
        """The new layer."""
        return self.upper.out

    def pooled(self, features: Tensor) -> Tensor:
        """Mean of the bins around the middle."""
        return self.upper.pooled(features)

    def trunk(self) -> list[nn.Parameter]:
        """None is among ``named``: convolutions are never taught."""
        return []

    def named(self) -> dict[str, nn.Parameter]:
        """All parameters behind the convolutions."""
        return dict(self.upper.named_parameters())

    def description(self, part: Part) -> dict[str, Any]:
        """What taught weights are of, as JSON knows it."""
        return {
            "model": self.name, "version": deepcohort.__version__, "part": part.value, "base": self.base,
            "context": self.before + self.after + 1, "bins": self.bins,
            "input": "letters on the reference's strand as shares of A, C, G, T; the start is the middle",
        }  # fmt: skip


class Tuned(TorchModel):
    """Enformer as several files have taught it, an output for each of them."""

    name = "enformer"
    bin = BIN
    halo = HALO
    additive = False

    def __init__(self, settings: Settings, taught: Sequence[Path]) -> None:
        """Read published weights and those taught; raises ``InputError`` where they are not of each other."""
        read = [read_taught(path, self.name) for path in taught]
        said = read[0][0]
        settings.without(self.name, "tracks", "track_names")
        wanted = replace(settings, context=said.get("context"), bins=said.get("bins"))
        base = Tunable(wanted)
        uppers = []
        for path, (facts, arrays) in zip(taught, read, strict=True):
            if facts.get("base") != base.base or (facts["context"], facts["bins"]) != (
                said["context"], said["bins"],
            ):  # fmt: skip
                raise InputError(
                    f"{path.name}: was taught from other weights or bases: give the --weights of its training"
                )
            uppers.append(_with(base.upper, arrays, path, Part(facts["part"])))
        self.before, self.after = base.before, base.after
        self.tracks = [f"fold{n}" for n in range(1, len(uppers) + 1)]
        self.taught_by = tuple(frozenset(facts["trained_on"]) for facts, _ in read)
        self.trunk, self.uppers = base, uppers
        self.only_heads = all(facts["part"] == Part.head for facts, _ in read)
        super().__init__(nn.ModuleList([base.network, *uppers]), settings.device)

    def first(self, x: Tensor) -> Tensor:
        """The stem and the tower."""
        return self.trunk.first(x)

    def rest(self, features: Tensor) -> Tensor:
        """Expression by each file; where last layers alone were taught, the others are gone through once."""
        if self.only_heads:
            pooled = self.trunk.pooled(features)
            return torch.cat([upper.out(pooled) for upper in self.uppers], dim=1)
        return torch.cat([upper.out(upper.pooled(features)) for upper in self.uppers], dim=1)


def _with(upper: Upper, arrays: dict[str, Tensor], path: Path, part: Part) -> Upper:
    """The layers with what was taught in place; those that were not are shared."""
    made = copy.copy(upper) if part is Part.head else copy.deepcopy(upper)
    made._modules = dict(made._modules)
    made.out = copy.deepcopy(upper.out)
    own = dict(made.named_parameters())
    wanted = {name for name in own if part is not Part.head or name.startswith("out.")}
    if set(arrays) != wanted or any(arrays[name].shape != own[name].shape for name in wanted):
        raise InputError(f"{path.name}: not weights of enformer: {FETCH}")
    made.load_state_dict(arrays, strict=False)
    return made
