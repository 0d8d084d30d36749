"""Who is whom: a sample of everybody's genotypes, and people who have the same ones."""

import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.arrays import save_arrays
from deepcohort.genome.genotypes import Counts, alt_copies
from deepcohort.genome.harmonise import match_sites
from deepcohort.genome.regions import chrom_key

COMMON = 0.05
"""Rarer sites than this tell few people apart."""

SITES = 5_000
"""Sites of a chromosome that are kept at most …"""

MEMORY = 64_000_000
"""… and bytes that they may take, where there are very many people."""

SPACING = 10_000
"""Bases from one compared site to the next: nearer ones mostly say the same again."""

ENOUGH_SITES = 100
"""With fewer sites than this, two people may be equal by chance."""

SAME = 0.98
"""Two samples of one person agree at this share of the sites at least: each may err at 1 % of them."""

BAND = 20
"""Sites that must all agree for two people to be compared; two strangers pass once in a million or so."""

BANDS = 20

IN_COHORT, IN_PANEL, MISSING = "in_cohort", "in_panel", "missing"


@dataclass(frozen=True)
class PeopleSample:
    """Genotypes of n people at S sites, in the file's order: ``copies`` int8[S, n] of ALT, -1 missing."""

    chrom: list[str]
    pos: NDArray[np.int64]
    ref: list[str]
    alt: list[str]
    copies: NDArray[np.int8]

    @classmethod
    def load(cls, path: Path) -> "PeopleSample":
        """Read what ``Sketch.save`` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            planes, people = stored["planes"], int(stored["people"])
            texts = {name: stored[name].tobytes().decode().split("\n") for name in ("chrom", "ref", "alt")}
            pos = stored["pos"]
        one, two = (np.unpackbits(planes[:, i], axis=1, count=people).astype(np.int8) for i in (0, 1))
        copies = np.where(one & two, np.int8(-1), one + 2 * two)
        texts = {name: text if len(pos) else [] for name, text in texts.items()}
        return cls(pos=pos, copies=copies, **texts)


class Sketch:
    """Keeps the genotypes at common single-base sites whose positions have the smallest hash.

    Target and panel choose without knowing of each other, yet mostly the same sites (bottom-k sampling,
    Broder 1997). Memory is bounded by ``SITES`` a chromosome and, for very many people, by ``MEMORY``.
    """

    def __init__(self, people: int) -> None:
        self.people = people
        self.most = max(1, min(SITES, 4 * MEMORY // max(people, 1)))
        self.heap: list[tuple[int, int, int, str, str, bytes]] = []
        self.kept: list[tuple[str, int, str, str, bytes]] = []
        self.contig = ""
        self.number = 0

    def add(self, record: Any, genotypes: NDArray[np.int16], counts: Counts) -> None:
        """Take a record in, if it is common, of single bases, and drawn."""
        if self.contig != record.CHROM:
            self._finish(record.CHROM)
        if len(counts.alt) != 1 or len(record.REF) != 1 or len(record.ALT[0]) != 1:
            return
        minor = min(counts.alt[0], counts.called - counts.alt[0])
        rank = -zlib.crc32(b"%d" % record.POS)
        full = len(self.heap) == self.most
        if minor < COMMON * counts.called or minor == 0 or (full and rank <= self.heap[0][0]):
            return
        copies = alt_copies(genotypes)
        missing = copies < 0
        planes = np.packbits(np.stack([(copies == 1) | missing, (copies == 2) | missing]), axis=1).tobytes()
        self.number += 1
        entry = (rank, self.number, record.POS, record.REF, record.ALT[0], planes)
        (heapq.heappushpop if full else heapq.heappush)(self.heap, entry)

    def _finish(self, contig: str) -> None:
        chosen = sorted(self.heap, key=lambda entry: entry[1])
        self.kept += [(chrom_key(self.contig), *entry[2:]) for entry in chosen]
        self.heap, self.contig = [], contig

    def save(self, path: Path) -> None:
        """Write the sites as an npz archive without pickled objects, two bits a genotype."""
        self._finish("")
        chrom, pos, ref, alt, planes = zip(*self.kept, strict=True) if self.kept else ((), (), (), (), ())
        texts = {
            name: np.frombuffer("\n".join(text).encode(), np.uint8)
            for name, text in (("chrom", chrom), ("ref", ref), ("alt", alt))
        }
        packed = np.frombuffer(b"".join(planes), np.uint8).reshape(len(pos), 2, -(-self.people // 8))
        arrays: dict[str, Any] = {"pos": np.array(pos, np.int64), "planes": packed, "people": self.people}
        save_arrays(path, arrays | texts)


@dataclass(frozen=True)
class FlaggedPerson:
    """A row of people.tsv: somebody of the cohort, why they are named, and what was measured.

    ``reason`` is ``in_cohort`` or ``in_panel``, where ``other`` has the same genotypes at the share ``value``
    of the compared sites, or ``missing``, where ``value`` is the share of genotypes that are missing.
    """

    person: str
    reason: str
    other: str
    value: float


def find_same(
    target: Sequence[tuple[PeopleSample, list[str]]],
    panel: Sequence[tuple[PeopleSample, list[str]]],
) -> tuple[list[FlaggedPerson], int]:
    """Find people of the cohort who have the genotypes of one another or of somebody in the panel.

    Each file's sample of genotypes comes with the names of its people; files of the cohort have the same
    people, and of the panel those count who are in all its files. Sites are at least ``SPACING`` apart.
    Returns the pairs and the number of sites that were compared; with fewer than ``ENOUGH_SITES`` nobody is.
    """
    people, others = target[0][1], _in_all([names for _, names in panel])
    ours, theirs = _shared(target, people), _shared(panel, others)
    copies = np.concatenate([np.zeros((0, len(people) + len(others)), np.int8), *_joined(ours, theirs)])
    if len(copies) < ENOUGH_SITES:
        return [], len(copies)
    found = []
    for one, other in _candidates(copies, len(people)):
        both = (copies[:, one] >= 0) & (copies[:, other] >= 0)
        agreement = float((copies[both, one] == copies[both, other]).mean()) if both.any() else 0.0
        if 2 * both.sum() >= len(copies) and agreement >= SAME:
            name = (people + others)[other]
            reason = IN_PANEL if other >= len(people) else IN_COHORT
            found.append(FlaggedPerson(people[one], reason, name, agreement))
    return found, len(copies)


def _in_all(lists: Sequence[list[str]]) -> list[str]:
    common = set(lists[0]).intersection(*lists[1:])
    return [name for name in lists[0] if name in common]


def _shared(files: Sequence[tuple[PeopleSample, list[str]]], people: list[str]) -> dict[str, PeopleSample]:
    """The sites by chromosome, with the people in one order."""
    found = {}
    for sample, names in files:
        column = {name: number for number, name in enumerate(names)}
        order = np.array([column[name] for name in people], np.int64)
        for chrom, numbers in groupby(range(len(sample.chrom)), key=sample.chrom.__getitem__):
            rows = list(numbers)
            found[chrom] = PeopleSample(
                chrom=[chrom] * len(rows),
                pos=sample.pos[rows],
                ref=[sample.ref[row] for row in rows],
                alt=[sample.alt[row] for row in rows],
                copies=sample.copies[rows][:, order],
            )
    return found


def _joined(ours: dict[str, PeopleSample], theirs: dict[str, PeopleSample]) -> Iterator[NDArray[np.int8]]:
    """Copies of the panel's ALT at shared sites of each chromosome: the cohort's people, then the panel's."""
    for chrom, target in ours.items():
        if chrom not in theirs:
            continue
        panel = theirs[chrom]
        shared = match_sites(panel.pos, panel.ref, panel.alt, target.pos, target.ref, target.alt)
        chosen = _spaced(target.pos[shared.target_index])
        mine = target.copies[shared.target_index[chosen]]
        turned = shared.swapped[chosen, None] & (mine >= 0)
        mine = np.where(turned, 2 - mine, mine)
        yield np.concatenate([mine, panel.copies[shared.panel_index[chosen]]], axis=1)


def _spaced(pos: NDArray[np.int64]) -> list[int]:
    chosen: list[int] = []
    for number, position in enumerate(pos.tolist()):
        if not chosen or position >= pos[chosen[-1]] + SPACING:
            chosen.append(number)
    return chosen


def _candidates(copies: NDArray[np.int8], people: int) -> list[tuple[int, int]]:
    """Pairs, the first of them of the cohort, who agree at all sites of some band without a missing one.

    The bands are of the sites that vary most. Of people alike in a band the first is paired with all others.
    """
    varying = np.argsort(-copies.var(axis=1), kind="stable")
    pairs: set[tuple[int, int]] = set()
    for band in range(min(BANDS, len(varying) // BAND)):
        rows = np.ascontiguousarray(copies[varying[band * BAND : (band + 1) * BAND]].T)
        complete = np.flatnonzero((rows >= 0).all(axis=1))
        keys = rows[complete].view(np.dtype((np.void, BAND))).ravel()
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
        for group in np.split(complete[order], edges):
            if len(group) > 1 and group[0] < people:
                pairs |= {(int(group[0]), other) for other in group[1:].tolist()}
    return sorted(pairs)
