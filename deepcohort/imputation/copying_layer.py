"""The copying model as a differentiable PyTorch layer: dosages of the exact posterior, and their gradients.

The gradients are those of the forward-backward recursions themselves, taken by two recursions of the same
form in the other direction, so that a step of training costs a small multiple of imputing and keeps two
arrays of states. With every parameter at its start this is the plain model of Li and Stephens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from deepcohort.imputation.copying_torch import TorchChoice


@dataclass(frozen=True)
class Stretch:
    """A panel over a stretch of M typed sites, and the U sites in it whose dosages are asked for.

    alleles: bool[M, K]. minor: bool[U, K], who carries the minor allele. starts: M + 2 numbers, as in
    ``Sites``. share: float32[U, 1], the right-hand typed site's part of a posterior between two.
    """

    alleles: Tensor
    minor: Tensor
    starts: Sequence[int]
    share: Tensor

    def intervals(self) -> list[tuple[slice, int, int]]:
        """The asked sites between typed sites, with the typed sites on either side of them."""
        last = len(self.alleles) - 1
        ends = zip(self.starts[:-1], self.starts[1:], strict=True)
        return [(slice(a, b), max(i - 1, 0), min(i, last)) for i, (a, b) in enumerate(ends) if b > a]

    def emission(self, by_allele: Tensor, m: int) -> Tensor:
        """P(observed | copied haplotype) at a typed site, [K, L], out of that by copied allele."""
        return torch.where(self.alleles[m][:, None], by_allele[m, 1], by_allele[m, 0])


def copied(stretch: Stretch, switch: Tensor, error: Tensor, choice: TorchChoice, observed: Tensor) -> Tensor:
    """Dosage of the minor allele, float32[U, L], differentiable by the parameters.

    switch: float32[M], chance of a new choice before each typed site (the first one's does not count). error:
    float32[M], chance that a typed allele differs from the copied one. choice: its ``entry`` and ``within``
    are parameters too, the latter a tensor of no dimension. observed: int8[M, L], -1 where missing.
    """
    entry, within = choice.entry, choice.within
    dosage: Tensor = _Copied.apply(switch, error, entry, within, observed, stretch, choice)
    return dosage


class _Copied(torch.autograd.Function):
    """Keeps ``before[m]`` and ``after[m]``, the forward and backward variables of each typed site.

    Both are scaled as is convenient: a posterior does not change by it, so no gradient goes through scales.
    """

    @staticmethod
    def forward(
        ctx: Any,
        switch: Tensor,
        error: Tensor,
        entry: Tensor,
        within: Tensor,
        observed: Tensor,
        stretch: Stretch,
        choice: TorchChoice,
    ) -> Tensor:
        choice = replace(choice, entry=entry, within=within)
        n_typed = len(switch)
        by_allele = _by_allele(error, observed)
        before = entry.new_empty((n_typed, *entry.shape))
        scale = entry.new_empty((n_typed, entry.shape[1]))
        for m in range(n_typed):
            state = entry if m == 0 else choice.led(before[m - 1], switch[m])
            torch.mul(state, stretch.emission(by_allele, m), out=before[m])
            scale[m] = before[m].sum(dim=0)
            before[m] /= scale[m]
        after = torch.ones_like(before)
        passed = torch.empty_like(scale)
        for m in range(n_typed - 1, 0, -1):
            state = after[m] * stretch.emission(by_allele, m)
            passed[m] = state.mean(dim=0)
            after[m - 1] = choice.led_back(state / passed[m], switch[m])
        total = torch.stack([(one * two).sum(dim=0) for one, two in zip(before, after, strict=True)])
        ctx.save_for_backward(switch, error, entry, within, observed, before, after, scale, passed, total)
        ctx.stretch, ctx.choice = stretch, choice
        dosage = entry.new_empty((len(stretch.share), entry.shape[1]))
        for sites, left, right in stretch.intervals():
            carried, share = stretch.minor[sites].to(entry.dtype), stretch.share[sites]
            dosage[sites] = (1 - share) * (carried @ (before[left] * after[left] / total[left]))
            dosage[sites] += share * (carried @ (before[right] * after[right] / total[right]))
        return dosage

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        switch, error, entry, within, observed, before, after, scale, passed, total = ctx.saved_tensors
        stretch: Stretch = ctx.stretch
        choice: TorchChoice = replace(ctx.choice, entry=entry, within=within)
        wanted = _by_states(stretch, gradients[0], before, after, total)
        by_allele, slope = _by_allele(error, observed), _by_allele_slope(observed)
        found = _Found(choice, switch)
        d_error = torch.zeros_like(error)
        # The recursion of the backward variables, from the first site to the last one.
        flow = wanted[0] * before[0]
        for m in range(1, len(switch)):
            emission = stretch.emission(by_allele, m)
            flow = flow / passed[m]
            found.add_back(m, after[m] * emission, flow)
            flow = choice.led(flow, switch[m])
            d_error[m] += _of_error(stretch, slope, m, flow * after[m])
            flow = flow * emission + wanted[m] * before[m]
        # And that of the forward variables, from the last one to the first.
        flow = torch.zeros_like(entry)
        for m in range(len(switch) - 1, 0, -1):
            flow = (flow + wanted[m] * after[m]) / scale[m]
            state = choice.led(before[m - 1], switch[m])
            d_error[m] += _of_error(stretch, slope, m, flow * state)
            flow = flow * stretch.emission(by_allele, m)
            found.add(m, before[m - 1], flow)
            flow = choice.led_back(flow, switch[m])
        flow = (flow + wanted[0] * after[0]) / scale[0]
        d_error[0] += _of_error(stretch, slope, 0, flow * entry)
        found.entry += flow * stretch.emission(by_allele, 0)
        return found.switch, d_error, found.entry, found.within, None, None, None


class _Found:
    """Gradients by the parameters of a switch, added up site by site."""

    def __init__(self, choice: TorchChoice, switch: Tensor) -> None:
        self._choice, self._switch = choice, switch
        self.switch, self.within = torch.zeros_like(switch), torch.zeros_like(switch[0])
        self.entry = torch.zeros_like(choice.entry)

    def add(self, m: int, state: Tensor, flow: Tensor) -> None:
        """Take in that the gradient by ``choice.led(state)`` is ``flow``."""
        near, far = self._choice.by_group(state), self._choice.entry * state.sum(dim=0)
        self._add(m, (flow * state).sum(), (flow * near).sum(), (flow * far).sum())
        self.entry += self._switch[m] * (1 - self._choice.within) * flow * state.sum(dim=0)

    def add_back(self, m: int, state: Tensor, flow: Tensor) -> None:
        """Take in that the gradient by ``choice.led_back(state)`` is ``flow``."""
        near, far = self._choice.by_group(state), (state * self._choice.entry).sum(dim=0)
        self._add(m, (flow * state).sum(), (flow * near).sum(), (flow * far).sum())
        self.entry += self._switch[m] * (1 - self._choice.within) * state * flow.sum(dim=0)

    def _add(self, m: int, stay: Tensor, near: Tensor, far: Tensor) -> None:
        self.switch[m] += self._choice.within * near + (1 - self._choice.within) * far - stay
        self.within += self._switch[m] * (near - far)


def _by_states(stretch: Stretch, gradient: Tensor, before: Tensor, after: Tensor, total: Tensor) -> Tensor:
    """Gradient by ``before * after`` at each typed site, float32[M, K, L]."""
    wanted = torch.zeros_like(before)
    for sites, left, right in stretch.intervals():
        carried, share = stretch.minor[sites].to(before.dtype).T, stretch.share[sites]
        wanted[left] += carried @ ((1 - share) * gradient[sites])
        wanted[right] += carried @ (share * gradient[sites])
    for m, one in enumerate(wanted):
        one -= (one * before[m] * after[m]).sum(dim=0) / total[m]
        one /= total[m]
    return wanted


def _by_allele(error: Tensor, observed: Tensor) -> Tensor:
    """P(observed | copied allele 0, 1), float32[M, 2, L]."""
    wrong = error[:, None]
    of_zero = torch.where(observed == 1, wrong, 1 - wrong)
    of_one = torch.where(observed == 1, 1 - wrong, wrong)
    both = torch.stack([of_zero, of_one], dim=1)
    return torch.where(observed[:, None] < 0, torch.ones_like(both), both)


def _by_allele_slope(observed: Tensor) -> Tensor:
    """Derivative of ``_by_allele`` by the error."""
    of_zero = torch.where(observed == 1, 1.0, -1.0)
    both = torch.stack([of_zero, -of_zero], dim=1)
    return torch.where(observed[:, None] < 0, torch.zeros_like(both), both)


def _of_error(stretch: Stretch, slope: Tensor, m: int, of_emission: Tensor) -> Tensor:
    """Gradient by a site's error out of that by its emission, [K, L]."""
    of_one = stretch.alleles[m].to(of_emission.dtype) @ of_emission
    return (slope[m, 1] * of_one + slope[m, 0] * (of_emission.sum(dim=0) - of_one)).sum()
