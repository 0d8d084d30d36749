"""The network of a window: features by place, a stack of convolutions, pyramid pooling, two answers.

A window's sites are cut into blocks of neighbours, each block with weights of its own, because an allele
means something else at every site. Convolutions over the blocks follow, then average pooling over ever
coarser parts (spatial pyramid pooling, He et al. 2015), and a head that names population and superpopulation
at once.
"""

from typing import Any

from deepcohort.genome.backend import keras, layers, ops

BLOCK = 16
"""Neighbouring sites that are looked at together."""

FEATURES = 32
"""Numbers that are kept of each block."""

CHANNELS = (64, 64)
KERNEL = 3
PYRAMID = (6, 4, 2, 1)
HIDDEN = 256
DROPPED_SITES = 0.3
"""In training, up to this share of a person's sites is hidden."""

SMOOTHING = 0.05
SUPER_WEIGHT = 0.3
"""Weight of the superpopulations' loss beside the populations'."""


@keras.saving.register_keras_serializable(package="deepcohort")
class HiddenSites(layers.Layer):  # type: ignore[misc]
    """Hides sites in training: of each person a share between 0 and ``most``, drawn anew each time."""

    def __init__(self, most: float, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.most, self.seed = most, seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, copies: Any, training: bool = False) -> Any:
        """Numbers [people, sites], hidden ones 0."""
        if not training:
            return copies
        share = keras.random.uniform((ops.shape(copies)[0], 1), 0.0, self.most, seed=self.draws)
        drawn = keras.random.uniform(ops.shape(copies), seed=self.draws)
        return copies * ops.cast(drawn >= share, copies.dtype)

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "most": self.most, "seed": self.seed}


@keras.saving.register_keras_serializable(package="deepcohort")
class Blocks(layers.Layer):  # type: ignore[misc]
    """A dense layer for each block of sites: [people, sites] to [people, blocks, features]."""

    def __init__(self, size: int, features: int, **options: Any) -> None:
        super().__init__(**options)
        self.size, self.features = size, features

    def build(self, input_shape: tuple[int | None, int]) -> None:
        """Make the weights for so many sites."""
        sites = int(input_shape[1] or 0)
        self.number = -(-sites // self.size)
        self.padding = self.number * self.size - sites
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.number, self.size, self.features),
            initializer=keras.initializers.RandomNormal(stddev=self.size**-0.5),
        )
        self.bias = self.add_weight(name="bias", shape=(self.number, self.features), initializer="zeros")

    def call(self, copies: Any) -> Any:
        """Features of each block."""
        padded = ops.pad(copies, ((0, 0), (0, self.padding)))
        blocks = ops.reshape(padded, (-1, self.number, self.size))
        return ops.einsum("pbs,bsf->pbf", blocks, self.kernel) + self.bias

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "size": self.size, "features": self.features}


def build_trunk(sites: int, seed: int) -> keras.Model:
    """Convolutions and pyramid: float32[people, sites], as ``Scale`` gives them, to float32[people, F]."""
    given = keras.Input((sites,), name="copies")
    hidden = HiddenSites(DROPPED_SITES, seed, name="hidden_sites")(given)
    flow = layers.ReLU()(Blocks(BLOCK, FEATURES, name="blocks")(hidden))
    for channels in CHANNELS:
        flow = layers.Conv1D(channels, KERNEL, padding="same", use_bias=False)(flow)
        flow = layers.ReLU()(layers.BatchNormalization()(flow))
    length = int(flow.shape[1])
    pooled = [
        _pooled(flow, length, bins) for bins in sorted({max(1, length // 4), *PYRAMID}) if bins <= length
    ]
    features = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    return keras.Model(given, features, name="trunk")


def _pooled(flow: Any, length: int, bins: int) -> Any:
    step = length // bins
    pool = length - step * (bins - 1)
    return layers.Flatten()(layers.AveragePooling1D(pool, step)(flow))


def build_head(features: int, populations: int, superpopulations: int) -> keras.Model:
    """Dense layers: float32[people, F] to log-odds of populations and of superpopulations."""
    given = keras.Input((features,), name="features")
    flow = layers.Dense(HIDDEN, activation="relu")(given)
    answers = [layers.Dense(populations, name="population")(flow)]
    answers.append(layers.Dense(superpopulations, name="superpopulation")(flow))
    return keras.Model(given, answers, name="head")


def joined(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Trunk and head as one network."""
    given = keras.Input(trunk.input_shape[1:], name="copies")
    return keras.Model(given, head(trunk(given)), name="window")
