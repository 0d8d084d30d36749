"""Lists of people: names in order, and their population labels."""

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
