"""A cohort beside a labelled panel: the same sites, everybody's copies of ALT, on disk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.arrays import load_arrays, save_arrays
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]

FACTS, PANEL, INPUT, ARTIFICIAL = "study.json", "panel.npy", "input.npy", "artificial.npz"

BATCH = 512
"""People of the cohort who are looked at together."""

MISSING = -1


@dataclass(frozen=True)
class Window:
    """A run of sites of one chromosome that one network looks at.

    ``sites`` are the network's own, as (position, REF, ALT); ``column`` int64[len(sites)] is where each
    stands in the study, or -1 where the cohort lacks it.
    """

    name: str
    chrom: str
    sites: list[tuple[int, str, str]]
    column: Int64


@dataclass(frozen=True)
class Artificial:
    """k artificial people whom plain models may learn from too, but who are never held out.

    ``copies`` int8[k, S], ``label`` int64[k] counts in the study's populations; ``strangers`` bool[n] are the
    panel's people whom the generator had not learnt from: they alone tell what it is worth.
    """

    copies: Int8
    label: Int64
    strangers: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write an npz archive without pickled objects."""
        save_arrays(path, vars(self))

    @classmethod
    def load(cls, path: Path) -> "Artificial":
        """Read what ``save`` wrote."""
        return cls(**load_arrays(path))


@dataclass(frozen=True)
class Study:
    """n labelled people of a panel and m people of a cohort at S shared sites.

    ``panel`` int8[n, S] and ``people`` int8[m, S] hold copies of the panel's ALT, -1 where missing;
    both may be maps of files. ``label`` int64[n] counts in ``populations`` (P names, sorted), and
    ``continent`` int64[P] in ``superpopulations``. ``fold`` int64[n]: who is held out together, from 0.
    ``counts`` tells what was used and dropped, ``notes`` what to know in words.
    """

    cohort: str
    panel: Int8
    people: Int8
    panel_names: list[str]
    names: list[str]
    label: Int64
    populations: list[str]
    continent: Int64
    superpopulations: list[str]
    fold: Int64
    windows: list[Window]
    counts: dict[str, int]
    notes: list[str]
    artificial: Artificial | None = None

    @property
    def judging(self) -> Int64:
        """Whom of the panel, when held out, models are judged and calibrated by."""
        if self.artificial is None:
            return np.arange(len(self.label))
        return np.flatnonzero(self.artificial.strangers)

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    @property
    def starts(self) -> Int64:
        """Columns at which chromosomes begin, int64[C], by the windows."""
        first: dict[str, int] = {}
        for window in self.windows:
            if (known := window.column[window.column >= 0]).size:
                least = int(known.min())
                first[window.chrom] = min(least, first.get(window.chrom, least))
        return np.unique([0, *first.values()]).astype(np.int64)

    def save_facts(self, folder: Path) -> None:
        """Write all but the two matrices."""
        said = {
            "cohort": self.cohort,
            "panel_names": self.panel_names,
            "names": self.names,
            "label": self.label.tolist(),
            "populations": self.populations,
            "continent": self.continent.tolist(),
            "superpopulations": self.superpopulations,
            "fold": self.fold.tolist(),
            "windows": [
                {"name": w.name, "chrom": w.chrom, "sites": w.sites, "column": w.column.tolist()}
                for w in self.windows
            ],
            "counts": self.counts,
            "notes": self.notes,
        }
        with written_whole(folder / FACTS) as unfinished:
            unfinished.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")

    def save(self, folder: Path) -> None:
        """Write the study into a folder, the matrices whole."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, matrix in ((PANEL, self.panel), (INPUT, self.people)):
            with written_whole(folder / name) as unfinished, unfinished.open("wb") as out:
                np.save(out, matrix)
        if self.artificial is not None:
            self.artificial.save(folder / ARTIFICIAL)
        self.save_facts(folder)

    @classmethod
    def load(cls, folder: Path) -> "Study":
        """Open what ``save`` wrote; the matrices stay on disk. Raises ``InputError`` for other folders."""
        try:
            said: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            matrices = [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (PANEL, INPUT)]
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: not a study ({error}): make it by 'gather'") from None
        for name in ("label", "continent", "fold"):
            said[name] = np.array(said[name], np.int64)
        said["windows"] = [
            Window(
                w["name"], w["chrom"], [(p, r, a) for p, r, a in w["sites"]], np.array(w["column"], np.int64)
            )
            for w in said["windows"]
        ]
        more = folder / ARTIFICIAL
        artificial = Artificial.load(more) if more.exists() else None
        return cls(panel=matrices[0], people=matrices[1], artificial=artificial, **said)

    def batches(self) -> Iterator[slice]:
        """Stretches of the cohort's people that fit into memory."""
        for first in range(0, len(self.names), BATCH):
            yield slice(first, min(first + BATCH, len(self.names)))

    def window(self, name: str) -> Window:
        """A window by its name; raises ``InputError`` where there is none."""
        for window in self.windows:
            if window.name == name:
                return window
        raise InputError(f"the study of {self.cohort} has no window {name}: make it by 'gather'")


@dataclass(frozen=True)
class Scale:
    """How copies become numbers for networks and kernels: centred, of variance about 1, missing is 0."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of(cls, copies: Int8) -> "Scale":
        """From people's copies int8[n, S]: mean, and the deviation that Hardy and Weinberg expect."""
        known = copies >= 0
        mean = np.where(known, copies, 0).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
        spread = np.sqrt(np.maximum(mean * (1 - mean / 2), LEAST_VARIANCE))
        return cls(mean.astype(np.float32), spread.astype(np.float32))

    def __call__(self, copies: Int8) -> NDArray[np.float32]:
        """Float32[n, S] of int8[n, S]."""
        return np.where(copies >= 0, (copies - self.mean) / self.spread, np.float32(0)).astype(np.float32)


LEAST_VARIANCE = 0.02
"""Of rarer sites the variance is too uncertain to be divided by."""
