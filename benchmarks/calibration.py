"""INFO R2 beside the true R² of the same sites (``python -m benchmarks.calibration``).

Both are pooled over people and untyped biallelic sites of a bin, so that like is compared with like. The
estimate takes the place of the truth by what the imputer expects of it: of dosage x, R2 is the variance of x
over the variance that the posterior expects of the genotype, as INFO R2 is for one site. Beside them stands
what the model expects by people of the panel who were hidden in training, where it tells that.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks import genotypes
from benchmarks.datasets import Dataset, prepare
from benchmarks.scoring import BINS, bin_of, panel_frequencies, r2_of, weights
from benchmarks.tables import show, write_table
from deepcohort.genome.files import written_whole
from deepcohort.imputation.accuracy_table import squared_correlation
from deepcohort.imputation.expected import FACT
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings, as_told_by, model
from deepcohort.imputation.panel import PanelChunk, pack_panel
from deepcohort.imputation.targets import read_target

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Float64 = NDArray[np.float64]

WHOLE = (1, 2**31 - 1)
"""A stretch that holds every chromosome: each set is one chunk."""


@dataclass(frozen=True)
class Moments:
    """Sums by bin and person, float64[bins, people, 7]: those of ``scoring.Sums``, and of the expected square
    of the truth; sites: int64[bins].

    expected: float64[bins], R² by people hidden in training, NaN where the model does not tell it.
    """

    sites: NDArray[np.int64]
    sums: Float64
    expected: Float64

    @classmethod
    def of(
        cls, chances: Float64, truth: Float64, frequency: Float64, told: dict[str, list[float]]
    ) -> "Moments":
        """From the chances of one and of two ALT, [2, U, n], true copies of ALT [U, n], and expected sums."""
        flip = frequency > 0.5
        one, two = chances[0], np.where(flip[:, None], 1 - chances.sum(axis=0), chances[1])
        x, y = one + 2 * two, np.where(flip[:, None], 2 - truth, truth)
        values = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y, one + 4 * two])
        bins = bin_of(frequency)
        sums = [values[:, bins == number].sum(axis=1).T for number in range(len(BINS))]
        sites = np.array([(bins == number).sum() for number in range(len(BINS))])
        expected = [float(squared_correlation(*told[name])) if name in told else np.nan for name in BINS]
        return cls(sites, np.stack(sums), np.array(expected))

    @classmethod
    def pooled(cls, splits: "list[Moments]") -> "Moments":
        """Splits of the people as if they were one: what is expected is the mean."""
        return cls(
            np.sum([one.sites for one in splits], axis=0),
            np.concatenate([one.sums for one in splits], axis=1),
            np.mean([one.expected for one in splits], axis=0),
        )


def estimated(sums: Float64) -> Float64:
    """R² that the imputer expects, ``[..., 7]`` → ``[...]``."""
    n, x, _, xx, _, _, expected = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((n * xx - x * x) / (n * expected - x * x))


def measure(folder: Path, imputer: Imputer, threads: int) -> Moments:
    """Train, impute and compare on what ``prepare`` wrote, unless that is done."""
    stored = folder / f"{imputer}.calibration.npz"
    if not stored.exists():
        panel = _panel(folder)
        samples = genotypes.read_samples(folder / "target.vcf.gz")
        target, truth = (
            read_target(folder / f"{name}.vcf.gz", panel, samples) for name in ("target", "truth")
        )
        biallelic = panel_frequencies(folder / "panel.vcf.gz")
        keys = zip(panel.pos.tolist(), panel.ref, panel.alt, strict=True)
        fit = np.array([key in biallelic for key in keys])
        asked = np.setdiff1d(truth.typed, target.typed)
        asked = asked[fit[asked]]
        settings = Settings(imputer, threads=threads)
        trained = model(imputer).train(panel, target.typed, settings)
        found = model(imputer).impute(panel, target, asked, trained, settings).astype(np.float64)
        first, second = found[:, 0::2], found[:, 1::2]
        if as_told_by(imputer, target).phased.all():
            first, second = first + second - 2 * first * second, first * second
        copies = truth.genotypes[np.searchsorted(truth.typed, asked)].sum(axis=2).astype(np.float64)
        told = trained.facts.get(FACT, {"bins": {}})["bins"]
        moments = Moments.of(np.stack([first, second]), copies, panel.alt_frequency()[asked], told)
        with written_whole(stored) as unfinished, unfinished.open("wb") as out:
            np.savez(out, **vars(moments))
    with np.load(stored) as read:
        return Moments(**read)


def _panel(folder: Path) -> PanelChunk:
    packed, plink = folder / "panel.npz", folder / "map.plink"
    if not packed.exists():
        panel = folder / "panel.vcf.gz"
        contig = genotypes.read_contig(panel)
        pack_panel(panel, contig, WHOLE, WHOLE, plink if plink.exists() else None).save(packed)
    return PanelChunk.load(packed)


def table(imputer: Imputer, moments: Moments, replicates: int = 1000) -> list[dict[str, str]]:
    """A row for each bin that has sites; the interval of the difference is of people drawn."""
    rows = []
    drawn = weights(moments.sums.shape[1], replicates, seed=1)
    for number, name in enumerate(BINS):
        if moments.sites[number]:
            sums = moments.sums[number]
            total, again = sums.sum(axis=0), drawn @ sums
            apart = estimated(again) - r2_of(again[:, :6])
            low, high = np.nanquantile(apart, [0.025, 0.975])
            said, true = float(estimated(total)), float(r2_of(total[:6]))
            rows.append(
                {
                    "imputer": str(imputer),
                    "maf_bin": name,
                    "sites": str(moments.sites[number]),
                    "estimated": f"{said:.3f}",
                    "true": f"{true:.3f}",
                    "difference": f"{said - true:+.3f} ({low:+.3f}, {high:+.3f})",
                    "expected": f"{moments.expected[number]:.3f}",
                    "imputed_by_true_alleles": f"{total[1] / total[2]:.2f}",
                }
            )
    return rows


@app.command()
def run(
    dataset: Annotated[Dataset, typer.Option()],
    out: Annotated[Path, typer.Option(help="Folder for data and results; what exists is kept.")],
    imputer: Annotated[list[Imputer] | None, typer.Option(help="Default: copying, adaptive-copying.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits: seeds 1 to this number, taken together.")] = 1,
    threads: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Compare estimated and true R² by bin of the panel's MAF."""
    folders = [out / f"seed{seed}" for seed in range(1, seeds + 1)]
    for seed, folder in enumerate(folders, 1):
        prepare(dataset, seed, folder)
    rows = []
    for one in imputer or [Imputer.copying, Imputer.adaptive_copying]:
        rows += table(one, Moments.pooled([measure(folder, one, threads) for folder in folders]))
    write_table(out / "calibration.tsv", rows)
    show(rows)


if __name__ == "__main__":
    app()
