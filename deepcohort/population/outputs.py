"""What is written of an answer: the files that users of RefRGim know, and tables with headers."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.files import written_whole
from deepcohort.genome.tables import write_table
from deepcohort.population.answer import Answer, to_superpopulations
from deepcohort.population.study import Study

UNASSIGNED = "unassigned"

ASSIGNED = (
    "cohort", "sample", "population", "superpopulation", "p_population", "p_superpopulation", "second",
    "p_second", "sites", "windows", "method", "flags",
)  # fmt: skip
FIGURES = (
    "cohort", "method", "taken", "people", "folds", "accuracy", "accuracy_error", "super_accuracy",
    "macro_f1", "loss", "calibration_error", "super_calibration_error", "sure_share", "sure_right",
)  # fmt: skip
CONFUSION = ("cohort", "population", "superpopulation", "called", "people")
PLACES = ("cohort", "sample", "group", "label", "pc1", "pc2", "pc3", "pc4")
MIXTURE = ("cohort", "sample", "superpopulation", "probability")
COUNTS = ("cohort", "what", "count")

LEAST_SHOWN = 0.01

FEW_SITES = 0.1
"""Share of the study's sites below which a person is flagged."""

Row = dict[str, str]


def assigned(study: Study, answer: Answer, min_probability: float) -> list[Row]:
    """A row for each person, in the order of the study.

    Below ``min_probability`` a name is ``unassigned``: of a population and of a superpopulation each by its
    own probability.
    """
    upper = to_superpopulations(answer.probability, study)
    rows = []
    for person, name in enumerate(study.names):
        order = np.argsort(-answer.probability[person], kind="stable")
        first, second = int(order[0]), int(order[1])
        top = int(upper[person].argmax())
        chance, chance_upper = answer.probability[person, first], upper[person, top]
        nothing = answer.sites[person] == 0
        rows.append(
            {
                "cohort": study.cohort,
                "sample": name,
                "population": UNASSIGNED if nothing or chance < min_probability else study.populations[first],
                "superpopulation": UNASSIGNED
                if nothing or chance_upper < min_probability
                else study.superpopulations[top],
                "p_population": f"{chance:.4f}",
                "p_superpopulation": f"{chance_upper:.4f}",
                "second": study.populations[second],
                "p_second": f"{answer.probability[person, second]:.4f}",
                "sites": str(answer.sites[person]),
                "windows": str(answer.windows[person]),
                "method": answer.method,
                "flags": ",".join(_flags(study, answer, person)) or "none",
            }
        )
    return rows


def _flags(study: Study, answer: Answer, person: int) -> Iterable[str]:
    if answer.sites[person] == 0:
        yield "all_missing"
    elif answer.sites[person] < FEW_SITES * study.panel.shape[1]:
        yield "few_sites"
    if answer.like[person]:
        yield f"in_panel:{answer.like[person]}"


def figure_rows(study: Study, answer: Answer) -> list[Row]:
    """How each method does on the panel's held-out people; the error is one standard error."""
    rows = []
    for one in answer.figures:
        row = {name: f"{getattr(one, name):.4f}" for name in FIGURES[5:] if name != "accuracy_error"}
        error = (one.accuracy * (1 - one.accuracy) / one.people) ** 0.5
        head = {
            "cohort": study.cohort,
            "method": one.method,
            "taken": "yes" if one.method == answer.method else "no",
        }
        rows.append(
            head
            | row
            | {"people": str(one.people), "folds": str(study.folds), "accuracy_error": f"{error:.4f}"}
        )
    return rows


def confusion_rows(study: Study, answer: Answer) -> list[Row]:
    """Held-out people of each population by what they were called."""
    guess = answer.held_out.argmax(axis=1)
    counted = np.zeros((len(study.populations),) * 2, np.int64)
    np.add.at(counted, (study.label[study.judging], guess), 1)
    return [
        {
            "cohort": study.cohort,
            "population": study.populations[one],
            "superpopulation": study.superpopulations[study.continent[one]],
            "called": study.populations[other],
            "people": str(counted[one, other]),
        }
        for one, other in np.argwhere(counted).tolist()
    ]


def place_rows(study: Study, answer: Answer, rows: list[Row]) -> list[Row]:
    """Principal components of the panel's and the cohort's people."""
    labels = [study.superpopulations[study.continent[kind]] for kind in study.label]
    return [
        *_places(study, "panel", study.panel_names, labels, answer.panel_place),
        *_places(study, "input", study.names, [row["superpopulation"] for row in rows], answer.place),
    ]


def _places(
    study: Study, group: str, names: list[str], labels: list[str], places: NDArray[np.float64]
) -> Iterable[Row]:
    for name, label, place in zip(names, labels, places, strict=True):
        values = [*place.tolist(), 0.0, 0.0, 0.0, 0.0][:4]
        cells = {f"pc{number}": f"{value:.4f}" for number, value in enumerate(values, 1)}
        yield {"cohort": study.cohort, "sample": name, "group": group, "label": label, **cells}


def mixture_rows(study: Study, answer: Answer) -> Iterable[Row]:
    """Probabilities of superpopulations of each person, those of a hundredth at least."""
    upper = to_superpopulations(answer.probability, study)
    for name, chances in zip(study.names, upper, strict=True):
        for kind in np.flatnonzero(chances >= LEAST_SHOWN):
            told = {"superpopulation": study.superpopulations[kind], "probability": f"{chances[kind]:.4f}"}
            yield {"cohort": study.cohort, "sample": name, **told}


def count_rows(study: Study) -> list[Row]:
    """What was used and dropped."""
    return [
        {"cohort": study.cohort, "what": what, "count": str(number)} for what, number in study.counts.items()
    ]


def write_answer(study: Study, answer: Answer, min_probability: float, out: Path) -> None:
    """Write everything into a folder.

    ``<cohort>.populations`` and ``<cohort>.population.probs`` have no header, as those of RefRGim, the
    probabilities are in the order of ``<cohort>.population.names``. With them go the tables
    ``<cohort>.assignments.tsv``, ``.figures.tsv``, ``.confusion.tsv``, ``.places.tsv``, ``.mixture.tsv``
    and ``.counts.tsv``.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = assigned(study, answer, min_probability)
    _lines(
        out / f"{study.cohort}.populations",
        ("\t".join((row["sample"], row["population"], row["superpopulation"])) for row in rows),
    )
    _lines(
        out / f"{study.cohort}.population.probs",
        ("\t".join(f"{value:.4f}" for value in person) for person in answer.probability),
    )
    _lines(out / f"{study.cohort}.population.names", study.populations)
    write_table(out / f"{study.cohort}.assignments.tsv", rows, ASSIGNED)
    write_table(out / f"{study.cohort}.figures.tsv", figure_rows(study, answer), FIGURES)
    write_table(out / f"{study.cohort}.confusion.tsv", confusion_rows(study, answer), CONFUSION)
    write_table(out / f"{study.cohort}.places.tsv", place_rows(study, answer, rows), PLACES)
    write_table(out / f"{study.cohort}.mixture.tsv", mixture_rows(study, answer), MIXTURE)
    write_table(out / f"{study.cohort}.counts.tsv", count_rows(study), COUNTS)


def _lines(path: Path, lines: Iterable[str]) -> None:
    with written_whole(path) as unfinished:
        unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
