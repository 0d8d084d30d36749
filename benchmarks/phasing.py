"""Phase of unphased people beside Beagle 5.4 (``python -m benchmarks.phasing``)."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from cyvcf2 import VCF
from numpy.typing import NDArray

from benchmarks import methods
from benchmarks.datasets import Dataset, prepare
from benchmarks.methods import THREADS, Method
from benchmarks.tables import show, write_table
from deepcohort.genome.command import Device
from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.join import join_parts
from deepcohort.imputation.models import Settings, model
from deepcohort.imputation.panel import pack_panel
from deepcohort.imputation.parts import write_part
from deepcohort.imputation.targets import read_target

app = typer.Typer(help=__doc__, add_completion=False)

DRAWS = 1000
EDGES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0001]
OURS = "copying"

Site = tuple[int, str, str]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Phased:
    """Genotypes int8[n, 2] and confidence float64[n] (NaN: none) of each biallelic site."""

    genotypes: dict[Site, NDArray[np.int8]]
    confidence: dict[Site, NDArray[np.float64]]

    @classmethod
    def read(cls, path: Path) -> "Phased":
        """Read what any program wrote."""
        genotypes, confidence = {}, {}
        for record in VCF(str(path)):
            if len(record.ALT) == 1:
                site = (record.POS, record.REF, record.ALT[0])
                genotypes[site] = record.genotype.array()[:, :2].astype(np.int8)
                if "PC" in record.FORMAT:
                    confidence[site] = record.format("PC")[:, 0].astype(float)
        return cls(genotypes, confidence)


def phase_ours(folder: Path, seed: int) -> Path:
    """Impute the unphased targets with ``phased_output``, unless that is done."""
    out = folder / f"{OURS}.phased.vcf.gz"
    if out.exists():
        return out
    target, plink = folder / "target.unphased.vcf.gz", folder / "map.plink"
    vcf = VCF(str(target))
    everywhere = (1, 2**31 - 1)
    panel = pack_panel(
        folder / "panel.vcf.gz", vcf.seqnames[0], everywhere, everywhere, plink if plink.exists() else None
    )
    people = read_target(target, panel, vcf.samples)
    settings = Settings(Imputer.copying, Device.cpu, THREADS, seed, phased_output=True)
    trained = model(settings.imputer).train(panel, people.typed, settings)
    imputed = impute_chunk(panel, people, trained, settings)
    part = folder / "chunk.batch_0001.vcf.gz"
    write_part(part, panel, people, imputed, False, THREADS, with_phase=True)
    join_parts([part], people.samples, vcf.seqnames[0], out, folder / f"{OURS}.phased.sites.tsv.gz", THREADS)
    return out


def agreement(truth: Phased, found: Phased, sites: list[Site], compared: Flags) -> list[NDArray[np.int8]]:
    """For each person, at each heterozygous site that is compared, 1 if it lies as the truth does."""
    lies = np.array([truth.genotypes[s][:, 0] == found.genotypes[s][:, 0] for s in sites])
    return [lies[compared[:, person], person].astype(np.int8) for person in range(lies.shape[1])]


def switches(lies: list[NDArray[np.int8]]) -> NDArray[np.float64]:
    """Wrong relations of neighbours and all of them, by person, float64[n, 2]."""
    return np.array([[np.count_nonzero(np.diff(one)), max(len(one) - 1, 0)] for one in lies], float)


def calibration(truth: Phased, ours: Phased, typed: set[Site], sites: list[Site]) -> NDArray[np.float64]:
    """Rows (is imputed, confidence, whether right relative to the typed heterozygous site before)."""
    rows = []
    for person in range(len(next(iter(truth.genotypes.values())))):
        before = None
        for site in sites:
            true, found = truth.genotypes[site][person], ours.genotypes[site][person]
            if true[0] == true[1] or found[0] == found[1]:
                continue
            lies, sure = true[0] == found[0], ours.confidence[site][person]
            if before is not None and np.isfinite(sure):
                rows.append((site not in typed, sure, lies == before))
            if site in typed:
                before = lies
    return np.array(rows, float)


def compare(folder: Path, seed: int) -> tuple[dict[str, dict[str, NDArray[np.float64]]], NDArray[np.float64]]:
    """Switches of each program at typed and at all sites, and what calibration needs."""
    methods.run(Method.beagle_unphased, folder, seed)
    truth = Phased.read(folder / "truth.vcf.gz")
    programs = {
        OURS: Phased.read(phase_ours(folder, seed)),
        "beagle": Phased.read(methods.imputed(Method.beagle_unphased, folder)),
    }
    common = set(truth.genotypes).intersection(*(found.genotypes for found in programs.values()))
    sites = sorted(common)
    typed = set(Phased.read(folder / "target.vcf.gz").genotypes) & common
    het = np.ones((len(sites), len(truth.genotypes[sites[0]])), bool)
    for found in (truth, *programs.values()):
        het &= np.array([found.genotypes[s][:, 0] != found.genotypes[s][:, 1] for s in sites])
    is_typed = np.array([site in typed for site in sites])
    counts = {
        which: {
            name: switches(agreement(truth, found, sites, het & chosen[:, None]))
            for name, found in programs.items()
        }
        for which, chosen in {"typed": is_typed, "all": np.ones(len(sites), bool)}.items()
    }
    return counts, calibration(truth, programs[OURS], typed, sites)


def resampled(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Switch error of people drawn anew, [DRAWS]; the same draws for every program."""
    drawn = np.random.default_rng(1).integers(0, len(counts), (DRAWS, len(counts)))
    wrong, pairs = counts[drawn].sum(axis=1).T
    return np.asarray(wrong / pairs)


def interval(values: NDArray[np.float64]) -> str:
    """Text of the 95 % interval, in percent."""
    low, high = 100 * np.quantile(values, [0.025, 0.975])
    return f"{low:.2f} to {high:.2f}"


@app.command()
def run(
    dataset: Annotated[Dataset, typer.Option()],
    out: Annotated[Path, typer.Option(help="Folder for data and outputs; what exists is kept.")],
    seeds: Annotated[int, typer.Option(help="Seeds 1 to this number.")] = 1,
) -> None:
    """Switch error (percent) of both on the same heterozygous sites, and whether confidence is calibrated."""
    found = []
    for seed in range(1, seeds + 1):
        prepare(dataset, seed, out / f"seed{seed}")
        found.append(compare(out / f"seed{seed}", seed))
    rows = []
    for which in ("typed", "all"):
        counts = {name: np.concatenate([one[which][name] for one, _ in found]) for name in found[0][0][which]}
        for name, own in counts.items():
            wrong, pairs = own.sum(axis=0)
            error, range_ = f"{100 * wrong / pairs:.2f}", interval(resampled(own))
            rows.append(
                {"sites": which, "program": name, "pairs": f"{pairs:.0f}", "error": error, "95%": range_}
            )
        less = interval(resampled(counts[OURS]) - resampled(counts["beagle"]))
        rows.append({"sites": which, "program": f"{OURS} - beagle", "pairs": "", "error": "", "95%": less})
    write_table(out / "switches.tsv", rows)
    show(rows)
    told = np.concatenate([one for _, one in found])
    rows = []
    for imputed, low, high in ((i, a, b) for i in (0, 1) for a, b in pairwise(EDGES)):
        _, sure, right = told[(told[:, 0] == imputed) & (told[:, 1] >= low) & (told[:, 1] < high)].T
        if len(sure):
            figures = {"n": str(len(sure)), "PC": f"{sure.mean():.4f}", "right": f"{right.mean():.4f}"}
            rows.append(
                {"sites": "imputed" if imputed else "typed", "bin": f"{low:g}-{min(high, 1):g}", **figures}
            )
    write_table(out / "confidence.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
