"""Training of the network on files of examples, that many at a time as fit in memory."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, nll_loss

from deepcohort.genome.checkpoint import Course, Limits, train_to_best
from deepcohort.variants.examples import Examples, Facts
from deepcohort.variants.network import Network, joined_heads
from deepcohort.variants.tensors import LAYOUTS

log = logging.getLogger(__name__)

LEARNING_RATE = 1e-3
AT_ONCE = 128
IN_MEMORY = 40_000
"""Examples whose files are in memory together, about."""

SECOND_HEAD = 0.3
"""Weight of the loss of the head that tells variants from none."""

PATIENCE = 4
"""Epochs without a better loss of the held-out examples after which training ends."""


@dataclass(frozen=True)
class Lessons:
    """Files of examples to learn from, and those that tell when to stop; all of one layout."""

    training: Sequence[Path]
    held_out: Sequence[Path]


@dataclass(frozen=True)
class How:
    """epochs: at most; class_weights: of 0, 1 and 2 copies in the loss, see ``Network``."""

    epochs: int
    class_weights: tuple[float, float, float]
    seed: int


class Batch(NamedTuple):
    """Examples on a device: what ``Network`` takes, and the true copies, int64[N]."""

    tensors: Tensor
    features: Tensor
    log_chances: Tensor
    copies: Tensor


def batch_of(examples: Examples, rows: NDArray[np.int64] | slice, device: str) -> Batch:
    """Some examples on a device."""
    evidence = examples.evidence
    return Batch(
        torch.from_numpy(evidence.tensors[rows]).to(device),
        torch.from_numpy(evidence.features[rows]).to(device),
        torch.from_numpy(evidence.log_chances[rows].astype(np.float32)).to(device),
        torch.from_numpy(examples.copies[rows]).to(device),
    )


def new_network(layout: str, features: NDArray[np.float32], how: How) -> Network:
    """An untrained network, which scales features as these examples', float32[N, F]."""
    torch.manual_seed(how.seed)
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    return Network(LAYOUTS[layout], mean, scale, how.class_weights)


def learn(network: Network, lessons: Lessons, how: How, device: str, checkpoint: Path | None) -> Course:
    """Train in place; the network is left as it was when the held-out examples were told best.

    checkpoint: file that is written after each epoch, and gone on from where it is there; raises
    ``InputError`` where it is of another training. Returns the held-out losses, the untrained one first.
    """
    # Convolutions over few channels take half the time where these lie together.
    network.to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    return train_to_best(
        network,
        optimizer,
        Limits(how.epochs, PATIENCE),
        lambda done: _epoch(network, optimizer, lessons, how, done, device),
        lambda: loss_of(network, lessons.held_out, device),
        checkpoint,
        _described(lessons, how),
    )


def _described(lessons: Lessons, how: How) -> dict[str, Any]:
    names = [path.name for path in lessons.training]
    layout = Facts.load(lessons.training[0]).layout
    return {
        "examples": names,
        "layout": layout,
        "epochs": how.epochs,
        "class_weights": [*how.class_weights],
        "seed": how.seed,
    }


def _epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    lessons: Lessons,
    how: How,
    epoch: int,
    device: str,
) -> None:
    rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * epoch / how.epochs))
    for group in optimizer.param_groups:
        group["lr"] = rate
    # What dropout leaves out hangs on the epoch alone, so that a training that goes on is the same.
    torch.manual_seed(how.seed * 1000 + epoch)
    network.train()
    for batch in _batches(lessons.training, how.seed, epoch, device):
        log_copies, odds = network(batch.tensors, batch.features, batch.log_chances)
        loss = nll_loss(log_copies, batch.copies, network.log_weights.exp())
        loss = loss + SECOND_HEAD * binary_cross_entropy_with_logits(odds, (batch.copies > 0).float())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def _batches(paths: Sequence[Path], seed: int, epoch: int, device: str) -> Iterator[Batch]:
    """An epoch's batches: files in a new order, the examples of those in memory shuffled together."""
    rng = np.random.default_rng([seed, epoch])
    waiting: list[Examples] = []
    order = rng.permutation(len(paths)).tolist()
    for number, at in enumerate(order):
        waiting.append(Examples.load(paths[at]))
        if number + 1 < len(order) and sum(len(one.copies) for one in waiting) < IN_MEMORY:
            continue
        places = [(one, row) for one, examples in enumerate(waiting) for row in range(len(examples.copies))]
        shuffled = np.array(places)[rng.permutation(len(places))]
        for first in range(0, len(shuffled), AT_ONCE):
            yield _gathered(waiting, shuffled[first : first + AT_ONCE], device)
        waiting = []


def _gathered(files: list[Examples], places: NDArray[np.int64], device: str) -> Batch:
    parts = [batch_of(files[one], places[places[:, 0] == one, 1], device) for one in np.unique(places[:, 0])]
    return Batch(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


@torch.no_grad()
def loss_of(network: Network, paths: Sequence[Path], device: str) -> float:
    """Mean of minus the log of the chance that both heads give to the true copies of some examples."""
    network.eval()
    total, count = 0.0, 0
    for path in paths:
        examples = Examples.load(path)
        for first in range(0, len(examples.copies), AT_ONCE):
            batch = batch_of(examples, slice(first, first + AT_ONCE), device)
            log_copies = joined_heads(*network(batch.tensors, batch.features, batch.log_chances))
            total += float(nll_loss(log_copies, batch.copies, reduction="sum"))
            count += len(batch.copies)
    return total / count
