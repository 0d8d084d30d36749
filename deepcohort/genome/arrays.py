"""Named arrays in one file, written whole and read without unpickling anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.files import written_whole


def save_arrays(path: Path, arrays: Mapping[str, Any], *, compress: bool = True) -> None:
    """Write an .npz; ``compress`` costs more time than it is worth for packed bits."""
    with written_whole(path) as unfinished, unfinished.open("wb") as out:
        (np.savez_compressed if compress else np.savez)(out, **dict(arrays))


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what ``save_arrays`` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)
