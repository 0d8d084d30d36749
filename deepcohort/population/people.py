"""The panel's people: their labels, who belongs together, and who is held out with whom."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.samples import Label

FEWEST = 5
"""With fewer people a population can neither be learnt nor be held out."""

SAME = 0.98
"""Two samples of one person (or of twins) have this share of equal genotypes at least."""

COMPARED = 2_000
"""Sites at which genotypes are compared, spread evenly, and …"""

ENOUGH = 100
"""… how many of them two people must both have."""

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]


def labelled(
    samples: list[str], labels: dict[str, Label], path: Path
) -> tuple[list[str], Int64, list[str], Int64, list[str]]:
    """People who have a label: names, population of each, populations, continent of each, superpopulations.

    Raises ``InputError`` where nobody has one, one population is in two superpopulations, has fewer than
    ``FEWEST`` people, or there are fewer than two.
    """
    names = [name for name in samples if name in labels]
    if not names:
        raise InputError(
            f"{path.name}: none of the panel's {len(samples):,} people has a label: check the names"
        )
    home: dict[str, str] = {}
    for name in names:
        one = labels[name]
        if home.setdefault(one.population, one.superpopulation) != one.superpopulation:
            raise InputError(
                f"{path.name}: population {one.population} is of {home[one.population]} and of "
                f"{one.superpopulation}: write one superpopulation"
            )
    populations = sorted(home)
    if len(populations) < 2:
        raise InputError(f"{path.name}: all people are of {populations[0]}: label two populations at least")
    label = np.array([populations.index(labels[name].population) for name in names], np.int64)
    sizes = np.bincount(label, minlength=len(populations))
    if sizes.min() < FEWEST:
        few = int(sizes.argmin())
        raise InputError(
            f"{path.name}: population {populations[few]} has {sizes[few]} people in the panel, and {FEWEST} "
            "are needed: label them otherwise or take their rows out"
        )
    superpopulations = sorted(set(home.values()))
    continent = np.array([superpopulations.index(home[name]) for name in populations], np.int64)
    return names, label, populations, continent, superpopulations


def alike(ours: Int8, theirs: Int8) -> NDArray[np.float32]:
    """Share of equal genotypes of each of n people with each of m, float32[n, m]; 0 where too few are known.

    ``ours`` int8[n, S], ``theirs`` int8[m, S].
    """
    columns = np.unique(np.linspace(0, ours.shape[1] - 1, min(COMPARED, ours.shape[1])).astype(int))
    one, other = np.asarray(ours[:, columns]), np.asarray(theirs[:, columns])
    equal = np.zeros((len(one), len(other)), np.float32)
    for copies in range(3):
        equal += (one == copies).astype(np.float32) @ (other == copies).astype(np.float32).T
    both = (one >= 0).astype(np.float32) @ (other >= 0).astype(np.float32).T
    return np.where(both >= ENOUGH, equal / np.maximum(both, 1), 0).astype(np.float32)


def duplicates(panel: Int8, names: list[str]) -> list[tuple[str, str]]:
    """Pairs of the panel's people with the same genotypes."""
    shares = np.triu(alike(panel, panel), 1)
    return [(names[one], names[other]) for one, other in np.argwhere(shares >= SAME).tolist()]


def split(label: Int64, group: Int64, folds: int, seed: int) -> Int64:
    """Fold of each person, int64[n]: groups stay together, populations are spread evenly.

    Groups come in random order, the large ones first; each goes where its population has fewest people.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(group == number) for number in range(int(group.max()) + 1)]
    order = sorted(rng.permutation(len(members)).tolist(), key=lambda number: -len(members[number]))
    filled = np.zeros((folds, int(label.max()) + 1), np.int64)
    fold = np.empty(len(label), np.int64)
    for number in order:
        kinds = np.bincount(label[members[number]], minlength=filled.shape[1])
        cost = (filled[:, kinds > 0].sum(axis=1) * filled.sum() * 2 + filled.sum(axis=1)).tolist()
        best = min(range(folds), key=cost.__getitem__)
        fold[members[number]] = best
        filled[best] += kinds
    return fold
