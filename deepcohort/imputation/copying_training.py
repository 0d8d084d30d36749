"""Train the copying layer: a rate for each interval and each typed site, and the prior, by hidden people.

Some of the panel's people are imputed from the others, and the gradient of their cross-entropy moves the
parameters from where the exact model with its learnt rates stands. Others, whom nothing is learnt from, say
after each epoch whether that helps. Long chunks are learnt from window by window.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcohort.genome.checkpoint import Course, Limits, train_to_best
from deepcohort.imputation.ancestry import GroupPrior, often_copied
from deepcohort.imputation.copying import Float32, Prior, Rates, SiteRates, Sites
from deepcohort.imputation.copying_layer import Stretch, copied
from deepcohort.imputation.copying_torch import TorchChoice, dense_carriers
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.rates import HiddenPeople

log = logging.getLogger(__name__)

SPAN, MARGIN = 256, 32
"""Typed sites of a window, and those on either side that are looked at beyond it."""

LANES, STATES_BYTES = 32, 3 * 2**28
"""Hidden haplotypes of a step, fewer where their states in a window would take more than this."""

EPOCHS, PATIENCE, MOST_STEPS = 6, 1, 64
"""Epochs at most, those without a gain that end the training, and steps of an epoch at most."""

LEARNING_RATE, PULL = 0.05, 0.01
"""Of Adam; and how strongly rates are drawn to those of the whole chunk, as a share of the loss."""

LARGEST_PANEL, SITES = 5_000, 2_000
"""Haplotypes copied from in training, and sites asked for in a window: drawn where there are more."""

SMALLEST = 1e-4
"""What a chance counts at least, so that one sure mistake does not decide alone."""


@dataclass(frozen=True)
class Lesson:
    """Hidden people, and the groups of those who stay: int32[K'], with what the hidden copy of each.

    often: float32[C, H], how many times more often than by chance; None where the prior does not use it.
    """

    hidden: HiddenPeople
    group: NDArray[np.int32]
    often: Float32 | None

    @classmethod
    def of(cls, hidden: HiddenPeople, group: NDArray[np.int32], rates: Rates, prior: GroupPrior) -> "Lesson":
        """Look once at what the hidden people copy, where the prior goes by that."""
        often = None
        if prior.strength:
            even = prior.even(group, hidden.observed.shape[1])
            often = often_copied(hidden.copier, *hidden.inputs(rates), hidden.owner, even)
        return cls(hidden, group, often)

    def prior(self, how: GroupPrior) -> Prior:
        """The prior of the hidden people."""
        if self.often is None:
            return how.even(self.group, self.hidden.observed.shape[1])
        return how.adapted(self.group, self.often)


class Parameters(nn.Module):
    """What is learnt, all zero at the start.

    speed: [M], logarithm of the factor on the switch rate before each typed site. wrong: [M], added to the
    logit of its error. within, strength: added to the logits of the prior's, where these are not 0.
    """

    def __init__(self, n_typed: int, rates: Rates, prior: GroupPrior) -> None:
        super().__init__()
        self.rates, self.start = rates, prior
        self.speed = nn.Parameter(torch.zeros(n_typed))
        self.wrong = nn.Parameter(torch.zeros(n_typed))
        self.within = nn.Parameter(torch.zeros(()))
        self.strength = nn.Parameter(torch.zeros(()))

    def switch(self, cm: Tensor, n_panel: int, part: slice) -> Tensor:
        """Chance of a new choice before the typed sites of a part, as ``Rates.switches`` has it."""
        morgans = torch.diff(cm[part], prepend=cm[part][:1]) / 100
        rate = 4 * self.rates.effective_size / n_panel * morgans * self.speed[part].exp()
        return (-torch.expm1(-rate)).clamp(min=1e-8).float()

    def error(self, part: slice) -> Tensor:
        """Error of the typed sites of a part."""
        return torch.sigmoid(_logit(self.rates.error) + self.wrong[part])

    def prior(self) -> tuple[Tensor, Tensor]:
        """Chance to stay within a group, and strength."""
        starts = self.start.within, self.start.strength
        return tuple(
            torch.sigmoid(_logit(start) + shift) if 0 < start < 1 else torch.tensor(float(start)) + 0 * shift
            for start, shift in zip(starts, (self.within, self.strength), strict=True)
        )  # type: ignore[return-value]

    def learnt(self) -> tuple[SiteRates, GroupPrior]:
        """The same for the models that do not learn."""
        with torch.no_grad():
            within, strength = (value.item() for value in self.prior())
            speed, error = self.speed.exp().cpu().numpy(), self.error(slice(None)).cpu().numpy()
        rates = SiteRates(self.rates.effective_size, self.rates.error, speed, error)
        return rates, GroupPrior(within, strength)


def _logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


@dataclass(frozen=True)
class Window:
    """A part of a lesson's typed sites, with the asked sites of its middle.

    part: of the typed sites. truth: float32[U, H] of the minor allele.
    """

    part: slice
    stretch: Stretch
    truth: Tensor
    member: Tensor
    often: Tensor | None
    observed: Tensor
    cm: Tensor
    n_panel: int

    def loss(self, parameters: Parameters, lanes: Tensor) -> Tensor:
        """Mean cross-entropy of some lanes at the asked sites, in nats."""
        within, strength = parameters.prior()
        entry = torch.full((self.member.shape[1], len(lanes)), 1 / self.member.shape[1])
        entry = entry.to(self.member.device)
        if self.often is not None:
            weight = (1 - strength) + strength * self.often[:, lanes]
            entry = self.member.T @ weight
            entry = entry / entry.sum(dim=0)
        size = self.member.sum(dim=1, keepdim=True).clamp(min=1)
        choice = TorchChoice(entry, self.member, size, within)
        switch = parameters.switch(self.cm, self.n_panel, self.part)
        dosage = copied(
            self.stretch, switch, parameters.error(self.part), choice, self.observed[self.part][:, lanes]
        )
        dosage = dosage.clamp(SMALLEST, 1 - SMALLEST)
        return nn.functional.binary_cross_entropy(dosage, self.truth[:, lanes])


@dataclass(frozen=True)
class Lessons:
    """A lesson cut into windows, on a device."""

    panel: PanelChunk
    lesson: Lesson
    device: str
    kept: NDArray[np.int64]

    @cached_property
    def windows(self) -> list[tuple[int, int]]:
        """First typed site and the one behind the last, of each window's middle."""
        n_typed = len(self.lesson.hidden.cm)
        borders = np.linspace(0, n_typed, max(1, round(n_typed / SPAN)) + 1).astype(int)
        return list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))

    def window(self, number: int, rng: np.random.Generator) -> Window | None:
        """Make a window; None where no site is asked for in it."""
        hidden, (first, behind) = self.lesson.hidden, self.windows[number]
        n_typed = len(hidden.cm)
        starts = hidden.places.starts
        asked = slice(starts[0 if first == 0 else first + 1], starts[-1 if behind == n_typed else behind + 1])
        if asked.stop <= asked.start:
            return None
        part = slice(max(first - MARGIN, 0), min(behind + MARGIN, n_typed))
        rows = np.sort(rng.permutation(np.arange(asked.start, asked.stop))[:SITES])
        sites = hidden.asked[rows]
        carriers = self.panel.carriers(sites, self.kept)
        alleles = self.panel.alleles(hidden.typed[part])[:, self.kept].astype(bool)
        between = Sites.between(hidden.cm[part], self.panel.cm[sites])
        truth = np.where(carriers.flipped[:, None], 1 - hidden.truth[rows], hidden.truth[rows])
        group = torch.from_numpy(self.lesson.group[np.searchsorted(hidden.kept, self.kept)]).long()
        n_groups = int(self.lesson.group.max()) + 1
        often = self.lesson.often
        stretch = Stretch(
            torch.from_numpy(alleles).to(self.device),
            dense_carriers(carriers, len(self.kept), self.device),
            between.starts.tolist(),
            torch.from_numpy(between.weight).to(self.device)[:, None],
        )
        return Window(
            part,
            stretch,
            torch.from_numpy(truth.astype(np.float32)).to(self.device),
            nn.functional.one_hot(group, n_groups).T.float().to(self.device),
            None if often is None else torch.from_numpy(often).to(self.device),
            torch.from_numpy(hidden.observed).to(self.device),
            torch.from_numpy(hidden.cm).to(self.device),
            len(hidden.kept),
        )


def learn(
    panel: PanelChunk,
    lessons: list[Lesson],
    stop: Lesson,
    rates: Rates,
    prior: GroupPrior,
    device: str,
    seed: int,
    checkpoint: Path | None,
) -> tuple[Parameters, Course]:
    """Train, and return the parameters by which the people of ``stop`` were imputed best.

    checkpoint: file that is written after each epoch and gone on from where it is there; raises
    ``InputError`` where it is of another training.
    """
    parameters = Parameters(len(stop.hidden.cm), rates, prior).to(device)
    optimizer = torch.optim.Adam(parameters.parameters(), LEARNING_RATE)
    rng = np.random.default_rng(seed)
    cut = [Lessons(panel, lesson, device, _thinned(lesson.hidden.kept, rng)) for lesson in lessons]
    untrained = held_out_loss(parameters, stop)

    def epoch(done: int) -> None:
        for window, lanes in steps(cut, seed, done):
            _step(parameters, optimizer, window, lanes, untrained)

    course = train_to_best(
        parameters,
        optimizer,
        Limits(EPOCHS, PATIENCE),
        epoch,
        lambda: held_out_loss(parameters, stop),
        checkpoint,
        _describe(lessons, rates, prior, seed),
    )
    return parameters, course


def held_out_loss(parameters: Parameters, lesson: Lesson) -> float:
    """Mean cross-entropy of a lesson's people, in nats, by the model that imputes."""
    rates, prior = parameters.learnt()
    return lesson.hidden.loss(rates, lesson.prior(prior))


def steps(cut: list[Lessons], seed: int, epoch: int) -> Iterator[tuple[Window, Tensor]]:
    """Yield windows and lanes of an epoch's steps, in an order that hangs on seed and epoch alone."""
    rng = np.random.default_rng([seed, epoch])
    n_windows = len(cut[0].windows)
    wanted = min(MOST_STEPS, n_windows * sum(_parts(one) for one in cut))
    each = max(1, wanted // (n_windows * len(cut)))
    for number in rng.permutation(n_windows * len(cut))[:wanted].tolist():
        one = cut[number % len(cut)]
        window = one.window(number // len(cut), rng)
        if window is None:
            continue
        order = rng.permutation(window.truth.shape[1])
        lanes = _lanes(one)
        for at in range(0, min(each * lanes, len(order)), lanes):
            yield window, torch.from_numpy(order[at : at + lanes]).to(one.device)


def _lanes(one: Lessons) -> int:
    sites = min(SPAN + 2 * MARGIN, len(one.lesson.hidden.cm))
    return int(np.clip(STATES_BYTES // (3 * 4 * sites * len(one.kept)), 2, LANES))


def _parts(one: Lessons) -> int:
    n_lanes: int = one.lesson.hidden.observed.shape[1]
    return ceil(n_lanes / _lanes(one))


def _thinned(kept: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return kept if len(kept) <= LARGEST_PANEL else np.sort(rng.choice(kept, LARGEST_PANEL, replace=False))


def _step(
    parameters: Parameters, optimizer: torch.optim.Optimizer, window: Window, lanes: Tensor, scale: float
) -> None:
    optimizer.zero_grad()
    drawn = parameters.speed[window.part].square().mean() + parameters.wrong[window.part].square().mean()
    (window.loss(parameters, lanes) + PULL * scale * drawn).backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _describe(lessons: list[Lesson], rates: Rates, prior: GroupPrior, seed: int) -> dict[str, object]:
    """What a checkpoint must agree with, as JSON."""
    sums = [[int(one.hidden.kept.sum()), int(one.hidden.truth.sum(dtype=np.int64))] for one in lessons]
    return {
        "kind": "neural-copying",
        "rates": [rates.effective_size, rates.error],
        "prior": [prior.within, prior.strength],
        "typed": len(lessons[0].hidden.cm),
        "sums": sums,
        "seed": seed,
    }
