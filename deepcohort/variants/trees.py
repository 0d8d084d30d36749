"""Trees that judge candidates by their features alone: the plain models beside the network.

Grown by scikit-learn; kept as plain arrays and walked by our own code, so that nothing is unpickled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.genotypes import LEAST_LOG

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

ROUNDS, LEAVES, RATE = 200, 15, 0.06
FOREST, LEAST_LEAF = 200, 5
CLASSES = 3
"""0, 1 and 2 copies."""


class Kind(StrEnum):
    """A random forest (Breiman 2001) or gradient boosting (Friedman 2001)."""

    rf = "rf"
    gbm = "gbm"


@dataclass(frozen=True)
class Trees:
    """T trees, one node after the other.

    first: int64[T], the root of each; feature: int64[M], -1 at leaves; threshold: float64[M], features up to
    it go left; left, right: int64[M]; value: float64[M, 3], what a leaf adds for each number of copies.
    start: float64[3]. kind: forests' values are shares, boosting's are logits.
    """

    kind: Kind
    first: Int64
    feature: Int64
    threshold: Float64
    left: Int64
    right: Int64
    value: Float64
    start: Float64

    def log_chances(self, features: Float32) -> Float64:
        """Logs of the chances of 0, 1 and 2 copies, float64[N, 3]."""
        total = _walked(features, self.first, self.feature, self.threshold, self.left, self.right, self.value)
        total += self.start
        if self.kind is Kind.rf:
            total = np.log(np.maximum(total / len(self.first), np.exp(LEAST_LOG)))
        logs: Float64 = total - np.logaddexp.reduce(total, axis=1, keepdims=True)
        return logs

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        names = ("first", "feature", "threshold", "left", "right", "value", "start")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def of(cls, kind: Kind, arrays: Mapping[str, NDArray[Any]]) -> "Trees":
        """From what ``arrays`` returned."""
        return cls(kind, **arrays)


@compiled
def _walked(
    features: Float32,
    first: Int64,
    feature: Int64,
    threshold: Float64,
    left: Int64,
    right: Int64,
    value: Float64,
) -> Float64:
    total = np.zeros((len(features), value.shape[1]))
    for row in range(len(features)):
        for root in first:
            node = root
            while feature[node] >= 0:
                node = left[node] if features[row, feature[node]] <= threshold[node] else right[node]
            total[row] += value[node]
    return total


def grow(kind: Kind, features: Float32, copies: Int64, seed: int) -> Trees:
    """Grow trees on examples. features: float32[N, F]; copies: int64[N], all of 0, 1 and 2 are among them."""
    return _forest(features, copies, seed) if kind is Kind.rf else _boosted(features, copies, seed)


def _forest(features: Float32, copies: Int64, seed: int) -> Trees:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(FOREST, min_samples_leaf=LEAST_LEAF, random_state=seed)
    model = forest.fit(features, copies)
    parts: list[tuple[NDArray[Any], ...]] = []
    for one in model.estimators_:
        tree = one.tree_
        value = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
        feature = np.where(tree.children_left < 0, -1, tree.feature)
        parts.append((feature, tree.threshold, tree.children_left, tree.children_right, value))
    return _joined(Kind.rf, parts, np.zeros(CLASSES))


def _boosted(features: Float32, copies: Int64, seed: int) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=RATE, max_iter=ROUNDS, max_leaf_nodes=LEAVES, random_state=seed
    ).fit(features, copies)
    parts: list[tuple[NDArray[Any], ...]] = []
    for round_ in model._predictors:
        for number, one in enumerate(round_):
            nodes = one.nodes
            value = np.zeros((len(nodes), CLASSES))
            leaf = nodes["is_leaf"].astype(bool)
            value[leaf, number] = nodes["value"][leaf]
            feature = np.where(leaf, -1, nodes["feature_idx"].astype(np.int64))
            left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
            parts.append((feature, nodes["num_threshold"], left, right, value))
    return _joined(Kind.gbm, parts, np.ravel(model._baseline_prediction))


def _joined(kind: Kind, parts: list[tuple[NDArray[Any], ...]], start: Float64) -> Trees:
    sizes = np.array([len(part[0]) for part in parts], np.int64)
    first = np.cumsum(sizes) - sizes
    feature, threshold, left, right, value = (
        np.concatenate([part[column] for part in parts]) for column in range(5)
    )
    offset = np.repeat(first, sizes)
    return Trees(
        kind,
        first,
        feature.astype(np.int64),
        threshold.astype(np.float64),
        np.where(left >= 0, left, 0).astype(np.int64) + offset,
        np.where(right >= 0, right, 0).astype(np.int64) + offset,
        value.astype(np.float64),
        start.astype(np.float64),
    )
