"""Train a conditional generator against a critic: Wasserstein distance with a gradient penalty.

After Arjovsky et al. (2017) and Gulrajani et al. (2017). Weights of the generator are averaged over steps,
the average is judged on held-out people now and then, and the best one is kept. The whole state is on disk
after each judgement, so that a killed training goes on where it was and ends as it would have ended.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Float32, Int64
from deepcohort.genome.arrays import load_arrays, save_arrays
from deepcohort.genome.backend import keras, ops, tf
from deepcohort.genome.progress import progress

log = logging.getLogger(__name__)

PENALTY = 10.0
CRITIC_STEPS = 3
"""Steps of the critic for each one of the generator."""

CRITIC_FIRST = 200
"""Those before the first one of a generator that knows something already."""

AVERAGED = 0.99
COLUMNS = ("step", "critic_loss", "generator_loss", "score")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: steps of the generator, judged every ``every`` of them."""

    steps: int
    every: int
    batch: int = 64
    rate: float = 1e-4
    seed: int = 1


@dataclass
class Course:
    """State of a training but for the networks: steps done, best score and its weights, rows of the
    history.
    """

    step: int = 0
    best: float = -np.inf
    history: list[dict[str, str]] = field(default_factory=list)
    kept: list[NDArray[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    """Generator (noise, label to a sample) and critic (sample, label to a number), and what noise looks like.

    ``encode`` turns rows of the data into what the critic looks at.
    """

    generator: Any
    critic: Any
    noise: int
    encode: Callable[[Any], Any]


def train(
    pair: Pair,
    data: NDArray[Any],
    label: Int64,
    schedule: Schedule,
    judge: Callable[[Any], float],
    state: Path | None = None,
    begin: Callable[[], None] | None = None,
) -> list[dict[str, str]]:
    """Train, and leave the best averaged weights in the generator; returns the course (``COLUMNS``).

    ``judge`` scores a generator, the higher the better; the untrained generator is scored too, so that no
    training makes it worse. ``state`` is a file to go on from and to write to. ``begin`` is done first where
    a training begins; the critic then learns for a while alone, lest it mislead the generator.
    """
    optimizers = [keras.optimizers.Adam(schedule.rate, beta_1=0.0, beta_2=0.9) for _ in range(2)]
    for optimizer, model in zip(optimizers, (pair.generator, pair.critic), strict=True):
        optimizer.build(model.trainable_variables)
    everything = [
        *pair.generator.variables,
        *pair.critic.variables,
        *optimizers[0].variables,
        *optimizers[1].variables,
    ]
    average = [np.array(value) for value in pair.generator.get_weights()]
    course = _resumed(state, everything, average, schedule)
    critic_step, generator_step = _steps(pair, *optimizers)

    def teach_critic(steps: int, rng: np.random.Generator) -> float:
        loss: Any = 0.0
        for _ in range(steps):
            rows = rng.integers(0, len(data), schedule.batch)
            drawn = rng.normal(size=(schedule.batch, pair.noise)).astype(np.float32)
            mixed = rng.random(schedule.batch).astype(np.float32)
            loss = critic_step(*map(tf.constant, (data[rows], label[rows], drawn, mixed)))
        return float(loss)

    if begin and not course.step:
        begin()
        average = [np.array(value) for value in pair.generator.get_weights()]
        teach_critic(
            min(CRITIC_FIRST, 3 * schedule.steps), np.random.default_rng([schedule.seed, schedule.steps])
        )
    with progress("Training", schedule.steps) as bar:
        bar.update(course.step)
        if not course.step:
            _judge(pair, average, course, judge, (0.0, 0.0))
        losses = (0.0, 0.0)
        while course.step < schedule.steps:
            rng = np.random.default_rng([schedule.seed, course.step])
            critic_loss = teach_critic(CRITIC_STEPS, rng)
            rows = rng.integers(0, len(data), schedule.batch)
            drawn = rng.normal(size=(schedule.batch, pair.noise)).astype(np.float32)
            generator_loss = generator_step(tf.constant(label[rows]), tf.constant(drawn))
            losses = critic_loss, float(generator_loss)
            course.step += 1
            share = min(AVERAGED, (1 + course.step) / (10 + course.step))
            for mean, now in zip(average, pair.generator.get_weights(), strict=True):
                mean[...] = share * mean + (1 - share) * now
            bar.update()
            if course.step % schedule.every == 0 or course.step == schedule.steps:
                _judge(pair, average, course, judge, losses)
                _save(state, everything, average, course, schedule)
    pair.generator.set_weights(course.kept)
    return course.history


def _steps(pair: Pair, for_generator: Any, for_critic: Any) -> tuple[Any, Any]:
    """One step of the critic, and one of the generator, compiled."""

    @tf.function  # type: ignore[untyped-decorator]
    def critic_step(data: Any, label: Any, drawn: Any, mixed: Any) -> Any:
        real = pair.encode(data)
        fake = tf.stop_gradient(pair.generator([drawn, label], training=True))
        share = ops.reshape(mixed, (-1,) + (1,) * (len(real.shape) - 1))
        between = share * real + (1 - share) * fake
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(between)
                told = pair.critic([between, label], training=True)
            slope = inner.gradient(told, between)
            norm = ops.sqrt(
                ops.sum(ops.square(ops.reshape(slope, (ops.shape(slope)[0], -1))), axis=1) + 1e-12
            )
            distance = ops.mean(pair.critic([fake, label], training=True)) - ops.mean(
                pair.critic([real, label], training=True)
            )
            loss = distance + PENALTY * ops.mean(ops.square(norm - 1))
        weights = pair.critic.trainable_variables
        for_critic.apply(tape.gradient(loss, weights), weights)
        return distance

    @tf.function  # type: ignore[untyped-decorator]
    def generator_step(label: Any, drawn: Any) -> Any:
        with tf.GradientTape() as tape:
            fake = pair.generator([drawn, label], training=True)
            loss = -ops.mean(pair.critic([fake, label], training=True))
        weights = pair.generator.trainable_variables
        for_generator.apply(tape.gradient(loss, weights), weights)
        return loss

    return critic_step, generator_step


def _judge(
    pair: Pair,
    average: list[NDArray[Any]],
    course: Course,
    judge: Callable[[Any], float],
    losses: tuple[float, float],
) -> None:
    """Score the averaged generator, and keep it where it is the best so far."""
    now = pair.generator.get_weights()
    pair.generator.set_weights(average)
    score = judge(pair.generator)
    pair.generator.set_weights(now)
    if not course.kept or score > course.best:
        course.best, course.kept = score, [value.copy() for value in average]
    cells = (str(course.step), *(f"{value:.5f}" for value in (*losses, score)))
    course.history.append(dict(zip(COLUMNS, cells, strict=True)))
    log.info("step %d: score %.5f (best %.5f)", course.step, score, course.best)


def _save(
    state: Path | None, everything: list[Any], average: list[NDArray[Any]], course: Course, schedule: Schedule
) -> None:
    if state is None:
        return
    arrays: dict[str, Any] = {f"all{number}": np.asarray(value) for number, value in enumerate(everything)}
    arrays |= {f"average{number}": value for number, value in enumerate(average)}
    arrays |= {f"kept{number}": value for number, value in enumerate(course.kept)}
    told = {"step": course.step, "best": course.best, "history": course.history, "schedule": vars(schedule)}
    state.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(state, {"told": np.array(json.dumps(told)), **arrays})


def _resumed(
    state: Path | None, everything: list[Any], average: list[NDArray[Any]], schedule: Schedule
) -> Course:
    """Where a training of the same schedule and networks was, or its start."""
    if state is None or not state.exists():
        return Course()
    arrays = load_arrays(state)
    told = json.loads(str(arrays["told"]))
    shapes = [arrays[f"all{number}"].shape for number in range(len(everything)) if f"all{number}" in arrays]
    if told["schedule"] != vars(schedule) or shapes != [tuple(value.shape) for value in everything]:
        log.info("%s is of another training: it starts anew", state.name)
        return Course()
    for number, value in enumerate(everything):
        value.assign(arrays[f"all{number}"])
    for number, value in enumerate(average):
        value[...] = arrays[f"average{number}"]
    kept = [arrays[f"kept{number}"] for number in range(len(average))]
    log.info("going on from step %d", told["step"])
    return Course(told["step"], told["best"], told["history"], kept)


def drawn(generator: Any, label: Int64, noise: Float32, at_once: int = 256) -> NDArray[np.float32]:
    """What a generator makes of this noise float32[n, N], batch by batch."""
    parts = [
        ops.convert_to_numpy(
            generator([noise[first : first + at_once], label[first : first + at_once]], training=False)
        )
        for first in range(0, len(label), at_once)
    ]
    return np.concatenate(parts)
