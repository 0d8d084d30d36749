"""Learn the copying model's rates from the panel: impute some of its people from all the others."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.imputation.copying import Copier, CopyModel, Float32, Prior, Rates, Sites
from deepcohort.imputation.panel import PanelChunk

log = logging.getLogger(__name__)

START = Rates(effective_size=3e5, error=3e-3)
"""Where the search begins, and what is used where a chunk has too little to learn from."""

PEOPLE, LARGEST_SHARE, SITES = 128, 0.25, 10_000
"""People hidden at most, as a share of the panel at most, and untyped sites looked at."""

SMALLEST_CHANCE = 1e-4
"""What a chance counts at least in the loss, so that one sure mistake does not decide alone."""

STEPS = (0.5, 0.25, 0.125)
"""Step widths of the search in decades of either rate."""

LIMITS = {"effective_size": (1e2, 1e8), "error": (1e-4, 0.2)}
"""An array's own errors, which the panel's people do not show, forbid a smaller error rate."""


@dataclass(frozen=True)
class LearntRates:
    """Rates of one chunk, and how they were found.

    loss: mean negative log-likelihood in nats of the hidden people's untyped alleles; start_loss: the
    same at the rates the search began with. people, typed, sites: how much it was learnt from; with no
    typed site or too few people, ``people`` is 0 and the starting rates stand.
    """

    effective_size: float
    error: float
    loss: float | None
    start_loss: float | None
    people: int
    typed: int
    sites: int
    evaluations: int
    seed: int

    @property
    def rates(self) -> Rates:
        """The rates alone."""
        return Rates(self.effective_size, self.error)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "LearntRates":
        """Read the facts of a trained model; raises ``InputError`` where they are something else."""
        try:
            learnt = cls(**facts)
            wrong = [name for name, (low, high) in LIMITS.items() if not low <= getattr(learnt, name) <= high]
        except TypeError as error:
            raise InputError(
                f"not learnt rates of the copying model ({error}): make them by train-chunk"
            ) from None
        if wrong:
            value = getattr(learnt, wrong[0])
            raise InputError(
                f"learnt rates: {wrong[0]} is {value}, which cannot be: make them by train-chunk"
            )
        return learnt


@dataclass(frozen=True)
class HiddenPeople:
    """Some of the panel's people, to be imputed at untyped sites from all the others.

    kept: int64[K'], haplotypes that stay in the panel. copier: those, with what is asked. typed: int64[M] and
    asked: int64[U], sites of the panel; places: where the latter lie between the former. cm: float64[M] of
    the typed sites, asked_cm: float64[U] of the others. frequency: float64[U] of ALT among those who stay.
    observed: int8[M, H] of the hidden haplotypes; truth: uint8[U, H]; owner: int64[H].
    """

    kept: NDArray[np.int64]
    copier: Copier
    typed: NDArray[np.int64]
    asked: NDArray[np.int64]
    places: Sites
    cm: NDArray[np.float64]
    asked_cm: NDArray[np.float64]
    frequency: NDArray[np.float64]
    observed: NDArray[np.int8]
    truth: NDArray[np.uint8]
    owner: NDArray[np.int64]

    @classmethod
    def draw(
        cls,
        panel: PanelChunk,
        typed: NDArray[np.int64],
        model: CopyModel,
        rng: np.random.Generator,
        apart: Sequence["HiddenPeople"] = (),
    ) -> "HiddenPeople | None":
        """Draw people, none of those ``apart``, and untyped sites; None where there are too few.

        Both haplotypes of a person leave the panel.
        """
        untyped = np.setdiff1d(np.arange(panel.n_sites), typed)
        everybody = np.unique(panel.person)
        persons = np.setdiff1d(everybody, [person for one in apart for person in one.owner])
        number = min(PEOPLE, int(LARGEST_SHARE * len(everybody)), len(persons))
        if not len(typed) or not len(untyped) or not number:
            return None
        hidden = np.isin(panel.person, rng.choice(persons, number, replace=False))
        asked = np.sort(rng.choice(untyped, min(SITES, len(untyped)), replace=False))
        kept = np.flatnonzero(~hidden)
        alleles, cm = panel.alleles(typed), panel.cm[typed]
        sites, carriers = Sites.between(cm, panel.cm[asked]), panel.carriers(asked, kept)
        return cls(
            kept=kept,
            copier=model.prepare(alleles[:, kept], cm, sites, carriers),
            typed=typed,
            asked=asked,
            places=sites,
            cm=cm,
            asked_cm=panel.cm[asked],
            frequency=carriers.frequency,
            observed=alleles[:, hidden].astype(np.int8),
            truth=panel.alleles(asked, np.flatnonzero(hidden)),
            owner=panel.person[hidden].astype(np.int64),
        )

    @property
    def people(self) -> int:
        """How many people are hidden."""
        return len(np.unique(self.owner))

    def inputs(self, rates: Rates) -> tuple[Float32, Float32]:
        """Switches and emission of the copying model at some rates."""
        return rates.switches(self.cm, len(self.kept)), rates.emission(self.observed)

    def dosages(self, rates: Rates, prior: Prior | None = None) -> Float32:
        """What the hidden people's alleles are imputed as, float32[U, H]."""
        return self.copier.dosages(*self.inputs(rates), prior)

    def loss(self, rates: Rates, prior: Prior | None = None) -> float:
        """Mean cross-entropy of the hidden alleles, in nats."""
        return self.loss_of(self.dosages(rates, prior))

    def loss_of(self, dosages: Float32) -> float:
        """The same of these dosages; chances count ``SMALLEST_CHANCE`` at least."""
        chance = np.clip(dosages, SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
        return float(-np.log(np.where(self.truth == 1, chance, 1 - chance)).mean(dtype=np.float64))


def learn_rates(panel: PanelChunk, typed: NDArray[np.int64], model: CopyModel, seed: int) -> LearntRates:
    """Search the rates that best predict hidden people's untyped alleles from their typed ones.

    typed: int64[M] indices of typed sites. Without enough of them, or of people, the rates stay at ``START``.
    """
    hidden = HiddenPeople.draw(panel, typed, model, np.random.default_rng(seed))
    if hidden is None:
        return LearntRates(START.effective_size, START.error, None, None, 0, len(typed), 0, 0, seed)
    return search_rates(hidden, seed)


def search_rates(hidden: HiddenPeople, seed: int, prior: Prior | None = None) -> LearntRates:
    """The same on these people, who may have a prior; the search goes along one rate at a time."""
    best, losses = _search(lambda rates: hidden.loss(rates, prior))
    log.info(
        "learnt from %d people at %d untyped sites: Ne %.3g, error %.2g, loss %.5f (%.5f at the start)",
        hidden.people, len(hidden.truth), best.effective_size, best.error, losses[best], losses[START],
    )  # fmt: skip
    return LearntRates(
        effective_size=best.effective_size,
        error=best.error,
        loss=losses[best],
        start_loss=losses[START],
        people=hidden.people,
        typed=len(hidden.cm),
        sites=len(hidden.truth),
        evaluations=len(losses),
        seed=seed,
    )


def _search(loss: Callable[[Rates], float]) -> tuple[Rates, dict[Rates, float]]:
    """Pattern search in the logarithms of both rates; returns the best and all that was tried."""
    losses = {START: loss(START)}
    best = START
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for name, (low, high) in LIMITS.items():
                for direction in (1, -1):
                    value = float(np.clip(getattr(best, name) * 10 ** (direction * step), low, high))
                    tried = Rates(**(asdict(best) | {name: value}))
                    if tried not in losses:
                        losses[tried] = loss(tried)
                    if losses[tried] < losses[best]:
                        best, improved = tried, True
                        break
    return best, losses
