"""The privacy guard: nobody artificial is much nearer to a person learnt from than the nearest other is."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.nearest import blocks, nearest
from deepcohort.augmentation.people import Float32, Int8, Int64, People

log = logging.getLogger(__name__)

NEAR = 0.9
"""Of a person's distance to the nearest other one: who comes nearer is drawn anew, while that is of use."""

NEAREST = 0.01
"""Share of the people learnt from who are so near to another one of them that nobody may be, to the end."""

FIRM, ROUNDS = 6, 50
"""Rounds in which ``NEAR`` holds, and rounds at all."""


class Limits(NamedTuple):
    """Distances in alleles below which people are too near: to each person learnt from, float32[n], in the
    rounds that are firm, and to anybody, to the end.
    """

    firm: Float32
    least: float


class Guarded(NamedTuple):
    """People who passed, how many were rejected on the way, and how many could not be made."""

    people: People
    pairs: Int64
    rejected: int
    given_up: int


def limits_of(train: Int8) -> Limits:
    """Limits for copies int8[n, S] of the people learnt from; 1 at least, so that nobody is identical."""
    far = nearest(train, train, same=True)
    return Limits(np.maximum(np.float32(1), NEAR * far), max(1.0, float(np.quantile(far, NEAREST))))


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
    classes = people.classes.copy()
    near = np.flatnonzero(_too_near(people.copies(), train, limits, 0))
    rejected = 0
    for number in range(1, ROUNDS + 1):
        if not len(near):
            break
        rejected += len(near)
        again = draw(pairs[near], rng)
        classes[near] = again.classes
        near = near[_too_near(again.copies(), train, limits, number)]
    kept = np.setdiff1d(np.arange(len(pairs)), near)
    log.info("%d drawn people were rejected as too near, %d were given up", rejected, len(near))
    return Guarded(people.with_classes(classes).only(kept), pairs[kept], rejected, len(near))


def _too_near(copies: Int8, train: Int8, limits: Limits, number: int) -> NDArray[np.bool_]:
    """Who is nearer to somebody than the limit of a round, bool[m]."""
    limit = limits.firm if number < FIRM else np.float32(limits.least)
    found = np.empty(len(copies), np.bool_)
    for rows, block in blocks(copies, train):
        found[rows] = (block < limit).any(axis=1)
    return found
