"""A caller trained on files of examples: network and trees, and how well each does on examples held out."""

import logging
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.variants.callers import (
    Ensemble,
    NetworkCaller,
    TreeCaller,
    load_caller,
    save_sidecar,
    save_weights,
)
from deepcohort.variants.evidence import Evidence
from deepcohort.variants.examples import Examples, Facts
from deepcohort.variants.familiar import ranges_of
from deepcohort.variants.features import NAMES
from deepcohort.variants.genotypes import LEAST_LOG
from deepcohort.variants.names import Name
from deepcohort.variants.tensors import LAYOUTS
from deepcohort.variants.training import How, Lessons, learn, new_network
from deepcohort.variants.trees import Kind, grow

log = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TYPES = ("snp", "insertion", "deletion")
QUALITIES = (0, 5, 10, 20, 30, 40)
"""Lower bounds of the rows of reliability, phred."""


def train_caller(
    lessons: Lessons,
    out: Path,
    how: How,
    *,
    device: str = "cpu",
    start: Path | None = None,
    checkpoint: Path | None = None,
) -> None:
    """Train the network and the trees, and write the folder of a caller.

    start: a folder of a caller whose network is trained on. Raises ``InputError`` where examples are of
    several layouts, lack a class, or ``start`` is of another layout.
    """
    files = facts_of(lessons)
    layout, features = files[0].layout, np.concatenate([one.features for one in files])
    copies = np.concatenate([one.copies for one in files])
    if len(np.unique(copies)) < 3:
        raise InputError(
            f"the examples hold only {np.unique(copies).tolist()} copies, all of 0, 1 and 2 are needed: "
            "give more training data"
        )
    members: dict[Name, TreeCaller | NetworkCaller] = {}
    for kind in Kind:
        trees = grow(kind, features, copies, how.seed)
        save_weights(out, kind.value, trees.arrays())
        members[Name(kind.value)] = TreeCaller(trees)
    network = new_network(layout, features, how) if start is None else started(start, layout, device)
    course = learn(network, lessons, how, device, checkpoint)
    save_weights(out, "network", {key: value.cpu().numpy() for key, value in network.state_dict().items()})
    members[Name.cnn] = NetworkCaller(network.eval(), LAYOUTS[layout], device)
    weights = sum(parameter.numel() for parameter in network.parameters())
    save_sidecar(
        out,
        layout,
        {
            "weights_of_network": weights,
            "reads": ranges_of([one.features for one in files]),
            "training": {"files": [path.stem for path in lessons.training], "examples": len(copies)},
            "epochs": course.epochs,
            "best_epoch": course.best,
            "losses": [round(loss, 6) for loss in course.losses],
            "class_weights": list(how.class_weights),
            "seed": how.seed,
            "held_out": held_out_figures(members, lessons.held_out),
        },
    )


def started(folder: Path, layout: str, device: str) -> Any:
    """The network of a caller, to be trained on; raises ``InputError`` where it is of another layout."""
    caller = load_caller(Name.cnn, folder, device)
    assert isinstance(caller, NetworkCaller)
    if caller.shape != LAYOUTS[layout]:
        raise InputError(
            f"{folder}: a caller of another layout than the examples ({layout}): make them alike"
        )
    return caller.network


def facts_of(lessons: Lessons) -> list[Facts]:
    """What the files to learn from tell; raises ``InputError`` where examples are of several layouts."""
    found = [Facts.load(path) for path in lessons.training]
    others = [(path, Facts.load(path)) for path in lessons.held_out]
    layout = found[0].layout
    for path, own in [*zip(lessons.training, found, strict=True), *others]:
        if own.layout != layout:
            raise InputError(
                f"{path.name}: examples of the layout {own.layout}, the others are of {layout}: make all "
                "alike"
            )
    return found


def held_out_figures(
    members: dict[Name, TreeCaller | NetworkCaller], paths: Sequence[Path]
) -> dict[str, dict[str, Any]]:
    """By caller: examples, errors (wrong number of copies) and loss by type of allele; and reliability."""
    judged: dict[str, list[Float64]] = {name.value: [] for name in (Name.haplotypes, *members, Name.ensemble)}
    kinds: list[Int64] = []
    copies: list[Int64] = []
    everyone = Ensemble(list(members.values()))
    for path in paths:
        examples = Examples.load(path)
        evidence = examples.evidence
        judged[Name.haplotypes].append(_said(evidence))
        for name, member in members.items():
            judged[name].append(member.log_chances(evidence))
        judged[Name.ensemble].append(everyone.log_chances(evidence))
        kinds.append(evidence.features[:, [NAMES.index(kind) for kind in TYPES]].argmax(axis=1))
        copies.append(examples.copies)
    kind, true = np.concatenate(kinds), np.concatenate(copies)
    found: dict[str, dict[str, Any]] = {}
    for who, parts in judged.items():
        logs = np.concatenate(parts)
        found[who] = {label: _figures(logs[kind == k], true[kind == k]) for k, label in enumerate(TYPES)}
        found[who]["reliability"] = reliability(logs, true)
    return found


def reliability(log_chances: Float64, copies: Int64) -> list[dict[str, float]]:
    """By phred of the chance that the likeliest number of copies is wrong: how often it is, told and true."""
    best = log_chances.argmax(axis=1)
    told = -np.expm1(log_chances[np.arange(len(best)), best])
    phred = -10 * np.log10(np.maximum(told, 1e-10))
    rows = []
    for low, high in pairwise((*QUALITIES, np.inf)):
        own = (phred >= low) & (phred < high)
        if own.any():
            wrong = (best != copies)[own].mean()
            row = {"from": low, "examples": int(own.sum()), "told": told[own].mean(), "wrong": wrong}
            rows.append({key: round(float(value), 6) for key, value in row.items()})
    return rows


def _said(evidence: Evidence) -> Float64:
    said = np.maximum(evidence.log_chances, LEAST_LOG)
    total: Float64 = said - np.logaddexp.reduce(said, axis=1, keepdims=True)
    return total


def _figures(log_chances: Float64, copies: Int64) -> dict[str, float]:
    wrong = int((log_chances.argmax(axis=1) != copies).sum())
    loss = -log_chances[np.arange(len(copies)), copies].mean() if len(copies) else 0.0
    return {"examples": len(copies), "errors": wrong, "loss": round(float(loss), 5)}
