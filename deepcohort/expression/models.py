"""Sequence models by name."""

from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.xpresso import Xpresso


class ModelName(StrEnum):
    """Names of sequence models."""

    xpresso = "xpresso"


class Model(Protocol):
    """What a sequence model must do.

    before, after: bases that it sees on either side of the first base transcribed, on the gene's own strand.
    """

    name: str
    before: int
    after: int

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Expression, float64[n], of letters uint8[n, before + 1 + after]."""
        ...


MODELS = {"xpresso": Xpresso}


def load_model(name: str, weights: Path) -> Model:
    """A model with its weights; raises ``InputError`` for weights of another one."""
    return MODELS[name](weights)
