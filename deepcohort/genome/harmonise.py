"""Which site of a target is which site of a panel: by position and alleles, whatever the way round."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
NO_ALT = "."

AGREEMENTS = ("same", "swapped", "flipped", "flipped_swapped")
"""How alleles can agree, best first: as they stand, REF and ALT turned round, on the other strand, both."""

DROPS = ("dropped_not_in_panel", "dropped_alleles", "dropped_palindromic", "duplicates")


@dataclass(frozen=True)
class Harmonised:
    """Pairs of matching sites, in the target's order.

    ``target_index`` and ``panel_index`` are int64[n] into the sites that ``match_sites`` was given; no index
    occurs twice. ``swapped`` is bool[n]: True where the target's REF is the panel's ALT, so that copies
    of the panel's ALT are copies of the target's allele 0. ``duplicates`` int64[m] are target sites whose
    panel site an earlier target site has. ``counts`` holds ``target_sites``,
    ``panel_sites``, ``shared`` = ``same`` + ``swapped`` + ``flipped`` + ``flipped_swapped``, and what was
    dropped: ``target_sites`` = ``shared`` + ``dropped_not_in_panel`` + ``dropped_alleles`` +
    ``dropped_palindromic`` + ``duplicates``.
    """

    target_index: NDArray[np.int64]
    panel_index: NDArray[np.int64]
    swapped: NDArray[np.bool_]
    duplicates: NDArray[np.int64]
    counts: dict[str, int]


def match_sites(
    panel_pos: ArrayLike,
    panel_ref: Sequence[str],
    panel_alt: Sequence[str],
    target_pos: ArrayLike,
    target_ref: Sequence[str],
    target_alt: Sequence[str],
) -> Harmonised:
    """Match sites of one chromosome; each list holds one entry per ALT, sorted by position.

    Single bases may be written the other way round (REF and ALT swapped) or on the other strand. An A/T or
    C/G site looks the same on both strands, so it is taken only the same way round. Longer alleles
    match as they stand only: a swapped insertion is a deletion, which is another variant. A target
    without ALT (``.``: everybody had the same base) matches the first site whose REF or ALT is that
    base. Case does not matter. Among the panel's sites at a position the best agreement is taken; a
    panel site that two target sites match belongs to the first.
    """
    panel_at = np.asarray(panel_pos, dtype=np.int64)
    target_at = np.asarray(target_pos, dtype=np.int64)
    first = np.searchsorted(panel_at, target_at, side="left")
    end = np.searchsorted(panel_at, target_at, side="right")
    here = np.flatnonzero(end > first)
    counts = dict.fromkeys(("target_sites", "panel_sites", "shared", *AGREEMENTS, *DROPS), 0)
    counts["target_sites"], counts["panel_sites"] = len(target_at), len(panel_at)
    counts["dropped_not_in_panel"] = len(target_at) - len(here)

    taken: set[int] = set()
    pairs: list[tuple[int, int, bool]] = []
    twice: list[int] = []
    for target, low, high in zip(here.tolist(), first[here].tolist(), end[here].tolist(), strict=True):
        found = [
            (_agreement(panel_ref[p], panel_alt[p], target_ref[target], target_alt[target]), p)
            for p in range(low, high)
        ]
        how, panel = _best(found, taken)
        counts[how] += 1
        if how in AGREEMENTS:
            taken.add(panel)
            pairs.append((target, panel, how in ("swapped", "flipped_swapped")))
        elif how == "duplicates":
            twice.append(target)
    counts["shared"] = len(pairs)
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    duplicates, swapped = np.array(twice, dtype=np.int64), columns[:, 2].astype(bool)
    return Harmonised(columns[:, 0], columns[:, 1], swapped, duplicates, counts)


def _best(found: list[tuple[str, int]], taken: set[int]) -> tuple[str, int]:
    """Best free agreement; else that the best one was taken before, or why none of them agrees."""
    for how in AGREEMENTS:
        agreeing = [panel for agreement, panel in found if agreement == how]
        if agreeing:
            # Two equal panel records: the second is never used, so its twin being taken means duplicate.
            return (how, agreeing[0]) if agreeing[0] not in taken else ("duplicates", -1)
    palindromic = any(agreement == "dropped_palindromic" for agreement, _ in found)
    return ("dropped_palindromic" if palindromic else "dropped_alleles", -1)


def _agreement(panel_ref: str, panel_alt: str, target_ref: str, target_alt: str) -> str:
    """Name of the way in which the alleles agree, or of the reason why they do not."""
    if (panel_ref, panel_alt) == (target_ref, target_alt):
        return "same"
    ours = panel_ref.upper(), panel_alt.upper()
    theirs = target_ref.upper(), target_alt.upper()
    if theirs == ours or (theirs[1] == NO_ALT and theirs[0] == ours[0]):
        return "same"
    if not (ours[0] in COMPLEMENT and ours[1] in COMPLEMENT and theirs[0] in COMPLEMENT):
        return "dropped_alleles"
    palindromic = COMPLEMENT[ours[0]] == ours[1]
    if theirs[1] == NO_ALT:
        if theirs[0] != ours[1]:
            return "dropped_alleles"
        return "dropped_palindromic" if palindromic else "swapped"
    if set(theirs) == set(ours):
        return "dropped_palindromic" if palindromic else "swapped"
    flipped = COMPLEMENT[theirs[0]], COMPLEMENT.get(theirs[1], NO_ALT)
    if flipped == ours:
        return "flipped"
    return "flipped_swapped" if flipped == ours[::-1] else "dropped_alleles"
