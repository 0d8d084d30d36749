"""Train an autoregressive network on the panel itself, each person without their own column of the panel.

A network that is trained on true genotypes alone leans on the site before, which is unknown between typed
sites. Here it goes over a window twice: first with the panel's frequencies at sites that are not typed, then,
and only this is learnt from, with the chances that it gave itself the first time (in the manner of scheduled
sampling for parallel networks: Mihaylova & Martins 2019, ACL student workshop 351). No true genotype of an
untyped site is read.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from deepcohort.genome.checkpoint import Course, Limits, train_to_best
from deepcohort.imputation.autoregressive import (
    GENOTYPES,
    Network,
    generate,
    genotype_counts,
    log_frequencies,
    shifted,
)
from deepcohort.imputation.network_options import Loss, NetworkOptions

log = logging.getLogger(__name__)

FEWEST_STEPS, MOST_STEPS = 32, 64
"""An epoch is everybody over every window, but no fewer and no more steps than these."""

LEARNING_RATE = {"lstm": 3e-3, "gpt": 1e-3}
LARGEST_GRADIENT = 1.0
PATIENCE = 6
"""Epochs without a better loss on the held-out people after which training ends."""

WINDOWS_HELD_OUT = 8
"""Windows over which the held-out people are imputed after each epoch, at most."""

RAREST = 0.05
"""δ of the weighted loss: what a site without a minor allele weighs."""

SMALLEST_CHANCE = 1e-4


@dataclass(frozen=True)
class Lessons:
    """What a network learns from, over W windows of T sites.

    panel: uint8[W, T, P], genotypes of the people it reads and learns from; held_out: uint8[W, T, V] of
    others, who tell when to stop. present, own, typed: bool[W, T], whether there is a site, whether it is
    the window's own, and whether it is typed.
    """

    panel: Tensor
    held_out: Tensor
    present: Tensor
    own: Tensor
    typed: Tensor

    def to(self, device: str) -> "Lessons":
        """The same on a device."""
        return Lessons(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def learn(
    network: Network, lessons: Lessons, kind: str, options: NetworkOptions, seed: int, checkpoint: Path | None
) -> Course:
    """Train ``network`` in place, and leave it as it was when the held-out people were imputed best.

    checkpoint: file that is written after each epoch and gone on from where it is there; raises
    ``InputError`` where it is of another training.
    """
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE[kind])

    def epoch(done: int) -> None:
        for window, people in steps(lessons, options.at_once, seed, done):
            _step(network, lessons, optimizer, options.loss, window, people)

    course = train_to_best(
        network,
        optimizer,
        Limits(options.epochs, PATIENCE),
        epoch,
        lambda: held_out_loss(network, lessons),
        checkpoint,
        describe(network, lessons, kind, options, seed),
    )
    log.info(
        "%s: %d epochs, loss of held-out people %.4f, %.4f untrained",
        kind, course.epochs, course.losses[course.best], course.losses[0],
    )  # fmt: skip
    return course


def steps(lessons: Lessons, at_once: int, seed: int, epoch: int) -> Iterator[tuple[int, Tensor]]:
    """Yield the windows and people of an epoch's steps, in an order that hangs on seed and epoch alone."""
    rng = np.random.default_rng([seed, epoch])
    n_windows, _, n_people = lessons.panel.shape
    every: list[tuple[int, NDArray[np.int64]]] = []
    while len(every) < FEWEST_STEPS:
        for window in range(n_windows):
            order = rng.permutation(n_people)
            every += [(window, order[at : at + at_once]) for at in range(0, n_people, at_once)]
    for at in rng.permutation(len(every))[:MOST_STEPS]:
        window, people = every[at]
        yield window, torch.from_numpy(people).to(lessons.panel.device)


def window_loss(network: Network, lessons: Lessons, loss: Loss, window: int, people: Tensor) -> Tensor:
    """Loss of some people of the panel over one window, from the typed sites alone."""
    panel = lessons.panel[window]
    own = panel[:, people].T.long()
    true = one_hot(own, GENOTYPES).float()
    counts = genotype_counts(panel)[None]
    frequency = log_frequencies(counts - true)
    site_features = network.site_features(panel)
    present, typed = lessons.present[window, None, :, None], lessons.typed[window, None, :, None]

    def log_chances(guess: Tensor) -> Tensor:
        previous = shifted(torch.where(typed, true, guess) * present)
        features = network.read(site_features, previous) - network.own_features(previous, own, people)
        chances: Tensor = network(features, frequency)
        return chances

    with torch.no_grad():
        guess = log_chances(frequency.exp()).exp()
    surprise = -(log_chances(guess) * true).sum(dim=-1)
    weight = lessons.own[window].float()
    if loss is Loss.weighted:
        copies = (counts[0] @ counts.new_tensor([0.0, 0.5, 1.0])) / panel.shape[1]
        weight = weight * (torch.minimum(copies, 1 - copies) + RAREST)
    mean: Tensor = (surprise * weight).sum() / (weight.sum() * len(people))
    return mean


def _step(
    network: Network,
    lessons: Lessons,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    window: int,
    people: Tensor,
) -> None:
    optimizer.zero_grad()
    window_loss(network, lessons, loss, window, people).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    optimizer.step()


def held_out_loss(network: Network, lessons: Lessons) -> float:
    """Mean negative log-likelihood in nats of the held-out people's untyped genotypes, when imputed."""
    n_windows = len(lessons.panel)
    total, number = 0.0, 0
    for window in np.unique(np.linspace(0, n_windows - 1, WINDOWS_HELD_OUT).astype(int)).tolist():
        part = slice(window, window + 1)
        truth, typed = lessons.held_out[part], lessons.typed[part, :, None]
        observed = torch.where(typed, truth.to(torch.int8), -1)
        chances = generate(network, lessons.panel[part], observed, lessons.present[part])
        asked = lessons.own[part] & ~lessons.typed[part]
        found = chances.gather(3, truth[..., None].long())[..., 0][asked]
        total += float(-found.clamp(min=SMALLEST_CHANCE).log().sum(dtype=torch.float64))
        number += found.numel()
    return total / max(number, 1)


def describe(
    network: Network, lessons: Lessons, kind: str, options: NetworkOptions, seed: int
) -> dict[str, Any]:
    """What a checkpoint must agree with, as JSON."""
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    sums = [int(getattr(lessons, name).sum(dtype=torch.int64)) for name in lessons.__dataclass_fields__]
    return {
        "kind": kind,
        "loss": str(options.loss),
        "at_once": options.at_once,
        "seed": seed,
        "shapes": shapes,
        "sums": sums,
    }
