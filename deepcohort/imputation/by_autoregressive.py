"""The autoregressive networks: models of genotypes, which know nothing of phase."""

from dataclasses import asdict
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcohort.genome.checkpoint import Course
from deepcohort.genome.devices import torch_device
from deepcohort.genome.errors import InputError
from deepcohort.genome.progress import progress
from deepcohort.imputation.autoregressive import (
    HEADS,
    Architecture,
    Network,
    generate,
    genotype_counts,
    log_frequencies,
)
from deepcohort.imputation.autoregressive_training import Lessons, learn
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Float32, Settings
from deepcohort.imputation.network_options import NetworkOptions
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.panel_people import genotypes_of, people_of
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from deepcohort.imputation.windows import NOTHING, Windows, cut

HIDDEN = {Imputer.lstm: 12, Imputer.gpt: 64}
LAYERS = {Imputer.lstm: 1, Imputer.gpt: 2}
"""Sizes of the networks where none is asked for."""

LARGEST_PANEL = 2000
"""People of the panel that a network reads at most, drawn where there are more."""

HELD_OUT, LARGEST_SHARE, FEWEST = 64, 0.1, 3
"""People of the panel who tell when to stop: so many, as a share at most, and at least."""

ROWS = 2048
"""Pairs of a window and a person that are imputed at once."""

DIRECTIONS = ("forwards", "backwards")

UInt8 = NDArray[np.uint8]


def train(panel: PanelChunk, typed: NDArray[np.int64], settings: Settings) -> Trained:
    """Train a network for each direction; see ``Model``. With too little to learn from, none is trained."""
    device, options = torch_device(settings.device, settings.threads), settings.network
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(people_of(panel))
    n_held_out = min(HELD_OUT, max(FEWEST, int(LARGEST_SHARE * len(order))))
    enough = len(order) > 2 * n_held_out and 0 < len(typed) < panel.n_sites
    held_out = np.sort(order[:n_held_out]) if enough else order[:0]
    read = np.sort(order[n_held_out:][:LARGEST_PANEL]) if enough else np.sort(order[:LARGEST_PANEL])
    shape = _architecture(settings.imputer, len(read), panel.n_sites, options)
    weights: dict[str, NDArray[Any]] = {"people": read}
    courses: dict[str, Course] = {}
    for direction in _directions(options):
        torch.manual_seed(settings.seed)
        network = Network(shape).to(device)
        if enough:
            windows = cut(panel.n_sites, typed, options.window, options.flank, direction == "backwards")
            lessons = _lessons(panel, windows, typed, read, held_out).to(device)
            kept = settings.checkpoint / f"{direction}.safetensors" if settings.checkpoint else None
            courses[direction] = learn(network, lessons, settings.imputer, options, settings.seed, kept)
        state = network.state_dict().items()
        weights |= {f"{direction}.{name}": value.cpu().numpy() for name, value in state}
    facts = {
        "architecture": asdict(shape),
        "options": asdict(options),
        "layout": "(g - G) mod 3 of the previous genotype g against each of `people` at the site; 0/1/2 ALT",
        "panel_people_read": len(read),
        "sites": panel.n_sites,
        "typed": len(typed),
        "seed": settings.seed,
        "people": len(held_out),
        **_losses(list(courses.values())),
        "courses": {direction: asdict(course) for direction, course in courses.items()},
    }
    return Trained(settings.imputer, facts, weights)


def impute(
    panel: PanelChunk, target: TargetChunk, sites: NDArray[np.int64], trained: Trained, settings: Settings
) -> Float32:
    """Chances of genotypes, and of haploid people half of the dosage. See ``Model``."""
    genotypes = genotype_chances(panel, target, trained, settings)[sites]
    chances = np.empty((len(sites), 2 * len(target.samples)), np.float32)
    half = genotypes @ np.array([0.0, 0.5, 1.0], np.float32)
    chances[:, 0::2] = np.where(target.haploid, half, genotypes[..., 1])
    chances[:, 1::2] = np.where(target.haploid, half, genotypes[..., 2])
    return np.clip(chances, 0, 1, out=chances)


def genotype_chances(panel: PanelChunk, target: TargetChunk, trained: Trained, settings: Settings) -> Float32:
    """Chances of 0, 1 and 2 copies of ALT, float32[S, n, 3], at all sites of the chunk."""
    if trained.facts["sites"] != panel.n_sites or not np.isin(trained.weights["people"], panel.person).all():
        raise InputError("the network was trained on another panel chunk: make it by train-chunk")
    device = torch_device(settings.device, settings.threads)
    options = NetworkOptions(**trained.facts["options"])
    columns = np.searchsorted(people_of(panel), trained.weights["people"])
    genotypes = genotypes_of(panel, np.arange(panel.n_sites))[:, columns]
    observed = _observed(target, panel.n_sites)
    found: Float32 | None = None
    for direction in _directions(options):
        network = _network(trained, direction).to(device)
        windows = cut(panel.n_sites, target.typed, options.window, options.flank, direction == "backwards")
        chances = _generate(network, windows, genotypes, observed, device)
        found = chances if found is None else _combined(found, chances, genotypes)
    assert found is not None
    return found


def _directions(options: NetworkOptions) -> tuple[str, ...]:
    return DIRECTIONS if options.bidirectional else DIRECTIONS[:1]


def _architecture(imputer: Imputer, people: int, n_sites: int, options: NetworkOptions) -> Architecture:
    hidden = options.hidden or HIDDEN[imputer]
    if imputer is Imputer.gpt and hidden % HEADS:
        raise InputError(
            f"hidden size {hidden}: the transformer has {HEADS} heads: give a multiple of {HEADS}"
        )
    longest = options.flank + ceil(n_sites / ceil(n_sites / options.window))
    layers = options.layers or LAYERS[imputer]
    return Architecture(str(imputer), people, longest, options.embedding, hidden, layers)


def _losses(courses: list[Course]) -> dict[str, float | None]:
    """Loss of the held-out people and that of the untrained network, the mean of the directions."""
    if not courses:
        return {"loss": None, "start_loss": None}
    return {
        "loss": float(np.mean([course.losses[course.best] for course in courses])),
        "start_loss": float(np.mean([course.losses[0] for course in courses])),
    }


def _lessons(
    panel: PanelChunk,
    windows: Windows,
    typed: NDArray[np.int64],
    read: NDArray[np.int32],
    held_out: NDArray[np.int32],
) -> Lessons:
    genotypes, people = genotypes_of(panel, np.arange(panel.n_sites)), people_of(panel)
    parts = [along(windows, genotypes[:, np.searchsorted(people, group)]) for group in (read, held_out)]
    present = windows.sites != NOTHING
    known = np.isin(windows.sites, typed)
    return Lessons(*(torch.from_numpy(array) for array in (*parts, present, windows.own, known)))


def along(windows: Windows, values: NDArray[Any]) -> NDArray[Any]:
    """Rows of sites, [S, n], put along windows, [W, T, n]; zeros where there is no site."""
    found = values[windows.sites]
    found[windows.sites == NOTHING] = 0
    return found


def _observed(target: TargetChunk, n_sites: int) -> NDArray[np.int8]:
    """Typed genotypes of the targets, int8[S, n]; -1 where not typed or an allele is missing."""
    alleles = target.genotypes.copy()
    alleles[:, target.haploid, 1] = alleles[:, target.haploid, 0]
    observed = np.full((n_sites, len(target.samples)), -1, np.int8)
    observed[target.typed] = np.where((alleles >= 0).all(axis=2), alleles.sum(axis=2, dtype=np.int8), -1)
    return observed


def _network(trained: Trained, direction: str) -> Network:
    network = Network(Architecture(**trained.facts["architecture"]))
    prefix = f"{direction}."
    state = {
        name.removeprefix(prefix): torch.from_numpy(value)
        for name, value in trained.weights.items()
        if name.startswith(prefix)
    }
    network.load_state_dict(state)
    return network.eval()


def _generate(
    network: Network, windows: Windows, genotypes: UInt8, observed: NDArray[np.int8], device: str
) -> Float32:
    """Chances of the genotypes at all sites, float32[S, n, 3], windows and people group by group."""
    n_windows, n_people = len(windows.sites), observed.shape[1]
    people_at_once = min(n_people, ROWS)
    windows_at_once = max(1, ROWS // people_at_once)
    found = np.empty((*observed.shape, 3), np.float32)
    with progress("windows imputed", n_windows) as bar:
        for first in range(0, n_windows, windows_at_once):
            group = Windows(windows.sites[first : first + windows_at_once], windows.flank)
            panel = torch.from_numpy(along(group, genotypes)).to(device)
            present = torch.from_numpy(group.sites != NOTHING).to(device)
            for at in range(0, n_people, people_at_once):
                people = slice(at, at + people_at_once)
                known = torch.from_numpy(along(group, observed[:, people])).to(device)
                chances = generate(network, panel, known, present).cpu().numpy()
                found[group.sites[group.own], people] = chances[group.own]
            bar.update(len(group.sites))
    return found


def _combined(one: Float32, other: Float32, genotypes: UInt8) -> Float32:
    """Chances from left and right: independent given the genotype, whose frequency counts once."""
    frequency = log_frequencies(genotype_counts(torch.from_numpy(genotypes)))[:, None]
    raised = torch.from_numpy(one).log() + torch.from_numpy(other).log() - frequency
    return np.asarray(raised.softmax(dim=-1).numpy(), np.float32)
