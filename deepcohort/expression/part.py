"""Which part of a sequence model is taught; apart from the models, which need PyTorch."""

from enum import StrEnum


class Part(StrEnum):
    """What is taught: everything, all but the layers that see the neighbourhood alone, or the last layer."""

    all = "all"
    frozen_trunk = "frozen_trunk"
    head = "head"
