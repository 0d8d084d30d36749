"""Learn a gate and a calibration from hidden people, by PyTorch's LBFGS."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcohort.imputation.copying import Float32
from deepcohort.imputation.gate import FIRST_LEAD, SMALLEST, Gate, Places, doubt

ROUNDS, PULL = 30, 1e-5
"""Steps of the optimiser, and how strongly weights are drawn to where they began."""


def learn_gate(dosages: list[Float32], truth: NDArray[np.uint8], places: Places) -> Gate:
    """Learn the weights; dosages: float32[U, L] of ALT by each expert, truth: uint8[U, L]."""
    said = [torch.from_numpy(places.minor(one)) for one in dosages]
    facts = torch.from_numpy(places.facts)
    weights = torch.zeros((len(said) - 1, 4), requires_grad=True)
    doubts = [torch.from_numpy(doubt(places.minor(dosages[0]), places.minor(one))) for one in dosages[1:]]

    def found() -> Tensor:
        logits = [torch.zeros_like(said[0])] + [
            (facts @ weight[:3])[:, None] + weight[3] * more - FIRST_LEAD
            for weight, more in zip(weights, doubts, strict=True)
        ]
        return (torch.stack(logits).softmax(dim=0) * torch.stack(said)).sum(dim=0)

    _minimise(found, [weights], places.minor(truth.astype(np.float32)))
    return replace(Gate.closed(), weights=weights.detach().numpy())


def learn_calibration(dosages: Float32, truth: NDArray[np.uint8], places: Places, gate: Gate) -> Gate:
    """Learn slope and shift for a gate from what it says without them, float32[U, L]."""
    chance = torch.from_numpy(places.minor(dosages)).clamp(SMALLEST, 1 - SMALLEST)
    logit, facts = torch.logit(chance), torch.from_numpy(places.facts)
    slope, shift = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)

    def found() -> Tensor:
        return torch.sigmoid(logit * (facts @ slope).exp()[:, None] + (facts @ shift)[:, None])

    _minimise(found, [slope, shift], places.minor(truth.astype(np.float32)))
    return replace(gate, slope=slope.detach().numpy(), shift=shift.detach().numpy())


def _minimise(found: Callable[[], Tensor], weights: list[Tensor], truth: Float32) -> None:
    """Move ``weights`` to the least cross-entropy of what they give."""
    wanted = torch.from_numpy(truth)
    optimizer = torch.optim.LBFGS(weights, max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        chance = found().clamp(SMALLEST, 1 - SMALLEST)
        drawn = torch.stack([weight.square().sum() for weight in weights]).sum()
        value = torch.nn.functional.binary_cross_entropy(chance, wanted) + PULL * drawn
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    optimizer.step(loss)  # type: ignore[no-untyped-call]
