"""The conditional GAN in the space of principal components.

Noise is multiplied by the label's embedding, as in PG-cGAN (Chen, Mowlaei and Shi 2020); the network adds
to a normal distribution of the label's places, from which it starts.
"""

from typing import Any

import numpy as np

from deepcohort.augmentation.adversarial import Pair
from deepcohort.augmentation.embedding import label_weights
from deepcohort.augmentation.people import Float32, Int64
from deepcohort.genome.backend import keras, layers, ops

HIDDEN = 256
OWN = 0.8
"""Share of a label's own covariance in its start; the rest is that of all labels together."""


@keras.saving.register_keras_serializable(package="deepcohort")
class NormalStart(layers.Layer):  # type: ignore[misc]
    """Noise float32[n, K] to a normal distribution of each label: its mean and a root of its covariance."""

    def __init__(self, labels: int, size: int, **options: Any) -> None:
        super().__init__(**options)
        self.labels, self.size = labels, size
        self.mean = self.add_weight(name="mean", shape=(labels, size), trainable=False)
        self.root = self.add_weight(name="root", shape=(labels, size, size), trainable=False)

    def call(self, noise: Any, label: Any) -> Any:
        """Places float32[n, K]."""
        turned = ops.einsum("nk,njk->nj", noise, ops.take(self.root, label, axis=0))
        return ops.take(self.mean, label, axis=0) + turned

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "labels": self.labels, "size": self.size}


def build(places: Float32, label: Int64, labels: int) -> Pair:
    """Generator and critic for places float32[n, K], the generator at its normal start."""
    size = places.shape[1]
    noise, kind = keras.Input((size,), name="noise"), keras.Input((), dtype="int32", name="label")
    start = NormalStart(labels, size, name="start")
    begun = start(noise, kind)
    flow = layers.Multiply()([noise, label_weights(kind, labels, size)])
    flow = layers.Concatenate()([flow, begun])
    for _ in range(2):
        flow = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(HIDDEN)(flow))
    added = layers.Dense(size, kernel_initializer="zeros")(flow)
    generator = keras.Model([noise, kind], layers.Add()([begun, added]), name="generator")
    start.set_weights(normal_of(places, label, labels))
    place, kind = keras.Input((size,), name="place"), keras.Input((), dtype="int32", name="label")
    flow = layers.Multiply()([place, label_weights(kind, labels, size)])
    flow = layers.Concatenate()([flow, place, label_weights(kind, labels, 16)])
    for _ in range(2):
        flow = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(HIDDEN)(flow))
    critic = keras.Model([place, kind], layers.Dense(1)(flow), name="critic")
    return Pair(generator, critic, size, lambda data: data)


def normal_of(places: Float32, label: Int64, labels: int) -> list[Float32]:
    """Mean float32[L, K] and root of the covariance float32[L, K, K] of each label; those of all labels where
    one has not two places.
    """
    together = np.cov(places.T)
    means, roots = [], []
    for kind in range(labels):
        own = places[label == kind] if (label == kind).sum() > 1 else places
        means.append(own.mean(axis=0))
        values, vectors = np.linalg.eigh(np.atleast_2d(OWN * np.cov(own.T) + (1 - OWN) * together))
        roots.append(vectors * np.sqrt(np.maximum(values, 0)))
    return [np.stack(means).astype(np.float32), np.stack(roots).astype(np.float32)]
