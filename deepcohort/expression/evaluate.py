"""Predicted beside measured expression across people, gene by gene, and plain models on the same people."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.baselines import AROUND, METHODS, dosages, held_out
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.people import read_records
from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import contig_of, open_vcf

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
COLUMNS = ("cohort", "gene", "name", "chrom", "method", "people", "variants", "r", "low", "high", "note")
LEAST_PEOPLE = 10
DRAWS = 1000
"""Bootstrap samples of people for an interval of 95 %."""


class Correlation(NamedTuple):
    """Pearson's r across people with an interval of 95 %; 0 with a note for constant predictions."""

    r: float
    low: float
    high: float
    note: str


def correlation(predicted: Floats, measured: Floats, seed: int) -> Correlation:
    """Correlate over people; the interval is of a bootstrap over people. NaN where expression is constant."""
    if np.ptp(measured) == 0:
        return Correlation(np.nan, np.nan, np.nan, "expression is constant")
    if np.ptp(predicted) <= 1e-9:
        return Correlation(0.0, np.nan, np.nan, "predictions are constant")
    draws = np.random.default_rng(seed).integers(len(measured), size=(DRAWS, len(measured)))
    low, high = np.nanquantile(_pearson(predicted[draws], measured[draws]), (0.025, 0.975))
    return Correlation(float(_pearson(predicted[None], measured[None])[0]), float(low), float(high), "")


def _pearson(x: Floats, y: Floats) -> Floats:
    """Correlation of each row; NaN where one side is constant."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        r: Floats = (x * y).sum(axis=1) / scale
    return r


def evaluate(
    cohort: str, model: str, predictions: pd.DataFrame, genes: Sequence[Gene], measured: Measured,
    genotypes: Sequence[Path], *, folds: int, seed: int,
) -> list[dict[str, str]]:  # fmt: skip
    """Rows (``COLUMNS``) of each gene with measured expression and each method.

    The sequence model was trained elsewhere and is asked as it is; plain models are asked of people held out
    in turn. All methods are scored on the same people: those with expression and genotypes.

    Raises ``InputError`` where fewer than 10 people are in both.
    """
    opened = [(path, open_vcf(path)) for path in genotypes]
    places = {name: n for n, name in enumerate(opened[0][1].samples)}
    shared = [n for n, name in enumerate(measured.people) if name in places]
    if len(shared) < LEAST_PEOPLE:
        raise InputError(
            f"{len(shared)} of the {len(measured.people)} people with expression have genotypes in {cohort}, "
            f"and {LEAST_PEOPLE} are needed: name people alike in both"
        )
    if len(shared) < len(measured.people):
        log.warning("%d people with expression have no genotypes", len(measured.people) - len(shared))
    by_gene = {str(name): rows.set_index("person")["mean"] for name, rows in predictions.groupby("gene")}
    row_of = {name: n for n, name in enumerate(measured.genes)}
    rows = []
    for gene in genes:
        if gene.gene not in row_of:
            continue
        y = measured.values[row_of[gene.gene], shared]
        known = [measured.people[n] for n, value in zip(shared, y, strict=True) if not np.isnan(value)]
        y = y[~np.isnan(y)]
        x = _dosages(opened, gene)[[places[name] for name in known]]
        made = {} if gene.gene not in by_gene else {model: by_gene[gene.gene].loc[known].to_numpy(float)}
        rows += _rows(cohort, gene, x, y, made, folds, seed)
    return rows


def _dosages(opened: list[tuple[Path, Any]], gene: Gene) -> Floats:
    for path, vcf in opened:
        contig = contig_of(list(vcf.seqnames), gene.chrom)
        if contig is not None:
            found = read_records(path, vcf, contig, max(0, gene.tss - AROUND), gene.tss + AROUND)
            if found:
                return dosages(found)
    people: list[str] = opened[0][1].samples
    return np.zeros((len(people), 0))


def _rows(
    cohort: str, gene: Gene, x: Floats, y: Floats, made: dict[str, Floats], folds: int, seed: int
) -> list[dict[str, str]]:
    few = len(y) < LEAST_PEOPLE
    if not few:
        made = made | {method: held_out(x, y, method, folds, seed) for method in METHODS}
    rows = []
    for method, predicted in made.items():
        empty = Correlation(np.nan, np.nan, np.nan, f"fewer than {LEAST_PEOPLE} people")
        found = empty if few else correlation(predicted, y, seed)
        numbers = (f"{value:.4f}" if np.isfinite(value) else "NA" for value in found[:3])
        cells = (
            cohort,
            gene.gene,
            gene.name,
            gene.chrom,
            method,
            str(len(y)),
            str(x.shape[1]),
            *numbers,
            found.note,
        )
        rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows
