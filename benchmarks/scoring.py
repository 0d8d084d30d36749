"""Aggregated dosage R² by MAF bin, with a bootstrap over people: one measure for every program.

This is deliberately not the code of ``deepcohort.imputation.accuracy``: it reads only what every
program writes (GT and DS), takes the frequency from the panel file and the typed sites from the
target file, and each of the two is a check on the other.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cyvcf2 import VCF
from numpy.typing import NDArray

EDGES = np.array([0.0002, 0.001, 0.005, 0.01, 0.05, 0.2, 0.5])
BINS = ["0.02-0.1%", "0.1-0.5%", "0.5-1%", "1-5%", "5-20%", "20-50%"]

Site = tuple[int, str, str]


@dataclass(frozen=True)
class Sums:
    """Additive sums by bin and person.

    ``moments`` is ``[bins, people, 6]``: number, sum of dosage x, of truth y, of xx, yy, xy.
    ``calls`` is ``[bins, people, 4]``: genotypes, equal ones, those where truth or call is not
    homozygous reference, equal ones among these. ``sites`` is ``[bins]``.
    """

    people: list[str]
    sites: NDArray[np.int64]
    moments: NDArray[np.float64]
    calls: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write the sums as NPZ."""
        np.savez_compressed(
            path, people=np.array(self.people), sites=self.sites, moments=self.moments, calls=self.calls
        )

    @staticmethod
    def load(path: Path) -> "Sums":
        """Read what ``save`` wrote."""
        with np.load(path) as file:
            return Sums(file["people"].tolist(), file["sites"], file["moments"], file["calls"])


def bin_of(frequency: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bin of the minor allele; -1 where the site is monomorphic or rarer than the first bin."""
    maf = np.round(np.minimum(frequency, 1 - frequency), 9)
    which = np.minimum(np.searchsorted(EDGES, maf, side="right") - 1, len(BINS) - 1)
    return np.where(maf > 0, which, -1)


def panel_frequencies(path: Path) -> dict[Site, float]:
    """ALT frequency in the panel of every biallelic site, from AC and AN.

    Not biallelic are sites with several ALTs, in one record or in several of the same position and REF.
    """
    frequencies, seen = {}, Counter[tuple[int, str]]()
    for record in VCF(str(path)):
        seen[record.POS, record.REF] += 1
        if len(record.ALT) == 1:
            frequencies[(record.POS, record.REF, record.ALT[0])] = record.INFO["AC"] / record.INFO["AN"]
    return {site: value for site, value in frequencies.items() if seen[site[0], site[1]] == 1}


def site_keys(path: Path) -> set[Site]:
    """Position, REF and ALT of every record of a file."""
    return {(record.POS, record.REF, ",".join(record.ALT)) for record in VCF(str(path))}


def score(imputed: Path, truth: Path, panel: Path, typed: Path) -> Sums:
    """Compare the dosages of ``imputed`` with the genotypes of ``truth``.

    Args:
        imputed: VCF with GT and DS.
        truth: VCF with the complete genotypes of the same people.
        panel: VCF of the panel with AC and AN, which the MAF is taken from.
        typed: VCF of the target; its sites are left out.

    Returns:
        Sums over biallelic untyped sites that are polymorphic in the panel.
    """
    frequencies, left_out = panel_frequencies(panel), site_keys(typed)
    keys = [site for site in frequencies if site not in left_out]
    bins = dict(zip(keys, bin_of(np.array([frequencies[key] for key in keys])).tolist(), strict=True))
    truths = VCF(str(truth), gts012=True)
    calls_of = {
        site: record.gt_types.astype(np.int8)
        for record in truths
        if len(record.ALT) == 1 and bins.get(site := (record.POS, record.REF, record.ALT[0]), -1) >= 0
    }
    reader = VCF(str(imputed), gts012=True)
    order = np.array([truths.samples.index(name) for name in reader.samples])
    number = len(reader.samples)
    sites = np.zeros(len(BINS), np.int64)
    moments, calls = np.zeros((len(BINS), number, 6)), np.zeros((len(BINS), number, 4))
    for record in reader:
        site = (record.POS, record.REF, record.ALT[0] if len(record.ALT) == 1 else "")
        if site not in calls_of:
            continue
        which, y = bins[site], calls_of.pop(site)[order].astype(np.float64)
        x, call = record.format("DS")[:, 0].astype(np.float64), record.gt_types
        carriers = (y > 0) | (call > 0)
        calls[which] += np.stack([np.ones(number), call == y, carriers, carriers & (call == y)], axis=1)
        if frequencies[site] > 0.5:
            x, y = 2 - x, 2 - y
        moments[which] += np.stack([np.ones(number), x, y, x * x, y * y, x * y], axis=1)
        sites[which] += 1
    if calls_of:
        raise ValueError(f"{imputed} lacks {len(calls_of)} sites of the panel, e.g. {next(iter(calls_of))}")
    return Sums(list(reader.samples), sites, moments, calls)


def r2_of(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Pearson correlation of summed moments, ``[..., 6]`` → ``[...]``; NaN without variance."""
    n, x, y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((n * xy - x * y) ** 2 / ((n * xx - x * x) * (n * yy - y * y)))


def weights(people: int, replicates: int, seed: int) -> NDArray[np.float64]:
    """How often each person is drawn in each bootstrap replicate, ``[replicates, people]``."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(people, np.full(people, 1 / people), size=replicates).astype(np.float64)


def resampled(sums: Sums, seed: int, replicates: int = 1000) -> NDArray[np.float64]:
    """R² of bootstrap replicates over people, ``[replicates, bins]``; same seed, same people drawn.

    Where a bin has no site, or no variance, its R² is NaN.
    """
    drawn = weights(len(sums.people), replicates, seed)
    return r2_of(np.einsum("rp,bpm->rbm", drawn, sums.moments))


def table(sums: Sums, seed: int = 1) -> list[dict[str, str]]:
    """One row a bin: sites, R² with its 95 % interval, concordance, non-reference concordance."""
    replicates = resampled(sums, seed)
    r2 = r2_of(sums.moments.sum(axis=1))
    rows = []
    for which, name in enumerate(BINS):
        if sums.sites[which] == 0:
            continue
        low, high = np.nanquantile(replicates[:, which], [0.025, 0.975])
        genotypes, equal, carriers, equal_carriers = sums.calls[which].sum(axis=0)
        rows.append(
            {
                "maf_bin": name,
                "people": str(len(sums.people)),
                "sites": str(sums.sites[which]),
                "r2": f"{r2[which]:.4f}",
                "r2_low": f"{low:.4f}",
                "r2_high": f"{high:.4f}",
                "concordance": f"{equal / genotypes:.5f}",
                "nonref_concordance": f"{equal_carriers / max(carriers, 1):.4f}",
            }
        )
    return rows
