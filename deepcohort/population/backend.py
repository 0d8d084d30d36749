"""Keras on TensorFlow, imported in one place."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow is talkative unless told before its import
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers, ops

__all__ = ["keras", "layers", "ops", "tf"]
