"""Populations of held-out people, all methods on the same folds (``python -m benchmarks.population``)."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from cyvcf2 import VCF
from numpy.typing import NDArray

from benchmarks.tables import show, write_table
from deepcohort.genome.genotypes import alt_copies
from deepcohort.genome.samples import read_labels
from deepcohort.population.answer import Answer, answer, to_superpopulations
from deepcohort.population.methods import Method
from deepcohort.population.people import labelled, split
from deepcohort.population.pool import calibration_error
from deepcohort.population.study import Int64, Study, Window
from deepcohort.population.sure import SURE

Float64 = NDArray[np.float64]

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

FOLDS = 5


def read(vcf: Path, labels: Path, most_sites: int | None) -> tuple[Study, list[str]]:
    """Everybody with a label, as the panel of a study of no cohort; and the chromosome of each site."""
    reader = VCF(str(vcf))
    rows, chroms = [], []
    for record in islice(reader, most_sites):
        rows.append(alt_copies(record.genotype.array()))
        chroms.append(record.CHROM)
    names, label, populations, continent, superpopulations = labelled(
        reader.samples, read_labels(labels), labels
    )
    column = {name: number for number, name in enumerate(reader.samples)}
    copies = np.array(rows).T[[column[name] for name in names]]
    fold = np.zeros(len(names), np.int64)
    study = Study(
        "benchmark",
        copies,
        copies[:0],
        names,
        [],
        label,
        populations,
        continent,
        superpopulations,
        fold,
        [],
        {},
        [],
    )
    return study, chroms


def held_out(whole: Study, chroms: list[str], out: Int64, absent: float, seed: int) -> Study:
    """A study whose cohort are the people ``out``, who lack a share of the sites."""
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(whole.panel.shape[1]) >= absent)
    inside = np.setdiff1d(np.arange(len(whole.label)), out)
    label = whole.label[inside]
    windows = []
    for chrom in dict.fromkeys(chroms):
        columns = np.flatnonzero(np.array(chroms)[kept] == chrom)
        windows.append(Window(f"chr{chrom}", chrom, [(int(i), "A", "C") for i in kept[columns]], columns))
    return Study(
        whole.cohort, whole.panel[inside][:, kept], whole.panel[out][:, kept],
        [whole.panel_names[i] for i in inside], [whole.panel_names[i] for i in out],
        label, whole.populations, whole.continent, whole.superpopulations,
        split(label, np.arange(len(label)), FOLDS, seed), windows, {}, [],
    )  # fmt: skip


def score(whole: Study, chances: Float64, truth: Int64) -> dict[str, float]:
    """Shares of held-out people, of all folds together. chances: float64[n, P], truth: int64[n]."""
    upper = to_superpopulations(chances, whole)
    right = chances.argmax(axis=1) == truth
    right_upper = upper.argmax(axis=1) == whole.continent[truth]
    sure = upper.max(axis=1) >= SURE
    return {
        "people": float(len(truth)),
        "accuracy": float(right.mean()),
        "super_accuracy": float(right_upper.mean()),
        "calibration_error": calibration_error(chances.max(axis=1), right),
        "super_sure": float(sure.mean()),
        "super_sure_right": float(right_upper[sure].mean()),
    }


def one_fold(study: Study, folder: Path, epochs: int, seed: int) -> Answer:
    """Train (unless ``epochs`` is 0) and assign; windows that are there are kept."""
    paths = []
    if epochs:
        from deepcohort.genome.backend import set_up
        from deepcohort.population.training import train_window

        set_up(seed, 1, "auto")
        for window in study.windows:
            path = folder / f"{window.name}.npz"
            if not path.exists():
                train_window(
                    study, window.name, folder / "net", folder / "logs", epochs=epochs, seed=seed
                ).save(path)
            paths.append(path)
    return answer(study, paths, Method.auto, seed)


def answers_of(path: Path) -> dict[str, Float64]:
    """Held-out probabilities by method, and who they are of (``rows``), as ``run`` wrote them."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@app.command()
def run(
    vcf: Annotated[Path, typer.Option(exists=True, help="Genotypes of labelled people.")],
    labels: Annotated[Path, typer.Option(exists=True, help="Labels (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder of the scores; folds that are there are kept.")],
    absent: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of sites that the held-out lack.")
    ] = 0.0,
    most_sites: Annotated[int | None, typer.Option(min=1, help="Take the first sites alone.")] = None,
    epochs: Annotated[int, typer.Option(min=0, help="Of the networks; 0 trains none.")] = 15,
    seed: Annotated[int, typer.Option(help="Draws folds and absent sites.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="One fold.")] = False,
) -> None:
    """Hold people out in five folds, assign them, and print all methods beside each other."""
    whole, chroms = read(vcf, labels, most_sites)
    fold = split(whole.label, np.arange(len(whole.label)), FOLDS, seed)
    done: list[dict[str, Float64]] = []
    for number in range(1 if quick else FOLDS):
        folder = out / f"absent{absent:g}.fold{number + 1}"
        folder.mkdir(parents=True, exist_ok=True)
        answers = folder / "answers.npz"
        if not answers.exists():
            people: Int64 = np.flatnonzero(fold == number)
            found = one_fold(held_out(whole, chroms, people, absent, seed), folder, epochs, seed)
            columns: dict[str, Any] = {"rows": people, "auto": found.probability, **found.by_method}
            np.savez(answers, **columns)
        done.append(answers_of(answers))
    truth = whole.label[np.concatenate([one["rows"] for one in done])]
    rows = []
    for method in sorted(set(done[0]) - {"rows"}, key=lambda name: (name in ("ensemble", "auto"), name)):
        chances = np.concatenate([one[method] for one in done])
        told = score(whole, chances, truth).items()
        rows.append(
            {"method": method, "folds": str(len(done))} | {what: f"{value:.4f}" for what, value in told}
        )
    write_table(out / f"absent{absent:g}.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
