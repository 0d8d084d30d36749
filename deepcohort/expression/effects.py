"""What each variant alone changes in a model's prediction: by a pass of the model, or by its gradient."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.edits import Edit
from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.people import Stretch
from deepcohort.expression.views import Averaged

AT_ONCE = 64
"""Sequences spelt out at once."""
NEAR = 1000
"""Bases around the gene's start within which ``hybrid`` asks the model itself of every variant."""
BEST = 64
"""Variants of the largest gradients of which ``hybrid`` asks the model itself."""


class By(StrEnum):
    """How effects are found: the model itself (``ism``), its gradient, or the gradient and then the model."""

    ism = "ism"
    grad = "grad"
    hybrid = "hybrid"


class Effects(NamedTuple):
    """Reference's prediction float64[tracks]; differences from it, float64[edits, tracks], and how found.

    ``how``: ``ism``, ``grad`` or ``none``, which is 0: the edit does not touch the window, or it is an
    insertion or deletion, of which a gradient tells nothing.
    """

    reference: NDArray[np.float64]
    values: NDArray[np.float64]
    how: list[str]


def effects(model: Averaged, stretch: Stretch, edits: Sequence[Edit], by: By) -> Effects:
    """Effects of edits, each alone on the reference; the model is asked once of edits that spell the same."""
    reference = _letters([stretch.text(stretch.made([]))])
    values = np.zeros((len(edits), len(model.tracks)))
    how = ["none"] * len(edits)
    asked = list(range(len(edits)))
    if by is not By.ism:
        how, values = _by_gradient(model, stretch, edits, reference[0])
        asked = _worth(stretch, edits, how, values) if by is By.hybrid else []
    told = model.predict(reference)[0]
    for first in range(0, len(asked), AT_ONCE):
        some = asked[first : first + AT_ONCE]
        letters = _letters([stretch.text(stretch.made([edits[n]])) for n in some])
        unique, place = np.unique(letters, axis=0, return_inverse=True)
        made = model.predict(unique)[place.ravel()] - told
        for n, row, text in zip(some, made, letters, strict=True):
            same = np.array_equal(text, reference[0])
            values[n], how[n] = (0, "none") if same else (row, "ism")
    return Effects(told, values, how)


def _by_gradient(
    model: Averaged, stretch: Stretch, edits: Sequence[Edit], reference: NDArray[np.uint8]
) -> tuple[list[str], NDArray[np.float64]]:
    """Differences that the gradient at the reference tells; 0 for what changes the length."""
    slopes = model.gradient(reference)
    values, how = np.zeros((len(edits), len(slopes))), ["none"] * len(edits)
    for n, edit in enumerate(edits):
        if len(edit.ref) != len(edit.alt):
            continue
        text = np.frombuffer(stretch.text(stretch.made([edit])), np.uint8)
        (places,) = np.nonzero(text != reference)
        change = ONE_HOT[text[places]] - ONE_HOT[reference[places]]
        values[n] = np.einsum("tpb,pb->t", slopes[:, places], change)
        how[n] = "grad" if len(places) else "none"
    return how, values


def _worth(stretch: Stretch, edits: Sequence[Edit], how: list[str], values: NDArray[np.float64]) -> list[int]:
    """Edits to ask the model itself of: without a gradient, near the start, or with the largest ones."""
    size = np.abs(values).max(axis=1, initial=0)
    largest = set(np.argsort(-size, kind="stable")[:BEST].tolist())
    near = [abs(edit.start - stretch.gene.tss) <= NEAR for edit in edits]
    return [n for n in range(len(edits)) if how[n] == "none" or near[n] or n in largest]


def _letters(texts: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)
