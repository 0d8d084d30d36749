"""The convolutional conditional GAN over the genotypes of a region.

After PG-cGAN (Chen, Mowlaei and Shi 2020): the label's embedding multiplies the noise in the generator and
the genotype in the critic, and convolutions do the rest. Added: a bias of each label and site that starts
at the label's frequencies, a learnt channel of the location in every block (Yelmen et al. 2023),
samples that are drawn as hard classes while gradients pass through their chances, and a projection of the
label in the critic (Miyato and Koyama 2018).
"""

from typing import Any

import numpy as np

from deepcohort.augmentation.adversarial import Pair
from deepcohort.augmentation.embedding import label_weights
from deepcohort.augmentation.people import Float32, People
from deepcohort.genome.backend import keras, layers, ops

NOISE = 100
STEP = 4
CHANNELS = (128, 96, 64, 32)
"""Channels of the generator from the coarsest to the finest of its lengths; the critic has them the
other way.
"""

KERNEL = 7
LEAST = 1e-3
"""Chance of a class that nobody of a label has, in the bias that the generator starts with."""


@keras.saving.register_keras_serializable(package="deepcohort")
class Location(layers.Layer):  # type: ignore[misc]
    """Adds learnt channels that depend on the place alone: what an allele means differs from site to site."""

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for so many places."""
        self.here = self.add_weight(
            name="here",
            shape=(input_shape[1], self.channels),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
        )

    def call(self, flow: Any) -> Any:
        """Channels [n, S, C + channels]."""
        repeated = ops.broadcast_to(self.here[None], (ops.shape(flow)[0], *self.here.shape))
        return ops.concatenate([flow, repeated], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "channels": self.channels}


@keras.saving.register_keras_serializable(package="deepcohort")
class Local(layers.Layer):  # type: ignore[misc]
    """A linear map of each place with weights of its own, as alleles of one site are not those of another."""

    def __init__(self, channels: int, initializer: str = "glorot_uniform", **options: Any) -> None:
        super().__init__(**options)
        self.channels, self.initializer = channels, initializer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for so many places."""
        shape = (*input_shape[1:], self.channels)
        self.weights_here = self.add_weight(name="weights", shape=shape, initializer=self.initializer)
        self.bias = self.add_weight(name="bias", shape=(input_shape[1], self.channels), initializer="zeros")

    def call(self, flow: Any) -> Any:
        """Channels [n, S, channels]."""
        return ops.einsum("npc,pcd->npd", flow, self.weights_here) + self.bias

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "channels": self.channels, "initializer": self.initializer}


@keras.saving.register_keras_serializable(package="deepcohort")
class LabelBias(layers.Layer):  # type: ignore[misc]
    """Adds to log-odds [n, S, C] those of the label at each site."""

    def __init__(self, labels: int, **options: Any) -> None:
        super().__init__(**options)
        self.labels = labels

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for so many sites and classes."""
        self.bias = self.add_weight(name="bias", shape=(self.labels, *shape[1:]), initializer="zeros")

    def call(self, odds: Any, label: Any) -> Any:
        """Log-odds [n, S, C]."""
        return odds + ops.take(self.bias, label, axis=0)

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "labels": self.labels}


@keras.saving.register_keras_serializable(package="deepcohort")
class HardClasses(layers.Layer):  # type: ignore[misc]
    """Draws a class of each site by its log-odds; gradients pass as if the chances had been returned."""

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, odds: Any) -> Any:
        """One-hot classes [n, S, C]."""
        uniform = keras.random.uniform(ops.shape(odds), 1e-6, 1.0 - 1e-6, seed=self.draws)
        noisy = odds - ops.log(-ops.log(uniform))
        soft = ops.softmax(noisy)
        hard = ops.one_hot(ops.argmax(noisy, axis=-1), odds.shape[-1], dtype=odds.dtype)
        return soft + ops.stop_gradient(hard - soft)

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "seed": self.seed}


def build(people: People, seed: int) -> Pair:
    """Generator and critic for the genotypes of ``people``."""
    sites, kinds, labels = people.classes.shape[1], people.kinds, len(people.labels)
    return Pair(
        _generator(people, labels, sites, kinds, seed),
        _critic(labels, sites, kinds),
        NOISE,
        lambda classes: ops.one_hot(classes, kinds, dtype="float32"),
    )


def _generator(people: People, labels: int, sites: int, kinds: int, seed: int) -> Any:
    coarse = -(-sites // STEP ** len(CHANNELS))
    noise, label = keras.Input((NOISE,), name="noise"), keras.Input((), dtype="int32", name="label")
    flow = layers.Multiply()([noise, label_weights(label, labels, NOISE)])
    flow = layers.Reshape((coarse, CHANNELS[0]))(layers.Dense(coarse * CHANNELS[0])(flow))
    for channels in CHANNELS[1:]:
        flow = layers.LeakyReLU(negative_slope=0.2)(layers.LayerNormalization()(flow))
        flow = layers.UpSampling1D(STEP)(flow)
        flow = layers.Conv1D(channels, KERNEL, padding="same")(Location(4)(flow))
    flow = layers.LeakyReLU(negative_slope=0.2)(layers.LayerNormalization()(flow))
    whole = coarse * STEP ** len(CHANNELS)
    odds = layers.Reshape((whole, kinds))(Local(STEP * kinds, "zeros")(flow))
    odds = layers.Cropping1D((0, whole - sites))(odds)
    bias = LabelBias(labels, name="frequencies")
    generator = keras.Model([noise, label], HardClasses(seed)(bias(odds, label)), name="generator")
    bias.set_weights([log_frequencies(people)])
    return generator


def _critic(labels: int, sites: int, kinds: int) -> Any:
    classes, label = keras.Input((sites, kinds), name="classes"), keras.Input((), dtype="int32", name="label")
    weights = label_weights(label, labels, sites * kinds)
    flow = layers.Multiply()([classes, layers.Reshape((sites, kinds))(weights)])
    blocks = -(-sites // STEP)
    flow = layers.ZeroPadding1D((0, STEP * blocks - sites))(flow)
    flow = Local(CHANNELS[-1])(layers.Reshape((blocks, STEP * kinds))(flow))
    flow = layers.LeakyReLU(negative_slope=0.2)(flow)
    for channels in CHANNELS[-2::-1]:
        flow = layers.Conv1D(channels, KERNEL + 1, strides=STEP, padding="same")(Location(4)(flow))
        flow = layers.LeakyReLU(negative_slope=0.2)(flow)
    features = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(CHANNELS[0])(layers.Flatten()(flow)))
    projected = layers.Dot(axes=1)([features, layers.Embedding(labels, CHANNELS[0])(label)])
    return keras.Model([classes, label], layers.Add()([layers.Dense(1)(features), projected]), name="critic")


def log_frequencies(people: People) -> Float32:
    """Logarithm of each class's share by label and site, float32[L, S, C]."""
    found = np.empty((len(people.labels), people.classes.shape[1], people.kinds), np.float32)
    for kind in range(len(people.labels)):
        own = people.classes[people.label == kind]
        for one in range(people.kinds):
            found[kind, :, one] = np.log(np.maximum((own == one).mean(axis=0), LEAST))
    return found
