"""Whether a target and a panel are of the same genome build: by what the sites say, then the headers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.builds import build_of
from deepcohort.genome.errors import InputError

ENOUGH_SHARED = 20
"""Shared positions from which on their alleles are evidence."""

ENOUGH_SITES = 50
"""Target sites within the panel's span from which on a lack of shared positions is evidence."""

SAME_BUILD = 0.9
"""In one build nearly all shared positions have the same alleles …"""

OTHER_BUILD = 0.7
"""… and between builds less than half: two bases, either strand, meet by chance."""

ABOVE_CHANCE = 3.0
"""In one build positions are shared this many times as often as random positions would be."""


@dataclass(frozen=True)
class Evidence:
    """What the sites of one chromosome say about builds.

    ``in_span`` target positions lie within the panel's span; the panel has ``shared`` of them, and alleles
    agree at ``agreeing`` of those; ``by_chance`` would be shared if the positions were random.
    """

    in_span: int
    shared: int
    agreeing: int
    by_chance: float

    @property
    def agreement(self) -> float:
        """Fraction of shared positions at which the alleles agree."""
        return self.agreeing / self.shared if self.shared else 0.0

    @property
    def alleles_agree(self) -> bool:
        """Whether enough positions are shared, and nearly all with the same alleles."""
        return self.shared >= ENOUGH_SHARED and self.agreement >= SAME_BUILD

    @property
    def one_build(self) -> bool:
        """Whether the sites alone show that both files are of one build."""
        return self.alleles_agree and self.agreeing >= ABOVE_CHANCE * self.by_chance

    @property
    def two_builds(self) -> bool:
        """Whether the sites alone show that the files are of different builds."""
        if self.shared >= ENOUGH_SHARED and self.agreement < OTHER_BUILD:
            return True
        strangers = self.in_span >= ENOUGH_SITES and self.agreeing < ABOVE_CHANCE * self.by_chance
        return strangers and not self.alleles_agree

    def __str__(self) -> str:
        return (
            f"of {self.in_span:,} positions within the panel's span the panel has {self.shared:,} "
            f"({self.by_chance:,.0f} would be there by chance), and alleles agree at {self.agreeing:,}"
        )


def weigh_sites(
    panel_pos: NDArray[np.int64],
    target_pos: NDArray[np.int64],
    matched_pos: NDArray[np.int64],
    undecided: int,
) -> Evidence:
    """Weigh the sites of one chromosome.

    Positions are sorted int64; ``matched_pos`` are those of target sites that match one of the panel.
    ``undecided`` target sites were dropped though their alleles may agree (A/T and C/G); they do not count.
    """
    panel, target = np.unique(panel_pos), np.unique(target_pos)
    in_span = target[(target >= panel[0]) & (target <= panel[-1])]
    shared = int(np.isin(in_span, panel, assume_unique=True).sum())
    agreeing = len(np.unique(matched_pos))
    density = len(panel) / (panel[-1] - panel[0] + 1)
    return Evidence(len(in_span), max(agreeing, shared - undecided), agreeing, float(len(in_span) * density))


def lengths_differ(ours: int | None, theirs: int | None) -> bool:
    """Whether two headers give a contig two lengths; an unknown length differs from none."""
    return ours is not None and theirs is not None and ours != theirs


def require_one_build(
    target: str, panel: str, chrom: str, lengths: tuple[int | None, int | None], sites: Evidence
) -> None:
    """Refuse a target and a panel of different builds, by their sites or by the headers' contig lengths.

    Sites that agree outweigh the headers: files that were lifted over often keep the old header.
    """
    if sites.two_builds:
        raise InputError(
            f"{target} and {panel} look like different genome builds on chromosome {chrom}: {sites}: "
            "lift the target over to the panel's build, or give a panel of the target's build"
        )
    if lengths_differ(*lengths) and not sites.one_build:
        ours, theirs = (_length_in_words(chrom, length) for length in lengths)
        raise InputError(
            f"{target} and {panel} are of different genome builds: by their headers chromosome {chrom} has "
            f"{ours} in the target and {theirs} in the panel: lift the target over to the panel's build, or "
            "give a panel of the target's build"
        )


def _length_in_words(chrom: str, length: int | None) -> str:
    build = build_of({chrom: length})
    return f"{length:,} bases{f' ({build})' if build else ''}"
