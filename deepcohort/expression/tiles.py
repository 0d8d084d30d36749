"""The first layers of a model, computed once for each stretch that haplotypes share.

Convolutions see their neighbourhood alone. A stretch (tile) with its neighbours on either side (halo) gives
the same features wherever it stands, and two haplotypes differ in few of their tiles. The key of a tile is
its letters, so that insertions and deletions only make other keys, and nothing is approximated. The first and
last tile have no halo outside, where the model puts zeros, and so have keys of their own.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.models import Model, Tiled

TILE = 2048
"""Bases of a tile, or the nearest number of whole bins."""
AT_ONCE = 16
"""Sequences put together at once: their features are in memory."""
MOST = 2**31
"""Bytes of features that are kept; the ones used longest ago go first."""

Key = tuple[bool, bool, bytes]


class TileCache:
    """A model with ``features`` and ``readout``, asked of tiles; a model itself.

    ``asked`` and ``computed`` count tiles.
    """

    def __init__(self, model: Model, tile: int = TILE, most: int = MOST) -> None:
        """Take a model that is ``Tiled`` too."""
        assert isinstance(model, Tiled) and model.halo is not None
        self.model: Tiled = model
        self.halo = model.halo
        self.name, self.before, self.after = model.name, model.before, model.after
        self.stranded, self.additive = model.stranded, model.additive
        self.tracks: Sequence[str] = model.tracks
        self.tile = max(tile // self.model.bin * self.model.bin, self.halo, self.model.bin)
        self.most, self.size = most, 0
        self.kept: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()
        self.asked = self.computed = 0

    def predict(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Expression, float64[n, tracks], as the model itself would tell to rounding."""
        made = [np.zeros((0, len(self.tracks)))]
        for first in range(0, len(sequences), AT_ONCE):
            made.append(self.model.readout(self.features(sequences[first : first + AT_ONCE])))
        return np.concatenate(made)

    def features(self, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first layers' output, float32[n, bins, channels], put together from tiles."""
        keys = [self.keys(sequence) for sequence in sequences]
        self.asked += sum(map(len, keys))
        there = self._computed({key for row in keys for key in row})
        return np.stack([np.concatenate([there[key] for key in row]) for row in keys])

    def keys(self, sequence: NDArray[np.uint8]) -> list[Key]:
        """Letters of each tile and its halo; the first two say whether the sequence begins or ends there."""
        halo, length = self.halo, len(sequence)
        starts = range(0, length, self.tile)
        return [
            (at == 0, at + self.tile >= length, sequence[max(0, at - halo) : at + self.tile + halo].tobytes())
            for at in starts
        ]

    def _computed(self, keys: set[Key]) -> dict[Key, NDArray[np.float32]]:
        """Features of tiles, float32[bins, channels] each, from the store or computed."""
        there = {}
        for key in keys:
            if key in self.kept:
                self.kept.move_to_end(key)
                there[key] = self.kept[key]
        # Sorted, since the order in a batch must not differ between runs; those of one kind have one length.
        missing = sorted(keys - there.keys(), key=lambda key: (len(key[2]), key))
        for kind in _runs(missing):
            letters = np.frombuffer(b"".join(key[2] for key in kind), np.uint8).reshape(len(kind), -1)
            for key, made in zip(kind, self.model.features(letters), strict=True):
                there[key] = self._keep(key, self._inner(key, made))
        self.computed += len(missing)
        return there

    def _inner(self, key: Key, made: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of the tile without those of its halo."""
        begins, ends, _ = key
        start = 0 if begins else self.halo // self.model.bin
        return made[start : None if ends else start + self.tile // self.model.bin].copy()

    def _keep(self, key: Key, made: NDArray[np.float32]) -> NDArray[np.float32]:
        self.kept[key] = made
        self.size += made.nbytes
        while self.size > self.most:
            self.size -= self.kept.popitem(last=False)[1].nbytes
        return made


def _runs(keys: Iterable[Key]) -> list[list[Key]]:
    """Keys one after the other that have one length, together."""
    runs: list[list[Key]] = []
    for key in keys:
        if not runs or len(runs[-1][0][2]) != len(key[2]):
            runs.append([])
        runs[-1].append(key)
    return runs
