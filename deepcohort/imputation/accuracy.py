"""Accuracy of imputed genotypes against a truth, by MAF bin and population.

Every figure of the published table is made of sums that add up over chromosomes, so that a task scores
one chromosome and the pooled figures of the cohort are exact afterwards (``combine``).
"""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from cyvcf2 import VCF
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.harmonise import match_sites
from deepcohort.genome.progress import progress
from deepcohort.genome.samples import Label, read_labels
from deepcohort.genome.vcf import Sites, contig_of, open_vcf, read_sites, records
from deepcohort.imputation.accuracy_table import (
    COHORT_SUMS,
    COLUMNS,
    EVERYONE,
    GROUP_SUMS,
    MAF_BINS,
    NOT_AVAILABLE,
    PART_COLUMNS,
    PERSON_SUMS,
    Floats,
    Row,
    combine,
    maf_bin,
    squared_correlation,
)

__all__ = ["COLUMNS", "PART_COLUMNS", "combine", "score_chromosome"]

log = logging.getLogger(__name__)

BLOCK = 256
"""Sites scored at once, by matrix products."""


@dataclass(frozen=True)
class _Groups:
    """People that are scored, and the populations they belong to.

    ``members`` is float64[people, groups]; the first group is everyone.
    """

    people: list[str]
    labels: dict[str, Label]
    names: list[str]
    members: Floats
    unlabelled: int | None

    @classmethod
    def of(cls, people: list[str], labels: Path | None) -> "_Groups":
        known = {} if labels is None else read_labels(labels)
        kept = {name: known[name] for name in people if name in known}
        supers = sorted({label.superpopulation for label in kept.values()} - {""})
        populations = sorted({label.population for label in kept.values()} - {"", *supers})
        names = [EVERYONE, *supers, *populations]
        members = np.zeros((len(people), len(names)))
        members[:, 0] = 1.0
        for row, name in enumerate(people):
            for value in set(kept[name][:2]) - {""} if name in kept else ():
                members[row, names.index(value)] = 1.0
        return cls(people, kept, names, members, None if labels is None else len(people) - len(kept))


@dataclass
class _Tally:
    """Sums of one chromosome: by person ``[bins, people, PERSON_SUMS]``, by group ``[bins, groups, …]``."""

    groups: _Groups
    by_person: Floats = field(init=False)
    by_group: Floats = field(init=False)
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        people, groups = self.groups.members.shape
        self.by_person = np.zeros((len(MAF_BINS), people, len(PERSON_SUMS)))
        self.by_group = np.zeros((len(MAF_BINS), groups, len(GROUP_SUMS)))

    def add(self, block: list["_Scored"]) -> None:
        """Add a block of sites: by person over sites, by site over the people of each group."""
        columns = ("imputed", "true", "guess", "ploidy")
        x, y, guess, ploidy = (np.stack([getattr(site, c) for site in block]) for c in columns)
        frequency = np.array([site.frequency for site in block])[:, None]
        bins = np.array([site.bin for site in block])
        valid = ploidy > 0
        carriers = valid & ((y > 0) | (guess > 0))
        equal = valid & (y == guess)
        minor_is_ref = frequency > 0.5
        x = np.where(minor_is_ref, ploidy - x, x)
        y = np.where(minor_is_ref, ploidy - y, y)
        b = ploidy * np.minimum(frequency, 1 - frequency)
        x, y = np.where(valid, x, 0.0), np.where(valid, y, 0.0)
        sums = (valid, x, y, x * x, y * y, x * y, b, b * b, b * y, equal, carriers, carriers & equal)
        for number in np.unique(bins):
            here = bins == number
            for column, values in enumerate(sums):
                self.by_person[number, :, column] += values[here].sum(axis=0)
        moments = [values.astype(np.float64) @ self.groups.members for values in sums[:6]]
        self._add_sites(bins, moments, np.array([site.info_r2 for site in block]))

    def _add_sites(self, bins: NDArray[np.int64], moments: list[Floats], info_r2: Floats) -> None:
        true_r2 = squared_correlation(*moments)
        n, _, y, _, yy, _ = moments
        # A dosage that is the same for everybody tells nothing about a truth that differs: R² 0.
        varies = n * yy - y * y > 1e-9 * np.maximum(n * yy, 1e-30)
        true_r2 = np.where(varies & np.isnan(true_r2), 0.0, true_r2)
        error = np.abs(info_r2[:, None] - true_r2)
        told = np.isfinite(error)
        for number in np.unique(bins):
            here = bins == number
            self.by_group[number, :, 0] += (n[here] > 0).sum(axis=0)
            self.by_group[number, :, 1] += told[here].sum(axis=0)
            self.by_group[number, :, 2] += np.where(told, error, 0.0)[here].sum(axis=0)


@dataclass(frozen=True)
class _Scored:
    """A site with the genotypes of all people, counted in copies of ALT.

    imputed, true, guess, ploidy: float64[people]; ploidy is 0 where a genotype cannot be compared.
    """

    bin: int
    frequency: float
    info_r2: float
    imputed: Floats
    true: Floats
    guess: Floats
    ploidy: Floats


def score_chromosome(
    imputed: Path,
    truth: Path,
    *,
    kind: Literal["truth", "masked"],
    cohort: str,
    chrom: str,
    imputer: str,
    labels: Path | None,
    seed: int,
    bootstrap: int = 200,
) -> list[Row]:
    """Compare one chromosome of an imputed cohort with true genotypes.

    Args:
        imputed: our VCF or BCF with its index: GT, DS, INFO RAF, R2, IMP or TYPED.
        truth: VCF or BCF with its index; sites are matched by position and alleles (also swapped or on
            the other strand), people by name. It may hold other chromosomes, sites and people.
        kind: ``truth`` scores the untyped sites, ``masked`` every site of ``imputed``, which are then
            typed sites of ``truth`` that were hidden.
        cohort: name for the table.
        chrom: chromosome key.
        imputer: name for the table.
        labels: TSV of populations; people without a label count in ``all`` only.
        seed: of the bootstrap, which ``combine`` does.
        bootstrap: number of replicates.

    Returns:
        Rows of ``PART_COLUMNS``: sums by person and bin, by population and bin, and of the cohort.

    Raises:
        InputError: no people or no chromosome in common, or no DS or RAF in ``imputed``.
    """
    ours, theirs = open_vcf(imputed, threads=2), open_vcf(truth, threads=2)
    contigs = (_contig(imputed, ours, chrom), _contig(truth, theirs, chrom))
    known = set(theirs.samples)
    people = [name for name in ours.samples if name in known]
    if not people:
        raise InputError(
            f"{truth.name}: none of its samples is in {imputed.name} (e.g. {theirs.samples[0]}): "
            "give a truth that names people as the input does"
        )
    tally = _Tally(_Groups.of(people, labels))
    rows_of = [_rows_of(people, vcf.samples) for vcf in (ours, theirs)]
    pairs = _Pairs(imputed, truth, ours, theirs, *contigs)
    block: list[_Scored] = []
    with progress(f"scoring {cohort} {chrom}", pairs.number) as bar:
        for record, biallelic, partner in pairs:
            bar.update()
            if kind == "truth" and record.INFO.get("TYPED") is not None:
                continue
            if not biallelic:
                tally.left_out["multiallelic_sites"] += 1
                continue
            site = _site(imputed, truth, record, partner, rows_of, tally)
            if site is not None:
                block.append(site)
            if len(block) == BLOCK:
                tally.add(block)
                block = []
    if block:
        tally.add(block)
    tally.left_out["people_without_truth"] = len(ours.samples) - len(people)
    log.info(
        "%s %s: %d sites scored in %d people; left out: %s",
        cohort, chrom, int(tally.by_group[:, 0, 0].sum()), len(people), dict(sorted(tally.left_out.items())),
    )  # fmt: skip
    start = {"cohort": cohort, "imputer": imputer, "source": kind, "chrom": chrom}
    return _part_rows(tally, start | {"seed": str(seed), "bootstrap": str(bootstrap)})


def _rows_of(people: list[str], samples: list[str]) -> NDArray[np.int64]:
    """Where ``people`` stand among ``samples``, int64[people]."""
    row_of = {name: row for row, name in enumerate(samples)}
    return np.array([row_of[name] for name in people])


def _contig(path: Path, vcf: VCF, chrom: str) -> str:
    contig = contig_of(vcf.seqnames, chrom)
    if contig is None:
        raise InputError(f"{path.name}: chromosome {chrom} is not in the file: give the truth of {chrom} too")
    return contig


class _Pairs:
    """Records of the imputed file in order, each with the truth's record of the same site, if there is one.

    Yields ``(record, is biallelic, None or (record of the truth, whether its alleles are swapped))``.
    """

    def __init__(
        self, imputed: Path, truth: Path, ours: VCF, theirs: VCF, our_contig: str, their_contig: str
    ) -> None:
        sites, true_sites = read_sites(imputed, our_contig), read_sites(truth, their_contig)
        ours_alone, theirs_alone = _biallelic(sites), _biallelic(true_sites)
        matched = match_sites(*_alleles(sites, ours_alone), *_alleles(true_sites, theirs_alone))
        self.number = int(sites.record[-1]) + 1 if len(sites.record) else 0
        self._partner = np.full(self.number, -1, np.int64)
        self._swapped = np.zeros(self.number, bool)
        self._biallelic = np.zeros(self.number, bool)
        self._biallelic[sites.record[ours_alone]] = True
        mine = sites.record[ours_alone][matched.panel_index]
        self._partner[mine] = true_sites.record[theirs_alone][matched.target_index]
        self._swapped[mine] = matched.swapped
        self._ours = records(imputed, ours, our_contig)
        self._theirs = enumerate(records(truth, theirs, their_contig))
        self._ahead: deque[tuple[int, Any]] = deque()

    def __iter__(self) -> Iterator[tuple[Any, bool, tuple[Any, bool] | None]]:
        for number, record in enumerate(self._ours):
            wanted = int(self._partner[number])
            partner = (self._fetch(wanted, record.POS), bool(self._swapped[number])) if wanted >= 0 else None
            yield record, bool(self._biallelic[number]), partner

    def _fetch(self, wanted: int, pos: int) -> Any:
        """Read the truth on to record ``wanted``; records of a position may be asked for in any order."""
        while self._ahead and pos > self._ahead[0][1].POS:
            self._ahead.popleft()
        while not self._ahead or self._ahead[-1][0] < wanted:
            number, record = next(self._theirs)
            if pos == record.POS:
                self._ahead.append((number, record))
        return next(record for number, record in self._ahead if number == wanted)


def _biallelic(sites: Sites) -> NDArray[np.int64]:
    """Entries that share position and REF with no other ALT, in their record or another one, int64[n]."""
    _, inverse, count = np.unique(sites.pos, return_inverse=True, return_counts=True)
    crowded = np.flatnonzero(count[inverse] > 1).tolist()
    alleles = Counter((int(sites.pos[i]), sites.ref[i]) for i in crowded)
    several = [i for i in crowded if alleles[int(sites.pos[i]), sites.ref[i]] > 1]
    return np.setdiff1d(np.arange(len(sites.pos)), several)


def _alleles(sites: Sites, kept: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str], list[str]]:
    return sites.pos[kept], [sites.ref[i] for i in kept], [sites.alt[i] for i in kept]


def _site(
    imputed: Path,
    truth: Path,
    record: Any,
    partner: tuple[Any, bool] | None,
    rows_of: list[NDArray[np.int64]],
    tally: _Tally,
) -> _Scored | None:
    """Make the comparison at a record, or count why there is none."""
    frequency, dosage = record.INFO.get("RAF"), record.format("DS")
    if frequency is None or dosage is None:
        raise InputError(
            f"{imputed.name}: the record at {record.CHROM}:{record.POS} lacks "
            f"{'INFO RAF' if frequency is None else 'FORMAT DS'}: give the pipeline's own output"
        )
    number = maf_bin(float(frequency))
    if number is None:
        tally.left_out["monomorphic_sites"] += 1
        return None
    if partner is None:
        tally.left_out["sites_without_truth"] += 1
        tally.by_group[number, :, 3] += 1
        return None
    guess, ploidy = _alt_copies(imputed, record, rows_of[0])
    true, true_ploidy = _alt_copies(truth, partner[0], rows_of[1])
    if partner[1]:
        true = true_ploidy - true
    dosage = dosage[rows_of[0], 0].astype(np.float64)
    comparable = (ploidy == true_ploidy) & np.isfinite(dosage)
    return _Scored(
        bin=number,
        frequency=float(frequency),
        info_r2=float(record.INFO.get("R2", np.nan)),
        imputed=np.where(comparable, dosage, 0.0),
        true=true,
        guess=guess,
        ploidy=np.where(comparable, ploidy, 0.0),
    )


def _alt_copies(path: Path, record: Any, people: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Copies of ALT and ploidy of each of ``people``; ploidy is 0 where any allele is missing."""
    if "GT" not in record.FORMAT:
        raise InputError(
            f"{path.name}: the record at {record.CHROM}:{record.POS} has no GT: give a file with genotypes"
        )
    alleles = record.genotype.array()[people, :-1]
    copies, ploidy, missing = np.zeros(len(people)), np.zeros(len(people)), np.zeros(len(people), bool)
    for allele in alleles.T:  # one or two: sums along so short an axis would take most of the time
        copies += allele == 1
        ploidy += allele >= 0
        missing |= allele == -1
    ploidy[missing] = 0.0
    return copies, ploidy


def _part_rows(tally: _Tally, start: Row) -> list[Row]:
    groups = tally.groups
    counted = {key: tally.left_out[key] for key in COHORT_SUMS}
    told: dict[str, float | None] = {**counted, "unlabelled_people": groups.unlabelled}
    rows = [start | {"level": "cohort", "name": EVERYONE} | _text(told)]
    for number, name in enumerate(MAF_BINS):
        for column, group in enumerate(groups.names):
            sums = dict(zip(GROUP_SUMS, tally.by_group[number, column].tolist(), strict=True))
            if sums["sites"] or sums["sites_without_truth"]:
                rows.append(start | {"level": "group", "name": group, "maf_bin": name} | _text(sums))
        for row, person in enumerate(groups.people):
            sums = dict(zip(PERSON_SUMS, tally.by_person[number, row].tolist(), strict=True))
            if sums["n"]:
                label = groups.labels.get(person, Label("", "", ""))
                where = {"population": label.population, "superpopulation": label.superpopulation}
                rows.append(
                    start | {"level": "person", "name": person, "maf_bin": name} | where | _text(sums)
                )
    return [{column: row.get(column, "") for column in PART_COLUMNS} for row in rows]


def _text(numbers: Mapping[str, float | None]) -> Row:
    """Numbers in full, so that sums over chromosomes lose nothing."""
    return {
        key: NOT_AVAILABLE if value is None else repr(int(value) if value == int(value) else value)
        for key, value in numbers.items()
    }
