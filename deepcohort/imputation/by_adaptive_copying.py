"""Haplotype copying with a prior, adapted to each person, over groups of the panel's people."""

import logging
from dataclasses import asdict
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.imputation.ancestry import adapted_prior, group_people
from deepcohort.imputation.by_copying import copied
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Float32, Settings
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.rates import HiddenPeople, LearntRates, learn_rates
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Phase

log = logging.getLogger(__name__)

STRENGTHS = (0.5, 0.9, 0.98)
"""Shares of the prior that may go by the person; without a gain it is 0, which is plain copying."""


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Learn the rates of plain copying, then how strong the prior is; see ``Model``.

    The strength is chosen on one set of hidden people, and stays only if others, hidden anew, are
    predicted better with it than without.
    """
    learnt = learn_rates(panel, typed, copy_model(settings.device, settings.threads), settings.seed)
    strength, plain, adapted = 0.0, learnt.loss, learnt.loss
    rng = np.random.default_rng((settings.seed, 1))
    drawn = [_HiddenGroups.draw(panel, typed, settings, learnt, rng) for _ in range(2)]
    chooser, judge = drawn
    if chooser is not None and judge is not None:
        losses = {share: chooser.loss(share) for share in (0.0, *STRENGTHS)}
        best = min(losses, key=lambda share: losses[share])
        plain, adapted = judge.loss(0.0), judge.loss(best)
        strength = best if adapted < plain else 0.0
        log.info("prior: strength %g, loss %.5f on people held out (%.5f without)", strength, adapted, plain)
    facts = asdict(learnt) | {"strength": strength, "plain_loss": plain, "adapted_loss": adapted}
    return Trained(Imputer.adaptive_copying, facts, {"group": group_people(panel, settings.seed)})


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """A first pass for the prior, a second one for the dosages; see ``Model``."""
    return impute_with_phase(panel, target, sites, trained, settings)[0]


def impute_with_phase(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> tuple[Float32, Phase | None]:
    """The same with the phase of unphased people; see ``PhasingModel``."""
    facts = dict(trained.facts)
    strength, group = facts.pop("strength", None), trained.weights.get("group")
    for name in ("plain_loss", "adapted_loss"):
        facts.pop(name, None)
    if group is None or group.shape != (panel.n_haplotypes,) or group.dtype != np.int32:
        raise InputError("a model of another panel: make it by train-chunk")
    if not isinstance(strength, float) or not 0 <= strength < 1:
        raise InputError(f"a model whose strength is {strength}, which cannot be: make it by train-chunk")
    adapt = partial(adapted_prior, group=group, strength=strength) if strength else None
    return copied(panel, target, sites, LearntRates.of(facts).rates, settings, adapt)


class _HiddenGroups:
    """Hidden people, and groups of those who stay."""

    def __init__(self, hidden: HiddenPeople, group: NDArray[np.int32], learnt: LearntRates) -> None:
        self.hidden, self.group, self.rates = hidden, group, learnt.rates

    @classmethod
    def draw(
        cls,
        panel: PanelChunk,
        typed: NDArray[np.int64],
        settings: Settings,
        learnt: LearntRates,
        rng: np.random.Generator,
    ) -> "_HiddenGroups | None":
        model = copy_model(settings.device, settings.threads)
        hidden = HiddenPeople.draw(panel, typed, model, rng)
        if hidden is None:
            return None
        return cls(hidden, group_people(panel, settings.seed, hidden.kept), learnt)

    def loss(self, strength: float) -> float:
        """Mean cross-entropy of the hidden alleles."""
        if not strength:
            return self.hidden.loss(self.rates)
        inputs = self.hidden.inputs(self.rates)
        prior = adapted_prior(self.hidden.copier, *inputs, self.hidden.owner, self.group, strength)
        return self.hidden.loss(self.rates, prior)
