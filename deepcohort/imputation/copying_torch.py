"""The copying model in PyTorch, for GPUs: the same posterior, with dosages read out by matrix products."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from deepcohort.genome.progress import progress
from deepcohort.imputation.copying import Float32, Prior, Sites
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
    ) -> "TorchCopier":
        """See ``CopyModel``."""
        return TorchCopier(
            device=self.device,
            alleles=torch.from_numpy(typed).to(self.device).long(),
            minor=dense_carriers(carriers, typed.shape[1], self.device),
            flipped=carriers.flipped,
            starts=sites.starts.tolist(),
            weight=torch.from_numpy(sites.weight).to(self.device)[:, None],
            lanes=self._lanes(*typed.shape),
        )

    def _lanes(self, n_typed: int, n_panel: int) -> int:
        """Haplotypes whose forward variables, kept at 2·sqrt(M) sites, fit into memory."""
        free = torch.cuda.mem_get_info()[0] * SHARE_OF_MEMORY if self.device == "cuda" else CPU_BYTES
        states = (2 * ceil(sqrt(n_typed)) + 4) * n_panel * 4
        return int(min(max(free // states, 1), LARGEST_LANES))


@dataclass(frozen=True)
class TorchCopier:
    """See ``Copier``; tensors of the panel stay on the device."""

    device: str
    alleles: torch.Tensor
    minor: torch.Tensor
    flipped: NDArray[np.bool_]
    starts: list[int]
    weight: torch.Tensor
    lanes: int

    def dosages(self, switches: Float32, emission: Float32, prior: Prior | None = None) -> Float32:
        """See ``Copier``."""
        dosage = np.empty((len(self.weight), emission.shape[2]), np.float32)
        for part, posteriors in self._in_parts(switches, emission, prior):
            found = torch.empty((len(self.weight), part.stop - part.start), device=self.device)
            for interval, left, right in posteriors:
                u = slice(self.starts[interval], self.starts[interval + 1])
                _read_out(found[u], self.minor[u], self.weight[u], left, right)
            dosage[:, part] = found.cpu().numpy()
        dosage[self.flipped] = 1 - dosage[self.flipped]
        return np.clip(dosage, 0, 1, out=dosage)

    def occupancy(self, switches: Float32, emission: Float32, prior: Prior) -> Float32:
        """See ``Copier``."""
        occupancy = np.empty(prior.weight.shape, np.float32)
        group = torch.from_numpy(prior.group).to(self.device).long()
        for part, posteriors in self._in_parts(switches, emission, prior):
            found = torch.zeros((len(occupancy), part.stop - part.start), device=self.device)
            for interval, left, _ in posteriors:
                if interval:
                    found.index_add_(0, group, left)
            occupancy[:, part] = found.cpu().numpy() / len(switches)
        return occupancy

    def _in_parts(
        self, switches: Float32, emission: Float32, prior: Prior | None
    ) -> Iterator[tuple[slice, Iterator[tuple[int, torch.Tensor, torch.Tensor]]]]:
        """Yield each part of the lanes with its posteriors, see ``_posteriors``."""
        n_lanes = emission.shape[2]
        prior = prior or Prior.uniform(self.alleles.shape[1], n_lanes)
        with progress("haplotypes imputed", n_lanes) as bar:
            for first in range(0, n_lanes, self.lanes):
                part = slice(first, min(first + self.lanes, n_lanes))
                observed = torch.from_numpy(np.ascontiguousarray(emission[:, :, part])).to(self.device)
                choice = TorchChoice.of(prior.lanes(part), self.device)
                yield (
                    part,
                    _posteriors(self.alleles, torch.from_numpy(switches).to(self.device), observed, choice),
                )
                bar.update(part.stop - part.start)


@dataclass(frozen=True)
class TorchChoice:
    """How a new choice is made, as ``hmm.Choice`` tells it.

    entry: float32[K, L], whom it takes out of the whole panel, of sum one. member: float32[C, K], one where a
    haplotype is of a group; size: float32[C, 1]. within: chance that the group stays, a number or a tensor.
    """

    entry: torch.Tensor
    member: torch.Tensor
    size: torch.Tensor
    within: torch.Tensor | float

    @classmethod
    def of(cls, prior: Prior, device: str) -> "TorchChoice":
        """The choice of a prior."""
        group = torch.from_numpy(prior.group).to(device).long()
        member = torch.nn.functional.one_hot(group, len(prior.weight)).T.float()
        size = member.sum(dim=1, keepdim=True).clamp(min=1)
        return cls(torch.from_numpy(prior.entry()).to(device), member, size, prior.within)

    def by_group(self, states: torch.Tensor) -> torch.Tensor:
        """Each haplotype's state replaced by the mean of its group, [K, L]."""
        return self.member.T @ ((self.member @ states) / self.size)

    def led(self, states: torch.Tensor, switch: torch.Tensor) -> torch.Tensor:
        """States [K, L] after a way on which they switch with this chance, a tensor of no dimension."""
        far = self.entry * states.sum(dim=0)
        return torch.lerp(states, self.within * self.by_group(states) + (1 - self.within) * far, switch)

    def led_back(self, states: torch.Tensor, switch: torch.Tensor) -> torch.Tensor:
        """The same backwards: the transpose of ``led``."""
        far = (states * self.entry).sum(dim=0)
        return torch.lerp(states, self.within * self.by_group(states) + (1 - self.within) * far, switch)


def dense_carriers(carriers: Carriers, n_panel: int, device: str) -> torch.Tensor:
    """Who carries the minor allele, bool[U, K]; a byte each, made float one interval at a time."""
    dense = np.zeros((len(carriers.flipped), n_panel), bool)
    for row, first, last in zip(dense, carriers.starts[:-1], carriers.starts[1:], strict=True):
        row[carriers.carriers[first:last]] = True
    return torch.from_numpy(dense).to(device)


def _posteriors(
    alleles: torch.Tensor, switches: torch.Tensor, emission: torch.Tensor, choice: TorchChoice
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Yield (interval, posterior [K, L] at its left end, at its right end), from the last to the first.

    States are kept at every ``sqrt(M)``-th site.
    """
    n_typed = len(alleles)
    block = max(1, ceil(sqrt(n_typed)))
    begins = list(range(0, n_typed, block))
    switches = torch.cat([torch.zeros_like(switches[:1]), switches[1:]])
    alpha = choice.entry
    checkpoints = []
    for begin in begins:
        checkpoints.append(alpha)
        for m in range(begin, min(begin + block, n_typed)):
            alpha = _forward(alpha, alleles[m], switches[m], emission[m], choice)
    beta = torch.ones_like(alpha)
    right: torch.Tensor | None = None
    for begin in reversed(begins):
        stored = [checkpoints.pop()]
        for m in range(begin, min(begin + block, n_typed)):
            stored.append(_forward(stored[-1], alleles[m], switches[m], emission[m], choice))
        for m in reversed(range(begin, min(begin + block, n_typed))):
            left = stored.pop() * beta
            left = left / left.sum(dim=0)
            yield m + 1, left, left if right is None else right
            beta = beta * emission[m][alleles[m]]
            beta = choice.led_back(beta / beta.mean(dim=0), switches[m])
            right = left
    assert right is not None
    yield 0, right, right


def _forward(
    alpha: torch.Tensor,
    alleles: torch.Tensor,
    switch: torch.Tensor,
    emission: torch.Tensor,
    choice: TorchChoice,
) -> torch.Tensor:
    return choice.led(alpha / alpha.sum(dim=0), switch) * emission[alleles]


def _read_out(
    dosage: torch.Tensor, minor: torch.Tensor, weight: torch.Tensor, left: torch.Tensor, right: torch.Tensor
) -> None:
    """Posterior mass on the carriers, between the posteriors of two typed sites, in place."""
    if len(dosage):
        carried = minor.float()
        dosage[:] = (1 - weight) * (carried @ left) + weight * (carried @ right)
