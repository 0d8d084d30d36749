"""Predicted expression of everybody in the genes of one chromosome: by the model itself, or linearly."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcohort.expression.cross_fitted import not_taught_by, own_values
from deepcohort.expression.edits import Edit
from deepcohort.expression.effects import BEST, By, Effects, effects
from deepcohort.expression.genes import Gene
from deepcohort.expression.linear import Fit, Survey, fit, sums, survey
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.people import COUNTED, Sequences, Stretch
from deepcohort.expression.views import Averaged
from deepcohort.genome.errors import InputError
from deepcohort.genome.progress import progress

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
COLUMNS = ("cohort", "gene", "person", "haplotype1", "haplotype2", "mean", "taught")
TRACK_COLUMNS = ("cohort", "gene", "track", "person", "haplotype1", "haplotype2", "mean")
EFFECT_COLUMNS = (
    "cohort", "gene", "chrom", "pos", "ref", "alt", "track", "copies", "haplotypes", "reference", "effect",
    "log2_ratio", "by",
)  # fmt: skip
LINEAR_COLUMNS = (
    "cohort", "gene", "mode", "variants", "haplotypes_unique", "sampled", "r", "slope", "rmse_sd",
    "linear_ok", "used",
)  # fmt: skip
LOOKED_AT = 3
"""Genes from which the cost of all is told."""
WORTH = 2
"""``auto`` is linear where that takes so many times fewer passes of the model."""


class Predicted(NamedTuple):
    """Of a gene: ``COLUMNS``, ``TRACK_COLUMNS``, ``EFFECT_COLUMNS`` (or None), ``LINEAR_COLUMNS``."""

    people: pd.DataFrame
    tracks: pd.DataFrame
    effects: pd.DataFrame | None
    linear: dict[str, str]


def predictions(
    cohort: str, genes: Sequence[Gene], sequences: Sequences, model: Averaged, how: How
) -> Iterator[Predicted]:
    """Predict gene by gene; genes without a sequence have no tables.

    The value of a person is the mean of the two haplotypes', taken before the logarithm, log(1 + x), where a
    model's outputs are amounts. In a table of people it is averaged over tracks too. Where people taught the
    model, theirs are by outputs that they did not teach, if any; ``taught`` says that there is none.

    Raises ``InputError`` where genotypes and reference do not fit, and for gradients of a model without.
    """
    if how.mode in (Mode.grad, Mode.hybrid) and not model.differentiable:
        raise InputError(f"--mode {how.mode}: {model.name} tells no gradients: use --mode ism")
    seen = _taught(not_taught_by(sequences.people, model.taught_by)).sum()
    if seen:
        log.warning(
            "%s was trained on %d of these people: what it tells of them proves nothing", model.name, seen
        )
    with progress("genes", len(genes)) as bar:
        for gene in genes:
            stretch = sequences.stretch(gene, model.before, model.after, stranded=model.stranded)
            if stretch is not None:
                model.aim_at(gene)
                yield _predicted(cohort, stretch, sequences, model, how)
            bar.update()
    sequences.check_reference()


def predict(
    cohort: str, genes: Sequence[Gene], sequences: Sequences, model: Averaged, how: How | None = None
) -> pd.DataFrame:
    """``predictions`` as one table, ``COLUMNS``."""
    parts = [part.people for part in predictions(cohort, genes, sequences, model, how or How())]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def estimate(genes: Sequence[Gene], sequences: Sequences, model: Averaged, how: How) -> None:
    """Log what the run will cost at most in each mode: a few genes are looked at, and one pass is timed."""
    counts, sequences.counts = sequences.counts, Counter(dict.fromkeys(COUNTED, 0))
    found: list[Survey] = []
    for gene in genes[:: max(1, len(genes) // LOOKED_AT)]:
        stretch = sequences.stretch(gene, model.before, model.after, stranded=model.stranded)
        if stretch is not None:
            found.append(survey(sequences, stretch, how.sample, how.seed))
    sequences.counts = counts
    if not found:
        return
    letters = np.full((1, model.before + 1 + model.after), ord("A"), np.uint8)
    started = time.monotonic()
    model.predict(letters)
    seconds = time.monotonic() - started
    passes = {
        "exact": np.mean([one.haplotypes + how.effects * len(one.edits) for one in found]),
        "ism": np.mean([len(one.edits) + 1 + min(how.sample, one.haplotypes) for one in found]),
    }
    if model.differentiable:
        passes["grad"] = np.mean([4 + min(how.sample, one.haplotypes) for one in found])
        passes["hybrid"] = passes["grad"] + np.mean([min(BEST, len(one.edits)) for one in found])
    told = "; ".join(
        f"{name} {n:,.0f} ({n * len(genes) * seconds / 3600:,.2f} h)" for name, n in passes.items()
    )
    log.info(
        "cost of %d genes in mode %s: one pass of %s takes %.2f s here; passes for a gene, and hours for "
        "all, at most: %s", len(genes), how.mode, model.name, seconds, told,
    )  # fmt: skip


def _predicted(cohort: str, stretch: Stretch, sequences: Sequences, model: Averaged, how: How) -> Predicted:
    gene = stretch.gene.gene
    if how.mode is Mode.exact and not how.effects:
        made = sequences.everybody(stretch, sequences.counts)
        values = _exact(model, made.unique, made.of)
        row = _row(cohort, gene, "exact", "", str(len(made.unique)), None, "exact")
        return Predicted(*_tables(cohort, gene, sequences.people, values, model), None, row)
    found = survey(sequences, stretch, how.sample, how.seed)
    by = _resolved(how.mode, found, model, how.sample)
    told = told_fit = None
    if by is not None or (how.effects and found.edits):
        told = effects(model, stretch, found.edits, by or _cheaper(found, model))
    if by is not None and told is not None:
        flat, letters = sums(sequences, stretch, found, told)
        told_fit = fit(
            *(_logs(each, model).mean(axis=1) for each in (flat[found.sample], model.predict(letters)))
        )
        values = flat.reshape(-1, 2, len(model.tracks))
    unique = found.haplotypes
    used = "exact" if told_fit is None or (how.fallback and not told_fit.ok) else "linear"
    if used == "exact":
        made = sequences.everybody(stretch, Counter())
        unique, values = len(made.unique), _exact(model, made.unique, made.of)
    else:
        sequences.counts["haplotypes"] += int((~found.absent).sum())
        sequences.counts["haplotypes_unique"] += unique
    row = _row(cohort, gene, by or "exact", str(len(found.edits)), str(unique), told_fit, used)
    table = None
    if told is not None:
        there = int((~found.absent).sum())
        table = effect_table(cohort, stretch, found.edits, found.copies, there, told, model)
    return Predicted(*_tables(cohort, gene, sequences.people, values, model), table, row)


def _cheaper(found: Survey, model: Averaged) -> By:
    """The way to effects that takes fewer passes of the model, gradients being the first guess alone."""
    return By.hybrid if model.differentiable and len(found.edits) > BEST else By.ism


def _resolved(mode: Mode, found: Survey, model: Averaged, sample: int) -> By | None:
    """How to be linear; None where the model itself is asked of no more sequences than a linear way takes."""
    if mode is Mode.exact or found.haplotypes <= sample or not found.edits:
        return None
    if mode is not Mode.auto:
        return By(mode)
    by = _cheaper(found, model)
    passes = BEST if by is By.hybrid else len(found.edits)
    return by if WORTH * (passes + sample) < found.haplotypes else None


def _exact(model: Averaged, unique: NDArray[np.uint8], of: NDArray[np.int32]) -> Floats:
    """The model's own predictions, float64[people, 2, tracks], NaN where there is no haplotype."""
    made = model.predict(unique)
    return np.concatenate([made, np.full((1, made.shape[1]), np.nan)])[of]


def _taught(unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who taught all outputs of a model; unknown: bool[people, outputs], by ``not_taught_by``."""
    return np.asarray(~unknown.any(axis=1) & (unknown.shape[1] > 0))


def _logs(values: Floats, model: Averaged) -> Floats:
    """Amounts as log(1 + x), those below 0, which a sum of effects may be, as 0; other values as they are."""
    return np.log1p(np.maximum(values, 0)) if model.additive else values


def _tables(
    cohort: str, gene: str, people: list[str], values: Floats, model: Averaged
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of people, and of people by track."""
    tracks, unknown = model.tracks, not_taught_by(people, model.taught_by)
    if model.taught_by:
        values = own_values(values, unknown)
        tracks = ["expression"]
    haplotypes, mean = _logs(values, model), _logs(np.nanmean(values, axis=1), model)
    each = np.concatenate([haplotypes, mean[:, None]], axis=1)
    whole = each.mean(axis=2)
    taught = _taught(unknown)
    first = pd.DataFrame(dict(zip(COLUMNS, (cohort, gene, people, *whole.T, taught), strict=True)))
    parts = [
        pd.DataFrame(dict(zip(TRACK_COLUMNS, (cohort, gene, track, people, *each[:, :, n].T), strict=True)))
        for n, track in enumerate(tracks)
    ]
    return first, pd.concat(parts, ignore_index=True)


def effect_table(
    cohort: str, stretch: Stretch, edits: Sequence[Edit], copies: NDArray[np.int64], haplotypes: int,
    told: Effects, model: Averaged,
) -> pd.DataFrame:  # fmt: skip
    """A row for each allele that is spelt in plain letters and each track (``EFFECT_COLUMNS``).

    ``effect`` is the alternative's prediction less the reference's; ``log2_ratio`` is log2 of (1 +
    alternative) / (1 + reference) where outputs are amounts, else empty. ``copies`` int64[edits] are those
    among so many haplotypes.
    """
    plain = [n for n, edit in enumerate(edits) if set(edit.alt) <= set(b"ACGTN")]
    some = [edits[n] for n in plain]
    values = told.values[plain]
    ratio = np.full(values.shape, np.nan)
    if model.additive:
        ratio = np.log2((1 + np.maximum(told.reference + values, 0)) / (1 + told.reference))
    tracks = len(model.tracks)
    columns: tuple[Any, ...] = (
        cohort,
        stretch.gene.gene,
        stretch.gene.chrom,
        np.repeat([edit.start + 1 for edit in some], tracks),
        np.repeat([edit.ref.decode() for edit in some], tracks),
        np.repeat([edit.alt.decode() for edit in some], tracks),
        list(model.tracks) * len(some),
        np.repeat(copies[plain], tracks),
        haplotypes,
        np.tile(told.reference, len(some)),
        values.ravel(),
        ratio.ravel(),
        np.repeat([told.how[n] for n in plain], tracks),
    )
    return pd.DataFrame(dict(zip(EFFECT_COLUMNS, columns, strict=True)))


def _row(
    cohort: str, gene: str, mode: str, variants: str, unique: str, told: Fit | None, used: str
) -> dict[str, str]:
    cells = ["", "", "", "", ""]
    if told is not None:
        numbers = (f"{value:.4f}" if np.isfinite(value) else "NA" for value in told[1:4])
        cells = [str(told.sampled), *numbers, "yes" if told.ok else "no"]
    return dict(zip(LINEAR_COLUMNS, (cohort, gene, mode, variants, unique, *cells, used), strict=True))
