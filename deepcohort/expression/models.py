"""Sequence models by name, and what they must be able to do."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.settings import Settings
from deepcohort.genome.errors import InputError


class Model(Protocol):
    """What a sequence model must do.

    before, after: bases that it sees on either side of the first base transcribed. stranded: whether they are
    to be on the gene's own strand; else they are on the reference's. tracks: names of its outputs.
    additive: outputs are amounts, which add up over the two alleles, so that logarithms come last.
    """

    name: str
    before: int
    after: int
    stranded: bool
    additive: bool
    tracks: Sequence[str]

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Expression, float64[n, tracks], of letters uint8[n, before + 1 + after]."""
        ...


@runtime_checkable
class Tiled(Protocol):
    """A model whose first layers see the neighbourhood alone, so that haplotypes can share their outputs.

    bin: bases of one feature. halo: bases on either side, of whole bins, that features depend on; None where
    they depend on all, and nothing is shared.
    """

    bin: int
    halo: int | None

    def features(self, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first layers, float32[n, length / bin, channels], of letters uint8[n, length] of any length."""
        ...

    def readout(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """All other layers: expression, float64[n, tracks], of a whole window's features."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A model that tells how its outputs change with the sequence."""

    def gradient(self, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Change of each output with the share of each base, float32[tracks, length, 4], at letters."""
        ...


@runtime_checkable
class Aimed(Protocol):
    """A model that reads other outputs of each gene, such as those of its exons."""

    def aim(self, exons: tuple[tuple[int, int], ...], *, along: bool) -> None:
        """Say of which gene sequences are from now on.

        exons: stretches (first, end excluded) in bases from the first transcribed, as the sequence is read;
        empty where not known. along: whether the gene runs as the sequence does.
        """
        ...


MODELS = {
    "xpresso": "deepcohort.expression.xpresso:Xpresso",
    "enformer": "deepcohort.expression.enformer:Enformer",
    "borzoi": "deepcohort.expression.borzoi:Borzoi",
    "cnn": "deepcohort.expression.cnn:Cnn",
}
"""Modules are imported when asked for: PyTorch takes seconds."""
PARTS = ("name", "before", "after", "stranded", "additive", "tracks", "predict")


def load_model(name: str, settings: Settings) -> Model:
    """A model by its name, or a user's own as ``file.py:Class``, which is called with the settings.

    Raises ``InputError`` for unknown names, weights of another model, and classes that lack a part.
    """
    if name in MODELS:
        module, _, kind = MODELS[name].partition(":")
        return cast(Model, getattr(importlib.import_module(module), kind)(settings))
    path, _, kind = name.rpartition(":")
    if not path.endswith(".py") or not Path(path).is_file():
        raise InputError(
            f"--model {name}: no such model: give one of {', '.join(MODELS)}, or your own as file.py:Class"
        )
    model = _own(Path(path), kind)(settings)
    missing = [part for part in PARTS if not hasattr(model, part)]
    if missing:
        raise InputError(f"{Path(path).name}: the class {kind} has no {missing[0]}: see docs/expression.md")
    return cast(Model, model)


def _own(path: Path, kind: str) -> type:
    name = f"deepcohort_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path.name}: Python cannot import it: give a file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(
            f"{path.name}: cannot be imported ({type(error).__name__}: {error}): mend it"
        ) from error
    if not isinstance(getattr(module, kind, None), type):
        raise InputError(f"{path.name}: no class {kind} in it: name one of its classes after the colon")
    return cast(type, getattr(module, kind))
