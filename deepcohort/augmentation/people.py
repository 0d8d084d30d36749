"""People at the sites of a region, real or artificial, and the two ways in which genotypes are coded."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]

LONGEST = 2**29 - 1
"""Bases that a tabix index can hold."""


def starts_of(chrom: list[str]) -> Int64:
    """First site of each chromosome, int64[C], from the chromosome of each site."""
    return np.array([chrom.index(name) for name in dict.fromkeys(chrom)], np.int64)


@dataclass(frozen=True)
class Places:
    """Biallelic sites in order, one chromosome after the other: positions int64[S], alleles and IDs."""

    contigs: dict[str, int | None]
    """Bases of each chromosome, where the panel says so."""
    chrom: list[str]
    pos: Int64
    ref: list[str]
    alt: list[str]
    ids: list[str]

    @property
    def starts(self) -> Int64:
        """First site of each chromosome, int64[C]."""
        return starts_of(self.chrom)

    @property
    def longest(self) -> int:
        """Bases of the longest chromosome; as many as an index can hold where the panel does not say."""
        return max(length or LONGEST for length in self.contigs.values())

    def names(self) -> list[str]:
        """Positions as pictures show them, with the chromosome where there are several."""
        if len(self.contigs) == 1:
            return [str(pos) for pos in self.pos.tolist()]
        return [f"{chrom}:{pos}" for chrom, pos in zip(self.chrom, self.pos.tolist(), strict=True)]

    def line(self) -> Int64:
        """Positions on one line, int64[S], on which chromosomes lie far from each other."""
        number = {name: i for i, name in enumerate(self.contigs)}
        return self.pos + 2 * LONGEST * np.array([number[name] for name in self.chrom], np.int64)


@dataclass(frozen=True)
class People:
    """Genotypes of people and the label of each.

    ``classes`` int8[n, S]: copies of ALT (0, 1, 2), or of phased people twice the first haplotype's allele
    plus the second's (0 for 0|0, 1 for 0|1, 2 for 1|0, 3 for 1|1). ``label`` int64[n] counts into ``labels``.
    """

    classes: Int8
    label: Int64
    labels: list[str]
    phased: bool

    def __len__(self) -> int:
        return len(self.label)

    @property
    def kinds(self) -> int:
        """Number of classes."""
        return 4 if self.phased else 3

    def only(self, rows: NDArray[np.generic]) -> "People":
        """Some of the people, by number or by mask."""
        return People(self.classes[rows], self.label[rows], self.labels, self.phased)

    def at(self, sites: slice | Int64) -> "People":
        """The same people at some of the sites."""
        return People(self.classes[:, sites], self.label, self.labels, self.phased)

    def copies(self) -> Int8:
        """Copies of ALT, int8[n, S]."""
        return (self.classes >> 1) + (self.classes & 1) if self.phased else self.classes

    def rows(self) -> tuple[Int8, Int64]:
        """What is modelled and compared: haplotypes int8[2n, S] of phased people, else copies; and labels."""
        if not self.phased:
            return self.classes, self.label
        both = np.stack([self.classes >> 1, self.classes & 1], axis=1)
        return both.reshape(-1, self.classes.shape[1]), np.repeat(self.label, 2)

    def with_classes(self, classes: Int8) -> "People":
        """As many people of the same labels with other genotypes."""
        return People(classes, self.label, self.labels, self.phased)


def of_rows(rows: Int8, label: Int64, labels: list[str], phased: bool) -> People:
    """The inverse of ``People.rows``: two haplotypes after each other are a person (``label`` of the
    rows).
    """
    if not phased:
        return People(rows.astype(np.int8), label, labels, False)
    return People((rows[0::2] << 1 | rows[1::2]).astype(np.int8), label[0::2], labels, True)


@dataclass(frozen=True)
class Panel:
    """A region of a labelled panel, and what was left out of it, counted."""

    file: Path
    names: list[str]
    people: People
    places: Places
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    upper: dict[str, str] = field(default_factory=dict)
    """Superpopulation of each label."""
