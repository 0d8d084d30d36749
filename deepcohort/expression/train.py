"""Training of a sequence model on differences between people of the same gene.

Levels of genes, which sequence models learn from one genome, tell nothing of people; so a loss compares
people with people, as Rastogi et al. (2024) and Drusinsky et al. (2026, Genome Biology) found to work. Whole
chromosomes are held out as well, to tell what is known of genes that nobody taught.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcohort.expression.cnn import BIN, Cnn, Network, Shape, description
from deepcohort.expression.facts import write_facts
from deepcohort.expression.genes import Gene, load_genes
from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.measured import Measured, read_measured
from deepcohort.expression.part import Part
from deepcohort.expression.people import GeneSequences, Sequences
from deepcohort.expression.settings import Settings
from deepcohort.expression.study import LEAST_PEOPLE, Kind, Study
from deepcohort.expression.taught import save_taught
from deepcohort.expression.teachable import Teachable
from deepcohort.genome.checkpoint import Course, Limits, train_to_best
from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
TOGETHER = 32
"""People of one gene who are compared in one step."""
RATE, DECAY = 1e-3, 1e-2
"""Step and weight decay of AdamW."""
UNSEEN = 0.2
"""Share of genes that whole chromosomes held out have, if it can be had; at most half."""
SCORE_COLUMNS = ("gene", "people", "taught", "r")


class Lesson(NamedTuple):
    """A gene: unique letters uint8[n, length]; int64[people, 2] whose; float32[people] expression.

    People are those of the study; expression, NaN if unknown, is standardised by the people trained on.
    seen: whether it is taught, and not only asked of people held out.
    """

    gene: str
    letters: NDArray[np.uint8]
    of: NDArray[np.int64]
    y: NDArray[np.float32]
    seen: bool = True


class Groups(NamedTuple):
    """People, bool[people]: trained on, telling when to stop, and held out of both."""

    train: NDArray[np.bool_]
    stop: NDArray[np.bool_]
    held: NDArray[np.bool_]


@dataclass(frozen=True)
class Trained:
    """The course, the groups and the correlation of each gene across people held out."""

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


def unseen_chroms(genes: Sequence[Gene], seed: int) -> list[str]:
    """Chromosomes by chance whose genes are not taught; none where all genes are on one."""
    sizes = Counter(gene.chrom for gene in genes)
    chosen: list[str] = []
    held = 0
    for chrom in np.random.default_rng(seed).permutation(sorted(sizes)).tolist():
        if held < UNSEEN * len(genes) and 2 * (held + sizes[chrom]) <= len(genes):
            chosen.append(chrom)
            held += sizes[chrom]
    return sorted(chosen)


def lessons(
    genes: Sequence[Gene], sequences: Sequences, measured: Measured, study: Study, fold: int,
    model: Teachable, unseen: Sequence[str] = (),
) -> Iterator[Lesson]:  # fmt: skip
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
        found = sequences.of_gene(gene, model.before, model.after, stranded=model.stranded)
        if found is not None and len(found.unique) > 1:
            standard = ((y - known.mean()) / known.std()).astype(np.float32)
            yield Lesson(gene.gene, found.unique, _both(found)[theirs], standard, gene.chrom not in unseen)


def _both(found: GeneSequences) -> NDArray[np.int64]:
    """Whose sequences are whose; people with one have it twice, which leaves their mean as it is."""
    return np.where(found.of < 0, found.of[:, :1], found.of).astype(np.int64)


class Asked:
    """A model of which a part is taught; what the last layer sees is kept where nothing else is taught."""

    def __init__(self, model: Teachable, part: Part, given: Sequence[Lesson]) -> None:
        self.model, self.part = model, part
        self.parameters = model.taught(part)
        self.kept = {lesson.gene: self._before_last(lesson) for lesson in given} if part is Part.head else {}

    def of(self, lesson: Lesson, people: NDArray[np.intp]) -> Tensor:
        """Predictions [people], each unique sequence asked once."""
        wanted, place = np.unique(lesson.of[people], return_inverse=True)
        made = self._of_sequences(lesson, wanted)[:, 0]
        both: Tensor = made[torch.from_numpy(place.reshape(-1, 2)).to(made.device)].mean(dim=1)
        return both

    def _of_sequences(self, lesson: Lesson, wanted: NDArray[np.intp]) -> Tensor:
        model = self.model
        if self.part is Part.head:
            made: Tensor = model.last(self.kept[lesson.gene][wanted].to(model.device))
            return made
        if self.part is Part.frozen_trunk:
            return model.rest(torch.from_numpy(model.features(lesson.letters[wanted])).to(model.device))
        return model.rest(model.first(torch.from_numpy(ONE_HOT[lesson.letters[wanted]]).to(model.device)))

    def _before_last(self, lesson: Lesson) -> Tensor:
        """[unique sequences, width]."""
        made = []
        with torch.no_grad():
            for first in range(0, len(lesson.letters), TOGETHER):
                features = self.model.features(lesson.letters[first : first + TOGETHER])
                made.append(self.model.pooled(torch.from_numpy(features).to(self.model.device)).cpu())
        return torch.cat(made)


def train(
    model: Teachable, part: Part, given: Sequence[Lesson], told: Groups, limits: Limits, seed: int,
    checkpoint: Path | None = None, of: dict[str, Any] | None = None,
) -> Trained:  # fmt: skip
    """Teach a part of a model in place, until the people who tell when to stop are told no better.

    The loss of a step is the mean squared error of the differences between all pairs of some people of one
    gene, halved: the variance of the error among them. checkpoint, of: see ``train_to_best``.

    Raises ``InputError`` where there is no gene to teach.
    """
    seen = [lesson for lesson in given if lesson.seen]
    if not seen:
        raise InputError(
            "no gene has a sequence that differs between people and expression that does: nothing to train on"
        )
    asked = Asked(model, part, given)
    taught = nn.ParameterList(asked.parameters.values()).requires_grad_(True)
    optimizer = torch.optim.AdamW(taught.parameters(), lr=RATE, weight_decay=DECAY)

    def epoch(done: int) -> None:
        for lesson, people in _steps(seen, told.train, np.random.default_rng([seed, done])):
            loss = _difference(asked.of(lesson, people), lesson.y[people])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def held_out_loss() -> float:
        return float(np.mean([float(_loss_of(asked, one, told.stop)) for one in seen]))

    said = (of or {}) | {"lessons": _digest(given), "seed": seed, "part": part.value}
    course = train_to_best(taught, optimizer, limits, epoch, held_out_loss, checkpoint, said)
    taught.requires_grad_(False)
    return Trained(course, told, _scores(asked, given, told.held))


def _digest(given: Sequence[Lesson]) -> str:
    """What is taught, told from all else by a checkpoint."""
    found = hashlib.sha256()
    for lesson in given:
        found.update(f"{lesson.gene} {lesson.seen}".encode())
        for array in (lesson.letters, lesson.of, lesson.y):
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


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


def _difference(made: Tensor, y: NDArray[np.float32]) -> Tensor:
    error = made - torch.from_numpy(y).to(made.device)
    return ((error - error.mean()) ** 2).mean()


def _loss_of(asked: Asked, lesson: Lesson, some: NDArray[np.bool_]) -> Tensor:
    people = np.flatnonzero(some & ~np.isnan(lesson.y))
    with torch.no_grad():
        return _difference(asked.of(lesson, people), lesson.y[people])


def _scores(asked: Asked, given: Sequence[Lesson], held: NDArray[np.bool_]) -> dict[str, float]:
    """Correlation across people held out, 0 where predictions are constant."""
    found = {}
    for lesson in given:
        people = np.flatnonzero(held & ~np.isnan(lesson.y))
        with torch.no_grad():
            made = asked.of(lesson, people).cpu().numpy()
        y = lesson.y[people]
        spread = float(made.std() * y.std())
        found[lesson.gene] = float(((made - made.mean()) * (y - y.mean())).mean() / spread) if spread else 0.0
    return found


def facts(
    trained: Trained, study: Study, given: Sequence[Lesson], unseen: Sequence[str], fold: int, seed: int
) -> dict[str, Any]:
    """What is written beside the weights."""
    names = np.array(study.people)
    return {
        "trained_on": names[trained.groups.train | trained.groups.stop].tolist(),
        "held_out": names[trained.groups.held].tolist(),
        "genes": [lesson.gene for lesson in given if lesson.seen],
        "unseen_chroms": list(unseen),
        "held_out_mean_r": {
            what: _mean([trained.r[lesson.gene] for lesson in given if lesson.seen is seen])
            for what, seen in (("genes", True), ("unseen_genes", False))
        },
        "losses": trained.course.losses,
        "best": trained.course.best,
        "fold": fold + 1,
        "seed": seed,
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def checked_shape(context: int) -> Shape:
    """A shape of so many bases; raises ``InputError`` where they are no whole bins on both sides."""
    if context % (2 * BIN) or context < 512:
        raise InputError(f"--context {context}: cnn sees whole pairs of bins of {BIN} bases: give 8192")
    return Shape(context)


def pupil(name: str, settings: Settings, part: Part, seed: int) -> tuple[Teachable, dict[str, Any]]:
    """A model to teach, and what it is, as JSON knows it: a new ``cnn`` unless it has weights.

    Raises ``InputError`` for models that are not taught here, or not by this part.
    """
    torch.manual_seed(seed)
    if name == "enformer":
        from deepcohort.expression.tuned import Tunable

        if part is Part.all:
            raise InputError("--part all: of enformer the trunk stays as it is: take head or frozen_trunk")
        tunable = Tunable(settings)
        return tunable, tunable.description(part)
    if name != "cnn":
        raise InputError(f"--model {name}: is not taught here: take cnn or enformer")
    settings.without(name, "bins")
    if settings.weights is not None:
        known = Cnn(settings)
        return known, description(known.shape)
    if part is not Part.all:
        raise InputError(f"--part {part}: a new cnn has nothing to keep as it is: give its --weights, or all")
    shape = checked_shape(settings.context or Shape.context)
    return Cnn.of(Network(shape), shape, settings.device), description(shape)


def train_files(
    genes: Sequence[Path], fasta: Path, genotypes: Sequence[Path], expression: Path, study: Study, out: Path,
    out_scores: Path, out_facts: Path, *, name: str, settings: Settings, part: Part, fold: int,
    limits: Limits, seed: int, checkpoint: Path | None,
) -> None:  # fmt: skip
    """Train on tables of genes, each of one chromosome, and write weights, scores and facts.

    Raises ``InputError`` for a window, fold or data that cannot be trained on.
    """
    (model, what), told, measured = (
        pupil(name, settings, part, seed),
        groups(study, fold),
        read_measured(expression),
    )
    tables = [load_genes(table) for table in sorted(genes)]
    known = set(measured.genes)
    unseen = unseen_chroms([gene for some in tables for gene in some if gene.gene in known], seed)
    given: list[Lesson] = []
    for some in tables:
        sequences = Sequences(fasta, genotypes, some[0].chrom, seed=seed)
        given += lessons(some, sequences, measured, study, fold, model, unseen)
        sequences.check_reference()
    made = train(model, part, given, told, limits, seed, checkpoint, {"what": what, "fold": fold})
    said = what | facts(made, study, given, unseen, fold, seed)
    # All of a small network, so that the file needs no other beside it.
    arrays = model.named() if name == "cnn" else model.taught(part)
    save_taught(out, arrays, said)
    write_facts(out_facts, said)
    log.info("mean r across people held out: %s", said["held_out_mean_r"])
    people = str(int(told.held.sum()))
    rows = [
        {
            "gene": one.gene,
            "people": people,
            "taught": "yes" if one.seen else "no",
            "r": f"{made.r[one.gene]:.4f}",
        }
        for one in given
    ]
    write_table(out_scores, rows, SCORE_COLUMNS)
