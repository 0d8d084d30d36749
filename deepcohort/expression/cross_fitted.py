"""Predictions of each person by models that were not taught by that person."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.models import Model
from deepcohort.expression.settings import Settings
from deepcohort.genome.errors import InputError

if TYPE_CHECKING:
    from deepcohort.expression.cnn import Cnn

Floats = NDArray[np.float64]


class SideBySide:
    """Several models of one shape, an output for each; each is asked by tiles."""

    def __init__(self, models: Sequence["Cnn"]) -> None:
        """Take models that people have taught."""
        from deepcohort.expression.tiles import TileCache

        first, self.models = models[0], models
        self.by_tiles = [TileCache(model) for model in models]
        self.name, self.stranded, self.additive = first.name, first.stranded, first.additive
        self.before, self.after = first.before, first.after
        self.tracks: Sequence[str] = [f"fold{n}" for n in range(1, len(models) + 1)]
        self.taught_by = tuple(group for model in models for group in taught_by(model))

    def predict(self, sequences: NDArray[np.uint8]) -> Floats:
        """Expression by each, float64[n, models]."""
        return np.concatenate([model.predict(sequences) for model in self.by_tiles], axis=1)

    def gradient(self, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gradients of each, float32[models, length, 4]."""
        return np.concatenate([model.gradient(sequence) for model in self.models])


def taught_by(model: object) -> tuple[frozenset[str], ...]:
    """For each output of a model, who taught it; empty for models that learnt from nobody here."""
    found: tuple[frozenset[str], ...] = getattr(model, "taught_by", ())
    return found


def load_taught(name: str, settings: Settings, files: Sequence[Path]) -> Model:
    """A model as ``train`` left it, in one file for each fold held out.

    Raises ``InputError`` for models that are not taught here, and for files that do not fit together.
    """
    if name == "enformer":
        from deepcohort.expression.tuned import Tuned

        return Tuned(settings, files)
    if name != "cnn":
        raise InputError(f"--trained: {name} is not taught here: take cnn or enformer")
    from deepcohort.expression.cnn import Cnn

    models = [Cnn(replace(settings, weights=path, context=None)) for path in files]
    for path, model in zip(files, models, strict=True):
        if model.shape != models[0].shape:
            raise InputError(
                f"{path.name}: sees other bases than {files[0].name}: give files of one training"
            )
    return SideBySide(models)


def not_taught_by(people: Sequence[str], taught: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
    """Which outputs each person did not teach, bool[people, outputs]."""
    return np.array([[name not in group for group in taught] for name in people], np.bool_).reshape(
        len(people), len(taught)
    )


def own_values(values: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """Values float64[people, 2, 1] of those [people, 2, outputs]: the mean of outputs not taught by a person.

    Outputs are known up to a constant for each gene, so that each one is taken less its mean over those who
    taught it. Of people who taught all outputs it is the mean of all: it proves nothing.
    """
    mean = np.nanmean(values, axis=1)
    centre = [mean[~some, n].mean() if not some.all() else 0.0 for n, some in enumerate(unknown.T)]
    used = np.where(unknown.any(axis=1, keepdims=True), unknown, True)[:, None, :]
    total: Floats = np.where(used, values - np.array(centre), 0).sum(axis=2, keepdims=True)
    made: Floats = total / used.sum(axis=2, keepdims=True)
    return made
