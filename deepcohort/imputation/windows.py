"""A chunk's sites cut into windows, each led by the typed sites nearest before it."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""Stands where a window has fewer sites than the others."""


@dataclass(frozen=True)
class Windows:
    """W sequences of T sites, in the order in which they are gone through.

    sites: int64[W, T] indices of panel sites; ``NOTHING`` before a short flank and after a short window.
    flank: how many of the T come from before the window.
    """

    sites: NDArray[np.int64]
    flank: int

    @property
    def own(self) -> NDArray[np.bool_]:
        """Which are sites of the windows themselves, bool[W, T]: every site of the chunk once."""
        return np.asarray((self.sites != NOTHING) & (np.arange(self.sites.shape[1]) >= self.flank))


def cut(n_sites: int, typed: NDArray[np.int64], window: int, flank: int, backwards: bool = False) -> Windows:
    """Cut ``n_sites`` into equal windows of at most ``window`` sites, each led by ``flank`` typed sites.

    typed: int64[M], sorted. backwards: go through the sites from the last to the first.
    """
    if backwards:
        mirrored = cut(n_sites, n_sites - 1 - typed[::-1], window, flank)
        sites = np.where(mirrored.sites == NOTHING, NOTHING, n_sites - 1 - mirrored.sites)
        return Windows(sites, flank)
    edges = np.linspace(0, n_sites, ceil(n_sites / window) + 1).astype(np.int64)
    sites = np.full((len(edges) - 1, flank + int(np.diff(edges).max())), NOTHING, np.int64)
    for row, first, last in zip(sites, edges[:-1], edges[1:], strict=True):
        before = typed[typed < first][-flank:] if flank else typed[:0]
        row[flank - len(before) : flank] = before
        row[flank : flank + last - first] = np.arange(first, last)
    return Windows(sites, flank)
