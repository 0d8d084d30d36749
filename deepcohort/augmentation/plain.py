"""Plain generators that need no learning: what a network must be better than."""

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Int64, People, of_rows

MOSAIC = 200
"""Mean number of sites that a plain mosaic copies from one person."""

COMPONENTS = 100


def copies_of_people(train: People, label: Int64, rng: np.random.Generator) -> People:
    """People of the panel again, of each label as many as asked for: perfect, and all is told of them."""
    return People(train.classes[_drawn(train, label, rng)], label, train.labels, train.phased)


def independent(train: People, label: Int64, rng: np.random.Generator) -> People:
    """Every site drawn on its own from the label's genotypes."""
    classes = np.empty((len(label), train.classes.shape[1]), np.int8)
    for kind in np.unique(label):
        here, donors = np.flatnonzero(label == kind), train.classes[train.label == kind]
        for site in range(classes.shape[1]):
            classes[here, site] = donors[rng.integers(0, len(donors), len(here)), site]
    return People(classes, label, train.labels, train.phased)


def mosaic(train: People, label: Int64, rng: np.random.Generator, mean: int = MOSAIC) -> People:
    """Stretches of people of the label, of geometric length, one after the other."""
    sites = train.classes.shape[1]
    classes = np.empty((len(label), sites), np.int8)
    for person in range(len(label)):
        borders = np.flatnonzero(rng.random(sites) < 1 / mean)
        parts = np.split(np.arange(sites), borders)
        donors = _drawn(train, np.full(len(parts), label[person]), rng)
        for part, donor in zip(parts, donors.tolist(), strict=True):
            classes[person, part] = train.classes[donor, part]
    return People(classes, label, train.labels, train.phased)


def gaussian(train: People, label: Int64, rng: np.random.Generator) -> People:
    """A normal distribution of each label on principal components, rounded to alleles."""
    rows, of_row = train.rows()
    asked = np.repeat(label, 2) if train.phased else label
    values = rows.astype(np.float32)
    mean = values.mean(axis=0)
    _, scale, axes = np.linalg.svd(values - mean, full_matrices=False)
    axes = axes[: min(COMPONENTS, len(scale))]
    places = (values - mean) @ axes.T
    drawn = np.empty((len(asked), len(axes)), np.float32)
    for kind in np.unique(asked):
        own = places[of_row == kind]
        here = asked == kind
        root = _root(np.cov(own.T))
        drawn[here] = own.mean(axis=0) + rng.normal(size=(int(here.sum()), len(axes))) @ root.T
    top = 1 if train.phased else 2
    return of_rows(
        np.clip(np.rint(mean + drawn @ axes), 0, top).astype(np.int8), asked, train.labels, train.phased
    )


GENERATORS = {
    "independent": independent,
    "mosaic": mosaic,
    "gaussian": gaussian,
    "copies": copies_of_people,
}


def _drawn(train: People, label: Int64, rng: np.random.Generator) -> Int64:
    """A person of each label, int64[n]."""
    found = np.empty(len(label), np.int64)
    for kind in np.unique(label):
        here = label == kind
        found[here] = rng.choice(np.flatnonzero(train.label == kind), int(here.sum()))
    return found


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix whose square is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = vectors * np.sqrt(np.maximum(values, 0))
    return root
