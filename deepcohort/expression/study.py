"""Who is held out when, and what is taken out of measured expression by those trained on alone.

Confounders and principal components of expression, learnt from everybody, would tell the people trained on
about those held out; so each split has its own.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.expression.measured import Measured
from deepcohort.genome.arrays import load_arrays, save_arrays
from deepcohort.genome.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_PEOPLE = 10
"""With fewer people a correlation says nothing; so many each part of a split must have."""
SHARES = (0.25, 0.5, 0.75)
"""Shares of the people trained on, for the learning curve."""
SAMPLED_GENES = 40
"""Genes, by chance, of which the null and the learning curve are made: they cost most of the time."""


class Kind(StrEnum):
    """What is held out: people by chance; a population; people whose genomes are shuffled, or few taught.

    Of ``everybody`` nobody is held out: what is learnt there is for use elsewhere.
    """

    everybody = "everybody"
    people = "people"
    population = "population"
    permuted = "permuted"
    curve = "curve"


class Scale(StrEnum):
    """What measured expression is brought to before anything is learnt from it."""

    none = "none"
    log = "log"
    rank = "rank"


class Split(NamedTuple):
    """People trained on and held out, bool[people]; ``design`` float64[people, columns] is taken out."""

    kind: Kind
    group: str
    train: Bools
    held: Bools
    design: Floats


@dataclass(frozen=True)
class Study:
    """People with genotypes and expression, in the order of the expression, and the splits of them.

    populations: label of each, empty where not known. sampled: genes of the null and the learning curve.
    per_gene: whether expression was brought to one mean and spread in every gene. genome: int64[people],
    whose genome each one gets in the null.
    """

    people: list[str]
    populations: list[str]
    splits: list[Split]
    sampled: set[str]
    scale: Scale
    per_gene: bool
    genome: NDArray[np.int64]

    def adjusted(self, values: Floats, split: Split) -> Floats:
        """Expression float64[people] of a gene on the study's scale, without what the design explains.

        The mean is left as it is: that of the people trained on is the higher the lower the others are.
        """
        return residual(scaled(values, self.scale, split.train), split.design, split.train)


def shared_people(measured: Measured, genotyped: Sequence[str], cohort: str) -> tuple[list[int], list[str]]:
    """Columns of people with expression who have genotypes, and sentences on the others.

    Raises ``InputError`` where fewer than ``LEAST_PEOPLE`` are in both.
    """
    known = set(genotyped)
    shared = [n for n, name in enumerate(measured.people) if name in known]
    if len(shared) < LEAST_PEOPLE:
        raise InputError(
            f"{len(shared)} of the {len(measured.people)} people with expression have genotypes in {cohort}, "
            f"and {LEAST_PEOPLE} are needed: name people alike in both"
        )
    notes = []
    if without := len(measured.people) - len(shared):
        notes.append(f"{without:,} people with expression have no genotypes and were left out.")
    if without := len(known) - len(shared):
        notes.append(f"{without:,} people with genotypes have no expression: predicted, not evaluated.")
    return shared, notes


def make_study(
    measured: Measured, shared: list[int], covariates: Floats, populations: list[str],
    families: NDArray[np.int64], *, folds: int, components: int, scale: Scale, seed: int,
) -> Study:  # fmt: skip
    """Split the shared people; ``covariates`` float64[people, n] and ``families`` int64[people] are of them.

    Raises ``InputError`` where there are too few people or genes for the folds or components asked for.
    """
    people = [measured.people[n] for n in shared]
    values = measured.values[:, shared]
    if len(set(families.tolist())) < folds:
        raise InputError(f"{len(people)} people, relatives as one, cannot make {folds} folds: take fewer")
    if scale is Scale.log and np.nanmin(values, initial=0) < 0:
        raise InputError(
            "--expression_scale log: some expression is below 0, so it has been scaled already: take none"
        )
    if components and components >= min(len(values), len(people)) // 2:
        raise InputError(
            f"--expression_components {components} is too many for {len(values)} genes and {len(people)} "
            f"people: take fewer than {min(len(values), len(people)) // 2}"
        )
    rng = np.random.default_rng(seed)
    fold = _folds(families, folds, rng)
    splits = [
        Split(kind, group, train, held, _design(values, covariates, components, scale, train))
        for kind, group, train, held in _parts(fold, families, populations, rng)
    ]
    order = rng.permutation(len(measured.genes))[:SAMPLED_GENES]
    sampled = {measured.genes[n] for n in order}
    genome = rng.permutation(len(people))
    return Study(people, populations, splits, sampled, scale, normalised_by_gene(values), genome)


def _folds(families: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Fold of each person, relatives in one: by chance, the largest families first, to the smallest fold."""
    sizes = Counter(families.tolist())
    order = sorted(rng.permutation(sorted(sizes)).tolist(), key=lambda family: -sizes[family])
    full = [0] * folds
    taken = {}
    for family in order:
        taken[family] = full.index(min(full))
        full[taken[family]] += sizes[family]
    return np.array([taken[family] for family in families.tolist()])


def _parts(
    fold: NDArray[np.int64], families: NDArray[np.int64], populations: list[str], rng: np.random.Generator
) -> list[tuple[Kind, str, Bools, Bools]]:
    nobody = np.zeros(len(fold), np.bool_)
    found = [(Kind.everybody, "all", ~nobody, nobody)]
    for number in range(int(fold.max()) + 1):
        train, held = fold != number, fold == number
        found += [(Kind.people, "all", train, held), (Kind.permuted, "all", train, held)]
        order = rng.permutation(np.flatnonzero(train))
        for share in SHARES:
            some = np.zeros_like(train)
            some[order[: round(share * len(order))]] = True
            if some.sum() >= LEAST_PEOPLE:
                found.append((Kind.curve, f"{share:.0%}", some, held))
    labels = np.array(populations)
    for name in groups_to_hold_out(populations):
        held = labels == name
        train = ~held & ~np.isin(families, families[held])
        if train.sum() >= LEAST_PEOPLE:
            found.append((Kind.population, name, train, held))
    return found


def groups_to_hold_out(populations: Sequence[str]) -> list[str]:
    """Populations of enough people, where there are two or more of them."""
    large = sorted(name for name, n in Counter(populations).items() if name and n >= LEAST_PEOPLE)
    return large if len(large) > 1 else []


def _design(values: Floats, covariates: Floats, components: int, scale: Scale, train: Bools) -> Floats:
    """Covariates beside the scores of everybody on components that the people trained on alone made."""
    if not components:
        return covariates
    rows = np.array([scaled(row, scale, train) for row in values])
    learnt = rows[:, train]
    known = ~np.isnan(learnt).all(axis=1)
    mean = np.nanmean(learnt[known], axis=1, keepdims=True)
    spread = np.nanstd(learnt[known], axis=1, keepdims=True)
    some = spread[:, 0] > 0
    z = np.nan_to_num((rows[known][some] - mean[some]) / spread[some])
    axes = np.linalg.svd(z[:, train], full_matrices=False)[0][:, :components]
    return np.column_stack([covariates, z.T @ axes])


def scaled(values: Floats, scale: Scale, train: Bools) -> Floats:
    """Values float64[people] on a scale; ranks are those among the people trained on."""
    if scale is Scale.log:
        return np.log1p(values)
    if scale is Scale.none:
        return values
    from scipy.stats import norm

    known = np.sort(values[train & ~np.isnan(values)])
    if len(known) == 0:
        return np.full_like(values, np.nan)
    rank = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    made: Floats = np.where(np.isnan(values), np.nan, norm.ppf((rank + 0.25) / (len(known) + 0.5)))
    return made


def residual(values: Floats, design: Floats, train: Bools) -> Floats:
    """Values without what columns of ``design`` explain in the people trained on."""
    some = train & ~np.isnan(values)
    if design.shape[1] == 0 or not some.any():
        return values
    centred = design - design[some].mean(axis=0)
    slopes = np.linalg.lstsq(centred[some], values[some] - values[some].mean(), rcond=None)[0]
    left: Floats = values - centred @ slopes
    return left


def normalised_by_gene(values: Floats) -> bool:
    """Whether most genes have one mean and spread: then levels of genes cannot be compared any more."""
    usable = values[(~np.isnan(values)).sum(axis=1) >= LEAST_PEOPLE]
    if len(usable) < 2:
        return True
    mean, spread = np.nanmean(usable, axis=1), np.nanstd(usable, axis=1)
    alike = (np.abs(mean - np.median(mean)) < 0.1) & (np.abs(spread - np.median(spread)) < 0.1)
    return bool(alike.mean() > 0.5)


def save_study(path: Path, study: Study) -> None:
    """Write a study as arrays that ``load_study`` reads."""
    arrays = {
        "people": study.people,
        "populations": study.populations,
        "kinds": [split.kind.value for split in study.splits],
        "groups": [split.group for split in study.splits],
        "train": [split.train for split in study.splits],
        "held": [split.held for split in study.splits],
        "design": [split.design for split in study.splits],
        "sampled": sorted(study.sampled),
        "scale": study.scale.value,
        "per_gene": study.per_gene,
        "genome": study.genome,
    }
    save_arrays(path, arrays)


def load_study(path: Path) -> Study:
    """Read what ``save_study`` wrote."""
    read = load_arrays(path)
    columns = (read["kinds"].tolist(), read["groups"].tolist(), read["train"], read["held"], read["design"])
    splits = [
        Split(Kind(kind), group, train, held, design)
        for kind, group, train, held, design in zip(*columns, strict=True)
    ]
    return Study(
        read["people"].tolist(), read["populations"].tolist(), splits, set(read["sampled"].tolist()),
        Scale(str(read["scale"])), bool(read["per_gene"]), read["genome"],
    )  # fmt: skip
