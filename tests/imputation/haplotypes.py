"""Simulated haplotypes, and the copying model written once more: slow, in float64, as textbooks have it."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from deepcohort.imputation.copying import Prior, Rates
from deepcohort.imputation.panel import PanelChunk
from tests.genotypes import write_vcf

BASES = ("A", "C", "G", "T")


def founders(rng: np.random.Generator, n_sites: int, n_haplotypes: int, ancestors: int = 6) -> np.ndarray:
    """Alleles uint8[S, K] in linkage: mosaics of a few ancestors with mutations; every site varies."""
    frequency = rng.beta(0.6, 1.2, n_sites)[:, None]
    ancestral = rng.random((n_sites, ancestors)) < frequency
    copied = np.empty((n_sites, n_haplotypes), np.int64)
    copied[0] = rng.integers(ancestors, size=n_haplotypes)
    for site in range(1, n_sites):
        switch = rng.random(n_haplotypes) < 0.03
        copied[site] = np.where(switch, rng.integers(ancestors, size=n_haplotypes), copied[site - 1])
    alleles = np.take_along_axis(ancestral, copied, axis=1) ^ (rng.random(copied.shape) < 0.01)
    alleles[np.arange(n_sites), rng.integers(n_haplotypes, size=n_sites)] ^= True
    same = alleles.all(axis=1) | ~alleles.any(axis=1)
    alleles[same, 0] ^= True
    return alleles.astype(np.uint8)


def mosaics(
    rng: np.random.Generator, alleles: np.ndarray, cm: np.ndarray, rates: Rates, n: int
) -> np.ndarray:
    """Haplotypes int8[S, n] drawn from the copying model itself."""
    n_sites, n_panel = alleles.shape
    switch = 1 - np.exp(-4 * rates.effective_size * np.diff(cm, prepend=cm[0]) / 100 / n_panel)
    copied = rng.integers(n_panel, size=n)
    drawn = np.empty((n_sites, n), np.int8)
    for site in range(n_sites):
        copied = np.where(rng.random(n) < switch[site], rng.integers(n_panel, size=n), copied)
        drawn[site] = alleles[site, copied] ^ (rng.random(n) < rates.error)
    return drawn


def panel_chunk(
    alleles: np.ndarray,
    *,
    pos: Sequence[int] | np.ndarray | None = None,
    cm: np.ndarray | None = None,
    core: tuple[int, int] | None = None,
    person: np.ndarray | None = None,
    header: str = "",
) -> PanelChunk:
    """A packed chunk of these alleles; sites are SNPs 1 kb apart unless told otherwise."""
    n_sites, n_haplotypes = alleles.shape
    pos = np.arange(1, n_sites + 1) * 1000 if pos is None else np.asarray(pos, np.int64)
    return PanelChunk(
        contig="20",
        header=header,
        core=core or (1, int(pos[-1])),
        pos=pos,
        ref=[BASES[i % 4] for i in range(n_sites)],
        alt=[BASES[(i + 1 + i // 4 % 3) % 4] for i in range(n_sites)],
        ids=[f"rs{i}" for i in range(n_sites)],
        cm=pos / 1e6 if cm is None else cm,
        bits=np.packbits(alleles, axis=1),
        n_haplotypes=n_haplotypes,
        person=np.arange(n_haplotypes, dtype=np.int32) // 2 if person is None else person,
    )


def some_prior(n_panel: int, n_lanes: int, n_groups: int = 3, within: float = 0.0) -> Prior:
    """A prior that differs from lane to lane."""
    rng = np.random.default_rng(n_panel)
    group = rng.integers(n_groups, size=n_panel).astype(np.int32)
    weight = rng.exponential(size=(n_groups, n_lanes)) + 0.05
    return Prior(group, (weight / weight[group].mean(axis=0)).astype(np.float32), within)


def leads(prior: Prior, lane: int) -> np.ndarray:
    """Where a switch leads from each panel haplotype, [K, K]."""
    alike = prior.group[:, None] == prior.group[None, :]
    anywhere = prior.weight[prior.group, lane] / len(prior.group)
    return prior.within * alike / alike.sum(axis=1, keepdims=True) + (1 - prior.within) * anywhere


def write_target(
    path: Path, panel: PanelChunk, sites: np.ndarray, cells: Sequence[Sequence[str]], samples: Sequence[str]
) -> Path:
    """A VCF of some of a panel's sites; ``cells`` holds each site's genotypes as text."""
    records = [
        ("20", int(panel.pos[site]), panel.ref[site], panel.alt[site], row)
        for site, row in zip(sites, cells, strict=True)
    ]
    return write_vcf(path, records, samples)


def transition(switch: float, entry: np.ndarray, led: np.ndarray | None = None) -> np.ndarray:
    """Chances to go from one panel haplotype to another, [K, K]; ``entry`` [K]: whom a new choice takes.

    led: [K, K], where a switch leads from each, if that differs.
    """
    return (1 - switch) * np.eye(len(entry)) + switch * (entry[None, :] if led is None else led)


def even(n_panel: int) -> np.ndarray:
    """Every panel haplotype as likely as any other, [K]."""
    return np.full(n_panel, 1 / n_panel)


def emission(alleles: np.ndarray, observed: int, error: float) -> np.ndarray:
    """P(observed | copied haplotype), [K]."""
    return np.ones(len(alleles)) if observed < 0 else np.where(alleles == observed, 1 - error, error)


def forwards(
    typed: np.ndarray,
    switches: np.ndarray,
    error: float,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    led: np.ndarray | None = None,
) -> np.ndarray:
    """Forward variables of one target haplotype, each site's scaled to sum to one, float64[M, K]."""
    entry = even(typed.shape[1]) if entry is None else entry
    alpha, rows = entry, []
    for m, (alleles, switch, seen) in enumerate(zip(typed, switches, observed, strict=True)):
        alpha = (alpha @ transition(switch if m else 0.0, entry, led)) * emission(alleles, seen, error)
        alpha /= alpha.sum()
        rows.append(alpha)
    return np.array(rows)


def backwards(
    typed: np.ndarray,
    switches: np.ndarray,
    error: float,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    led: np.ndarray | None = None,
) -> np.ndarray:
    """Backward variables, each site's scaled to a mean of one, float64[M, K]."""
    n_typed, n_panel = typed.shape
    entry = even(n_panel) if entry is None else entry
    beta = np.ones(n_panel)
    rows = [beta]
    for site in range(n_typed - 1, 0, -1):
        beta = transition(switches[site], entry, led) @ (emission(typed[site], observed[site], error) * beta)
        beta = beta / beta.mean()
        rows.append(beta)
    return np.array(rows[::-1])


def posteriors(
    typed: np.ndarray,
    switches: np.ndarray,
    error: float,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    led: np.ndarray | None = None,
) -> np.ndarray:
    """Posterior of the copied haplotype at each typed site, float64[M, K]."""
    model = typed, switches, error, observed, entry, led
    joint = forwards(*model) * backwards(*model)
    return joint / joint.sum(axis=1, keepdims=True)


def enumerated(
    typed: np.ndarray,
    switches: np.ndarray,
    error: float,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    led: np.ndarray | None = None,
) -> np.ndarray:
    """The same by going through all K^M paths, to check the check."""
    n_typed, n_panel = typed.shape
    entry = even(n_panel) if entry is None else entry
    found = np.zeros((n_typed, n_panel))
    for path in product(range(n_panel), repeat=n_typed):
        chance = entry[path[0]] * emission(typed[0], observed[0], error)[path[0]]
        for m in range(1, n_typed):
            chance *= transition(switches[m], entry, led)[path[m - 1], path[m]]
            chance *= emission(typed[m], observed[m], error)[path[m]]
        found[np.arange(n_typed), path] += chance
    return found / found.sum(axis=1, keepdims=True)


def switches(cm: np.ndarray, rates: Rates, n_panel: int) -> np.ndarray:
    """Chances of a new choice before each typed site, float64[M]."""
    return 1 - np.exp(-4 * rates.effective_size * np.diff(cm, prepend=cm[0]) / 100 / n_panel)


def dosages(
    typed: np.ndarray,
    cm: np.ndarray,
    rates: Rates,
    observed: np.ndarray,
    asked: np.ndarray,
    asked_cm: np.ndarray,
) -> np.ndarray:
    """Dosage of ALT of target haplotypes ``observed[M, H]`` at panel sites ``asked[U, K]``, float64[U, H].

    Posteriors are interpolated linearly in centimorgans; outside the typed sites the nearest one counts.
    """
    columns = []
    for haplotype in observed.T:
        found = posteriors(typed, switches(cm, rates, typed.shape[1]), rates.error, haplotype)
        between = np.stack([np.interp(asked_cm, cm, found[:, k]) for k in range(typed.shape[1])], axis=1)
        columns.append((between * asked).sum(axis=1))
    return np.stack(columns, axis=1)
