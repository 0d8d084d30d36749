"""Training of a sequence model on differences between people of the same gene.

Levels of genes, which sequence models learn from one genome, tell nothing of people; so a loss compares
people with people, as Rastogi et al. (2024) and Drusinsky et al. (2026, Genome Biology) found to work.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcohort.expression.cnn import BIN, Network, Shape, save
from deepcohort.expression.genes import Gene, load_genes
from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.measured import Measured, read_measured
from deepcohort.expression.people import GeneSequences, Sequences
from deepcohort.expression.study import LEAST_PEOPLE, Kind, Study
from deepcohort.genome.checkpoint import Course, Limits, train_to_best
from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
TOGETHER = 32
"""People of one gene who are compared in one step."""
RATE, DECAY = 1e-3, 1e-2
"""Step and weight decay of AdamW."""
SCORE_COLUMNS = ("gene", "people", "r")


class Lesson(NamedTuple):
    """A gene: unique letters uint8[n, length]; int64[people, 2] whose; float32[people] expression.

    People are those of the study; expression, NaN if unknown, is standardised by the people trained on.
    """

    gene: str
    letters: NDArray[np.uint8]
    of: NDArray[np.int64]
    y: NDArray[np.float32]


class Groups(NamedTuple):
    """People, bool[people]: trained on, telling when to stop, and held out of both."""

    train: NDArray[np.bool_]
    stop: NDArray[np.bool_]
    held: NDArray[np.bool_]


@dataclass(frozen=True)
class Trained:
    """A network, its course, its groups and the correlation of each gene across people held out."""

    network: Network
    course: Course
    groups: Groups
    r: dict[str, float]


def groups(study: Study, fold: int) -> Groups:
    """A fold (from 0) is held out, the next one tells when to stop: relatives are in one fold already.

    Raises ``InputError`` where the study has no such fold, or fewer than three.
    """
    held = [split.held for split in study.splits if split.kind is Kind.people]
    if not 0 <= fold < len(held) or len(held) < 3:
        raise InputError(
            f"--fold {fold + 1}: the study has {len(held)} folds, of which training needs three: give 1 to "
            f"{len(held)}, or prepare it with more"
        )
    stop = held[(fold + 1) % len(held)]
    return Groups(~held[fold] & ~stop, stop, held[fold])


def lessons(
    genes: Sequence[Gene], sequences: Sequences, measured: Measured, study: Study, fold: int, shape: Shape
) -> Iterator[Lesson]:
    """Genes that have a sequence, and expression that differs between enough people trained on."""
    split = [one for one in study.splits if one.kind is Kind.people][fold]
    told = groups(study, fold)
    row = {name: n for n, name in enumerate(measured.genes)}
    column = {name: n for n, name in enumerate(measured.people)}
    place = {name: n for n, name in enumerate(sequences.people)}
    ours, theirs = [column[name] for name in study.people], [place[name] for name in study.people]
    for gene in genes:
        if gene.gene not in row:
            continue
        y = study.adjusted(measured.values[row[gene.gene], ours], split)
        known = y[told.train & ~np.isnan(y)]
        if len(known) < LEAST_PEOPLE or np.ptp(known) == 0:
            continue
        found = sequences.of_gene(gene, shape.context // 2, shape.context // 2 - 1)
        if found is not None and len(found.unique) > 1:
            standard = ((y - known.mean()) / known.std()).astype(np.float32)
            yield Lesson(gene.gene, found.unique, _both(found)[theirs], standard)


def _both(found: GeneSequences) -> NDArray[np.int64]:
    """Whose sequences are whose; people with one have it twice, which leaves their mean as it is."""
    return np.where(found.of < 0, found.of[:, :1], found.of).astype(np.int64)


def train(
    given: Sequence[Lesson], told: Groups, shape: Shape, limits: Limits, device: str, seed: int
) -> Trained:
    """Train a network until the people who tell when to stop are told no better.

    The loss of a step is the mean squared error of the differences between all pairs of some people of one
    gene, halved: the variance of the error among them. Raises ``InputError`` where there is no gene.
    """
    if not given:
        raise InputError(
            "no gene has a sequence that differs between people and expression that does: nothing to train on"
        )
    torch.manual_seed(seed)
    network = Network(shape).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)

    def epoch(done: int) -> None:
        network.train()
        for lesson, people in _steps(given, told.train, np.random.default_rng([seed, done])):
            loss = _difference(_ask(network, lesson, people, device), lesson.y[people])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def held_out_loss() -> float:
        network.eval()
        with torch.no_grad():
            return float(np.mean([float(_loss_of(network, one, told.stop, device)) for one in given]))

    course = train_to_best(network, optimizer, limits, epoch, held_out_loss, None, {})
    network.eval()
    return Trained(network, course, told, _scores(network, given, told.held, device))


def _steps(
    given: Sequence[Lesson], some: NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[tuple[Lesson, NDArray[np.intp]]]:
    """All people of all genes once, in groups of one gene, by chance."""
    steps = []
    for n, lesson in enumerate(given):
        people = rng.permutation(np.flatnonzero(some & ~np.isnan(lesson.y)))
        steps += [(n, part) for part in np.array_split(people, -(-len(people) // TOGETHER)) if len(part) > 1]
    for at in rng.permutation(len(steps)).tolist():
        n, part = steps[at]
        yield given[n], part


def _ask(network: Network, lesson: Lesson, people: NDArray[np.intp], device: str) -> Tensor:
    """Predictions [people], each unique sequence asked once."""
    wanted, place = np.unique(lesson.of[people], return_inverse=True)
    made = network(torch.from_numpy(ONE_HOT[lesson.letters[wanted]]).to(device))[:, 0]
    both: Tensor = made[torch.from_numpy(place.reshape(-1, 2)).to(device)].mean(dim=1)
    return both


def _difference(made: Tensor, y: NDArray[np.float32]) -> Tensor:
    error = made - torch.from_numpy(y).to(made.device)
    return ((error - error.mean()) ** 2).mean()


def _loss_of(network: Network, lesson: Lesson, some: NDArray[np.bool_], device: str) -> Tensor:
    people = np.flatnonzero(some & ~np.isnan(lesson.y))
    return _difference(_ask(network, lesson, people, device), lesson.y[people])


def _scores(
    network: Network, given: Sequence[Lesson], held: NDArray[np.bool_], device: str
) -> dict[str, float]:
    """Correlation across people held out, 0 where predictions are constant."""
    found = {}
    for lesson in given:
        people = np.flatnonzero(held & ~np.isnan(lesson.y))
        with torch.no_grad():
            made = _ask(network, lesson, people, device).cpu().numpy()
        y = lesson.y[people]
        spread = float(made.std() * y.std())
        found[lesson.gene] = float(((made - made.mean()) * (y - y.mean())).mean() / spread) if spread else 0.0
    return found


def facts(trained: Trained, study: Study, given: Sequence[Lesson], fold: int, seed: int) -> dict[str, object]:
    """What is written beside the weights."""
    names = np.array(study.people)
    return {
        "trained_on": names[trained.groups.train | trained.groups.stop].tolist(),
        "genes": [lesson.gene for lesson in given],
        "held_out_people": int(trained.groups.held.sum()),
        "held_out_mean_r": float(np.mean(list(trained.r.values()))),
        "losses": trained.course.losses,
        "best": trained.course.best,
        "fold": fold + 1,
        "seed": seed,
    }


def checked_shape(context: int) -> Shape:
    """A shape of so many bases; raises ``InputError`` where they are no whole bins on both sides."""
    if context % (2 * BIN) or context < 512:
        raise InputError(f"--context {context}: cnn sees whole pairs of bins of {BIN} bases: give 8192")
    return Shape(context)


def train_files(
    genes: Sequence[Path], fasta: Path, genotypes: Sequence[Path], expression: Path, study: Study, out: Path,
    out_scores: Path, *, fold: int, context: int, limits: Limits, device: str, seed: int,
) -> None:  # fmt: skip
    """Train on tables of genes, each of one chromosome, and write weights and scores.

    Raises ``InputError`` for a window, fold or data that cannot be trained on.
    """
    shape, told, measured = checked_shape(context), groups(study, fold), read_measured(expression)
    given: list[Lesson] = []
    for table in sorted(genes):
        some = load_genes(table)
        sequences = Sequences(fasta, genotypes, some[0].chrom, seed=seed)
        given += lessons(some, sequences, measured, study, fold, shape)
        sequences.check_reference()
    made = train(given, told, shape, limits, device, seed)
    save(out, made.network, shape, facts(made, study, given, fold, seed))
    log.info("mean r of %d genes across people held out: %.3f", len(made.r), np.mean(list(made.r.values())))
    people = str(int(told.held.sum()))
    rows = [{"gene": gene, "people": people, "r": f"{r:.4f}"} for gene, r in made.r.items()]
    write_table(out_scores, rows, SCORE_COLUMNS)
