"""The convolutional conditional GAN over the genotypes of a region.

After PG-cGAN (Chen, Mowlaei and Shi 2020): the label's embedding multiplies the noise in the generator and
the genotype in the critic, and convolutions do the rest. Added: a bias of each label and site that starts
at the label's frequencies, a learnt channel of the location in every block (Yelmen et al. 2023),
samples that are drawn as hard classes while gradients pass through their chances, a projection of the
label in the critic (Miyato and Koyama 2018), and a start as a decoder (as Larsen et al. 2016 join both):
noise is turned into a place among the label's principal components, and the generator first learns to make
people's genotypes of their places.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from deepcohort.augmentation.adversarial import Pair
from deepcohort.augmentation.embedding import label_weights
from deepcohort.augmentation.latent import NormalStart, normal_of
from deepcohort.augmentation.people import Float32, Int8, People
from deepcohort.augmentation.space import Space
from deepcohort.genome.backend import keras, layers, ops, tf
from deepcohort.genome.progress import progress

log = logging.getLogger(__name__)

STEP = 4
CHANNELS = (128, 96, 64, 32)
"""Channels of the generator from the coarsest to the finest of its lengths; the critic has them the
other way.
"""

KERNEL = 7
ODDS = "frequencies"
"""Layer that adds the label's frequencies and so says the log-odds of each class."""

DRAWN = "drawn"
SHARPNESS = (1.0, 2.0, 4.0, 8.0)
"""Layer that draws classes, and what may multiply their log-odds there."""

LEAST = 1e-3
"""Chance of a class that nobody of a label has, in the bias that the generator starts with."""

DECODED, DECODING_RATE = 64, 1e-3
"""People of a step of the decoder, and its rate."""

BLUR = 0.5
"""Standard deviation of what is added to people's noise, lest the decoder know them by heart."""


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
    """Draws a class of each site by its log-odds; gradients pass as if the chances had been returned.

    Each site is drawn for itself, though neighbours are linked: ``sharpness`` multiplies the log-odds, so
    that less of a person is left to such chance.
    """

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)
        self.sharpness = self.add_weight(name="sharpness", shape=(), initializer="ones", trainable=False)

    def call(self, odds: Any) -> Any:
        """One-hot classes [n, S, C]."""
        uniform = keras.random.uniform(ops.shape(odds), 1e-6, 1.0 - 1e-6, seed=self.draws)
        noisy = self.sharpness * odds - ops.log(-ops.log(uniform))
        soft = ops.softmax(noisy)
        hard = ops.one_hot(ops.argmax(noisy, axis=-1), odds.shape[-1], dtype=odds.dtype)
        return soft + ops.stop_gradient(hard - soft)

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "seed": self.seed}


def build(people: People, seed: int) -> tuple[Pair, Float32]:
    """Generator and critic for the genotypes of ``people``, and the noise float32[n, K] of each of them."""
    sites, kinds, labels = people.classes.shape[1], people.kinds, len(people.labels)
    space = Space.of(_strands(people), people.label, labels)
    mean, root = normal_of(space.places, people.label, labels)
    noise = np.stack(
        [
            np.linalg.lstsq(root[kind], place - mean[kind], rcond=None)[0]
            for place, kind in zip(space.places, people.label, strict=True)
        ]
    )
    generator = _generator(people, [mean, root], seed)
    critic = _critic(labels, sites, kinds)
    pair = Pair(
        generator, critic, noise.shape[1], lambda classes: ops.one_hot(classes, kinds, dtype="float32")
    )
    return pair, noise.astype(np.float32)


def sharpen(generator: Any, judge: Callable[[Any], float]) -> None:
    """Leave in the generator the sharpness that is judged best."""
    sharpness = generator.get_layer(DRAWN).sharpness
    scores = {}
    for tried in SHARPNESS:
        sharpness.assign(tried)
        scores[tried] = judge(generator)
    best = max(scores, key=lambda tried: scores[tried])
    log.info("sharpness %g: score %.5f", best, scores[best])
    sharpness.assign(best)


def _strands(people: People) -> Int8:
    """What principal components are of: copies, or one haplotype after the other of phased people."""
    if not people.phased:
        return people.classes
    return np.concatenate([people.classes >> 1, people.classes & 1], axis=1)


def decode(generator: Any, people: People, noise: Float32, steps: int, seed: int) -> None:
    """Teach the generator the genotypes of people whom this noise float32[n, K] stands for."""
    odds = keras.Model(generator.inputs, generator.get_layer(ODDS).output)
    optimizer = keras.optimizers.Adam(DECODING_RATE)
    optimizer.build(odds.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(given: Any, label: Any, classes: Any) -> None:
        with tf.GradientTape() as tape:
            told = odds([given, label], training=True)
            loss = ops.mean(keras.losses.sparse_categorical_crossentropy(classes, told, from_logits=True))
        weights = odds.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)

    rng = np.random.default_rng([seed, 3])
    with progress("Decoding", steps) as bar:
        for _ in range(steps):
            rows = rng.integers(0, len(people), DECODED)
            given = noise[rows] + BLUR * rng.normal(size=noise[rows].shape).astype(np.float32)
            step(*map(tf.constant, (given, people.label[rows], people.classes[rows])))
            bar.update()


def _generator(people: People, start_weights: list[Float32], seed: int) -> Any:
    sites, kinds, labels = people.classes.shape[1], people.kinds, len(people.labels)
    size = start_weights[0].shape[1]
    coarse = -(-sites // STEP ** len(CHANNELS))
    noise, label = keras.Input((size,), name="noise"), keras.Input((), dtype="int32", name="label")
    start = NormalStart(labels, size, name="start")
    place = start(noise, label)
    flow = layers.Multiply()([noise, label_weights(label, labels, size)])
    flow = layers.Dense(coarse * CHANNELS[0])(layers.Concatenate()([flow, place]))
    flow = layers.Reshape((coarse, CHANNELS[0]))(flow)
    for channels in CHANNELS[1:]:
        flow = layers.LeakyReLU(negative_slope=0.2)(layers.LayerNormalization()(flow))
        flow = layers.UpSampling1D(STEP)(flow)
        flow = layers.Conv1D(channels, KERNEL, padding="same")(Location(4)(flow))
    flow = layers.LeakyReLU(negative_slope=0.2)(layers.LayerNormalization()(flow))
    whole = coarse * STEP ** len(CHANNELS)
    odds = layers.Reshape((whole, kinds))(Local(STEP * kinds, "zeros")(flow))
    odds = layers.Cropping1D((0, whole - sites))(odds)
    bias = LabelBias(labels, name=ODDS)
    generator = keras.Model(
        [noise, label], HardClasses(seed, name=DRAWN)(bias(odds, label)), name="generator"
    )
    start.set_weights(start_weights)
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
