"""Plain models fitted to measured expression, gene by gene and split by split, and asked of others."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.baselines import AROUND, METHODS, fit
from deepcohort.expression.dosages import Genotypes, Variant
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.predictdb import Weights, variant_name
from deepcohort.expression.study import LEAST_PEOPLE, Kind, Split, Study
from deepcohort.genome.progress import progress

Floats = NDArray[np.float64]
GIVEN = "predictdb"
"""Name of a user's weights among the methods."""
EXPORTED = "elastic_net"
"""The method whose weights, learnt from everybody, are written for other programs."""
KEYS = ("cohort", "gene", "kind", "group", "person", "genome", "variants", "measured")
WEIGHTS = ("gene", "name", "chrom", "pos", "id", "ref", "alt", "weight")
COVARIANCES = ("gene", "one", "other", "value")
TEXT = {
    "cohort",
    "gene",
    "kind",
    "group",
    "person",
    "genome",
    "name",
    "chrom",
    "id",
    "ref",
    "alt",
    "one",
    "other",
}


class Fits(NamedTuple):
    """Tables of held-out people (``KEYS`` and a column a method), of weights and of their covariances."""

    heldout: pd.DataFrame
    weights: pd.DataFrame
    covariances: pd.DataFrame


def fit_genes(
    cohort: str, genes: Sequence[Gene], measured: Measured, genotypes: Genotypes, study: Study,
    given: Weights | None, seed: int,
) -> Fits:  # fmt: skip
    """Fit all methods to the genes that are measured.

    A row of ``heldout`` is a person held out in a split: ``genome`` names whose genotypes were used, and
    ``measured`` is expression adjusted by what that split's people trained on tell.
    """
    column = {name: n for n, name in enumerate(measured.people)}
    row = {name: n for n, name in enumerate(measured.genes)}
    place = {name: n for n, name in enumerate(genotypes.people)}
    ours, theirs = [column[name] for name in study.people], [place[name] for name in study.people]
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    with progress("genes fitted", len(genes)) as bar:
        for gene in genes:
            if gene.gene in row:
                y = measured.values[row[gene.gene], ours]
                variants, x = genotypes.near(gene.chrom, gene.tss - AROUND, gene.tss + AROUND + 1)
                fixed = {}
                if given is not None and (told := given.predict(gene, genotypes)) is not None:
                    fixed[GIVEN] = told[0][theirs]
                tables["heldout"] += _held_out(cohort, gene, y, x[theirs], fixed, study, seed)
                if (np.isfinite(y).sum()) >= LEAST_PEOPLE:
                    weights, covariances = _exported(gene, y, variants, x[theirs], study, seed)
                    tables["weights"].append(weights)
                    tables["covariances"].append(covariances)
            bar.update()
    return Fits(
        _joined(tables["heldout"], (*KEYS, *METHODS)),
        _joined(tables["weights"], WEIGHTS),
        _joined(tables["covariances"], COVARIANCES),
    )


def _joined(tables: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype=str if name in TEXT else float) for name in columns})
    return pd.concat(tables, ignore_index=True) if tables else empty


def _held_out(
    cohort: str, gene: Gene, y: Floats, x: Floats, fixed: dict[str, Floats], study: Study, seed: int
) -> Iterator[pd.DataFrame]:
    people = np.array(study.people)
    for split in study.splits:
        extra = split.kind in (Kind.permuted, Kind.curve)
        if split.kind is Kind.everybody or (extra and gene.gene not in study.sampled):
            continue
        genome = study.genome if split.kind is Kind.permuted else np.arange(len(people))
        adjusted = study.adjusted(y, split)
        held = split.held & ~np.isnan(adjusted)
        columns = (
            cohort, gene.gene, split.kind.value, split.group, people[held], people[genome[held]],
            x.shape[1], adjusted[held],
        )  # fmt: skip
        made = dict(zip(KEYS, columns, strict=True))
        made |= _methods(adjusted, x[genome], split, held, seed)
        if split.kind is not Kind.curve:
            made |= {name: values[genome][held] for name, values in fixed.items()}
        yield pd.DataFrame(made)


def _methods(y: Floats, x: Floats, split: Split, held: NDArray[np.bool_], seed: int) -> dict[str, Floats]:
    return {name: fit(x, y, split.train, name, seed).of(x[held]) for name in METHODS}


def _exported(
    gene: Gene, y: Floats, variants: list[Variant], x: Floats, study: Study, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weights learnt from everybody, and the covariances of the variants that have one."""
    whole = next(split for split in study.splits if split.kind is Kind.everybody)
    fitted = fit(x, study.adjusted(y, whole), whole.train, EXPORTED, seed)
    used = np.flatnonzero(fitted.slopes)
    names = [variant_name(one.chrom, one.pos, one.ref, one.alt) for one in (variants[n] for n in used)]
    names = [variants[n].id if variants[n].id != "." else name for n, name in zip(used, names, strict=True)]
    rows = [(gene.gene, gene.name, *variants[n], fitted.slopes[n]) for n in used]
    centred = np.nan_to_num(x[:, used] - fitted.means[used])
    between = centred.T @ centred / max(1, len(y) - 1)
    pairs = [
        (gene.gene, names[i], names[j], between[i, j]) for i in range(len(used)) for j in range(i, len(used))
    ]
    return pd.DataFrame(rows, columns=list(WEIGHTS)), pd.DataFrame(pairs, columns=list(COVARIANCES))
