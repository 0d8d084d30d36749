"""What can be chosen about the autoregressive networks."""

from dataclasses import dataclass
from enum import StrEnum


class Loss(StrEnum):
    """What training minimises: cross-entropy, or the same weighted by the site's minor allele frequency."""

    plain = "plain"
    weighted = "weighted"


@dataclass(frozen=True)
class NetworkOptions:
    """Sizes and training of a network.

    window: sites that are imputed in one sequence, at most. flank: typed sites before them that lead in.
    embedding, hidden, layers: sizes; None is the model's own. epochs: at most so many. at_once: people
    of one step of training. bidirectional: a second network goes through the sites from right to left.
    """

    window: int = 500
    flank: int = 100
    embedding: int = 64
    hidden: int | None = None
    layers: int | None = None
    epochs: int = 30
    at_once: int = 64
    loss: Loss = Loss.plain
    bidirectional: bool = False
