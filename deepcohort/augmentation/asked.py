"""Whom to generate: numbers of people by label, as the user writes them."""

import re

import numpy as np

from deepcohort.augmentation.people import Int64
from deepcohort.genome.errors import InputError

BALANCE = "balance"
OPTION = "--augmentation_people"


def read_asked(text: str, labels: list[str], present: Int64) -> dict[tuple[int, int], int]:
    """Read ``AFR=500,EAS=100,AFR+EUR=20`` or ``balance``: people of each pair of labels (a mixture has two).

    ``balance`` fills every label up to the largest one; ``present`` int64[L] are the panel's people. Raises
    ``InputError`` for other labels, for numbers below 1, and where nothing is left to do.
    """
    if text.strip() == BALANCE:
        wanted = {(kind, kind): int(present.max() - number) for kind, number in enumerate(present)}
        wanted = {pair: number for pair, number in wanted.items() if number}
        if not wanted:
            raise InputError(
                f"{OPTION} balance: all labels have {present.max():,} people already: name "
                "numbers, as in AFR=100"
            )
        return wanted
    found: dict[tuple[int, int], int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(.+)=(\d+)", part)
        if not match or not int(match[2]):
            raise InputError(f"{OPTION}: '{part}' is not LABEL=number: write AFR=500,EAS=100, or balance")
        names = match[1].split("+")
        unknown = [name for name in names if name not in labels]
        if unknown:
            raise InputError(f"{OPTION}: the panel has no label {unknown[0]}: it has {', '.join(labels)}")
        if len(names) > 2:
            raise InputError(f"{OPTION}: '{part}' mixes {len(names)} labels: mix two at most")
        pair = labels.index(names[0]), labels.index(names[-1])
        if pair in found:
            raise InputError(f"{OPTION}: {match[1]} is asked for twice: add the numbers up")
        found[pair] = int(match[2])
    if not found:
        raise InputError(f"{OPTION} is empty: write AFR=500,EAS=100, or balance")
    return found


def pairs_of(asked: dict[tuple[int, int], int]) -> Int64:
    """Labels of both haplotypes of each person, int64[n, 2], as many as asked for."""
    return np.repeat(np.array(list(asked), np.int64).reshape(-1, 2), list(asked.values()), axis=0)


def name_of(pair: tuple[int, int], labels: list[str]) -> str:
    """The label of a pair, e.g. ``AFR`` or ``AFR+EUR``."""
    one, other = (labels[kind] for kind in pair)
    return one if one == other else f"{one}+{other}"


def names_of(pairs: Int64, labels: list[str]) -> list[str]:
    """Names that say what the people are: ``SYN_AFR_0001``, ``SYN_AFR+EUR_0001``."""
    counted: dict[str, int] = {}
    names = []
    for pair in pairs.tolist():
        kind = name_of(tuple(pair), labels)
        counted[kind] = counted.get(kind, 0) + 1
        names.append(f"SYN_{kind}_{counted[kind]:04d}")
    return names
