"""How a label enters a network: a vector of its own that multiplies what flows by.

As in PG-cGAN (Chen, Mowlaei and Shi 2020); vectors start near 1, so that what flows is little changed.
"""

from typing import Any

from deepcohort.genome.backend import keras, layers


def label_weights(label: Any, labels: int, size: int) -> Any:
    """Weights [n, size] of the label [n], one of ``labels``."""
    near_one = keras.initializers.RandomNormal(mean=1.0, stddev=0.2)
    return layers.Embedding(labels, size, embeddings_initializer=near_one)(label)
