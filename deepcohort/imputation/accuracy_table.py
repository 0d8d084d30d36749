"""The accuracy table: sums of chromosomes added up, pooled figures with intervals.

Aggregated R² is the squared Pearson correlation of imputed and true dosage of the panel's minor allele,
pooled over the people and the untyped biallelic sites of a bin; its interval is a bootstrap over people.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError

Row = dict[str, str]
Floats = NDArray[np.float64]

MAF_EDGES = np.array([0.0, 0.0002, 0.001, 0.005, 0.01, 0.05, 0.2])
"""Lower ends of the bins; a bin holds its lower end, and the last one 50 % too."""

MAF_BINS = ("0-0.02%", "0.02-0.1%", "0.1-0.5%", "0.5-1%", "1-5%", "5-20%", "20-50%")
"""Names of the bins; the first is filled only where the panel has more than 2,500 people."""

EVERYONE = "all"
NOT_AVAILABLE = "NA"
INTERVAL = (0.025, 0.975)
PERSON_SUMS = ("n", "x", "y", "xx", "yy", "xy", "b", "bb", "by", "equal", "carriers", "equal_carriers")
"""x imputed dosage, y true dosage, b panel frequency as dosage, all of the panel's minor allele; n
genotypes with a truth; equal best guesses; carriers: true or guessed genotypes that are not homozygous
for REF."""

GROUP_SUMS = ("sites", "info_sites", "info_error", "sites_without_truth")
"""Counts of sites by population; info_error is the sum of |INFO R2 - true R²| over info_sites."""

COHORT_SUMS = ("unlabelled_people", "people_without_truth", "multiallelic_sites", "monomorphic_sites")
"""Of the whole cohort; the counts of people are not added over chromosomes, the largest is told."""

KEY = ("cohort", "imputer", "source")
PART_COLUMNS = (
    *KEY, "chrom", "seed", "bootstrap", "level", "name", "population", "superpopulation", "maf_bin",
    *PERSON_SUMS, *GROUP_SUMS, *COHORT_SUMS,
)  # fmt: skip
COLUMNS = (
    *KEY, "population", "maf_bin", "people", "sites", "r2", "r2_low", "r2_high", "concordance",
    "nonref_concordance", "mean_abs_info_error", "baseline_r2", "unlabelled_people",
    "people_without_truth", "sites_without_truth", "multiallelic_sites", "monomorphic_sites", "level",
)  # fmt: skip


def maf_bin(frequency: float) -> int | None:
    """Index into ``MAF_BINS`` of an ALT frequency in the panel; None where the panel is monomorphic."""
    # Frequencies come as 32-bit floats or rounded text: 1 % must not land below its bin.
    maf = round(min(frequency, 1.0 - frequency), 7)
    if not maf > 0.0:
        return None
    return int(np.searchsorted(MAF_EDGES, maf, side="right")) - 1


def squared_correlation(n: Any, x: Any, y: Any, xx: Any, yy: Any, xy: Any) -> Floats:
    """Squared Pearson correlation from sums, elementwise; NaN where either side does not vary.

    n number of pairs; x, y, xx, yy, xy sums of the values, their squares and their products.
    """
    n, x, y, xx, yy, xy = (np.asarray(sums, np.float64) for sums in (n, x, y, xx, yy, xy))
    vx, vy = n * xx - x * x, n * yy - y * y
    # Sums of equal numbers leave rounding, not variance.
    vx = np.where(vx > 1e-9 * np.maximum(n * xx, 1e-30), vx, np.nan)
    vy = np.where(vy > 1e-9 * np.maximum(n * yy, 1e-30), vy, np.nan)
    return np.asarray(np.minimum((n * xy - x * y) ** 2 / (vx * vy), 1.0))


@dataclass
class _Cohort:
    """Sums of one cohort, imputer and source over chromosomes."""

    seed: int = 1
    bootstrap: int = 0
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    by_person: dict[tuple[str, str], Floats] = field(default_factory=dict)
    by_group: dict[tuple[str, str], Floats] = field(default_factory=dict)
    told: dict[str, int | None] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take a row of ``PART_COLUMNS`` in."""
        self.seed, self.bootstrap = int(row["seed"]), int(row["bootstrap"])
        if row["level"] == "cohort":
            self._add_cohort(row)
            return
        names = PERSON_SUMS if row["level"] == "person" else GROUP_SUMS
        sums = self.by_person if row["level"] == "person" else self.by_group
        key = (row["name"], row["maf_bin"])
        values = np.array([float(row[name]) for name in names])
        sums[key] = sums[key] + values if key in sums else values
        if row["level"] == "person":
            self.labels[row["name"]] = (row["population"], row["superpopulation"])

    def _add_cohort(self, row: Row) -> None:
        for name in COHORT_SUMS:
            value = None if row[name] == NOT_AVAILABLE else int(row[name])
            before = self.told.get(name)
            if value is None or before is None:
                self.told[name] = value if before is None else before
            else:
                self.told[name] = max(before, value) if "people" in name else before + value

    def populations(self) -> dict[str, str]:
        """Name and level of everyone, of superpopulations, of populations, in this order."""
        supers = sorted({label[1] for label in self.labels.values()} - {""})
        populations = sorted({label[0] for label in self.labels.values()} - {"", *supers})
        levels = dict.fromkeys(supers, "superpopulation") | dict.fromkeys(populations, "population")
        return {EVERYONE: EVERYONE} | levels

    def rows(self) -> list[Row]:
        """Rows of ``COLUMNS`` without the key."""
        result = []
        for population, level in self.populations().items():
            people = [
                name
                for name, label in sorted(self.labels.items())
                if population == EVERYONE or population in label
            ]
            for bin_name in MAF_BINS:
                if (population, bin_name) in self.by_group:
                    result.append(self._row(population, bin_name, people) | {"level": level})
        return result

    def _row(self, population: str, bin_name: str, people: list[str]) -> Row:
        none = np.zeros(len(PERSON_SUMS))
        sums = np.array([self.by_person.get((person, bin_name), none) for person in people])
        sums = sums.reshape(-1, len(PERSON_SUMS))
        sums = sums[sums[:, 0] > 0]
        sites, info_sites, info_error, without = self.by_group[population, bin_name]
        total = dict(zip(PERSON_SUMS, sums.sum(axis=0), strict=True))
        low, high = self._interval(sums)
        figures = {
            "r2": _pooled(sums.sum(axis=0)),
            "r2_low": low,
            "r2_high": high,
            "concordance": _ratio(total["equal"], total["n"]),
            "nonref_concordance": _ratio(total["equal_carriers"], total["carriers"]),
            "mean_abs_info_error": _ratio(info_error, info_sites),
            "baseline_r2": float(
                squared_correlation(*(total[name] for name in ("n", "b", "y", "bb", "yy", "by")))
            ),
        }
        counts = {"people": len(sums), "sites": int(sites), "sites_without_truth": int(without)}
        told = {key: NOT_AVAILABLE if value is None else str(value) for key, value in self.told.items()}
        return {
            "population": population,
            "maf_bin": bin_name,
            **{key: str(value) for key, value in counts.items()},
            **{
                key: f"{value:.6f}" if np.isfinite(value) else NOT_AVAILABLE for key, value in figures.items()
            },
            **told,
        }

    def _interval(self, sums: Floats) -> tuple[float, float]:
        """Percentile interval of the pooled R² over people drawn with replacement."""
        people = len(sums)
        if people < 2 or not self.bootstrap:
            return float("nan"), float("nan")
        rng = np.random.default_rng(self.seed)
        drawn = rng.multinomial(people, np.full(people, 1 / people), size=self.bootstrap)
        replicates = _pooled(drawn @ sums)
        replicates = replicates[np.isfinite(replicates)]
        if not len(replicates):
            return float("nan"), float("nan")
        low, high = np.quantile(replicates, INTERVAL)
        return float(low), float(high)


def _pooled(sums: Floats) -> Any:
    """Pooled R² of summed ``PERSON_SUMS``, ``[..., sums]`` → ``[...]``."""
    return squared_correlation(*np.moveaxis(sums[..., :6], -1, 0))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def combine(parts: Sequence[Path]) -> list[Row]:
    """Add the sums of chromosomes up and make the published table, rows of ``COLUMNS``.

    Populations come as: ``all``, superpopulations, populations; bins from rare to common. Figures that
    cannot be told (no variance, fewer than two people for an interval) are ``NA``.

    Raises:
        InputError: a part that is not a table of ``score_chromosome``.
    """
    cohorts: dict[tuple[str, ...], _Cohort] = {}
    for path in parts:
        for row in _read_part(path):
            cohorts.setdefault(tuple(row[name] for name in KEY), _Cohort()).add(row)
    result = []
    for key in sorted(cohorts):
        for row in cohorts[key].rows():
            row |= dict(zip(KEY, key, strict=True))
            result.append({column: row[column] for column in COLUMNS})
    return result


def _read_part(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(reader.fieldnames or ()) != PART_COLUMNS:
            raise InputError(
                f"{path.name}: not a table of accuracy sums: make it with 'accuracy' of this version"
            )
        yield from reader
