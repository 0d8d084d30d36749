"""What training leaves for imputing: a folder with a sidecar that people can read, and weights if any."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import deepcohort
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.imputation.imputers import Imputer

log = logging.getLogger(__name__)

SIDECAR, WEIGHTS = "model.json", "weights.safetensors"


@dataclass(frozen=True)
class Trained:
    """A model of one chunk.

    facts: what it is and how it was made, as JSON knows it (architecture, layout, data, seed, figures on
    held-out people). weights: arrays by name; empty where the facts say everything.
    """

    imputer: Imputer
    facts: dict[str, Any]
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write ``model.json`` and, where there are weights, ``weights.safetensors``, into a new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.weights:
            with written_whole(folder / WEIGHTS) as unfinished:
                save_file(
                    {name: np.ascontiguousarray(array) for name, array in self.weights.items()}, unfinished
                )
        shapes = {name: [str(array.dtype), *array.shape] for name, array in self.weights.items()}
        said = {
            "imputer": str(self.imputer),
            "version": deepcohort.__version__,
            "weights": shapes,
            **self.facts,
        }
        with written_whole(folder / SIDECAR) as unfinished:
            unfinished.write_text(json.dumps(said | self.facts, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, imputer: Imputer) -> "Trained":
        """Read what ``save`` wrote for ``imputer``; raises ``InputError`` where it is something else."""
        again = "make it by train-chunk"
        try:
            said = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
            made_for, version, shapes = said.pop("imputer"), said.pop("version"), said.pop("weights")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{folder}: not a trained model ({error}): {again}") from None
        if made_for != imputer:
            raise InputError(f"{folder}: a model for --imputer {made_for}, not for {imputer}: {again}")
        if version != deepcohort.__version__:
            raise InputError(
                f"{folder}: made by version {version}, this is {deepcohort.__version__}: {again}"
            )
        try:
            weights = load_file(folder / WEIGHTS) if shapes else {}
        except (OSError, SafetensorError) as error:
            raise InputError(f"{folder / WEIGHTS}: not the weights of the model ({error}): {again}") from None
        found = {name: [str(array.dtype), *array.shape] for name, array in weights.items()}
        if found != shapes:
            raise InputError(f"{folder / WEIGHTS}: not the weights that {SIDECAR} describes: {again}")
        return cls(imputer, said, weights)


def require_arrays(found: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ``InputError`` where one of a model's arrays is not there, of another shape or not finite."""
    for name, shape in shapes.items():
        if name not in found or found[name].shape != shape or not np.isfinite(found[name]).all():
            raise InputError(f"a model without {name}, or with another one: make it by train-chunk")
