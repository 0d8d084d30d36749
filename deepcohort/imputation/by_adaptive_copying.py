"""Haplotype copying with a prior over groups of the panel's people, adapted to each person."""

import logging
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.imputation.ancestry import GroupPrior, adapted_prior, group_people
from deepcohort.imputation.by_copying import Experts, copied
from deepcohort.imputation.calibration import Calibration, learn_calibration
from deepcohort.imputation.copying import CopyModel, Float32, Prior, Rates
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.expected import FACT, expected_accuracy
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.places import Places
from deepcohort.imputation.rates import START, HiddenPeople, LearntRates, learn_rates, search_rates
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Phase

log = logging.getLogger(__name__)

GROUPS = (8, 4, 16, 30)
WITHIN = (0.9, 0.7, 0.97)
STRENGTHS = (0.0, 0.9, 0.99)
"""Numbers of groups, chances to stay within one, and strengths that are tried, the middle one first."""

SMALLEST_GAIN = 0.005
"""What a strength must save of the loss: it costs another pass of the recursions."""


@dataclass(frozen=True)
class Adapted:
    """The model of a chunk: rates, the prior, and the groups it is over, int32[K].

    adapted_loss, plain_loss: of people held out of all choices, with the prior and without. calibration: of
    the dosages; calibrated_loss: of the same people, with it.
    """

    rates: LearntRates
    prior: GroupPrior
    group: NDArray[np.int32]
    adapted_loss: float | None = None
    plain_loss: float | None = None
    calibration: Calibration = field(default_factory=Calibration.none)
    calibrated_loss: float | None = None

    def facts(self) -> dict[str, Any]:
        """As a trained model holds them."""
        shown = ("people", "typed", "sites", "seed", "loss", "start_loss", "effective_size", "error")
        return {name: getattr(self.rates, name) for name in shown} | {
            "rates": asdict(self.rates),
            "prior": asdict(self.prior),
            "adapted_loss": self.adapted_loss,
            "plain_loss": self.plain_loss,
            "calibrated_loss": self.calibrated_loss,
        }

    def weights(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds them."""
        return {"group": self.group} | self.calibration.stored()

    def on(self, panel: PanelChunk, seed: int) -> "Adapted":
        """The same with groups of another panel."""
        return replace(self, group=group_people(panel, seed, [int(self.group.max()) + 1])[0])

    @classmethod
    def of(cls, trained: Trained, panel: PanelChunk) -> "Adapted":
        """Read a trained model; raises ``InputError`` where it is of another panel or cannot be."""
        group = trained.weights.get("group")
        if group is None or group.shape != (panel.n_haplotypes,) or group.dtype != np.int32:
            raise InputError("a model of another panel: make it by train-chunk")
        try:
            rates, prior = LearntRates.of(trained.facts["rates"]), GroupPrior(**trained.facts["prior"])
        except (KeyError, TypeError) as error:
            raise InputError(f"not a learnt prior ({error}): make it by train-chunk") from None
        for name, share in asdict(prior).items():
            if not isinstance(share, float) or not 0 <= share < 1:
                raise InputError(f"a model whose {name} is {share}, which cannot be: make it by train-chunk")
        return cls(rates, prior, group, calibration=Calibration.of(trained.weights))


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn groups, prior and rates, then measure on people of the panel how well they do; see ``Model``."""
    learnt = learn_adapted(panel, typed, settings)

    def imputed(kept: PanelChunk, target: TargetChunk, sites: NDArray[np.int64]) -> Float32:
        return _copied(kept, target, sites, learnt.on(kept, settings.seed), settings)[0]

    facts = learnt.facts() | {FACT: expected_accuracy(panel, typed, imputed, settings.seed)}
    return Trained(Imputer.adaptive_copying, facts, learnt.weights())


def learn_adapted(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Adapted:
    """Choose groups and prior on hidden people and search the rates with them.

    The prior stays only if others, hidden anew, are predicted better with it than without; otherwise this is
    plain copying. Either is calibrated by both.
    """
    model = copy_model(settings.device, settings.threads, learning=True)
    rng = np.random.default_rng((settings.seed, 1))
    chooser = HiddenPeople.draw(panel, typed, model, rng)
    judge = chooser and HiddenPeople.draw(panel, typed, model, rng, [chooser])
    if chooser is None or judge is None:
        return _plain(panel, typed, model, settings.seed)
    learnt = _with_prior(panel, chooser, settings.seed)
    plain = judge.loss(learnt.rates.rates)
    said = _dosages(judge, learnt, panel, settings.seed)
    adapted = judge.loss_of(said)
    log.info("prior: loss %.5f on people held out, %.5f without", adapted, plain)
    if adapted < plain:
        learnt = replace(learnt, adapted_loss=adapted, plain_loss=plain)
    else:
        learnt = _plain(panel, typed, model, settings.seed)
        said = _dosages(judge, learnt, panel, settings.seed)
    return _calibrated(learnt, chooser, _dosages(chooser, learnt, panel, settings.seed), judge, said)


def _with_prior(panel: PanelChunk, chooser: HiddenPeople, seed: int) -> Adapted:
    group, number, prior = _choose_groups(panel, chooser, seed)
    rates = search_rates(chooser, seed, prior_of(chooser, START, group, prior))
    prior = _choose_strength(chooser, rates.rates, group, prior)
    log.info("prior: %d groups, within %g, strength %g", number, prior.within, prior.strength)
    return Adapted(rates, prior, group_people(panel, seed, [number])[0])


def _calibrated(
    learnt: Adapted, teacher: HiddenPeople, taught: Float32, judge: HiddenPeople, said: Float32
) -> Adapted:
    """The model with what the one people teach about its dosages, where that holds for the others.

    taught, said: float32[U, H], what the model says of the one and of the others.
    """
    places = places_among(judge)
    found = learn_calibration(taught, teacher.truth, places_among(teacher), said, judge.truth, places)
    loss = judge.loss_of(found.of_dosages(said, places))
    log.info(
        "calibration in %d bins of MAF: loss %.5f, %.5f without", found.held.sum(), loss, judge.loss_of(said)
    )
    return replace(learnt, calibration=found, calibrated_loss=loss)


def _dosages(hidden: HiddenPeople, learnt: Adapted, panel: PanelChunk, seed: int) -> Float32:
    """What hidden people are imputed as, by groups that were formed without them."""
    group = group_people(panel, seed, [int(learnt.group.max()) + 1], hidden.kept)[0]
    rates = learnt.rates.rates
    return hidden.dosages(rates, prior_of(hidden, rates, group, learnt.prior))


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Copying with the prior, after a first pass for it where it goes by the person; see ``Model``."""
    return impute_with_phase(panel, target, sites, trained, settings)[0]


def impute_with_phase(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> tuple[Float32, Phase | None]:
    """The same with the phase of unphased people; see ``PhasingModel``."""
    return _copied(panel, target, sites, Adapted.of(trained, panel), settings)


def _copied(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], learnt: Adapted, settings: Settings
) -> tuple[Float32, Phase | None]:
    adapt = partial(adapted_prior, group=learnt.group, how=learnt.prior)
    rates = learnt.rates.rates
    places = places_of(panel, target, sites)
    honest = Experts([rates], lambda said: learnt.calibration.of_dosages(said[0], places))
    return copied(panel, target, sites, rates, settings, adapt, honest)


def places_of(panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64]) -> Places:
    """What a calibration knows of sites; nothing of typed ones, whose chances stay as they are."""
    frequency, cm = panel.alt_frequency()[sites], panel.cm
    return Places.of(frequency, cm[sites], cm[target.typed]).without(np.isin(sites, target.typed))


def prior_of(hidden: HiddenPeople, rates: Rates, group: NDArray[np.int32], how: GroupPrior) -> Prior:
    """The prior of hidden people over groups of those who stay."""
    return adapted_prior(hidden.copier, *hidden.inputs(rates), hidden.owner, group, how)


def places_among(hidden: HiddenPeople) -> Places:
    """The same of the sites at which hidden people are imputed, as the panel without them knows it."""
    return Places.of(hidden.frequency, hidden.asked_cm, hidden.cm)


def _plain(panel: PanelChunk, typed: NDArray[np.int64], model: CopyModel, seed: int) -> Adapted:
    nobody = np.zeros(panel.n_haplotypes, np.int32)
    return Adapted(learn_rates(panel, typed, model, seed), GroupPrior(0.0, 0.0), nobody)


def _choose_groups(
    panel: PanelChunk, hidden: HiddenPeople, seed: int
) -> tuple[NDArray[np.int32], int, GroupPrior]:
    """Groups, their number, and how often a switch stays within one: chosen one after the other."""
    groupings = dict(zip(GROUPS, group_people(panel, seed, GROUPS, hidden.kept), strict=True))

    def loss(number: int, within: float) -> float:
        return hidden.loss(START, prior_of(hidden, START, groupings[number], GroupPrior(within, 0.0)))

    losses = {(GROUPS[0], within): loss(GROUPS[0], within) for within in WITHIN}
    within = min(losses, key=lambda tried: losses[tried])[1]
    losses |= {(number, within): loss(number, within) for number in GROUPS[1:]}
    number, within = min(losses, key=lambda tried: losses[tried])
    return groupings[number], number, GroupPrior(within, 0.0)


def _choose_strength(
    hidden: HiddenPeople, rates: Rates, group: NDArray[np.int32], prior: GroupPrior
) -> GroupPrior:
    """The strength that predicts best, if it gains enough."""
    tried = [GroupPrior(prior.within, strength) for strength in STRENGTHS]
    losses = [hidden.loss(rates, prior_of(hidden, rates, group, one)) for one in tried]
    best = int(np.argmin(losses))
    return tried[best] if losses[best] < (1 - SMALLEST_GAIN) * losses[0] else tried[0]
