"""Genetic maps: recognised in the layouts that are about, interpolated, written for other programs."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import chrom_key

ASSUMED_RATE = 1.0
"""Centimorgans per megabase where no map says otherwise (about the human average)."""

PLAUSIBLE_RATES = (1e-3, 1e3)
"""Mean rates in cM/Mb outside of which a column was surely taken for another."""

NO_MAP = r"^\.|\.(vcf(\.gz)?|bcf|tbi|csi|bam|bai|cram|crai|fai|gzi|md|pdf|py|sh)$"
"""Names of files in a folder of maps that are certainly none."""

Point = tuple[int, int, float]
"""Line number, position, centimorgans."""


@dataclass(frozen=True)
class GeneticMap:
    """Points of one chromosome's map: ``pos`` int64[n] increasing, ``cm`` float64[n] never decreasing."""

    pos: NDArray[np.int64]
    cm: NDArray[np.float64]

    @property
    def mean_rate(self) -> float:
        """Centimorgans per base between the map's first and last point."""
        return float((self.cm[-1] - self.cm[0]) / (self.pos[-1] - self.pos[0]))

    def interpolate(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Return the centimorgans of positions: linear between points, at the map's mean rate outside them.

        Before the first point that can be negative; only differences have a meaning.
        """
        at = np.asarray(positions, dtype=np.float64)
        inside = np.interp(at, self.pos, self.cm)
        before = np.minimum(at - self.pos[0], 0.0)
        after = np.maximum(at - self.pos[-1], 0.0)
        return np.asarray(inside + (before + after) * self.mean_rate)


def constant_map(rate: float = ASSUMED_RATE) -> GeneticMap:
    """Map of a constant rate in cM/Mb, for when there is none."""
    return GeneticMap(np.array([0, 1_000_000]), np.array([0.0, rate]))


def read_genetic_map(path: Path, chrom: str) -> GeneticMap:
    """Read one chromosome's map from a file, plain or gzipped, or from a folder of such files.

    ``chrom`` may carry ``chr`` or not. Recognised, with blanks or tabs between columns: PLINK's four columns
    ``chrom id cM position``; columns named by a header in any order (position, cM, perhaps chromosome and
    rate); three columns without header, ``position chrom cM`` or ``position rate cM``. In a folder the
    file's name tells the chromosome (``chr20``, ``20``, ``chrX_par1`` …); several files of one
    chromosome are joined, the gap between them at ``ASSUMED_RATE``.

    Raises ``InputError`` where nothing is found for the chromosome or a map is not one: a value is no
    number, positions do not increase, centimorgans decrease, fewer than two points, an absurd rate.
    """
    key = chrom_key(chrom)
    if path.is_dir():
        parts = _folder_parts(path, key)
    elif path.is_file():
        parts = _file_parts(path, key)
    else:
        raise InputError(f"{path}: there is no such genetic map: correct --genetic_map or leave it out")
    return _joined(path, parts)


def write_plink_map(genetic_map: GeneticMap, path: Path, contig: str) -> None:
    """Write the map as PLINK's ``contig . cM position``, which other imputation programs read."""
    with written_whole(path) as unfinished, unfinished.open("w", encoding="ascii") as out:
        for position, cm in zip(genetic_map.pos.tolist(), genetic_map.cm.tolist(), strict=True):
            out.write(f"{contig} . {cm:.8g} {position}\n")


def _folder_parts(folder: Path, key: str) -> list[GeneticMap]:
    """Maps of the files that carry the chromosome's name, else its rows in files that carry none."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and not re.search(NO_MAP, f.name.lower()))
    named = [f for f in files if key.lower() in _chromosomes_in_name(f.name)]
    if named:
        return [part for file in named for part in _file_parts(file, key)]
    for file in files:
        if not any(token.startswith("chr") for token in _tokens(file.name)):
            table = list(_rows(file))
            layout = _layout(file, table, key)
            if layout.chrom is not None and any(_is_chrom(row[layout.chrom], key) for _, row in table):
                return [_map_of(file, table, layout, key)]
    raise InputError(
        f"{folder}: no genetic map for chromosome {key} in this folder: add a file with chr{key} in its "
        "name, or leave --genetic_map out"
    )


def _file_parts(file: Path, key: str) -> list[GeneticMap]:
    table = list(_rows(file))
    return [_map_of(file, table, _layout(file, table, key), key)]


def _tokens(name: str) -> list[str]:
    return [token for token in re.split(r"[^a-z0-9]+", name.lower()) if token]


def _chromosomes_in_name(name: str) -> set[str]:
    """Chromosomes that a file's name may speak of; ``chr20`` is believed before a bare ``20``."""
    tokens = _tokens(name)
    marked = {token[3:] for token in tokens if token.startswith("chr") and len(token) > 3}
    return marked or set(tokens)


def _is_chrom(cell: str, key: str) -> bool:
    """Whether a cell names the chromosome; PLINK writes X as 23."""
    name = chrom_key(cell).upper()
    return name == key.upper() or (key.upper() == "X" and (name == "23" or name.startswith("X_PAR")))


@dataclass(frozen=True)
class _Layout:
    """Which column holds what; ``header`` is whether the first row names the columns."""

    pos: int
    cm: int
    chrom: int | None
    header: bool

    @property
    def width(self) -> int:
        return max(self.pos, self.cm, self.chrom or 0) + 1


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and cells; blank lines are left out."""
    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if packed else open)(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                cells = line.split()
                if cells:
                    yield number, cells
    except UnicodeDecodeError:
        raise InputError(f"{file}: not text, so no genetic map: give a text file, plain or gzipped") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{file}: the gzip file is damaged or cut off: copy it again") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _layout(file: Path, table: list[tuple[int, list[str]]], key: str) -> _Layout:
    if not table:
        raise InputError(f"{file}: the genetic map is empty: give another file or leave --genetic_map out")
    first = table[0][1]
    if not _is_number(first[-1]):
        return _header_layout(file, first)
    if len(first) == 4:
        return _Layout(pos=3, cm=2, chrom=0, header=False)
    if len(first) == 3:
        second = {row[1] for _, row in table if len(row) == 3}
        names_chrom = any(_is_chrom(cell, key) for cell in second) or not all(map(_is_number, second))
        # One whole number in every row is another chromosome's name, not a rate.
        names_chrom = names_chrom or (len(table) > 2 and len(second) == 1 and next(iter(second)).isdecimal())
        return _Layout(pos=0, cm=2, chrom=1 if names_chrom else None, header=False)
    raise InputError(
        f"{file}: line {table[0][0]} has {len(first)} columns and no header: a genetic map has PLINK's four "
        "columns (chrom id cM position), three (position chrom cM), or a header that names them"
    )


def _header_layout(file: Path, names: list[str]) -> _Layout:
    found: dict[str, int] = {}
    for column, name in enumerate(names):
        plain = name.lower().lstrip("#")
        if "rate" in plain or re.search(r"cm[/.]mb", plain):
            continue
        if plain.startswith("chr"):
            found.setdefault("chrom", column)
        elif plain.startswith(("pos", "bp", "phys", "base")):
            found.setdefault("pos", column)
        elif "cm" in plain or plain.startswith(("gen", "map")):
            found.setdefault("cm", column)
    missing = [what for what in ("pos", "cM") if what.lower() not in found]
    if missing:
        raise InputError(
            f"{file}: the header ({' '.join(names)}) names no column {' and '.join(missing)}: name the "
            "columns pos, chr and cM"
        )
    return _Layout(found["pos"], found["cm"], found.get("chrom"), header=True)


def _map_of(file: Path, table: list[tuple[int, list[str]]], layout: _Layout, key: str) -> GeneticMap:
    """Take one chromosome's rows out of a table and check them."""
    rows = table[1:] if layout.header else table
    for number, row in rows:
        if len(row) < layout.width:
            raise InputError(
                f"{file}: line {number} has {len(row)} columns where {layout.width} are needed: the map is "
                "cut off or mixed"
            )
    if layout.chrom is not None:
        others = {row[layout.chrom] for _, row in rows}
        rows = [(number, row) for number, row in rows if _is_chrom(row[layout.chrom], key)]
        if not rows:
            held = ", ".join(sorted(others)[:5])
            raise InputError(
                f"{file}: the genetic map has no row of chromosome {key} (it holds {held}): give the map of "
                "this chromosome, or a folder with one for each"
            )
    else:
        named = {token[3:] for token in _tokens(file.name) if re.fullmatch(r"chr(\d+|x|y)", token)}
        if named and key.lower() not in named:
            raise InputError(
                f"{file}: by its name this genetic map is of chromosome {', '.join(sorted(named))}, not "
                f"{key}: give a folder with a map for each chromosome"
            )
    return _checked(file, [_point(file, number, row, layout) for number, row in rows])


def _point(file: Path, number: int, row: list[str], layout: _Layout) -> Point:
    position, cm = row[layout.pos], row[layout.cm]
    if not (_is_number(position) and float(position).is_integer()):
        raise InputError(
            f"{file}: line {number} has '{position}' where a position in bases should be: check the columns"
        )
    if not (_is_number(cm) and np.isfinite(float(cm))):
        raise InputError(f"{file}: line {number} has '{cm}' where centimorgans should be: check the columns")
    return number, int(float(position)), float(cm)


def _checked(file: Path, points: list[Point]) -> GeneticMap:
    kept = points[:1]
    for number, position, cm in points[1:]:
        _, last_position, last_cm = kept[-1]
        if (position, cm) == (last_position, last_cm):
            continue
        if position <= last_position:
            raise InputError(
                f"{file}: line {number} has position {position} after {last_position}: sort the genetic map "
                "by position, each position once"
            )
        if cm < last_cm:
            raise InputError(
                f"{file}: line {number} has {cm} cM after {last_cm} cM: centimorgans must not decrease along "
                "a chromosome, check the columns"
            )
        kept.append((number, position, cm))
    if len(kept) < 2:
        raise InputError(f"{file}: a genetic map needs at least two points: give a fuller map or none")
    result = GeneticMap(np.array([p for _, p, _ in kept]), np.array([c for *_, c in kept]))
    rate = result.mean_rate * 1e6
    if not PLAUSIBLE_RATES[0] <= rate <= PLAUSIBLE_RATES[1]:
        raise InputError(
            f"{file}: the map's mean rate is {rate:.3g} cM/Mb, which no chromosome has: check which column "
            "is the position (in bases) and which the genetic distance (in cM)"
        )
    return result


def _joined(path: Path, parts: list[GeneticMap]) -> GeneticMap:
    """Join maps of pieces of one chromosome, each of which may start at 0 cM."""
    ordered = sorted(parts, key=lambda part: int(part.pos[0]))
    whole = ordered[0]
    for part in ordered[1:]:
        gap = int(part.pos[0] - whole.pos[-1])
        if gap <= 0:
            raise InputError(
                f"{path}: two genetic maps of the same chromosome overlap at position {part.pos[0]}: "
                "keep one of them"
            )
        shift = whole.cm[-1] + gap * ASSUMED_RATE / 1e6 - part.cm[0]
        whole = GeneticMap(np.append(whole.pos, part.pos), np.append(whole.cm, part.cm + shift))
    return whole
