"""Several models mixed by weights that hidden people of the panel have taught; a model of genotypes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.mixture import Mixture, alone, learn_mixture
from deepcohort.imputation.models import Float32, Settings, as_told_by, make_genotypes, model
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.panel_people import as_target, genotypes_of, people_of, without
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained

HIDDEN, LARGEST_SHARE, FEWEST = 64, 0.1, 4
"""People of the panel that the weights are learnt from: so many, as a share at most, and at least."""

SITES = 10_000
"""Untyped sites that are looked at."""


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Train the members on the panel without the hidden people, then learn the weights; see ``Model``."""
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(people_of(panel))
    untyped = np.setdiff1d(np.arange(panel.n_sites), typed)
    n_hidden = min(HIDDEN, max(FEWEST, int(LARGEST_SHARE * len(order))))
    enough = len(order) > 2 * n_hidden and len(typed) > 0 and len(untyped) > 0
    hidden = np.sort(order[:n_hidden]) if enough else order[:0]
    kept = without(panel, hidden)
    members = [
        model(member).train(kept, typed, _settings_of(member, settings)) for member in settings.members
    ]
    mixture = alone(len(members), 0)
    if enough:
        asked = np.sort(rng.choice(untyped, min(SITES, len(untyped)), replace=False))
        target = as_target(panel, hidden, typed)
        truth = genotypes_of(panel, asked)[:, np.searchsorted(people_of(panel), hidden)]
        chances = np.stack(
            [
                _of_truth(_told(kept, target, asked, member, settings), truth, target.haploid)
                for member in members
            ]
        )
        mixture = learn_mixture(chances, kept.alt_frequency()[asked])
    facts = {
        "members": {member.imputer: member.facts for member in members},
        "mixture": mixture.weights.tolist(),
        "single": members[mixture.single].imputer,
        "loss": mixture.loss,
        "start_loss": mixture.start_loss,
        "people": len(hidden),
        "typed": len(typed),
        "seed": settings.seed,
    }
    weights = {
        f"{member.imputer}/{name}": value for member in members for name, value in member.weights.items()
    }
    return Trained(Imputer.ensemble, facts, weights)


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Mix the members' chances of genotypes. See ``Model``."""
    members = [_member(trained, Imputer(name)) for name in trained.facts["members"]]
    chances = np.stack([_told(panel, target, sites, member, settings) for member in members])
    mixture = Mixture(np.array(trained.facts["mixture"]), 0)
    return mixture.mixed(chances, panel.alt_frequency()[sites])


def _settings_of(member: Imputer, settings: Settings) -> Settings:
    folder = settings.checkpoint / member if settings.checkpoint else None
    return replace(settings, imputer=member, checkpoint=folder)


def _member(trained: Trained, imputer: Imputer) -> Trained:
    prefix = f"{imputer}/"
    weights = {
        name.removeprefix(prefix): value for name, value in trained.weights.items() if name.startswith(prefix)
    }
    return Trained(imputer, trained.facts["members"][imputer], weights)


def _told(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], member: Trained, settings: Settings
) -> Float32:
    """A member's chances as the ensemble tells them: of genotypes, but of haploid people's single allele."""
    asked = _settings_of(member.imputer, settings)
    chances = model(member.imputer).impute(panel, target, sites, member, asked)
    by_haplotype = as_told_by(member.imputer, target).phased & ~target.haploid
    make_genotypes(chances, np.flatnonzero(by_haplotype))
    return chances


def _of_truth(chances: Float32, truth: NDArray[np.uint8], haploid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The chance that was given to each true genotype, float32[U, n]; of haploid people truth is 0 or 2."""
    one, two = np.where(haploid, 0, chances[:, 0::2]), np.where(haploid, chances[:, 0::2], chances[:, 1::2])
    return np.choose(truth, [1 - one - two, one, two])
