"""The copying model in PyTorch, for GPUs: the same posterior, with dosages read out by matrix products."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.copying import Float32, Impute, Rates, Sites
from deepcohort.imputation.panel import Carriers

LARGEST_LANES = 2048
SHARE_OF_MEMORY = 0.5
"""Target haplotypes that go together at most, and the share of free GPU memory that their states may take."""

CPU_BYTES = 2**30
"""What the states may take where the device is the CPU, which serves to check the arithmetic."""


@dataclass(frozen=True)
class TorchCopyModel:
    """The copying model on a PyTorch device; the batch of haplotypes adapts to the device's memory."""

    device: str

    def prepare(
        self, typed: NDArray[np.uint8], cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> Impute:
        """See ``CopyModel``."""
        alleles = torch.from_numpy(typed).to(self.device).long()
        minor = _dense(carriers, typed.shape[1], self.device)
        starts = sites.starts.tolist()
        weight = torch.from_numpy(sites.weight).to(self.device)[:, None]

        def impute(rates: Rates, emission: Float32) -> Float32:
            switches = rates.switches(cm, typed.shape[1]).tolist()
            lanes = self._lanes(*typed.shape)
            dosage = np.empty((len(sites.weight), emission.shape[2]), np.float32)
            with progress("haplotypes imputed", emission.shape[2]) as bar:
                for first in range(0, emission.shape[2], lanes):
                    part = slice(first, first + lanes)
                    observed = torch.from_numpy(np.ascontiguousarray(emission[:, :, part])).to(self.device)
                    found = _dosages(alleles, switches, observed, minor, starts, weight)
                    dosage[:, part] = found.cpu().numpy()
                    bar.update(observed.shape[2])
            dosage[carriers.flipped] = 1 - dosage[carriers.flipped]
            return np.clip(dosage, 0, 1, out=dosage)

        return impute

    def _lanes(self, n_typed: int, n_panel: int) -> int:
        """Haplotypes whose forward variables, kept at 2·sqrt(M) sites, fit into memory."""
        free = torch.cuda.mem_get_info()[0] * SHARE_OF_MEMORY if self.device == "cuda" else CPU_BYTES
        states = (2 * ceil(sqrt(n_typed)) + 4) * n_panel * 4
        return int(min(max(free // states, 1), LARGEST_LANES))


def _dense(carriers: Carriers, n_panel: int, device: str) -> torch.Tensor:
    """Who carries the minor allele, bool[U, K]; a byte each, made float one interval at a time."""
    dense = np.zeros((len(carriers.flipped), n_panel), bool)
    for row, first, last in zip(dense, carriers.starts[:-1], carriers.starts[1:], strict=True):
        row[carriers.carriers[first:last]] = True
    return torch.from_numpy(dense).to(device)


def _dosages(
    alleles: torch.Tensor,
    switches: list[float],
    emission: torch.Tensor,
    minor: torch.Tensor,
    starts: list[int],
    weight: torch.Tensor,
) -> torch.Tensor:
    """Minor-allele dosages [U, L] of one batch; states are kept at every ``sqrt(M)``-th site."""
    n_typed, n_panel = alleles.shape
    n_lanes = emission.shape[2]
    block = max(1, ceil(sqrt(n_typed)))
    begins = list(range(0, n_typed, block))
    dosage = torch.empty((minor.shape[0], n_lanes), device=emission.device)
    alpha = torch.full((n_panel, n_lanes), 1 / n_panel, device=emission.device)
    checkpoints = []
    for begin in begins:
        checkpoints.append(alpha)
        for m in range(begin, min(begin + block, n_typed)):
            alpha = _forward(alpha, alleles[m], switches[m], emission[m])
    beta = torch.ones_like(alpha)
    right: torch.Tensor | None = None
    for begin in reversed(begins):
        stored = [checkpoints.pop()]
        for m in range(begin, min(begin + block, n_typed)):
            stored.append(_forward(stored[-1], alleles[m], switches[m], emission[m]))
        for m in reversed(range(begin, min(begin + block, n_typed))):
            left = stored.pop() * beta
            left = left / left.sum(dim=0)
            right = left if right is None else right
            u = slice(starts[m + 1], starts[m + 2])
            _read_out(dosage[u], minor[u], weight[u], left, right)
            beta = beta * emission[m][alleles[m]]
            beta = beta * ((1 - switches[m]) / beta.mean(dim=0)) + switches[m]
            right = left
    assert right is not None
    u = slice(0, starts[1])
    _read_out(dosage[u], minor[u], weight[u], right, right)
    return dosage


def _forward(
    alpha: torch.Tensor, alleles: torch.Tensor, switch: float, emission: torch.Tensor
) -> torch.Tensor:
    moved = alpha * ((1 - switch) / alpha.sum(dim=0)) + switch / len(alpha)
    return moved * emission[alleles]


def _read_out(
    dosage: torch.Tensor, minor: torch.Tensor, weight: torch.Tensor, left: torch.Tensor, right: torch.Tensor
) -> None:
    """Posterior mass on the carriers, between the posteriors of two typed sites, in place."""
    if len(dosage):
        carried = minor.float()
        dosage[:] = (1 - weight) * (carried @ left) + weight * (carried @ right)
