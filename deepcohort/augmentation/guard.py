"""The privacy guard: nobody artificial may be nearer to a person learnt from than held-out people are."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from deepcohort.augmentation.nearest import nearest
from deepcohort.augmentation.people import Int8, Int64, People

log = logging.getLogger(__name__)

NEAR = 0.01
"""Share of the held-out people who are allowed to be nearer than the limit: it is their quantile."""

ROUNDS = 50


class Guarded(NamedTuple):
    """People who passed, how many were rejected on the way, how many could not be made, and the limit."""

    people: People
    pairs: Int64
    rejected: int
    given_up: int
    limit: float


def limit_of(train: Int8, held: Int8) -> float:
    """Distance in alleles below which people are too near; 1 at least, so that nobody is identical."""
    return max(1.0, float(np.quantile(nearest(held, train), NEAR)))


def guarded(
    draw: Callable[[Int64, np.random.Generator], People],
    pairs: Int64,
    train: Int8,
    limit: float,
    rng: np.random.Generator,
) -> Guarded:
    """Draw people of these pairs of labels int64[n, 2], and anew whoever is nearer than ``limit``.

    Whoever is too near after ``ROUNDS`` rounds is left out.
    """
    people = draw(pairs, rng)
    classes = people.classes.copy()
    near = np.flatnonzero(nearest(people.copies(), train) < limit)
    rejected = 0
    for _ in range(ROUNDS):
        if not len(near):
            break
        rejected += len(near)
        again = draw(pairs[near], rng)
        classes[near] = again.classes
        near = near[nearest(again.copies(), train) < limit]
    kept = np.setdiff1d(np.arange(len(pairs)), near)
    log.info("%d drawn people were rejected as too near, %d were given up", rejected, len(near))
    return Guarded(people.with_classes(classes).only(kept), pairs[kept], rejected, len(near), limit)
