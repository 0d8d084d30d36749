"""Averages over views of a sequence: both strands, and windows moved by a few bases."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.cross_fitted import taught_by
from deepcohort.expression.genes import Gene
from deepcohort.expression.letters import turned
from deepcohort.expression.models import Aimed, Differentiable, Model, Tiled
from deepcohort.expression.tiles import TileCache
from deepcohort.genome.errors import InputError


def views(text: str) -> tuple[bool, int]:
    """What to average as a user writes it: both strands or one, and bases that windows are moved by."""
    strands, shift = False, 0
    for part in filter(None, (part.strip() for part in text.split(","))):
        if found := re.fullmatch(r"shift([1-9]\d?)", part):
            shift = int(found[1])
        elif part == "strands":
            strands = True
        else:
            raise InputError(f"--average {part}: no such view: give strands, shift3, or strands,shift3")
    return strands, shift


class Averaged:
    """A model asked of several views of each sequence, through a ``TileCache`` where it can be.

    The first base transcribed has the same index on both strands, so that windows are a little longer than
    the model's: ``before`` and ``after`` are equal where both strands are read. ``differentiable`` tells
    whether the model has gradients, ``taught_by`` for each output which people of the user's it learnt from.
    """

    def __init__(self, model: Model, *, strands: bool = False, shift: int = 0) -> None:
        """Read ``strands`` both or one, and windows moved by -shift to shift bases.

        Raises ``InputError`` for both strands of a model that reads the gene's own.
        """
        if strands and model.stranded:
            raise InputError(
                f"--average strands: {model.name} reads the gene's own strand alone: leave it out"
            )
        self.model, self.strands, self.shift = model, strands, shift
        self.answer: Model = TileCache(model) if isinstance(model, Tiled) and model.halo else model
        self.differentiable = isinstance(model, Differentiable)
        self.name, self.stranded, self.additive = model.name, model.stranded, model.additive
        self.tracks: Sequence[str] = model.tracks
        self.taught_by = taught_by(model)
        around = max(model.before, model.after)
        self.before = (around if strands else model.before) + shift
        self.after = (around if strands else model.after) + shift
        self.gene: Gene | None = None

    def aim_at(self, gene: Gene) -> None:
        """Say of which gene sequences are from now on."""
        self.gene = gene

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Mean over views, float64[n, tracks]."""
        made = [self.answer.predict(self._aimed(sequences, *view)) for view in self._views()]
        mean: NDArray[np.float64] = np.mean(made, axis=0)
        return mean

    def gradient(self, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Mean over views of the model's gradients, float32[tracks, length, 4]."""
        assert isinstance(self.model, Differentiable)
        total = np.zeros((len(self.tracks), len(sequence), 4), np.float32)
        views = list(self._views())
        for first, other in views:
            made = self.model.gradient(self._aimed(sequence[None], first, other)[0])
            # Opposite strands run the other way, and A, C, G, T stand opposite T, G, C, A.
            target = total[:, ::-1, ::-1] if other else total
            target[:, first : first + made.shape[1]] += made / len(views)
        return total

    def _views(self) -> Iterator[tuple[int, bool]]:
        """First base, and whether it is of the other strand."""
        for other in (False, True) if self.strands else (False,):
            start = (self.after if other else self.before) - self.model.before
            for moved in range(-self.shift, self.shift + 1):
                yield start + moved, other

    def _aimed(self, sequences: NDArray[np.uint8], first: int, other: bool) -> NDArray[np.uint8]:
        """A view of sequences, whose gene the model is told where it wants to know."""
        if isinstance(self.model, Aimed) and self.gene is not None:
            gene, moved = self.gene, first - (self.after if other else self.before) + self.model.before
            minus = gene.strand == "-"
            turned = other != (self.model.stranded and minus)
            offsets = [(start - gene.tss, end - gene.tss) for start, end in gene.exons]
            seen = sorted((1 - end, 1 - start) for start, end in offsets) if turned else offsets
            exons = tuple((start - moved, end - moved) for start, end in seen)
            self.model.aim(exons, along=minus == turned)
        return self._view(sequences, first, other)

    def _view(self, sequences: NDArray[np.uint8], first: int, other: bool) -> NDArray[np.uint8]:
        source = turned(sequences) if other else sequences
        return source[:, first : first + self.model.before + 1 + self.model.after]
