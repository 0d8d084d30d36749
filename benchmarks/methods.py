"""The programs that are compared: Beagle 5.4, minimac4, and our own commands as the pipeline calls them."""

import csv
import sys
from enum import StrEnum
from pathlib import Path

import deepcohort
from benchmarks.timing import Cost, save, timed

ROOT = Path(__file__).parents[1]
THREADS = 2


class Method(StrEnum):
    """A program with its setting; ``-nomap`` leaves the map out, ``-unphased`` takes unphased targets."""

    beagle = "beagle"
    beagle_nomap = "beagle-nomap"
    beagle_unphased = "beagle-unphased"
    minimac4 = "minimac4"
    minimac4_nomap = "minimac4-nomap"
    copying = "copying"
    copying_nomap = "copying-nomap"
    copying_unphased = "copying-unphased"
    adaptive = "adaptive_copying"
    adaptive_nomap = "adaptive_copying-nomap"
    adaptive_unphased = "adaptive_copying-unphased"
    neural = "neural_copying"

    @property
    def ours(self) -> bool:
        """Whether this is our own program."""
        return "copying" in self.value

    @property
    def imputer(self) -> str:
        """The value of ``--imputer``, of our own program."""
        return self.value.split("-")[0].replace("_", "-")


PEERS = [method for method in Method if not method.ours]
OURS = [method for method in Method if method.ours]


def applies(method: Method, folder: Path) -> bool:
    """Say whether ``method`` differs from its plain form here: ``-nomap`` needs a map to leave out."""
    return not method.value.endswith("-nomap") or (folder / "map.plink").exists()


def imputed(method: Method, folder: Path) -> Path:
    """Where the output of ``method`` on the data in ``folder`` is."""
    return folder / f"{method}.vcf.gz"


def run(method: Method, folder: Path, seed: int) -> None:
    """Impute the data in ``folder`` and write output, log and cost beside it; skip what exists."""
    cost = folder / f"{method}.cost.json"
    if cost.exists():
        return
    target = folder / ("target.unphased.vcf.gz" if method.value.endswith("-unphased") else "target.vcf.gz")
    plink = folder / "map.plink"
    genetic_map = plink if plink.exists() and not method.value.endswith("-nomap") else None
    program = {"beagle": _beagle, "minimac4": _minimac4, "copying": _copying}[
        "copying" if method.ours else method.value.split("-")[0]
    ]
    save(cost, program(method, folder, target, genetic_map, seed))


def _beagle(
    method: Method, folder: Path, target: Path, genetic_map: Path | None, seed: int
) -> dict[str, Cost]:
    command = [
        "beagle",
        f"ref={folder / 'panel.vcf.gz'}",
        f"gt={target}",
        f"out={folder / method.value}",
        "impute=true",
        f"nthreads={THREADS}",
        f"seed={seed}",
    ]
    if genetic_map is not None:
        command.append(f"map={genetic_map}")
    return {"impute": timed(command, folder / f"{method}.log")}


def _minimac4(
    method: Method, folder: Path, target: Path, genetic_map: Path | None, seed: int
) -> dict[str, Cost]:
    packed = folder / f"{method}.msav"
    stages = {
        "pack": timed(
            ["minimac4", "--compress-reference", folder / "panel.vcf.gz", "-o", packed],
            folder / f"{method}.pack.log",
        )
    }
    command: list[str | Path] = ["minimac4", packed, target, "-f", "GT,DS", "-O", "vcf.gz"]
    command += ["-o", imputed(method, folder), "-t", str(THREADS)]
    if genetic_map is not None:
        command += ["-m", genetic_map]
    stages["impute"] = timed(command, folder / f"{method}.log")
    return stages


def _script(name: str, *arguments: str | Path) -> list[str | Path]:
    """Make the command line of a sub-command of ``bin/<name>.py``."""
    return [sys.executable, ROOT / "bin" / f"{name}.py", *arguments, "--release", deepcohort.__version__]


class Ours:
    """Our processes one after the other, as modules/ calls them, each stage's cost summed over tasks."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.stages: dict[str, Cost] = {}
        self.tasks = 0

    def step(self, stage: str, name: str, *arguments: str | Path) -> None:
        """Run a sub-command and add its cost to ``stage``."""
        self.tasks += 1
        cost = timed(_script(name, *arguments), self.work / f"{self.tasks:04d}.{arguments[0]}.log")
        before = self.stages.get(stage, Cost(0, 0, 0))
        self.stages[stage] = Cost(
            round(before.wall_s + cost.wall_s, 2),
            round(before.cpu_s + cost.cpu_s, 2),
            max(before.peak_gb, cost.peak_gb),
        )

    def check(self, kind: str, path: Path) -> None:
        """Look a file over, as ``check-panel`` or ``check-target`` does for the pipeline."""
        self.step(
            "check", "inputs", f"check-{kind}", "--name", kind,
            "--out-sites", self.work / f"{kind}.sites.bcf",
            "--out-index", self.work / f"{kind}.index.tbi",
            "--out-people", self.work / f"{kind}.people.npz",
            "--out-report", self.work / f"{kind}.check.json",
            path,
        )  # fmt: skip

    def plan(self) -> tuple[list[dict[str, str]], list[Path]]:
        """Plan chunks and batches; return the rows of the one and the files of the other."""
        self.step(
            "check", "inputs", "plan", "--cohort", "bench",
            "--panel-sites", self.work / "panel.sites.bcf",
            "--panel-reports", self.work / "panel.check.json",
            "--target-sites", self.work / "target.sites.bcf",
            "--target-reports", self.work / "target.check.json",
            "--panel-people", self.work / "panel.people.npz",
            "--target-people", self.work / "target.people.npz",
            "--chunk-variants", "20000", "--chunk-bases", "50000000", "--overlap-bases", "250000",
            "--batch-size", "500",
            "--out-chunks", self.work / "chunks.tsv", "--out-batches", self.work / "batches",
            "--out-counts", self.work / "harmonisation.tsv", "--out-qc", self.work / "qc.tsv",
            "--out-frequencies", self.work / "frequencies.tsv",
            "--out-people", self.work / "people.tsv", "--out-excluded", self.work / "excluded.txt",
        )  # fmt: skip
        with (self.work / "chunks.tsv").open() as file:
            chunks = list(csv.DictReader(file, delimiter="\t"))
        return chunks, sorted((self.work / "batches").iterdir())


def _copying(
    method: Method, folder: Path, target: Path, genetic_map: Path | None, seed: int
) -> dict[str, Cost]:
    work = folder / f"{method}.work"
    work.mkdir(exist_ok=True)
    ours = Ours(work)
    panel = folder / "panel.vcf.gz"
    ours.check("panel", panel)
    ours.check("target", target)
    chunks, batches = ours.plan()
    machine = ["--seed", str(seed), "--device", "cpu", "--threads", str(THREADS)]
    parts: list[Path] = []
    for chunk in chunks:
        name = chunk["chunk"]
        packed, trained = work / f"{name}.panel.npz", work / f"{name}.model"
        use_map: list[str | Path] = [] if genetic_map is None else ["--genetic-map", genetic_map]
        region = f"{chunk['panel_contig']}:{chunk['padded_start']}-{chunk['padded_end']}"
        ours.step(
            "pack", "imputation", "pack-panel", "--region", region,
            "--core", f"{chunk['start']}-{chunk['end']}", *use_map, "--out", packed, panel,
        )  # fmt: skip
        ours.step(
            "train", "imputation", "train-chunk", "--panel", packed,
            "--target-sites", work / "target.sites.bcf", "--imputer", method.imputer,
            *machine, "--out", trained,
        )  # fmt: skip
        for batch in batches:
            part = work / f"{name}.{batch.stem}.vcf.gz"
            ours.step(
                "impute", "imputation", "impute-chunk", "--panel", packed, "--trained", trained,
                "--target", target, "--samples", batch, "--imputer", method.imputer, *machine,
                "--out", part, "--out-counts", work / f"{name}.{batch.stem}.counts.tsv",
            )  # fmt: skip
            parts.append(part)
    order = work / "all_samples.txt"
    order.write_text("".join(batch.read_text() for batch in batches))
    ours.step(
        "join", "imputation", "join", "--cohort", "bench", "--chrom", chunks[0]["chrom"],
        "--samples-order", order, "--out", imputed(method, folder),
        "--out-sites", folder / f"{method}.sites.tsv.gz",
        "--threads", str(THREADS), *parts,
    )  # fmt: skip
    return ours.stages
