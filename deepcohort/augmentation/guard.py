"""The privacy guard: artificial people keep as far from those learnt from as these do from each other."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.nearest import nearest
from deepcohort.augmentation.people import Int8, Int64, People

log = logging.getLogger(__name__)

NEAR = 0.125
"""Share of a label's people learnt from, those nearest to somebody else of them, whose distances are refused
at first: copied stretches make artificial people near more often than strangers are."""

NEAREST = 0.01
"""Share whose distances are refused to the end."""

FIRM, ROUNDS = 6, 50
"""Rounds in which ``NEAR`` holds, and rounds at all."""


class Limits(NamedTuple):
    """Of each label, distances in alleles, float64[L], below which people are too near: at first, and to the
    end.
    """

    wanted: NDArray[np.float64]
    least: NDArray[np.float64]

    def of(self, pairs: Int64, number: int) -> NDArray[np.float64]:
        """Limits in a round for people of pairs of labels int64[n, 2]; of two labels the smaller one."""
        limit: NDArray[np.float64] = (self.wanted if number < FIRM else self.least)[pairs].min(axis=1)
        return limit


class Guarded(NamedTuple):
    """People who passed, how many were rejected on the way, and how many could not be made."""

    people: People
    pairs: Int64
    rejected: int
    given_up: int


def limits_of(train: People) -> Limits:
    """Quantiles of people's distances to the nearest other one of those learnt from; 1 at least, so that
    nobody is identical.
    """
    far = nearest(train.copies(), train.copies(), same=True)
    by_label = [far[train.label == kind] for kind in range(len(train.labels))]
    wanted, least = (
        np.array([max(1.0, float(np.quantile(own if len(own) else far, share))) for own in by_label])
        for share in (NEAR, NEAREST)
    )
    return Limits(wanted, least)


def guarded(
    draw: Callable[[Int64, np.random.Generator], People],
    pairs: Int64,
    train: Int8,
    limits: Limits,
    rng: np.random.Generator,
) -> Guarded:
    """Draw people of these pairs of labels int64[n, 2], and anew whoever is too near to one of ``train``.

    Whoever is too near after all rounds is left out.
    """
    people = draw(pairs, rng)
    classes, far = people.classes.copy(), nearest(people.copies(), train)
    near, rejected = np.flatnonzero(far < limits.of(pairs, 0)), 0
    for number in range(1, ROUNDS + 1):
        if not len(near):
            break
        rejected += len(near)
        again = draw(pairs[near], rng)
        classes[near], far[near] = again.classes, nearest(again.copies(), train)
        near = near[far[near] < limits.of(pairs[near], number)]
    kept = np.setdiff1d(np.arange(len(pairs)), near)
    log.info("%d drawn people were rejected as too near, %d were given up", rejected, len(near))
    return Guarded(people.with_classes(classes).only(kept), pairs[kept], rejected, len(near))
