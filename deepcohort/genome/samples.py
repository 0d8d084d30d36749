"""Lists of people: names in order, and their population labels."""

import math
from pathlib import Path
from typing import NamedTuple

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole

LABEL_COLUMNS = ("sample", "population", "superpopulation", "sex")


class Label(NamedTuple):
    """Where a person's ancestors come from, and the person's sex (``male``, ``female`` or empty)."""

    population: str
    superpopulation: str
    sex: str


def read_samples(path: Path) -> list[str]:
    """Read names, one a line, in order."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


class PanelSamples(NamedTuple):
    """People of the panel that are to be used, and their weights (1 where the list gives none)."""

    names: list[str]
    weights: list[float]


def read_panel_samples(path: Path) -> PanelSamples:
    """Read a list of the panel's people: a name a line and, if you like, a tab and a weight above 0.

    Raises ``InputError`` where nobody is named, somebody twice, or a weight is not one.
    """
    weights: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        name, *rest = line.rstrip().split("\t")
        if name in weights:
            raise InputError(f"{path.name}: line {number} names {name} again: keep one of the lines")
        weights[name] = _weight(path, number, rest) if rest else 1.0
    if not weights:
        raise InputError(f"{path.name}: nobody is named: write a name a line, or leave --panel_samples out")
    return PanelSamples(list(weights), list(weights.values()))


def _weight(path: Path, number: int, cells: list[str]) -> float:
    try:
        (weight,) = map(float, cells)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise InputError(
            f"{path.name}: line {number}: '{' '.join(cells)}' is no weight: write a number above 0 after the "
            "name and a tab, or the name alone"
        )
    return weight


def require_people(panel: Path, known: list[str], wanted: list[str]) -> None:
    """Refuse a list of people of whom the panel lacks some."""
    lacking = sorted(set(wanted) - set(known))
    if lacking:
        raise InputError(
            f"--panel_samples names {lacking[0]}, whom {panel.name} lacks ({len(lacking):,} of "
            f"{len(wanted):,} are not there): take such lines out; a tab stands between name and weight"
        )


class Relation(NamedTuple):
    """A row of a PED file; ``0`` and ``NA`` stand for what is not known."""

    family: str
    person: str
    father: str
    mother: str


def read_pedigree(path: Path) -> list[Relation]:
    """Read a PED file's people with their families and parents; the columns after these are not looked at.

    Raises ``InputError`` where a row has fewer than four columns.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        cells = line.split()
        if not cells or cells[0].startswith("#"):
            continue
        if len(cells) < 4:
            raise InputError(
                f"{path.name}: line {number} has {len(cells)} columns: write family, person, father, mother"
            )
        rows.append(Relation(*cells[:4]))
    return rows


def write_samples(path: Path, samples: list[str]) -> None:
    """Write names, one a line."""
    with written_whole(path) as unfinished:
        unfinished.write_text("".join(f"{sample}\n" for sample in samples), encoding="utf-8")


def read_labels(path: Path) -> dict[str, Label]:
    """Read labels by sample: tab-separated sample, population, superpopulation and perhaps sex.

    Raises ``InputError`` where a column is missing, a row too short or a sample named twice.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split("\t") if lines else []
    missing = [column for column in LABEL_COLUMNS[:3] if column not in header]
    if missing:
        raise InputError(
            f"{path.name}: column {', '.join(missing)} is missing from the labels: the header must name "
            "sample, population and superpopulation with tabs between"
        )
    labels: dict[str, Label] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = dict(zip(header, line.split("\t"), strict=False))
        if len(cells) < len(header):
            raise InputError(
                f"{path.name}: row {number} has {len(cells)} cells where the header has {len(header)}: "
                "fill the row"
            )
        if cells["sample"] in labels:
            raise InputError(
                f"{path.name}: row {number} labels sample {cells['sample']} again: keep one of its rows"
            )
        label = Label(cells["population"], cells["superpopulation"], cells.get("sex", ""))
        labels[cells["sample"]] = label
    return labels
