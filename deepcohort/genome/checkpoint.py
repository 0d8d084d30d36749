"""Training that goes on after a kill: how far it has come, kept in a file after each epoch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole


@dataclass
class Course:
    """How far a training has come; losses are the held-out people's, the first one before any training."""

    losses: list[float]
    best: int = 0

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.losses) - 1

    def stalled(self, patience: int) -> bool:
        """Whether so many epochs have gained nothing."""
        return self.epochs - self.best >= patience


@dataclass(frozen=True)
class Checkpoint:
    """A safetensors file of network, optimizer and best network, its header telling the course as JSON."""

    path: Path
    of: dict[str, Any]

    def save(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        best: dict[str, Tensor],
        course: Course,
    ) -> None:
        """Write the file, whole or not at all."""
        arrays = {f"network.{name}": value for name, value in network.state_dict().items()}
        arrays |= {f"best.{name}": value for name, value in best.items()}
        for number, state in optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        arrays = {name: value.detach().cpu().contiguous().clone() for name, value in arrays.items()}
        said = {"of": self.of, "losses": course.losses, "best": course.best}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path) as unfinished:
            save_file(arrays, unfinished, {"course": json.dumps(said)})

    def restore(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]
    ) -> Course:
        """Put the stored state into place."""
        again = "give an empty --checkpoint folder"
        try:
            with safe_open(self.path, "pt") as stored:
                said = json.loads(stored.metadata()["course"])
                arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path}: not a checkpoint ({error}): {again}") from None
        if said["of"] != self.of:
            raise InputError(f"{self.path}: a checkpoint of another training: {again}")

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}

        network.load_state_dict(part("network."))
        stored_best = part("best.")
        for name in best:
            best[name] = stored_best[name].to(best[name].device)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in part("optimizer.").items():
            number, _, what = name.partition(".")
            state.setdefault(int(number), {})[what] = value
        optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
        return Course(said["losses"], said["best"])
