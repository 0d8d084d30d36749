"""One answer for each person of the cohort, by the models that the panel's held-out people vouch for."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.arrays import load_arrays
from deepcohort.genome.errors import InputError
from deepcohort.population.methods import Method
from deepcohort.population.people import SAME, alike
from deepcohort.population.plain import MODELS, NAMING, NESTED, Plain
from deepcohort.population.pool import calibration_error, cross_fitted, fit_pool, log_softmax
from deepcohort.population.study import Artificial, Study
from deepcohort.population.sure import SURE, fit_sure_pool, upper_logs

log = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

CNN, ENSEMBLE = "cnn", "ensemble"
ADDED = "+artificial"
"""Ends the name of a method whose plain models have learnt from artificial people too."""

SHOWN_COMPONENTS = 4


@dataclass(frozen=True)
class Figures:
    """How a method does on held-out people, in shares of one; ``loss`` is minus the mean log-probability."""

    method: str
    people: int
    accuracy: float
    super_accuracy: float
    macro_f1: float
    loss: float
    calibration_error: float
    super_calibration_error: float
    sure_share: float
    """Of people whose superpopulation has a probability of ``SURE`` at least …"""
    sure_right: float
    """… and how many of them are right."""


@dataclass(frozen=True)
class Answer:
    """What is said of m people, and why.

    ``probability`` float64[m, P] is that of the ``method`` taken, ``by_method`` has those of all that were
    tried, ``figures`` how these do on the study's judging people. ``sites`` int64[m] counts typed sites,
    ``windows`` int64[m] windows with one of them; ``like`` is the panel's person with the same genotypes, or
    ''. ``held_out`` float64[judging, P] are the probabilities of the study's judging people when held out.
    ``place`` and ``panel_place`` float64[., 4] are principal components.
    """

    method: str
    probability: Float64
    by_method: dict[str, Float64]
    sites: NDArray[np.int64]
    windows: NDArray[np.int64]
    like: list[str]
    figures: list[Figures]
    held_out: Float64
    place: Float64
    panel_place: Float64


def answer(study: Study, windows: Sequence[Path], method: Method, seed: int) -> Answer:
    """Assign the cohort's people by plain models and the windows' networks (files of ``Answers.save``).

    Every model tells of the panel's people when it had not learnt from them; models are calibrated and
    pooled on that, and compared by a pool that was fitted without the person either. With artificial
    people every method of plain models stands there twice, with and without them, both told by strangers of
    their generator, and the better one is taken. Networks learn from real people alone. Raises ``InputError``
    where ``method`` needs networks and there are none.
    """
    if method in (Method.cnn, Method.ensemble) and not windows:
        raise InputError(f"--population_method {method}: no window has a network: give --window")
    panel, people, plain = _plain(study, seed)
    nets = [_network(study, path) for path in windows]
    members: dict[str, list[int]] = {}
    ours: list[Float64] = []
    theirs: list[Float64] = []
    for name in panel:
        members[name] = [len(ours)]
        ours.append(panel[name])
        theirs.append(people[name])
        if name.startswith(NESTED):
            naming = members[f"{NAMING}{name.removeprefix(NESTED)}"][0]
            members[name] = [naming, len(ours) - 1, len(ours)]
            ours.append(_named(panel[name], ours[naming], study))
            theirs.append(_named(people[name], theirs[naming], study))
    if nets:
        held, asked = _pooled_windows(study, nets)
        members[CNN] = [len(ours)]
        ours.append(held)
        theirs.append(asked)
    members |= _ensembles(members)
    judging, truth = study.judging, study.label[study.judging]
    ours = [scores[judging] for scores in ours]
    fold = np.unique(study.fold[judging], return_inverse=True)[1]
    fit = partial(fit_sure_pool, continent=study.continent)
    tried = {
        name: cross_fitted([ours[i] for i in numbers], truth, fold, fit) for name, numbers in members.items()
    }
    figures = [_figures(study, name, np.exp(logs)) for name, logs in tried.items()]
    candidates = [one for one in figures if method == Method.auto or one.method.removesuffix(ADDED) == method]
    taken = _best(candidates)
    log.info("%s: %s is taken", study.cohort, taken)
    by_method = {
        name: np.exp(fit([ours[i] for i in numbers], truth)([theirs[i] for i in numbers]))
        for name, numbers in members.items()
    }
    sites, seen, like = _what_was_used(study)
    for chances in by_method.values():
        chances[sites == 0] = np.bincount(study.label) / len(study.label)
    place = np.concatenate(
        [
            plain.components.of(np.asarray(study.people[batch]))[:, :SHOWN_COMPONENTS]
            for batch in study.batches()
        ]
    )
    return Answer(
        taken, by_method[taken], by_method, sites, seen, like, figures, np.exp(tried[taken]), place,
        plain.components.own[:, :SHOWN_COMPONENTS],
    )  # fmt: skip


def _named(nested: Float64, naming: Float64, study: Study) -> Float64:
    """What is said within superpopulations, times the chances of these by a model that names them."""
    return np.asarray(nested + upper_logs(log_softmax(naming), study.continent)[:, study.continent])


def _ensembles(members: dict[str, list[int]]) -> dict[str, list[int]]:
    """All models together, and once more with plain models that have learnt from artificial people."""
    alone = [i for name, numbers in members.items() if not name.endswith(ADDED) for i in numbers]
    added = [i for name, numbers in members.items() if name.endswith(ADDED) or name == CNN for i in numbers]
    with_artificial = any(name.endswith(ADDED) for name in members)
    found = {ENSEMBLE: alone} | ({ENSEMBLE + ADDED: added} if with_artificial else {})
    return {name: list(dict.fromkeys(numbers)) for name, numbers in found.items()}


def _plain(study: Study, seed: int) -> tuple[dict[str, Float64], dict[str, Float64], Plain]:
    """Log-probabilities by plain models: of the panel's people held out, and of the cohort.

    By the models' names, and with ``ADDED`` by those that have learnt from artificial people too.
    """
    panel, people, whole = _learnt(study, None, seed)
    if study.artificial is not None:
        more, others, _ = _learnt(study, study.artificial, seed)
        panel |= {f"{name}{ADDED}": scores for name, scores in more.items()}
        people |= {f"{name}{ADDED}": scores for name, scores in others.items()}
    return panel, people, whole


def _learnt(
    study: Study, artificial: Artificial | None, seed: int
) -> tuple[dict[str, Float64], dict[str, Float64], Plain]:
    """The same by models that learn from real people, and from ``artificial`` ones in every fold."""
    panel = {name: np.zeros((len(study.label), len(study.populations))) for name in MODELS}
    copies = np.asarray(study.panel)

    def learn(inside: Bool) -> Plain:
        if artificial is None:
            return Plain.learn(copies[inside], study.label[inside], study.continent, study.starts, seed)
        together = np.concatenate([copies[inside], artificial.copies])
        label = np.concatenate([study.label[inside], artificial.label])
        return Plain.learn(together, label, study.continent, study.starts, seed)

    for fold in range(study.folds):
        held = study.fold == fold
        for name, scores in learn(~held).scores(copies[held]).items():
            panel[name][held] = scores
    whole = learn(np.ones(len(copies), bool))
    parts = [whole.scores(np.asarray(study.people[batch])) for batch in study.batches()]
    return panel, {name: np.concatenate([part[name] for part in parts]) for name in MODELS}, whole


Window = tuple[list[Float64], list[Float64]]


def _network(study: Study, path: Path) -> Window:
    """Log-probabilities of populations by a window's networks, for the panel's people and the cohort's.

    Each twice: by the layer that names populations, and by the one that names superpopulations.
    """
    told: dict[str, Any] = {name: scores.astype(np.float64) for name, scores in load_arrays(path).items()}
    return (
        [told["panel"], told["panel_super"][:, study.continent]],
        [told["people"], told["people_super"][:, study.continent]],
    )


def _pooled_windows(study: Study, nets: list[Window]) -> tuple[Float64, Float64]:
    """All windows as one model: held-out log-probabilities of the panel's people, and those of the cohort."""
    panel = [scores for window, _ in nets for scores in window]
    people = [scores for _, window in nets for scores in window]
    held = cross_fitted(panel, study.label, study.fold)
    return held, fit_pool(panel, study.label)(people)


def _best(figures: list[Figures]) -> str:
    return max(figures, key=lambda one: (one.accuracy, -one.loss)).method


def to_superpopulations(probability: Float64, study: Study) -> Float64:
    """Probabilities of superpopulations, float64[m, Q], of those of populations."""
    home = np.eye(len(study.superpopulations))[study.continent]
    return np.asarray(probability @ home)


def _figures(study: Study, method: str, probability: Float64) -> Figures:
    truth = study.label[study.judging]
    guess = probability.argmax(axis=1)
    upper = to_superpopulations(probability, study)
    right = guess == truth
    right_upper = upper.argmax(axis=1) == study.continent[truth]
    sure = upper.max(axis=1) >= SURE
    return Figures(
        method=method,
        people=len(truth),
        accuracy=float(right.mean()),
        super_accuracy=float(right_upper.mean()),
        macro_f1=_macro_f1(truth, guess, len(study.populations)),
        loss=float(-np.log(np.maximum(probability[np.arange(len(truth)), truth], 1e-12)).mean()),
        calibration_error=calibration_error(probability.max(axis=1), right),
        super_calibration_error=calibration_error(upper.max(axis=1), right_upper),
        sure_share=float(sure.mean()),
        sure_right=float(right_upper[sure].mean()) if sure.any() else 0.0,
    )


def _macro_f1(truth: NDArray[np.int64], guess: NDArray[np.int64], kinds: int) -> float:
    both = np.bincount(truth[truth == guess], minlength=kinds)
    total = np.bincount(truth, minlength=kinds) + np.bincount(guess, minlength=kinds)
    return float((2 * both / np.maximum(total, 1)).mean())


def _what_was_used(study: Study) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Of each person of the cohort: typed sites, windows with one, and the panel's person who is alike."""
    sites = np.zeros(len(study.names), np.int64)
    windows = np.zeros(len(study.names), np.int64)
    like: list[str] = []
    panel = np.asarray(study.panel)
    for batch in study.batches():
        copies = np.asarray(study.people[batch])
        sites[batch] = (copies >= 0).sum(axis=1)
        for window in study.windows:
            windows[batch] += (copies[:, window.column[window.column >= 0]] >= 0).any(axis=1)
        shares = alike(copies, panel)
        best = shares.argmax(axis=1)
        like += [
            study.panel_names[other] if shares[row, other] >= SAME else "" for row, other in enumerate(best)
        ]
    return sites, windows, like
