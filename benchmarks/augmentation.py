"""Artificial people beside plain generators and published ones (``python -m benchmarks.augmentation``)."""

import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from cyvcf2 import VCF

from benchmarks import rare_population
from benchmarks.tables import show, write_table
from deepcohort.augmentation import figures, plain
from deepcohort.augmentation.generator import STEPS, Method, Sidecar, Trained, learn
from deepcohort.augmentation.guard import Limits, guarded, limits_of
from deepcohort.augmentation.nearest import adversarial_accuracy
from deepcohort.augmentation.people import Int8, Int64, People, starts_of
from deepcohort.augmentation.quality import EVERYBODY, Figure, judge
from deepcohort.augmentation.read import read_panel
from deepcohort.genome.backend import set_up

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

SHOWN = (
    ("train", "af_r"), ("train", "af_r_by_label"), ("train", "ld_r"), ("train", "three_point_r"),
    ("train", "adversarial_truth"), ("train", "adversarial_artificial"),
    ("held_out", "adversarial_truth"), ("held_out", "adversarial_artificial"), ("held_out", "privacy_loss"),
    ("held_out", "heterozygosity_ratio"), ("held_out", "pc_wasserstein"), ("held_out", "identical_people"),
    ("held_out", "membership_auc"), ("held_out", "told_by_artificial"), ("held_out", "told_by_real"),
    ("held_out", "told_by_both"),
)  # fmt: skip


def halves(label: Int64, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Half of the people of each label, to learn from."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(label), bool)
    for kind in np.unique(label):
        own = rng.permutation(np.flatnonzero(label == kind))
        chosen[own[: len(own) // 2]] = True
    return chosen


def learnt(
    people: People, folder: Path, method: Method, steps: int, seed: int, threads: int,
    starts: Int64 | None = None,
) -> tuple[Trained, float]:  # fmt: skip
    """A generator, and the seconds that it took; what was there of it is gone on from."""
    from deepcohort.augmentation.space import Space

    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    model, _ = learn(people, folder, method, steps, seed, threads, folder, starts=starts)
    space = Space.load(folder / "space.npz") if method is Method.pca else None
    sidecar = Sidecar(method.value, people.labels, people.phased, [], [], steps, seed)
    return Trained(model, space, sidecar), time.monotonic() - begun


def paths_only(trained: Trained, pairs: Int64, rng: np.random.Generator) -> People:
    """The same paths through haplotypes, but following no place: what the network adds is the difference."""
    assert trained.space is not None
    found = {kind: trained.space.paths(kind, trained.sidecar.seed) for kind in np.unique(pairs).tolist()}
    for paths in found.values():
        paths.axes = 0 * paths.axes
    return replace(trained, paths=found).draw(pairs, rng)


def table(
    groups: dict[str, People], train: People, held: People, limits: Limits, seed: int, out: Path
) -> None:
    """Judge all, write the whole table, and print what matters of it."""
    rows: list[Figure] = []
    shown = []
    for name, people in groups.items():
        found = judge(name, people, train, held, limits, seed)
        rows += found
        of = {(one.against, one.figure): one.value for one in found if one.label == EVERYBODY}
        shown.append({"generator": name} | {f"{a} {f}": f"{of[a, f]:.3f}" for a, f in SHOWN})
        show(shown[-1:])
    write_table(out, [row.row() for row in rows])


@app.command()
def region(
    vcf: Annotated[Path, typer.Option(exists=True, help="Genotypes of labelled people.")],
    labels: Annotated[Path, typer.Option(exists=True, help="Labels (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder; trainings that are there are gone on from.")],
    method: Annotated[Method, typer.Option(help="Generator.")] = Method.pca,
    steps: Annotated[int | None, typer.Option(help="Of the generator.")] = None,
    seed: Annotated[int, typer.Option(help="Draws halves and people.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    alone: Annotated[bool, typer.Option("--alone", help="Leave the plain generators out.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="The first 512 sites, and 20 steps.")] = False,
) -> None:
    """Learn from half of the people, and compare with both halves."""
    set_up(seed, threads, "auto")
    panel = read_panel([vcf], labels, seed=seed)
    people = panel.people.at(slice(0, 512)) if quick else panel.people
    inside = halves(people.label, seed)
    train, held = people.only(inside), people.only(~inside)
    trained, seconds = learnt(
        train, out / method.value, method, 20 if quick else steps or STEPS[method], seed, threads,
        panel.places.starts,
    )  # fmt: skip
    print(f"learnt in {seconds:.0f} s", flush=True)
    limits = limits_of(train.copies())
    pairs = np.stack([train.label, train.label], axis=1)
    begun = time.monotonic()
    found = guarded(trained.draw, pairs, train.copies(), limits, np.random.default_rng(seed))
    print(
        f"{len(pairs)} people in {time.monotonic() - begun:.0f} s, {found.rejected} rejected, "
        f"{found.given_up} given up"
    )
    groups = {method.value: found.people}
    if method is Method.pca:
        groups["paths alone"] = paths_only(trained, pairs, np.random.default_rng(seed))
    if not alone:
        groups["held-out people"] = held
    for number, (name, generate) in enumerate(() if alone else plain.GENERATORS.items()):
        groups[name] = generate(train, train.label, np.random.default_rng([seed, number]))
    table(groups, train, held, limits, seed, out / f"{method.value}.tsv")


def everybody(vcf: Path) -> tuple[People, Int64]:
    """All phased people of a file under one label, and the first site of each chromosome."""
    found, chroms = [], []
    for record in VCF(str(vcf)):
        alleles = record.genotype.array()
        found.append(2 * alleles[:, 0] + alleles[:, 1])
        chroms.append(record.CHROM)
    classes = np.array(found, np.int8).T
    return People(classes, np.zeros(len(classes), np.int64), ["all"], True), starts_of(chroms)


def hapt(path: Path) -> Int8:
    """Haplotypes of a published set (a row each: two names, then alleles), int8[rows, S]."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return np.array([line.split()[2:] for line in file], np.int8)


@app.command()
def published(
    vcf: Annotated[Path, typer.Option(exists=True, help="The phased panel of the published sets.")],
    sets: Annotated[list[Path], typer.Option(exists=True, help="Published haplotypes (.hapt.zip).")],
    out: Annotated[Path, typer.Option(help="Folder; a training that is there is gone on from.")],
    steps: Annotated[int | None, typer.Option(help="Of the generator.")] = None,
    seed: Annotated[int, typer.Option(help="Draws people.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    half: Annotated[bool, typer.Option("--half", help="Learn from half, compare with the other.")] = False,
) -> None:
    """Learn from all haplotypes, as the published sets did, and compare with these haplotypes."""
    set_up(seed, threads, "auto")
    everyone, starts = everybody(vcf)
    inside = halves(everyone.label, seed) if half else np.ones(len(everyone), bool)
    people = everyone.only(inside)
    chosen = steps or STEPS[Method.pca]
    trained, seconds = learnt(people, out / "pca", Method.pca, chosen, seed, threads, starts)
    print(f"learnt in {seconds:.0f} s", flush=True)
    pairs = np.stack([people.label] * 2, axis=1)
    groups = {"pca": trained.draw(pairs, np.random.default_rng(seed)).rows()[0]}
    groups["paths alone"] = paths_only(trained, pairs, np.random.default_rng(seed)).rows()[0]
    groups |= {path.name.split(".")[0]: hapt(path) for path in sets}
    if half:
        groups["people learnt from"] = people.rows()[0]
    real, _ = everyone.only(~inside if half else inside).rows()
    rows = [{"generator": name, **_against(real, rows, seed)} for name, rows in groups.items()]
    write_table(out / f"published{'.half' if half else ''}.tsv", rows)
    show(rows)


def _against(real: Int8, made: Int8, seed: int) -> dict[str, str]:
    """Figures of haplotypes against real ones."""
    rng = np.random.default_rng(seed)
    number = min(len(real), len(made))
    one, other = (rows[np.sort(rng.permutation(len(rows))[:number])] for rows in (real, made))
    frequency = real.mean(axis=0), made.mean(axis=0)
    rare = frequency[0] < 0.2
    chosen = figures.triplets(real.shape[1], seed)
    accuracy = adversarial_accuracy(one, other)
    components = figures.Components(one)
    values = {
        "af_r": figures.correlation(*frequency),
        "af_r_rare": figures.correlation(frequency[0][rare], frequency[1][rare]),
        "ld_r": figures.linkage_correlation(figures.linkage(real), figures.linkage(made)),
        "three_point_r": figures.correlation(
            figures.third_moments(real, chosen), figures.third_moments(made, chosen)
        ),
        "adversarial_truth": accuracy.truth,
        "adversarial_artificial": accuracy.artificial,
        "pc_wasserstein": figures.wasserstein(components(one), components(other)),
    }
    return {name: f"{value:.3f}" for name, value in values.items()}


@app.command()
def imputation(
    labels: Annotated[Path, typer.Option(exists=True, help="Labels (.tsv).")],
    out: Annotated[Path, typer.Option(help="Folder; trainings that are there are gone on from.")],
    rare: Annotated[str, typer.Option(help="Superpopulation that is rare in the panel.")] = "AFR",
    few: Annotated[int, typer.Option(help="People of it who are left in the panel.")] = 20,
    made: Annotated[int, typer.Option(help="Artificial people of it.")] = 200,
    asked: Annotated[int, typer.Option(help="People of it who are imputed.")] = 60,
    seed: Annotated[int, typer.Option(help="Draws people and typed sites.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Impute people whose population is rare in the panel, with and without artificial people in it."""
    set_up(seed, threads, "auto")
    data = rare_population.cut(labels, rare, few, asked, seed)
    typed = rare_population.typed_of(data, seed)
    found = {}
    for name, panel in rare_population.panels(data, out, made, seed, threads).items():
        found[name] = rare_population.imputed(data, panel, typed, seed, threads)
        print(f"{name}: {len(panel.samples)} people, {len(typed)} typed sites", flush=True)
    rows = rare_population.compared(data, found, typed, seed)
    write_table(out / f"imputation.{rare}.{few}.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
