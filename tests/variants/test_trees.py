"""Trees as plain arrays give what scikit-learn gives."""

import numpy as np
import pytest

from deepcohort.variants import trees
from deepcohort.variants.trees import Kind, Trees, grow


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(900, 6)).astype(np.float32)
    copies = np.digitize(features[:, 0] + 0.5 * features[:, 1] + rng.normal(0, 0.3, 900), [-0.4, 0.6])
    return features, copies


@pytest.mark.parametrize("kind", list(Kind))
def test_chances_are_those_of_scikit_learn(examples, kind, monkeypatch):
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    features, copies = examples
    monkeypatch.setattr(trees, "FOREST", 20)
    monkeypatch.setattr(trees, "ROUNDS", 20)
    grown = grow(kind, features[:600], copies[:600], seed=4)
    if kind is Kind.rf:
        model = RandomForestClassifier(20, min_samples_leaf=trees.LEAST_LEAF, random_state=4)
    else:
        model = HistGradientBoostingClassifier(
            learning_rate=trees.RATE, max_iter=20, max_leaf_nodes=trees.LEAVES, random_state=4
        )
    theirs = model.fit(features[:600], copies[:600]).predict_proba(features[600:])
    ours = np.exp(grown.log_chances(features[600:]))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    again = Trees.of(kind, grown.arrays())
    np.testing.assert_array_equal(again.log_chances(features), grown.log_chances(features))


def test_trees_learn_and_grow_alike_by_seed(examples, monkeypatch):
    features, copies = examples
    monkeypatch.setattr(trees, "FOREST", 20)
    one, other = (grow(Kind.rf, features[:600], copies[:600], seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.value, other.value)
    right = (one.log_chances(features[600:]).argmax(axis=1) == copies[600:]).mean()
    assert right > 0.75 > np.bincount(copies[600:]).max() / 300
