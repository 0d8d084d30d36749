"""A published study of autoregressive imputation, remade (``python -m benchmarks.protocol``)."""

import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.published_design import BANDS, QUICK, Design, Problem, Sizes, Source, problems
from benchmarks.scoring import weights
from benchmarks.tables import show, write_table
from deepcohort.genome.files import written_whole
from deepcohort.imputation import baselines
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings, as_told_by, model
from deepcohort.imputation.network_options import Loss, NetworkOptions
from deepcohort.imputation.panel_people import genotypes_of

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Float64 = NDArray[np.float64]

SEED = 1


class Plain(StrEnum):
    """Guesses that look at nobody's genotypes."""

    random = "random genotypes"
    frequent = "most frequent genotype"
    mean = "frequencies of the genotypes"


@dataclass(frozen=True)
class Entrant:
    """What imputes: a plain guess or a model with its options; ``phased``: it is told the phase.

    members: of an ensemble, other than its own.
    """

    name: str
    kind: Plain | Imputer
    network: NetworkOptions = field(default_factory=NetworkOptions)
    phased: bool = False
    members: tuple[Imputer, ...] | None = None


@dataclass(frozen=True)
class Result:
    """One entrant's genotypes of n people at U sites, compared with the true ones.

    right: genotypes of each person that are; residual, spread: sums of squares of dosage less truth, and of
    truth less the person's mean; float64[n] each. train_s, impute_s: processor time.
    """

    sites: int
    right: Float64
    residual: Float64
    spread: Float64
    train_s: float
    impute_s: float

    @property
    def figures(self) -> Float64:
        """Accuracy and coefficient of determination of each person, [2, n]."""
        return np.stack([self.right / self.sites, 1 - self.residual / self.spread])


QUICK_MEMBERS = (Imputer.copying, Imputer.knn, Imputer.svd)
"""Members of an ensemble that takes seconds; its own members are copying and both networks."""


def entrants(epochs: int) -> list[Entrant]:
    """All that are compared; networks read a chunk as one sequence, as the study has it."""
    whole = NetworkOptions(flank=0, epochs=epochs)
    both = replace(whole, bidirectional=True)
    return [
        *(Entrant(str(kind), kind) for kind in Plain),
        *(Entrant(str(kind), kind) for kind in (Imputer.knn, Imputer.svd, Imputer.copying)),
        Entrant("copying, phase known", Imputer.copying, phased=True),
        Entrant("lstm", Imputer.lstm, whole),
        Entrant("lstm, bidirectional", Imputer.lstm, both),
        Entrant("gpt", Imputer.gpt, replace(whole, at_once=16)),
        Entrant("ensemble", Imputer.ensemble, whole),
        Entrant(f"ensemble of {', '.join(QUICK_MEMBERS)}", Imputer.ensemble, members=QUICK_MEMBERS),
    ]


def variants(epochs: int) -> list[Entrant]:
    """Networks that differ from the first of their kind in one respect each."""
    part: dict[str, object] = {"window": 100, "flank": 20}
    changes: dict[Imputer, list[dict[str, object]]] = {
        Imputer.lstm: [
            {}, {"hidden": 48}, {"layers": 2}, {"embedding": 16}, {"loss": Loss.weighted},
            {"bidirectional": True}, part, {"window": 100},
        ],
        Imputer.gpt: [
            {}, {"hidden": 24}, {"layers": 1}, {"loss": Loss.weighted}, {"bidirectional": True}, part,
        ],
    }  # fmt: skip
    start = {Imputer.lstm: NetworkOptions(flank=0, epochs=epochs)}
    start[Imputer.gpt] = replace(start[Imputer.lstm], at_once=16)
    return [
        Entrant(_name(kind, change), kind, replace(start[kind], **change))  # type: ignore[arg-type]
        for kind, several in changes.items()
        for change in several
    ]


def _name(kind: Imputer, change: dict[str, object]) -> str:
    return ", ".join([str(kind), *(f"{key} {value}" for key, value in change.items())])


def chances(problem: Problem, entrant: Entrant) -> tuple[Float64, Float64, float, float]:
    """Most likely genotypes and dosages, float64[U, n] each, and the time to train and to impute."""
    if isinstance(entrant.kind, Plain):
        return *_plain(problem, entrant.kind), 0.0, 0.0
    settings = Settings(entrant.kind, seed=SEED, network=entrant.network)
    if entrant.members:
        settings = replace(settings, members=entrant.members)
    target = problem.target
    if entrant.phased:
        target = replace(target, phased=np.ones_like(target.phased))
    start = time.process_time()
    trained = model(settings.imputer).train(problem.panel, target.typed, settings)
    middle = time.process_time()
    found = model(settings.imputer).impute(problem.panel, target, problem.asked, trained, settings)
    end = time.process_time()
    first, second = found[:, 0::2].astype(np.float64), found[:, 1::2].astype(np.float64)
    if as_told_by(settings.imputer, target).phased.all():
        first, second = first + second - 2 * first * second, first * second
    guess = np.stack([1 - first - second, first, second]).argmax(axis=0).astype(np.float64)
    return guess, first + 2 * second, middle - start, end - middle


def _plain(problem: Problem, kind: Plain) -> tuple[Float64, Float64]:
    shape = problem.truth.shape
    if kind is Plain.random:
        frequency = problem.panel.alt_frequency()[problem.asked]
        drawn = baselines.naive(frequency, 2 * shape[1], SEED).astype(np.float64)
        guess = drawn[:, 0::2] + drawn[:, 1::2]
        return guess, guess
    panel = genotypes_of(problem.panel, problem.asked)
    counts = np.stack([(panel == copies).sum(axis=1) for copies in range(3)])
    guess = np.broadcast_to(counts.argmax(axis=0)[:, None], shape).astype(np.float64)
    if kind is Plain.frequent:
        return guess, guess
    return guess, np.broadcast_to(panel.mean(axis=1)[:, None], shape).astype(np.float64)


def result_of(problem: Problem, entrant: Entrant, folder: Path) -> Result:
    """Impute and compare, unless that is done."""
    path = folder / f"{problem.name}.{entrant.name.replace(', ', '_').replace(' ', '-')}.npz"
    if not path.exists():
        guess, dosage, train_s, impute_s = chances(problem, entrant)
        truth = problem.truth.astype(np.float64)
        with written_whole(path) as unfinished, unfinished.open("wb") as out:
            np.savez(
                out,
                sites=len(truth),
                right=(guess == truth).sum(axis=0),
                residual=((dosage - truth) ** 2).sum(axis=0),
                spread=((truth - truth.mean(axis=0)) ** 2).sum(axis=0),
                train_s=train_s,
                impute_s=impute_s,
            )
    with np.load(path) as found:
        numbers = {name: found[name].item() for name in ("sites", "train_s", "impute_s")}
        return Result(**numbers, **{name: found[name] for name in ("right", "residual", "spread")})


def pooled(results: list[tuple[str, Result]], replicates: int = 1000) -> dict[str, str]:
    """Mean accuracy and R² over sources and people, with the interval of people drawn within each source."""
    by_source: dict[str, list[Float64]] = defaultdict(list)
    for source, result in results:
        by_source[source].append(result.figures)
    means = [np.mean(chunks, axis=0) for chunks in by_source.values()]
    drawn = [weights(figures.shape[1], replicates, SEED) @ figures.T / figures.shape[1] for figures in means]
    middle = np.mean([figures.mean(axis=1) for figures in means], axis=0)
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975], axis=0)
    cells = {
        name: f"{100 * middle[row]:.1f} ({100 * low[row]:.1f}, {100 * high[row]:.1f})"
        for row, name in enumerate(("accuracy", "r2"))
    }
    told = [result for _, result in results]
    times = {name: np.mean([getattr(one, name) for one in told]) for name in ("train_s", "impute_s")}
    return {"chunks": str(len(told)), **cells, **{name: f"{value:.1f}" for name, value in times.items()}}


def table(found: list[tuple[dict[str, str], Result]], by: tuple[str, ...]) -> list[dict[str, str]]:
    """A row for each value of the keys ``by`` of what was found, pooled over the others."""
    groups: dict[tuple[str, ...], list[tuple[str, Result]]] = defaultdict(list)
    for keys, result in found:
        groups[tuple(keys[name] for name in by)].append((keys["source"], result))
    return [dict(zip(by, group, strict=True)) | pooled(results) for group, results in groups.items()]


Out = Annotated[Path, typer.Option(help="Folder for results; what exists is kept.")]
Quick = Annotated[bool, typer.Option("--quick", help="A few simulated people and sites, one epoch.")]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of the networks at most.")]
Only = Annotated[list[str] | None, typer.Option(help="Models by name; default: all.")]
Sources = Annotated[list[Source] | None, typer.Option("--source", help="Default: all real ones.")]
Designs = Annotated[list[Design] | None, typer.Option("--design", help="Default: both.")]
Bands = Annotated[list[str] | None, typer.Option("--band", help="Frequencies; default: 0.1 and 0.6.")]
Chunks = Annotated[int, typer.Option(min=1, help="Chunks of each source at most.")]


def _compare(
    out: Path,
    entered: list[Entrant],
    sources: list[Source],
    bands: list[str],
    designs: list[Design],
    chunks: int,
    sizes: Sizes,
) -> None:
    """Run everybody on every problem; write and print the table of each source and of all."""
    out.mkdir(parents=True, exist_ok=True)
    found: list[tuple[dict[str, str], Result]] = []
    for source in sources:
        everyone = source.people()
        for band in bands:
            for design in designs:
                for problem in problems(source, everyone, band, design, sizes, chunks):
                    for entrant in entered:
                        result = result_of(problem, entrant, out)
                        keys = {"design": design, "frequency": band, "source": source, "model": entrant.name}
                        found.append((keys, result))
                        told = 100 * result.figures.mean(axis=1)
                        typer.echo(f"{problem.name} {entrant.name}: {told[0]:.1f} {told[1]:.1f}", err=True)
    write_table(out / "by_source.tsv", table(found, ("design", "frequency", "source", "model")))
    together = table(found, ("design", "frequency", "model"))
    write_table(out / "all.tsv", together)
    show(together)


def _chosen(all_of_them: list[Entrant], only: list[str] | None) -> list[Entrant]:
    known = [entrant.name for entrant in all_of_them]
    unknown = sorted(set(only or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of: {'; '.join(known)}")
    return [entrant for entrant in all_of_them if not only or entrant.name in only]


@app.command()
def run(
    out: Out,
    only: Only = None,
    source: Sources = None,
    band: Bands = None,
    design: Designs = None,
    chunks: Chunks = 1,
    epochs: Epochs = 30,
    quick: Quick = False,
) -> None:
    """Compare all models in the study's design, and with as many observed sites spread over the chunk."""
    sources = [Source.simulated] if quick else source or [one for one in Source if one != Source.simulated]
    entered = _chosen(entrants(1 if quick else epochs), only)
    sizes = QUICK if quick else Sizes()
    _compare(out, entered, sources, band or list(BANDS), design or list(Design), chunks, sizes)


@app.command()
def ablation(out: Out, only: Only = None, epochs: Epochs = 30, quick: Quick = False) -> None:
    """Compare networks that differ in one respect each, on 200 sites, observed ones spread over them."""
    source = Source.simulated if quick else Source.par1
    entered = _chosen(variants(1 if quick else epochs), only)
    _compare(out, entered, [source], ["0.1"], [Design.spread], 1, QUICK if quick else Sizes(sites=200))


if __name__ == "__main__":
    app()
