"""Haplotype copying as a layer that is trained: rates by place, the prior, experts and calibration.

It begins as ``adaptive-copying``. Every part that is learnt stays only where people of the panel, held out of
all learning, are predicted better with it than without.
"""

import logging
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.devices import torch_device
from deepcohort.imputation.ancestry import GroupPrior, adapted_prior, group_people
from deepcohort.imputation.by_adaptive_copying import (
    Adapted,
    learn_adapted,
    places_among,
    places_of,
    prior_of,
)
from deepcohort.imputation.by_copying import Experts, copied
from deepcohort.imputation.calibration import Calibration, learn_calibration
from deepcohort.imputation.copying import Float32, Rates, SiteRates
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.expected import FACT, expected_accuracy
from deepcohort.imputation.gate import Gate, learn_gate
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.rates import LIMITS, HiddenPeople
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained, require_arrays
from deepcohort.imputation.unphased import Phase

log = logging.getLogger(__name__)

LEARNERS = 2
"""Sets of hidden people who are learnt from; one more tells when to stop, and one judges."""

SLOWER, LAXER = 1 / 3, 10.0
"""Experts beside the first: one whose switches are so much rarer, one whose errors are so much likelier."""

SMALLEST_GAIN = 0.005
"""What experts must save of the loss: each costs another pass of the recursions."""

CHECKPOINT = "copying.safetensors"

LAYOUT = (
    "speed: factor on the switch rate before each of the typed sites; errors: of each; "
    "gate of experts (first, switches/3, errors x10) by one, log MAF, log cM to the nearest typed site, doubt"
)


@dataclass(frozen=True)
class Learnt:
    """The model of a chunk; speed, errors and gate begin as the identity, the rest as that of ``base``.

    base: rates and groups that it began with. prior: how the prior is made. typed: int64[M], sites of the
    panel that it was learnt for. speed, errors: float32[M], see ``SiteRates``. gate: of the experts.
    calibration: of what they say together.
    """

    base: Adapted
    prior: GroupPrior
    typed: NDArray[np.int64]
    speed: Float32
    errors: Float32
    gate: Gate
    calibration: Calibration

    @classmethod
    def start(cls, base: Adapted, typed: NDArray[np.int64]) -> "Learnt":
        """Nothing learnt yet."""
        errors = np.full(len(typed), base.rates.error, np.float32)
        speed = np.ones(len(typed), np.float32)
        return cls(base, base.prior, typed, speed, errors, Gate.closed(), base.calibration)

    @classmethod
    def of(cls, trained: Trained, panel: PanelChunk) -> "Learnt":
        """Read a trained model; raises ``InputError`` where it is of another panel or cannot be."""
        base, found = Adapted.of(trained, panel), trained.weights
        shape = (len(found.get("typed", ())),)
        require_arrays(found, dict.fromkeys(("typed", "speed", "errors"), shape))
        by_place = found["typed"], found["speed"], found["errors"]
        return cls(base, base.prior, *by_place, Gate.of(found), base.calibration)

    def weights(self) -> dict[str, NDArray[Any]]:
        """As a trained model holds them."""
        arrays = {name: getattr(self, name) for name in ("typed", "speed", "errors")}
        return arrays | {"group": self.base.group} | self.gate.stored() | self.calibration.stored()

    def rates(self, panel: PanelChunk, typed: NDArray[np.int64]) -> SiteRates:
        """Rates along these typed sites, which may be others than it was learnt for.

        What was learnt is a map of switches: between typed sites its length is that of the stretch.
        """
        base, cm = self.base.rates.rates, panel.cm[typed]
        errors = errors_at(base.error, self.typed, self.errors, typed)
        learnt_cm = panel.cm[self.typed]
        length = np.cumsum(np.diff(learnt_cm, prepend=learnt_cm[:1]) * self.speed)
        inside = np.interp(cm, learnt_cm, length) if len(length) else cm
        beyond = np.minimum(cm - learnt_cm[0], 0) + np.maximum(cm - learnt_cm[-1], 0) if len(length) else 0
        way, learnt_way = np.diff(cm, prepend=cm[:1]), np.diff(inside + beyond, prepend=(inside + beyond)[:1])
        speed = np.divide(learnt_way, way, where=way > 0, out=np.ones_like(way))
        return SiteRates(base.effective_size, base.error, speed.astype(np.float32), errors)


def errors_at(
    error: float, learnt_for: NDArray[np.int64], learnt: Float32, typed: NDArray[np.int64]
) -> Float32:
    """Errors of typed sites, float32[M]: as learnt for some, that of the chunk for others."""
    errors = np.full(len(typed), error, np.float32)
    _, here, there = np.intersect1d(typed, learnt_for, return_indices=True)
    errors[here] = learnt[there]
    return errors


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn ``adaptive-copying``, then train each part in turn; see ``Model``."""
    torch_device(settings.device, settings.threads)
    base = learn_adapted(panel, typed, settings)
    learnt = Learnt.start(base, typed)
    facts: dict[str, Any] = {}
    people = _draw(panel, typed, settings)
    if people:
        learnt, facts = _train(panel, people, learnt, settings)

    def imputed(kept: PanelChunk, target: TargetChunk, sites: NDArray[np.int64]) -> Float32:
        on_kept = replace(learnt, base=base.on(kept, settings.seed))
        return _copied(kept, target, sites, on_kept, settings)[0]

    facts |= {FACT: expected_accuracy(panel, typed, imputed, settings.seed)}
    facts = base.facts() | {"prior": asdict(learnt.prior), "layout": LAYOUT} | facts
    return Trained(Imputer.neural_copying, facts, learnt.weights())


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Copying with what was learnt; see ``Model``."""
    return impute_with_phase(panel, target, sites, trained, settings)[0]


def impute_with_phase(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> tuple[Float32, Phase | None]:
    """The same with the phase of unphased people; see ``PhasingModel``."""
    return _copied(panel, target, sites, Learnt.of(trained, panel), settings)


def _copied(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], learnt: Learnt, settings: Settings
) -> tuple[Float32, Phase | None]:
    rates = learnt.rates(panel, target.typed)
    adapt = partial(adapted_prior, group=learnt.base.group, how=learnt.prior)
    places = places_of(panel, target, sites)

    def mixed(said: list[Float32]) -> Float32:
        return learnt.calibration.of_dosages(learnt.gate.mixed(said, places), places)

    experts = Experts(_experts(rates)[: learnt.gate.n_experts], mixed)
    return copied(panel, target, sites, rates, settings, adapt, experts)


def _experts(rates: SiteRates) -> list[SiteRates]:
    """The first expert and those beside it."""
    laxer = np.minimum(rates.errors * LAXER, LIMITS["error"][1]).astype(np.float32)
    return [rates, replace(rates, speed=rates.speed * np.float32(SLOWER)), replace(rates, errors=laxer)]


def _draw(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> list[HiddenPeople]:
    """Judges, those who tell when to stop, and learners, all of them different people; [] if too few."""
    model = copy_model(settings.device, settings.threads, learning=True)
    rng = np.random.default_rng((settings.seed, 2))
    people: list[HiddenPeople] = []
    for _ in range(2 + LEARNERS):
        drawn = HiddenPeople.draw(panel, typed, model, rng, people)
        if drawn is None:
            return []
        people.append(drawn)
    return people


class _Judge:
    """People held out of all learning, who let a part stay or not."""

    def __init__(self, panel: PanelChunk, hidden: HiddenPeople, groups: int, settings: Settings) -> None:
        self.hidden = hidden
        self.group = group_people(panel, settings.seed, [groups], hidden.kept)[0]
        self.places = places_among(hidden)
        self.losses: dict[str, float] = {}

    def dosages(self, rates: list[Rates], prior: GroupPrior) -> list[Float32]:
        """What experts say of the people."""
        given = prior_of(self.hidden, rates[0], self.group, prior)
        return [self.hidden.dosages(one, given) for one in rates]

    def compare(self, part: str, before: Float32, after: Float32) -> tuple[float, float]:
        """The loss without a part and with it, which are noted."""
        plain, learnt = self.hidden.loss_of(before), self.hidden.loss_of(after)
        self.losses |= {part: learnt, f"without_{part}": plain}
        log.info("%s: loss %.5f, %.5f without", part, learnt, plain)
        return plain, learnt

    def accepts(self, part: str, before: Float32, after: Float32, gain: float = 0.0) -> bool:
        """Whether a part lowers the loss by more than this share."""
        plain, learnt = self.compare(part, before, after)
        kept = learnt < (1 - gain) * plain
        log.info("%s %s", part, "kept" if kept else "left out")
        return kept


def _train(
    panel: PanelChunk, people: list[HiddenPeople], learnt: Learnt, settings: Settings
) -> tuple[Learnt, dict[str, Any]]:
    """Train rates and prior, then the gate, then the calibration."""
    from deepcohort.imputation.copying_training import Lesson, learn

    base, rates = learnt.base, learnt.base.rates.rates
    groups = int(base.group.max()) + 1
    judge, stop, *learners = (_Judge(panel, hidden, groups, settings) for hidden in people)
    lessons = [Lesson.of(one.hidden, one.group, rates, base.prior) for one in (stop, *learners)]
    device = torch_device(settings.device, settings.threads)
    kept = settings.checkpoint / CHECKPOINT if settings.checkpoint else None
    parameters, course = learn(panel, lessons[1:], lessons[0], rates, base.prior, device, settings.seed, kept)
    by_place, prior = parameters.learnt()
    start: Rates = learnt.rates(panel, learnt.typed)
    before, after = judge.dosages([start], base.prior)[0], judge.dosages([by_place], prior)[0]
    if judge.accepts("rates_by_place", before, after):
        learnt = replace(learnt, prior=prior, speed=by_place.speed, errors=by_place.errors)
    experts = _experts(learnt.rates(panel, learnt.typed))
    said, judged = learners[0].dosages([*experts], learnt.prior), judge.dosages([*experts], learnt.prior)
    teacher = learners[0]
    gate = learn_gate(said, teacher.hidden.truth, teacher.places)
    if judge.accepts("experts", judged[0], gate.mixed(judged, judge.places), SMALLEST_GAIN):
        learnt = replace(learnt, gate=gate)
    taught, told = learnt.gate.mixed(said, teacher.places), learnt.gate.mixed(judged, judge.places)
    calibration = learn_calibration(
        taught, teacher.hidden.truth, teacher.places, told, judge.hidden.truth, judge.places
    )
    judge.compare("calibration", told, calibration.of_dosages(told, judge.places))
    learnt = replace(learnt, calibration=calibration)
    facts = {"course": asdict(course), "held_out": judge.losses, "experts": learnt.gate.n_experts}
    return learnt, facts
