"""Every model behind one small interface: trained once on a panel chunk, then asked for chances."""

from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation.imputers import PHASING, Imputer
from deepcohort.imputation.network_options import NetworkOptions
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.unphased import Phase

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """Which model, where it runs, and the seed of all that is drawn.

    phased_output: whether people without phase are to be put in phase with care (more samples of it).
    network: for models that are networks. members: of an ensemble. checkpoint: folder where the training of
    networks goes on after a kill.
    """

    imputer: Imputer
    device: Device = Device.cpu
    threads: int = 1
    seed: int = 1
    network: NetworkOptions = field(default_factory=NetworkOptions)
    members: tuple[Imputer, ...] = (Imputer.copying, Imputer.lstm, Imputer.gpt)
    checkpoint: Path | None = None
    phased_output: bool = False


class Model(Protocol):
    """A module ``by_<kind>`` with two functions."""

    def train(self, panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
        """Learn from the panel what the model needs to impute from ``typed``, int64[M] sites of it."""

    def impute(
        self,
        panel: PanelChunk,
        target: TargetChunk,
        sites: NDArray[np.int64],
        trained: Trained,
        settings: Settings,
    ) -> Float32:
        """Chances at ``sites`` (int64[U] of the panel), float32[U, 2n], as ``Imputed`` holds them.

        Models of genotypes give them for the target that ``as_told_by`` returns.
        """


class PhasingModel(Protocol):
    """A model that can tell the phase of people whose input is not phased."""

    def impute_with_phase(
        self,
        panel: PanelChunk,
        target: TargetChunk,
        sites: NDArray[np.int64],
        trained: Trained,
        settings: Settings,
    ) -> tuple[Float32, Phase | None]:
        """Chances as ``Model.impute`` gives them, and how unphased people lie (None: there are none)."""


KINDS = {
    Imputer.copying: "copying",
    Imputer.adaptive_copying: "adaptive_copying",
    Imputer.neural_copying: "neural_copying",
    Imputer.naive: "baseline",
    Imputer.knn: "baseline",
    Imputer.svd: "baseline",
    Imputer.lstm: "autoregressive",
    Imputer.gpt: "autoregressive",
    Imputer.ensemble: "ensemble",
}

OF_GENOTYPES = (Imputer.lstm, Imputer.gpt, Imputer.ensemble)
"""Models that know nothing of phase."""


def model(imputer: Imputer) -> Model:
    """Return the module of a model; it is imported now, since some take seconds and others need PyTorch."""
    return cast(Model, import_module(f"deepcohort.imputation.by_{KINDS[imputer]}"))


def phasing_model(imputer: Imputer) -> PhasingModel:
    """Return the module of a model that phases; raises ``InputError`` where it does not."""
    if imputer not in PHASING:
        raise InputError(
            f"--phased-output: --imputer {imputer} does not phase people: leave it out, or take "
            f"{', '.join(PHASING)}"
        )
    return cast(PhasingModel, model(imputer))


def as_told_by(imputer: Imputer, target: TargetChunk) -> TargetChunk:
    """The target as a model answers for it: to a model of genotypes nobody with two alleles is phased."""
    return replace(target, phased=target.haploid) if imputer in OF_GENOTYPES else target


def own_errors(trained: Trained, typed: NDArray[np.int64]) -> Float32 | None:
    """Error rates by which typed sites' own alleles enter the chances there, float32[M]; None where that is
    not all that there is to it, or nothing is typed.

    Where it is, a site can be left out afterwards (see ``left_out``).
    """
    if not len(typed):
        return None
    if trained.imputer in (Imputer.copying, Imputer.adaptive_copying):
        return np.full(len(typed), trained.facts["error"], np.float32)
    if trained.imputer == Imputer.neural_copying and "gate" not in trained.weights:
        from deepcohort.imputation.by_neural_copying import errors_at

        return errors_at(trained.facts["error"], trained.weights["typed"], trained.weights["errors"], typed)
    return None


def make_genotypes(chances: Float32, people: NDArray[np.int64]) -> None:
    """Turn the chances of ALT on people's two haplotypes into those of one and of two ALT, in place."""
    for person in people:
        first, second = chances[:, 2 * person], chances[:, 2 * person + 1]
        both = first * second
        first += second
        first -= 2 * both
        second[:] = both


def told_by_phase(haplotypes: Float32, target: TargetChunk) -> Float32:
    """Chances as ``Imputed`` holds them, by genotype of people without phase, in place of ``haplotypes``."""
    make_genotypes(haplotypes, np.flatnonzero(~target.phased))
    return haplotypes
