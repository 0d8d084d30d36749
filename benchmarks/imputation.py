"""Imputation accuracy and speed beside Beagle 5.4 and minimac4 (``python -m benchmarks.imputation``)."""

from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks import methods, scoring, timing
from benchmarks.datasets import Dataset, prepare, simulate_speed
from benchmarks.methods import Method
from benchmarks.tables import show, write_table

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Out = Annotated[Path, typer.Option(help="Folder for data, outputs and scores; what exists is kept.")]
Seed = Annotated[int, typer.Option(help="Draws held-out people and typed sites.")]
SEEDS = 5


def impute_and_score(method: Method, folder: Path, seed: int) -> scoring.Sums:
    """Run a method on prepared data and score it, unless that is done."""
    sums = folder / f"{method}.sums.npz"
    methods.run(method, folder, seed)
    if not sums.exists():
        scored = scoring.score(
            methods.imputed(method, folder),
            folder / "truth.vcf.gz",
            folder / "panel.vcf.gz",
            folder / "target.vcf.gz",
        )
        write_table(folder / f"{method}.scores.tsv", scoring.table(scored))
        scored.save(sums)
    return scoring.Sums.load(sums)


@app.command("prepare")
def prepare_command(dataset: Annotated[Dataset, typer.Option()], out: Out, seed: Seed = 1) -> None:
    """Write panel, phased and unphased targets, truth and genetic map."""
    prepare(dataset, seed, out)


@app.command()
def peers(folder: Annotated[Path, typer.Argument(help="What prepare wrote.")], seed: Seed = 1) -> None:
    """Run and score the peers on prepared data."""
    for method in methods.PEERS:
        if methods.applies(method, folder):
            impute_and_score(method, folder, seed)
            typer.echo(f"{method}: {timing.load(folder / f'{method}.cost.json')}")


@app.command()
def score(
    imputed: Annotated[Path, typer.Option(help="VCF with GT and DS.")],
    truth: Annotated[Path, typer.Option(help="VCF with the complete genotypes.")],
    panel: Annotated[Path, typer.Option(help="VCF with AC and AN.")],
    typed: Annotated[Path, typer.Option(help="The target: its sites are left out.")],
) -> None:
    """Print aggregated R², concordance and non-reference concordance by MAF bin."""
    show(scoring.table(scoring.score(imputed, truth, panel, typed)))


@app.command("run")
def run_command(
    dataset: Annotated[Dataset, typer.Option()],
    out: Out,
    seeds: Annotated[int, typer.Option(help="Seeds 1 to this number.")] = SEEDS,
    only: Annotated[list[Method] | None, typer.Option(help="Methods; default: all.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One seed.")] = False,
) -> None:
    """Prepare, impute with the peers and with ours, and compare over the seeds."""
    sums: dict[Method, list[scoring.Sums]] = {}
    costs: dict[Method, list[float]] = {}
    for seed in range(1, 1 + (1 if quick else seeds)):
        folder = out / f"seed{seed}"
        prepare(dataset, seed, folder)
        for method in only or Method:
            if methods.applies(method, folder):
                sums.setdefault(method, []).append(impute_and_score(method, folder, seed))
                stages = timing.load(folder / f"{method}.cost.json")
                costs.setdefault(method, []).append(stages["impute"].wall_s)
    compare(sums, costs, out / "comparison.tsv")


def compare(sums: dict[Method, list[scoring.Sums]], costs: dict[Method, list[float]], path: Path) -> None:
    """Print and write mean R² over seeds, and ours less the better comparable peer in each bin."""
    mean = {name: _mean_r2(all_seeds) for name, all_seeds in sums.items()}
    rows = [_row(name, mean[name], "wall_s", f"{np.mean(costs[name]):.1f}") for name in sums]
    for ours, rivals in COMPARABLE.items():
        present = [rival for rival in rivals if rival in sums]
        if ours not in sums or not present:
            continue
        for rival in present:
            low, high = _difference(sums[ours], sums[rival])
            time = f"x{np.mean(costs[ours]) / np.mean(costs[rival]):.2f}"
            rows.append(_row(f"{ours} - {rival}", mean[ours] - mean[rival], "wall_s", time))
            rows.append(_row("  95 % from", low, "wall_s", ""))
            rows.append(_row("  95 % to", high, "wall_s", ""))
    write_table(path, rows)
    show(rows)


COMPARABLE = {
    Method.copying: [Method.beagle, Method.minimac4],
    Method.copying_nomap: [Method.beagle_nomap, Method.minimac4_nomap],
    Method.copying_unphased: [Method.beagle_unphased],
    Method.adaptive: [Method.beagle, Method.minimac4, Method.copying],
    Method.adaptive_nomap: [Method.beagle_nomap, Method.minimac4_nomap],
    Method.adaptive_unphased: [Method.beagle_unphased, Method.copying_unphased],
    Method.neural: [Method.beagle, Method.minimac4, Method.copying, Method.adaptive],
}


def _row(name: str, values: np.ndarray, key: str, last: str) -> dict[str, str]:
    cells = {
        name: f"{value:.3f}" if np.isfinite(value) else "NA"
        for name, value in zip(scoring.BINS, values, strict=True)
    }
    return {"method": name, **cells, key: last}


def _mean_r2(all_seeds: list[scoring.Sums]) -> np.ndarray:
    return np.asarray(np.mean([scoring.r2_of(sums.moments.sum(axis=1)) for sums in all_seeds], axis=0))


def _difference(ours: list[scoring.Sums], rival: list[scoring.Sums]) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the mean difference in R²: the same people are drawn for both, seed by seed."""
    drawn = [
        scoring.resampled(a, seed) - scoring.resampled(b, seed)
        for seed, (a, b) in enumerate(zip(ours, rival, strict=True))
    ]
    mean = np.mean(drawn, axis=0)
    low, high = np.full((2, mean.shape[1]), np.nan)
    told = np.isfinite(mean).all(axis=0)  # not where a bin is empty
    low[told], high[told] = np.quantile(mean[:, told], [0.025, 0.975], axis=0)
    return low, high


@app.command()
def speed(
    out: Out,
    megabases: Annotated[float, typer.Option(help="Length of the simulated region.")] = 20.0,
    panel_people: Annotated[int, typer.Option(help="Half the panel's haplotypes.")] = 2350,
    target_people: Annotated[int, typer.Option(help="People to impute.")] = 1000,
    only: Annotated[list[Method] | None, typer.Option(help="Methods; default: Beagle and ours.")] = None,
) -> None:
    """Simulate a large region, then time Beagle and ours on the same processors."""
    # In a process of its own: the kernel counts the memory of a caller to what it starts.
    simulation = get_context("spawn").Process(
        target=simulate_speed, args=(out, int(megabases * 1e6), panel_people, target_people, 1)
    )
    simulation.start()
    simulation.join()
    if simulation.exitcode:
        raise typer.Exit(1)
    rows = []
    for method in only or [Method.beagle, Method.copying]:
        methods.run(method, out, seed=1)
        for stage, cost in timing.load(out / f"{method}.cost.json").items():
            figures = {"wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "peak_gb": cost.peak_gb}
            rows.append({"method": str(method), "stage": stage, **{k: str(v) for k, v in figures.items()}})
    write_table(out / "speed.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
