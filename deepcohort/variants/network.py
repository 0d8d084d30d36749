"""A residual network (He et al. 2016, CVPR) over pileups that corrects what the haplotypes say of candidates.

It sees a candidate's tensor and features. Its two heads, whether there is a variant and how many copies,
start at what the haplotypes say and add to it, so that an untrained network changes nothing.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import log_softmax, logsigmoid

from deepcohort.variants.genotypes import LEAST_LOG
from deepcohort.variants.tensors import Shape

WIDTHS = (24, 48, 112)
HIDDEN = 128
DROPOUT = 0.3


class Block(nn.Module):
    """Two convolutions with a way around them; ``stride`` makes rows and columns fewer."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.two = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
        self.around = nn.Identity() if before == width else nn.Conv2d(before, width, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32[N, before, rows, columns]."""
        inner = torch.relu(self.norms[0](self.one(x)))
        out: Tensor = torch.relu(self.norms[1](self.two(inner)) + self.around(x))
        return out


class Network(nn.Module):
    """The network of a layout. mean, scale: float[F], of the features where it was trained.

    class_weights: of 0, 1 and 2 copies in the loss; outside training their effect is taken back, so that
    chances are those of the candidates as they come.
    """

    mean: Tensor
    scale: Tensor
    log_weights: Tensor

    def __init__(
        self,
        shape: Shape,
        mean: NDArray[np.float64],
        scale: NDArray[np.float64],
        class_weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.trunk = nn.Sequential(
            nn.Conv2d(shape.channels, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            Block(first, first, 1),
            Block(first, second, 2),
            Block(second, second, 1),
            Block(second, third, 2),
            Block(third, third, 1),
        )
        self.dense = nn.Sequential(nn.Linear(2 * third + len(mean), HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT))
        self.copies, self.variant = nn.Linear(HIDDEN, 3), nn.Linear(HIDDEN, 1)
        for head in (self.copies, self.variant):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.register_buffer("log_weights", torch.tensor(class_weights).log())

    def forward(self, tensors: Tensor, features: Tensor, log_chances: Tensor) -> tuple[Tensor, Tensor]:
        """Logs of the chances of 0, 1 and 2 copies, and log odds of a variant, each by its head.

        tensors: uint8[N, channels, rows, columns]; features: float32[N, F]; log_chances: float32[N, 3], what
        the haplotypes say. Returns float32[N, 3] and float32[N].
        """
        said = log_chances.clamp(min=LEAST_LOG)
        x = self.trunk(tensors.float() / 127.5 - 1.0)
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), (features - self.mean) / self.scale], 1)
        inner = self.dense(pooled)
        odds = torch.logsumexp(said[:, 1:], 1) - said[:, 0] + self.variant(inner)[:, 0]
        weighted = said + self.copies(inner)
        return log_softmax(weighted if self.training else weighted - self.log_weights, 1), odds


def joined_heads(log_copies: Tensor, odds: Tensor) -> Tensor:
    """Logs of the chances of 0, 1 and 2 copies by both heads, float[N, 3]: their log odds of a variant are
    averaged."""
    variant = torch.logsumexp(log_copies[:, 1:], 1)
    mean = (odds + variant - log_copies[:, 0]) / 2
    return torch.cat(
        [logsigmoid(-mean)[:, None], log_copies[:, 1:] + (logsigmoid(mean) - variant)[:, None]], 1
    )
