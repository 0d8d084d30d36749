"""Families: who of a cohort is related to whom."""

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.samples import Relation

UNKNOWN = ("0", "NA")
"""What a PED file has where family or parent are not known."""


def relatives(pedigree: list[Relation]) -> list[tuple[str, str]]:
    """Pairs who are of one family: each person with father and mother, and with the family's name."""
    pairs: list[tuple[str, str]] = []
    for row in pedigree:
        pairs += [(row.person, parent) for parent in (row.father, row.mother) if parent not in UNKNOWN]
        if row.family not in UNKNOWN:
            pairs.append((row.person, f"\tfamily {row.family}"))
    return pairs


def groups_of(names: list[str], pairs: list[tuple[str, str]]) -> NDArray[np.int64]:
    """Number of each person's group, int64[n]: those whom pairs connect, also through others, have one."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for one, other in pairs:
        leader[find(other)] = find(one)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(find(name), len(numbers)) for name in names], np.int64)
