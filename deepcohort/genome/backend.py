"""Keras on TensorFlow: imported in one place, made repeatable, its course written for TensorBoard."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepcohort.genome.errors import InputError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow is talkative unless told before its import
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers, ops

__all__ = ["keras", "layers", "ops", "set_up", "tf", "write_events"]

log = logging.getLogger(__name__)


def set_up(seed: int, threads: int, device: str) -> None:
    """Make TensorFlow repeatable, and tell it how many threads and which device to use.

    Raises ``InputError`` where a GPU is asked for and none is there.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "cuda" and not gpus:
        raise InputError("--device cuda: TensorFlow sees no GPU: take --device cpu")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow has begun in this process, with the threads of then
        log.info("TensorFlow runs already: its number of threads stays")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    log.info(
        "TensorFlow %s on %s, seed %d", tf.__version__, "GPU" if gpus and device != "cpu" else "CPU", seed
    )


def write_events(folder: Path, rows: Sequence[Mapping[str, str]], step: str, columns: Sequence[str]) -> None:
    """The course of a training as TensorBoard, which need not be there, reads it: records of events."""
    folder.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "events.out.tfevents.0")) as writer:
        writer.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
        for row in rows:
            values = [tf.compat.v1.Summary.Value(tag=what, simple_value=float(row[what])) for what in columns]
            told = tf.compat.v1.Event(step=int(row[step]), summary=tf.compat.v1.Summary(value=values))
            writer.write(told.SerializeToString())
