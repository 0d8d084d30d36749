"""Networks that guess a person's genotypes one site after another: an LSTM and a causal transformer.

What they read at site t is (g - G_j) mod 3 for the person's genotype g at the site before and the genotype
G_j of each person j of the panel at site t: what the panel has here, told from where the person stands.
Each person and remainder has a learnt vector, and their sum is the site's feature. For one panel it hangs
on the site and on g alone, so it is worked out once for the three values of g, however many people are
imputed. What comes out is added to the logarithm of the panel's genotype frequencies, from which an
untrained network therefore does not depart.

Hochreiter & Schmidhuber 1997, Neural Computation 9:1735 (LSTM); Vaswani et al. 2017, NeurIPS 30 (attention).
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, one_hot, scaled_dot_product_attention

GENOTYPES = 3
"""0, 1 or 2 copies of ALT; also what differences are taken modulo."""

PSEUDO_COUNT = 0.5
"""Added to the number of people with each genotype where frequencies are taken."""

HEADS = 4
"""Attention heads of the transformer, of which its width is a multiple."""

State = Any
"""What a network carries from one site to the next."""


@dataclass(frozen=True)
class Architecture:
    """Sizes of a network. people: P of the panel that it reads. length: sites of the longest sequence."""

    kind: str
    people: int
    length: int
    embedding: int
    hidden: int
    layers: int


class LstmBody(nn.Module):
    """Layers of LSTM."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.lstm = nn.LSTM(shape.embedding, shape.hidden, shape.layers, batch_first=True)

    def forward(self, features: Tensor) -> Tensor:
        """All sites at once: [B, T, E] to [B, T, hidden]."""
        return cast(Tensor, self.lstm(features)[0])

    def start(self, batch: int) -> State:
        """What is carried before the first site."""
        return None

    def step(self, features: Tensor, state: State, at: int) -> tuple[Tensor, State]:
        """One site: [B, E] to [B, hidden]."""
        found, state = self.lstm(features[:, None], state)
        return found[:, 0], state


class Block(nn.Module):
    """Causal attention and a two-layer network, each added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, kept: list[Tensor] | None = None, at: int = 0) -> Tensor:
        """[B, T, width] to the same; T is 1 where the sites before are kept (see ``GptBody.start``)."""
        batch, length, width = x.shape
        split = self.queries_keys_values(self.norm_attention(x))
        query, key, value = split.view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        if kept is not None:
            kept[0][:, :, at], kept[1][:, :, at] = key[:, :, 0], value[:, :, 0]
            key, value = (past[:, :, : at + 1] for past in kept)
        found = scaled_dot_product_attention(query, key, value, is_causal=kept is None)
        x = x + self.mix(found.transpose(1, 2).reshape(batch, length, width))
        return cast(Tensor, x + self.network(self.norm_network(x)))


class GptBody(nn.Module):
    """Blocks of causal attention over learnt positions 1 to T."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.width, self.length = shape.hidden, shape.length
        self.enter = nn.Linear(shape.embedding, shape.hidden)
        self.position = nn.Parameter(0.02 * torch.randn(shape.length, shape.hidden))
        self.blocks = nn.ModuleList(Block(shape.hidden) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)

    def forward(self, features: Tensor) -> Tensor:
        """All sites at once: [B, T, E] to [B, T, hidden]."""
        x = self.enter(features) + self.position[: features.shape[1]]
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.norm(x))

    def start(self, batch: int) -> State:
        """Room for each block's keys and values of all sites."""
        size = (batch, HEADS, self.length, self.width // HEADS)
        return [[self.position.new_empty(size) for _ in range(2)] for _ in self.blocks]

    def step(self, features: Tensor, state: State, at: int) -> tuple[Tensor, State]:
        """One site: [B, E] to [B, hidden]."""
        x = (self.enter(features) + self.position[at])[:, None]
        for block, kept in zip(self.blocks, state, strict=True):
            x = block(x, kept, at)
        return self.norm(x)[:, 0], state


class Network(nn.Module):
    """Panel vectors, a body that remembers, and the chances of the three genotypes."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(shape.people, GENOTYPES, shape.embedding) / shape.people**0.5)
        self.nothing_before = nn.Parameter(0.1 * torch.randn(shape.embedding))
        self.body = LstmBody(shape) if shape.kind == "lstm" else GptBody(shape)
        self.head = nn.Linear(shape.hidden, GENOTYPES)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def site_features(self, genotypes: Tensor) -> Tensor:
        """Sum of the panel's vectors for each site and previous genotype: [T, P] to [T, 3, E].

        A panel genotype k and a previous one g make the remainder (g - k) mod 3.
        """
        rows = self.vectors.flatten(1)
        carried = [(genotypes == k).to(rows.dtype) @ rows for k in (1, 2)]
        carried.insert(0, rows.sum(dim=0) - carried[0] - carried[1])
        sums = torch.stack([one.view(-1, *self.vectors.shape[1:]) for one in carried])
        k = torch.arange(GENOTYPES, device=sums.device)
        return torch.stack([sums[k, :, (g - k) % GENOTYPES].sum(dim=0) for g in range(GENOTYPES)], dim=1)

    def own_features(self, previous: Tensor, own: Tensor, people: Tensor) -> Tensor:
        """What people of the panel add themselves to their features, [B, T, E].

        previous: [B, T, 3] as in ``forward``; own: their genotypes [B, T]; people: who they are, [B].
        """
        remainders = torch.arange(GENOTYPES, device=own.device)
        before = (remainders + own[:, :, None]) % GENOTYPES
        return torch.einsum("btr,bre->bte", previous.gather(2, before), self.vectors[people])

    def forward(self, features: Tensor, log_frequency: Tensor) -> Tensor:
        """Log chances of the genotypes, [B, T, 3], from features [B, T, E] of all sites at once."""
        return log_softmax(log_frequency + self.head(self.body(features)), dim=-1)

    def read(self, site_features: Tensor, previous: Tensor) -> Tensor:
        """Features of people by their chances of each previous genotype, all zero where there is none.

        [..., 3, E] and [..., 3] to [..., E].
        """
        none = 1 - previous.sum(dim=-1, keepdim=True)
        return torch.einsum("...g,...ge->...e", previous, site_features) + none * self.nothing_before


def log_frequencies(counts: Tensor) -> Tensor:
    """Logarithms of genotype frequencies from numbers of people, [..., 3]."""
    raised = counts + PSEUDO_COUNT
    return torch.log(raised / raised.sum(dim=-1, keepdim=True))


def genotype_counts(genotypes: Tensor) -> Tensor:
    """Number of people with each genotype, [..., P] to [..., 3]."""
    return torch.stack([(genotypes == g).sum(dim=-1) for g in range(GENOTYPES)], dim=-1).float()


def shifted(values: Tensor) -> Tensor:
    """The value of the site before, [B, T, 3]; nothing before the first."""
    return torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)


@torch.no_grad()
def generate(network: Network, panel: Tensor, observed: Tensor, present: Tensor) -> Tensor:
    """Go through W windows site by site, n people at once; chances of the genotypes, [W, T, n, 3].

    panel: [W, T, P]. observed: int8[W, T, n], -1 where the network's own chances are fed back.
    present: bool[W, T], whether there is a site.
    """
    n_windows, length, n_people = observed.shape
    site_features = torch.stack([network.site_features(window) for window in panel])
    frequency = log_frequencies(genotype_counts(panel))
    state = network.body.start(n_windows * n_people)
    previous = torch.zeros(n_windows, n_people, GENOTYPES, device=panel.device)
    found = torch.empty(n_windows, length, n_people, GENOTYPES, device=panel.device)
    for at in range(length):
        features = network.read(site_features[:, at, None], previous).flatten(0, 1)
        hidden, state = network.body.step(features, state, at)
        raised = network.head(hidden).view(n_windows, n_people, -1) + frequency[:, at, None]
        found[:, at] = raised.softmax(dim=-1)
        seen = observed[:, at].long()
        known = one_hot(seen.clamp(min=0), GENOTYPES).float()
        previous = torch.where((seen >= 0)[..., None], known, found[:, at]) * present[:, at, None, None]
    return found
