"""Weights taught here: files of safetensors whose header tells what they are and whom they were taught by."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole

FETCH = "make them by `expression.py train`"
"""How one comes by such weights."""


def save_taught(path: Path, arrays: Mapping[str, Tensor], said: dict[str, Any]) -> None:
    """Write arrays with what they are, as JSON knows it; ``trained_on`` names people."""
    kept = {name: value.detach().cpu().contiguous() for name, value in arrays.items()}
    with written_whole(path) as unfinished:
        save_file(kept, unfinished, {"deepcohort": json.dumps(said)})


def read_taught(path: Path, model: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What ``save_taught`` wrote; raises ``InputError`` where it is none of the model's."""
    try:
        with safe_open(path, "pt") as file:
            said = json.loads((file.metadata() or {})["deepcohort"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if said["model"] != model or not isinstance(said["trained_on"], list):
            raise KeyError("model")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        raise InputError(f"{path.name}: not weights of {model}: {FETCH}") from None
    return said, arrays
