"""Plain models fitted to measured expression, gene by gene and split by split, and asked of others."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.baselines import AROUND, COMBINATION, METHODS, fit
from deepcohort.expression.dosages import Genotypes, Variant
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.predictdb import Weights, variant_name
from deepcohort.expression.stacked import STACKED, Tracks, stacked
from deepcohort.expression.study import LEAST_PEOPLE, Kind, Study
from deepcohort.expression.told import Told
from deepcohort.genome.progress import progress

Floats = NDArray[np.float64]
GIVEN = "predictdb"
"""Name of a user's weights among the methods."""
EXPORTED = ("elastic_net", COMBINATION)
"""Methods whose weights, learnt from everybody, are written for other programs."""
KEYS = ("cohort", "gene", "kind", "group", "person", "genome", "variants", "measured")
WEIGHTS = ("method", "gene", "name", "chrom", "pos", "id", "ref", "alt", "weight")
COVARIANCES = ("method", "gene", "one", "other", "value")
TEXT = {
    "cohort", "gene", "kind", "group", "person", "genome", "method", "name", "chrom", "id", "ref", "alt",
    "one", "other",
}  # fmt: skip


class Fits(NamedTuple):
    """Tables of held-out people (``KEYS`` and a column a method), of weights and of their covariances."""

    heldout: pd.DataFrame
    weights: pd.DataFrame
    covariances: pd.DataFrame


def fit_genes(
    cohort: str, genes: Sequence[Gene], measured: Measured, genotypes: Genotypes, study: Study,
    given: Weights | None, told: Told | None, tracks: Tracks | None, seed: int,
) -> Fits:  # fmt: skip
    """Fit all methods to the genes that are measured, the combination where effects of variants are ``told``,
    the stacked model where there are several ``tracks``.

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
                effects = told.of(gene, variants) if told is not None else None
                fixed = {}
                if given is not None and (scores := given.predict(gene, genotypes)) is not None:
                    fixed[GIVEN] = scores[0][theirs]
                said = tracks.of(gene.gene, study.people) if tracks is not None else None
                tables["heldout"] += _held_out(cohort, gene, y, x[theirs], effects, said, fixed, study, seed)
                if (np.isfinite(y).sum()) >= LEAST_PEOPLE:
                    for weights, covariances in _exported(gene, y, variants, x[theirs], effects, study, seed):
                        tables["weights"].append(weights)
                        tables["covariances"].append(covariances)
            bar.update()
    return Fits(
        _joined(tables["heldout"], (*KEYS, *METHODS, *([] if told is None else [COMBINATION]))),
        _joined(tables["weights"], WEIGHTS),
        _joined(tables["covariances"], COVARIANCES),
    )


def _joined(tables: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype=str if name in TEXT else float) for name in columns})
    return pd.concat(tables, ignore_index=True) if tables else empty


def _held_out(
    cohort: str, gene: Gene, y: Floats, x: Floats, effects: Floats | None, said: Floats | None,
    fixed: dict[str, Floats], study: Study, seed: int,
) -> Iterator[pd.DataFrame]:  # fmt: skip
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
        fitted = fit(x[genome], adjusted, split.train, seed, effects)
        made |= {name: one.of(x[genome][held]) for name, one in fitted.items()}
        if said is not None:
            made[STACKED] = stacked(said[genome], adjusted, split.train)[held]
        if split.kind is not Kind.curve:
            made |= {name: values[genome][held] for name, values in fixed.items()}
        yield pd.DataFrame(made)


def _exported(
    gene: Gene, y: Floats, variants: list[Variant], x: Floats, effects: Floats | None, study: Study, seed: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Weights learnt from everybody, and the covariances of the variants that have one, by method."""
    whole = next(split for split in study.splits if split.kind is Kind.everybody)
    fitted = fit(x, study.adjusted(y, whole), whole.train, seed, effects)
    for method in EXPORTED:
        if method not in fitted:
            continue
        slopes, means = fitted[method]
        used = np.flatnonzero(slopes)
        names = [_name(variants[n]) for n in used]
        rows = [(method, gene.gene, gene.name, *variants[n], slopes[n]) for n in used]
        centred = np.nan_to_num(x[:, used] - means[used])
        between = centred.T @ centred / max(1, len(y) - 1)
        pairs = [
            (method, gene.gene, names[i], names[j], between[i, j])
            for i in range(len(used))
            for j in range(i, len(used))
        ]
        yield pd.DataFrame(rows, columns=list(WEIGHTS)), pd.DataFrame(pairs, columns=list(COVARIANCES))


def _name(variant: Variant) -> str:
    """What other programs call a variant: its ID where it has one."""
    if variant.id != ".":
        return variant.id
    return variant_name(variant.chrom, variant.pos, variant.ref, variant.alt)
