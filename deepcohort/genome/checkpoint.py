"""Training that goes on after a kill: how far it has come, kept in a file after each epoch."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress

log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """Epochs at most, and epochs without a better held-out loss after which training ends."""

    epochs: int
    patience: int


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


def train_to_best(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    limits: Limits,
    epoch: Callable[[int], None],
    held_out_loss: Callable[[], float],
    checkpoint: Path | None,
    of: dict[str, Any],
) -> Course:
    """Train in place; the network is left as it was when the held-out data were told best.

    epoch: goes over the training data once, given how many epochs are done. checkpoint: file that is written
    after each epoch and gone on from where it is there; ``of``: what it is a checkpoint of, as JSON knows it.
    Raises ``InputError`` where the file is of something else.
    """
    best = {name: value.clone() for name, value in network.state_dict().items()}
    course = Course([held_out_loss()])
    keeper = Checkpoint(checkpoint, of) if checkpoint else None
    if keeper and keeper.path.exists():
        course = keeper.restore(network, optimizer, best)
        log.info("going on after %d epochs of %s", course.epochs, keeper.path)
    with progress("epochs", limits.epochs) as bar:
        bar.update(course.epochs)
        while course.epochs < limits.epochs and not course.stalled(limits.patience):
            epoch(course.epochs)
            course.losses.append(held_out_loss())
            log.info("epoch %d: held-out loss %.5f", course.epochs, course.losses[-1])
            if course.losses[-1] < course.losses[course.best]:
                course.best = course.epochs
                best = {name: value.clone() for name, value in network.state_dict().items()}
            if keeper:
                keeper.save(network, optimizer, best, course)
            bar.update()
    network.load_state_dict(best)
    return course
