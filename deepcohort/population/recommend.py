"""Which people of the panel to impute from: ranked by likeness, the gain measured by hiding typed sites."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.population.answer import Answer
from deepcohort.population.components import Kernel
from deepcohort.population.study import Study

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]

FULL, RECOMMENDED, SAME_POPULATION = "full", "recommended", "same_population"

NEAREST = 500
"""People of the panel who are recommended at most; with fewer, local likeness is missed."""

TESTED = 60
"""People of the cohort whose sites are hidden, evenly taken."""

HIDDEN = 0.2
"""Share of the typed sites that is hidden."""

NEIGHBOURS = 20
"""Typed sites on each side of a hidden one that say whom a person is like there."""

MOST_TESTED_SITES = 2_000
SHARPNESS = 0.5
"""Of the weights exp(-SHARPNESS d), where d sums the squared differences of two people's copies."""

BINS = ((0.01, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.5))


@dataclass(frozen=True)
class Recommendation:
    """Panel people, and how well hidden sites are told from three panels.

    ``weight`` float64[P] is the share of the cohort that is of a population, by probability; ``likeness``
    float64[n] how like the panel's people are to it, and ``order`` int64[n] ranks them. ``r2`` has for each
    panel and bin of minor allele frequency: number of genotypes and squared correlation. ``take_full`` tells
    that the full panel is at least as good as the recommended one.
    """

    weight: Float64
    likeness: Float64
    order: Int64
    recommended: Int64
    r2: dict[str, dict[tuple[float, float], tuple[int, float]]]
    take_full: bool

    def people(self) -> Int64:
        """Whom to impute from."""
        return np.sort(self.order) if self.take_full else self.recommended


def recommend(study: Study, answer: Answer, seed: int) -> Recommendation:
    """Rank the panel's people for a cohort and measure three panels on hidden sites of some of its people.

    Hidden genotypes are told by a weighted mean over the panel's people, by how they agree with a person at
    the nearest typed sites: a plain stand-in for an imputer, the same for all panels. A cohort's person who
    is in the panel does not copy from oneself.
    """
    used = answer.sites > 0
    weight = answer.probability[used].mean(axis=0) if used.any() else np.full(len(study.populations), np.nan)
    likeness = _likeness(study, used)
    order = np.argsort(-likeness, kind="stable")
    recommended = np.sort(order[: min(NEAREST, max(1, len(order) // 2))])
    r2 = _measured(study, answer, recommended, np.flatnonzero(used), seed)
    mean = {panel: _mean(bins) for panel, bins in r2.items()}
    return Recommendation(weight, likeness, order, recommended, r2, not mean[RECOMMENDED] > mean[FULL])


def _likeness(study: Study, used: NDArray[np.bool_]) -> Float64:
    """Mean inner product of each of the panel's people with the cohort's, float64[n]."""
    kernel = Kernel(np.asarray(study.panel))
    total, people = np.zeros(len(study.label)), 0
    for batch in study.batches():
        here = np.asarray(study.people[batch])[used[batch]]
        total += kernel.with_learnt(here).sum(axis=0)
        people += len(here)
    return total / max(people, 1)


def _mean(bins: dict[tuple[float, float], tuple[int, float]]) -> float:
    """R² over all bins, each by its number of genotypes."""
    known = [(number, value) for number, value in bins.values() if np.isfinite(value)]
    total = sum(number for number, _ in known)
    return sum(number * value for number, value in known) / total if total else float("nan")


def _measured(
    study: Study, answer: Answer, recommended: Int64, used: Int64, seed: int
) -> dict[str, dict[tuple[float, float], tuple[int, float]]]:
    rng = np.random.default_rng(seed)
    tested = (
        used[np.unique(np.linspace(0, len(used) - 1, min(TESTED, len(used))).astype(int))]
        if len(used)
        else used
    )
    panel = np.asarray(study.panel)
    known = np.maximum((panel >= 0).sum(axis=0), 1)
    frequency = np.where(panel >= 0, panel, 0).sum(axis=0, dtype=np.int64) / (2 * known)
    filled = np.where(panel >= 0, panel, 2 * frequency).astype(np.float32)
    hidden, typed = _hidden(study, rng)
    copies = np.asarray(study.people[tested])
    own = [_own_name(study, answer, person) for person in tested]
    label = answer.probability[tested].argmax(axis=1)
    told = {
        name: np.full((len(tested), len(hidden)), np.nan) for name in (FULL, RECOMMENDED, SAME_POPULATION)
    }
    among = np.zeros(len(panel), bool)
    among[recommended] = True
    for number, site in enumerate(hidden):
        near = typed[number]
        weights = _weights(copies[:, near], filled[:, near])
        for row, oneself in enumerate(own):
            if oneself is not None:
                weights[row, oneself] = 0
        chosen = {
            FULL: np.ones((len(tested), len(panel)), bool),
            RECOMMENDED: np.broadcast_to(among, (len(tested), len(panel))),
            SAME_POPULATION: study.label[None] == label[:, None],
        }
        for name, mask in chosen.items():
            part = weights * mask
            total = part.sum(axis=1)
            told[name][:, number] = np.where(
                total > 0, part @ filled[:, site] / np.maximum(total, 1e-30), np.nan
            )
    minor = np.minimum(frequency, 1 - frequency)[hidden]
    expected = 2 * frequency[hidden]
    truth = np.where(copies[:, hidden] >= 0, copies[:, hidden] - expected, np.nan)
    return {name: _by_bin(found - expected, truth, minor) for name, found in told.items()}


def _own_name(study: Study, answer: Answer, person: int) -> int | None:
    name = answer.like[person] or study.names[person]
    return study.panel_names.index(name) if name in study.panel_names else None


def _hidden(study: Study, rng: np.random.Generator) -> tuple[Int64, list[Int64]]:
    """Hidden sites, and for each the typed sites around it on its chromosome."""
    hidden: list[int] = []
    near: list[Int64] = []
    chroms: dict[str, list[NDArray[np.int64]]] = {}
    for window in study.windows:
        chroms.setdefault(window.chrom, []).append(window.column[window.column >= 0])
    for parts in chroms.values():
        columns = np.unique(np.concatenate(parts))
        away = rng.random(len(columns)) < HIDDEN
        kept = columns[~away]
        for site in columns[away].tolist():
            place = int(np.searchsorted(kept, site))
            around = kept[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]
            if len(around):
                hidden.append(site)
                near.append(around)
    if len(hidden) > MOST_TESTED_SITES:
        chosen = np.sort(rng.choice(len(hidden), MOST_TESTED_SITES, replace=False))
        return np.array(hidden, np.int64)[chosen], [near[i] for i in chosen]
    return np.array(hidden, np.int64), near


def _weights(copies: Int8, panel: Float32) -> Float32:
    """How much each of the panel's people counts for each person, float32[m, n], by copies at typed sites."""
    present = (copies >= 0).astype(np.float32)
    value = np.where(copies >= 0, copies, 0).astype(np.float32)
    distance = (value**2).sum(axis=1)[:, None] - 2 * value @ panel.T + present @ (panel**2).T
    least = distance.min(axis=1, keepdims=True)
    return np.asarray(np.exp(-SHARPNESS * (distance - least)), np.float32)


def _by_bin(told: Float64, truth: Float64, minor: Float64) -> dict[tuple[float, float], tuple[int, float]]:
    """Squared correlation of copies beyond the panel's mean, over the known genotypes of each bin."""
    result = {}
    for low, high in BINS:
        here = (minor >= low) & ((minor < high) | (high == 0.5))
        known = np.isfinite(truth[:, here]) & np.isfinite(told[:, here])
        result[low, high] = (int(known.sum()), _r2(told[:, here], truth[:, here], known))
    return result


def _r2(told: Float64, truth: Float64, known: NDArray[np.bool_]) -> float:
    if known.sum() < 2:
        return float("nan")
    one, other = told[known], truth[known]
    if one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1] ** 2)


RECOMMENDED_COLUMNS = (
    "cohort",
    "what",
    "name",
    "value",
    "people",
    "full",
    "recommended",
    "same_population",
    "advice",
)


def rows(study: Study, found: Recommendation) -> list[dict[str, str]]:
    """Rows of panel_recommendation.tsv: ``r2`` by bin and over all, then ``population`` ranked by weight."""
    advice = "use the full panel" if found.take_full else "use the recommended people"
    empty = dict.fromkeys(RECOMMENDED_COLUMNS, "NA") | {"cohort": study.cohort}
    result = []
    for low, high in BINS:
        cells = {panel: f"{bins[low, high][1]:.4f}" for panel, bins in found.r2.items()}
        number = found.r2[FULL][low, high][0]
        result.append(empty | {"what": "r2", "name": f"{low:g}-{high:g}", "value": str(number), **cells})
    whole = {panel: f"{_mean(bins):.4f}" for panel, bins in found.r2.items()}
    total = sum(number for number, _ in found.r2[FULL].values())
    result.append(empty | {"what": "r2", "name": "all", "value": str(total), **whole, "advice": advice})
    sizes = np.bincount(study.label, minlength=len(study.populations))
    among = np.bincount(study.label[found.people()], minlength=len(study.populations))
    for kind in np.argsort(-found.weight, kind="stable"):
        cells = {
            "name": study.populations[kind],
            "value": f"{found.weight[kind]:.4f}",
            "people": str(sizes[kind]),
        }
        result.append(empty | {"what": "population", **cells, "recommended": str(among[kind])})
    return result
