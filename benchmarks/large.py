"""How time and memory grow with the panel, beside Beagle 5.4 (``python -m benchmarks.large``).

One simulation of the largest panel; the smaller ones are some of its people at the same sites, so nothing but
the number of haplotypes differs.
"""

from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import msprime
import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks import timing
from benchmarks.curves import curves
from benchmarks.datasets import TYPED_EVERY, TYPED_MAF, out_of_africa, write_plink_map
from benchmarks.imputation import Out
from benchmarks.methods import THREADS, Ours
from benchmarks.tables import show, write_table
from benchmarks.timing import Cost, timed
from deepcohort.genome.vcf import make_index
from deepcohort.imputation.engine_files import write_panel, write_target
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import TargetChunk

app = typer.Typer(help=__doc__, add_completion=False)

CONTIG, SEED = "20", 1


def simulate(out: Path, people: int, targets: int, bases: int, n_sites: int) -> None:
    """Write ``panel.npz``, and of other people ``truth.npy``, int8[S, 2n]; ``typed.npy`` says where they are
    typed. Coalescent and history are those of the speed benchmark; sites are drawn among those that vary.
    """
    number = people + targets
    share = {"AFR": number // 3, "EUR": number // 3, "EAS": number - 2 * (number // 3)}
    ancestry = msprime.sim_ancestry(
        samples=share,
        demography=out_of_africa(),
        sequence_length=bases,
        recombination_rate=1e-8,
        random_seed=SEED,
    )
    trees = msprime.sim_mutations(
        ancestry, rate=1.25e-8, random_seed=SEED, model=msprime.BinaryMutationModel()
    )
    rng = np.random.default_rng(SEED)
    order = rng.permutation(number)
    held_out, kept = _haplotypes(order[:targets]), _haplotypes(order[targets:])
    once = np.array([site.id for site in trees.sites() if len(site.mutations) == 1])
    taken = np.zeros(trees.num_sites, bool)
    taken[once] = rng.random(len(once)) < min(1, n_sites * 1.6 / len(once))
    pos, bits, truth = [], [], []
    for variant in trees.variants():
        alleles = variant.genotypes[kept]
        if taken[variant.site.id] and 0 < alleles.sum() < len(kept):
            pos.append(int(variant.site.position) + 1)
            bits.append(np.packbits(alleles.astype(np.uint8)))
            truth.append(variant.genotypes[held_out].astype(np.int8))
    _, chosen = np.unique(pos, return_index=True)
    if len(chosen) > n_sites:
        chosen = np.sort(rng.choice(chosen, n_sites, replace=False))
    count, places = len(chosen), np.array(pos)[chosen]
    panel = PanelChunk(
        contig=CONTIG,
        header="",
        core=(1, bases),
        pos=places,
        ref=["A"] * count,
        alt=["C"] * count,
        ids=["."] * count,
        cm=places / 1e6,
        bits=np.array(bits)[chosen],
        n_haplotypes=len(kept),
        person=np.repeat(np.arange(people, dtype=np.int32), 2),
    )
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "truth.npy", np.array(truth)[chosen])
    np.save(out / "typed.npy", _typed(panel, rng))
    panel.save(out / "panel.npz")


def _haplotypes(people: NDArray[np.int64]) -> NDArray[np.int64]:
    return (2 * np.sort(people)[:, None] + np.arange(2)).ravel()


def _typed(panel: PanelChunk, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw one common site in every ``TYPED_EVERY`` bases that have one."""
    frequency = panel.alt_frequency()
    fit = rng.permutation(np.flatnonzero(np.minimum(frequency, 1 - frequency) > TYPED_MAF))
    _, first = np.unique(panel.pos[fit] // TYPED_EVERY, return_index=True)
    return np.sort(fit[first])


def write_files(simulated: Path, out: Path, n_haplotypes: int) -> None:
    """Write a panel of some of the people, targets and map as the programs read them."""
    panel, typed = PanelChunk.load(simulated / "panel.npz"), np.load(simulated / "typed.npy")
    order = np.random.default_rng(n_haplotypes).permutation(panel.n_haplotypes // 2)
    chosen = _haplotypes(order[: n_haplotypes // 2])
    panel = panel.among(chosen)
    genotypes = np.load(simulated / "truth.npy")[typed].reshape(len(typed), -1, 2)
    people = genotypes.shape[1]
    target = TargetChunk(
        samples=[f"T{number}" for number in range(1, people + 1)],
        contig=CONTIG,
        typed=typed,
        genotypes=genotypes,
        phased=np.ones(people, bool),
        haploid=np.zeros(people, bool),
    )
    out.mkdir(parents=True, exist_ok=True)
    bases = panel.core[1]
    write_plink_map(out, CONTIG, np.array([1, bases]), np.array([0.0, bases / 1e6]))
    (out / "people.txt").write_text("".join(f"{name}\n" for name in target.samples))
    write_target(out / "target.vcf.gz", panel, target, companion=False, threads=THREADS)
    write_panel(out / "panel.vcf.gz", panel, THREADS)
    make_index(out / "panel.vcf.gz", out / "panel.vcf.gz.tbi", threads=THREADS)


def ours(folder: Path, bases: int, imputer: str) -> dict[str, Cost]:
    """Pack, train and impute as the pipeline does, the whole stretch as one chunk."""
    work = folder / imputer
    work.mkdir(exist_ok=True)
    run = Ours(work)
    packed, trained, target = folder / "panel.npz", work / "model", folder / "target.vcf.gz"
    settings = ["--imputer", imputer, "--threads", str(THREADS), "--device", "cpu", "--seed", str(SEED)]
    if not packed.exists():
        run.step(
            "pack", "imputation", "pack-panel", "--region", f"{CONTIG}:1-{bases}", "--core", f"1-{bases}",
            "--genetic-map", folder / "map.plink", "--out", packed, folder / "panel.vcf.gz",
        )  # fmt: skip
    run.step(
        "train", "imputation", "train-chunk", "--panel", packed, "--target-sites", target,
        *settings, "--out", trained,
    )  # fmt: skip
    run.step(
        "impute", "imputation", "impute-chunk", "--panel", packed, "--trained", trained, "--target", target,
        "--samples", folder / "people.txt", *settings,
        "--out", work / "chunk.people.vcf.gz", "--out-counts", work / "counts.tsv",
    )  # fmt: skip
    return run.stages


def beagle(folder: Path, heap: str) -> dict[str, Cost]:
    """Beagle on the same files, with as much memory as it is given."""
    command = [
        "beagle", f"ref={folder / 'panel.vcf.gz'}", f"gt={folder / 'target.vcf.gz'}",
        f"map={folder / 'map.plink'}", f"out={folder / 'beagle'}", "impute=true",
        f"nthreads={THREADS}", f"seed={SEED}",
    ]  # fmt: skip
    return {"impute": timed(command, folder / "beagle.log", {"JAVA_TOOL_OPTIONS": f"-Xmx{heap}"})}


def _apart(function: object, *arguments: object) -> None:
    """Call in a process of its own: the kernel counts the memory of a caller to what it starts."""
    process = get_context("spawn").Process(target=function, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join()
    if process.exitcode:
        raise typer.Exit(1)


@app.command()
def main(
    out: Out,
    sizes: Annotated[str, typer.Option(help="Haplotypes of the panels.")] = "1000,4700,10000,100000",
    imputers: Annotated[str, typer.Option(help="Ours.")] = "copying,adaptive-copying",
    targets: Annotated[int, typer.Option(help="People to impute.")] = 250,
    sites: Annotated[int, typer.Option(help="Sites of the panel.")] = 50_000,
    bases: Annotated[int, typer.Option(help="Length of the stretch.")] = 5_000_000,
    heap: Annotated[str, typer.Option(help="Memory that Beagle may take.")] = "8g",
) -> None:
    """Simulate, then time Beagle and ours on panels of growing size."""
    numbers = [int(size) for size in sizes.split(",")]
    simulated = out / "simulated"
    if not (simulated / "panel.npz").exists():
        _apart(simulate, simulated, max(numbers) // 2, targets, bases, sites)
    rows = []
    for number in numbers:
        folder = out / str(number)
        if not (folder / "panel.vcf.gz.tbi").exists():
            _apart(write_files, simulated, folder, number)
        for name in ("beagle", *imputers.split(",")):
            cost = folder / f"{name}.cost.json"
            if not cost.exists():
                timing.save(cost, beagle(folder, heap) if name == "beagle" else ours(folder, bases, name))
            for stage, spent in timing.load(cost).items():
                figures = {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "peak_gb": spent.peak_gb}
                texts = {key: str(value) for key, value in figures.items()}
                rows.append({"haplotypes": str(number), "method": name, "stage": stage, **texts})
        write_table(out / "growth.tsv", rows)
    for what, title in (("cpu_s", "processor time, s"), ("peak_gb", "peak memory, GB")):
        (out / f"{what}.svg").write_text(growth(rows, what, title), encoding="utf-8")
    show(rows)


def growth(rows: list[dict[str, str]], what: str, title: str) -> str:
    """The curves of imputing, and of learning as we do, by the size of the panel."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["stage"] in ("impute", "train"):
            name = row["method"] if row["stage"] == "impute" else f"{row['method']}: learning"
            lines.setdefault(name, []).append((float(row["haplotypes"]), float(row[what])))
    return curves(lines, "haplotypes of the panel", title)


if __name__ == "__main__":
    app()
