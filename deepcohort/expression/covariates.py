"""Covariates of people: a table with a row for each covariate, as FastQTL and tensorQTL read it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.genes import open_text
from deepcohort.genome.errors import InputError


def read_covariates(path: Path, people: list[str]) -> NDArray[np.float64]:
    """Covariates float64[people, columns] of these people, in their order.

    The header names people after a first cell. Rows whose cells are no numbers become a column (0 or 1) for
    each value but the first. Raises ``InputError`` where a person or a cell is missing.
    """
    lines = [line.split("\t") if "\t" in line else line.split() for line in open_text(path) if line.strip()]
    header = lines[0][1:] if lines else []
    lacking = [name for name in people if name not in header]
    if lacking:
        raise InputError(
            f"{path.name}: has no column for {lacking[0]} ({len(lacking)} of {len(people)} people lack one): "
            "give a row for each covariate and a column for each person, named as in the expression"
        )
    if len(set(header)) < len(header):
        raise InputError(f"{path.name}: a person has two columns: keep one of them")
    columns: list[NDArray[np.float64]] = []
    for number, cells in enumerate(lines[1:], 2):
        if len(cells) != len(header) + 1:
            raise InputError(
                f"{path.name}: row {number} has {len(cells)} cells, the header {len(header) + 1}: mend it"
            )
        by_name = dict(zip(header, cells[1:], strict=True))
        columns += _columns(path, number, [by_name[name] for name in people])
    return np.column_stack(columns) if columns else np.zeros((len(people), 0))


def _columns(path: Path, number: int, cells: list[str]) -> list[NDArray[np.float64]]:
    if any(cell in ("", "NA", "nan", "NaN") for cell in cells):
        raise InputError(f"{path.name}: row {number} has an empty cell: fill it, or leave the row out")
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        kinds = sorted(set(cells))
        return [np.array([float(cell == kind) for cell in cells]) for kind in kinds[1:]]
    if not np.isfinite(values).all():
        raise InputError(f"{path.name}: row {number} has a value that is no number: correct it")
    return [values]
