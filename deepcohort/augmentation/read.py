"""Read a region of a labelled panel: its biallelic sites, its people, and their labels."""

import logging
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.augmentation.people import Int8, Int64, Panel, People, Places
from deepcohort.genome.errors import InputError
from deepcohort.genome.genotypes import PAD, genotypes_of
from deepcohort.genome.regions import TO_THE_END, Region, chrom_key, parse_regions
from deepcohort.genome.samples import Label, read_labels
from deepcohort.genome.vcf import open_vcf, read_header, records

log = logging.getLogger(__name__)

FEWEST = 10
"""With fewer people nothing can be learnt of a population."""

FEWEST_SITES = 50
"""With fewer common sites there is no linkage to learn."""

MOST_ALONG_GENOME = 20_000
"""Sites of several chromosomes that are learnt together, at most."""

COMMON = 0.01
"""A common site's minor allele frequency, at least."""

Int16 = NDArray[np.int16]


class LabelBy(StrEnum):
    """Which column of the labels is learnt."""

    population = "population"
    superpopulation = "superpopulation"


class Phase(StrEnum):
    """Whether haplotypes or genotypes are learnt; ``auto`` takes haplotypes where the panel has them."""

    auto = "auto"
    phased = "phased"
    unphased = "unphased"


def read_panel(
    files: list[Path],
    labels: Path,
    *,
    region: str | None = None,
    by: LabelBy = LabelBy.superpopulation,
    phase: Phase = Phase.auto,
    merge_small: bool = False,
    seed: int = 1,
) -> Panel:
    """Read the people with a label at biallelic sites of ``region``: ``chr:from-to``, or all of one file,
    which may hold few sites along several chromosomes.

    Missing genotypes are drawn from the label's frequencies and counted, as are sites with several ALT,
    people without a label and labels without a person. A population of fewer than ``FEWEST`` people takes
    the name of its superpopulation when ``merge_small``. Raises ``InputError`` where a population is
    small otherwise, a region is beyond the panel or has no common sites, or phase is asked of unphased
    people.
    """
    path, where = _file_of(files, region)
    known = read_labels(labels)
    samples = read_header(path).samples
    names = [name for name in samples if name in known]
    counts: Counter[str] = Counter(
        people_without_label=len(samples) - len(names), labels_without_person=len(set(known) - set(samples))
    )
    if not names:
        raise InputError(
            f"{labels.name}: none of the {len(samples):,} people of {path.name} has a label: check the names"
        )
    kinds, notes = _labels_of(names, known, by, labels, merge_small)
    places, alleles, is_phased = _sites(path, names, where, counts)
    if phase is Phase.phased and not is_phased:
        raise InputError(
            f"{path.name}: haplotypes are asked for (phased), and {counts['unphased_genotypes']:,} genotypes "
            "are unphased: phase the panel, or take unphased"
        )
    ours = is_phased and phase is not Phase.unphased
    all_labels = sorted(set(kinds))
    label: Int64 = np.array([all_labels.index(kind) for kind in kinds], np.int64)
    known_alleles = _filled(alleles, label, ours, np.random.default_rng(seed), counts)
    classes = known_alleles[..., 0] * (2 if ours else 1) + known_alleles[..., 1]
    people = People(classes.astype(np.int8), label, all_labels, ours)
    _require_common(people, path, where)
    for what, number in counts.items():
        log.info("%s: %s", what.replace("_", " "), f"{number:,}")
    upper = {kind: known[name].superpopulation for name, kind in zip(names, kinds, strict=True)}
    return Panel(path, names, people, places, counts, notes, upper)


def _file_of(files: list[Path], region: str | None) -> tuple[Path, Region | None]:
    """The file of the region's chromosome, and the region as its contig is called there."""
    if region is None:
        if len(files) > 1:
            raise InputError(
                f"the panel has {len(files)} files: name one region to learn "
                "(--augmentation_region chr:from-to)"
            )
        return files[0], None
    asked = parse_regions(region)
    if len(asked) != 1:
        raise InputError(f"--augmentation_region {region}: {len(asked)} stretches; one is learnt: name one")
    for path in files:
        vcf = open_vcf(path, samples=[])
        contig = next((name for name in vcf.seqnames if chrom_key(name) == asked[0].chrom), None)
        vcf.close()
        if contig is not None:
            return path, asked[0]._replace(chrom=contig)
    raise InputError(
        f"--augmentation_region {region}: no file of the panel has chromosome {asked[0].chrom}: "
        "correct the region"
    )


def _labels_of(
    names: list[str], known: dict[str, Label], by: LabelBy, path: Path, merge_small: bool
) -> tuple[list[str], list[str]]:
    """Label of each person, and what to say of small populations."""
    kinds = [getattr(known[name], by.value) for name in names]
    empty = [name for name, kind in zip(names, kinds, strict=True) if not kind]
    if empty:
        raise InputError(f"{path.name}: {empty[0]} has no {by.value}: write one or take the row out")
    notes = []
    small = {kind: number for kind, number in sorted(Counter(kinds).items()) if number < FEWEST}
    if small and merge_small and by is LabelBy.population:
        kinds = [
            known[name].superpopulation if kind in small else kind
            for name, kind in zip(names, kinds, strict=True)
        ]
        for kind, number in small.items():
            notes.append(f"{kind} has {number} people in the panel, and counts as its superpopulation.")
        small = {kind: number for kind, number in sorted(Counter(kinds).items()) if number < FEWEST}
    if small:
        kind, number = next(iter(small.items()))
        raise InputError(
            f"{path.name}: {kind} has {number} people in the panel, and {FEWEST} are needed to learn "
            "from: take their rows out, or label by superpopulation"
        )
    return kinds, notes


def _sites(
    path: Path, names: list[str], where: Region | None, counts: Counter[str]
) -> tuple[Places, Int16, bool]:
    """Biallelic sites and the alleles there, int16[n, S, 2] (-1: missing), and whether all are phased."""
    vcf = open_vcf(path, samples=names)
    column = {name: number for number, name in enumerate(vcf.samples)}
    order = np.array([column[name] for name in names], np.int64)
    pos: list[int] = []
    texts: tuple[list[str], list[str], list[str]] = ([], [], [])
    found: list[Int16] = []
    chrom: list[str] = []
    for record in records(path, vcf, None if where is None else _text(where)):
        if where is not None and where.start > record.POS:
            continue
        if len(record.ALT) != 1 or record.ALT[0].startswith("<"):
            counts["sites_not_biallelic"] += 1
            continue
        chrom.append(record.CHROM)
        pos.append(record.POS)
        if len(pos) > MOST_ALONG_GENOME and chrom[0] != record.CHROM:
            raise InputError(
                f"{path.name}: more than {MOST_ALONG_GENOME:,} sites of several chromosomes, and so many are "
                "learnt together at most: name one region to learn (--augmentation_region chr:from-to)"
            )
        for text, value in zip(texts, (record.REF, record.ALT[0], record.ID or "."), strict=True):
            text.append(value)
        found.append(_alleles(path, record, counts)[order])
    vcf.close()
    counts["sites"] = len(pos)
    if not pos:
        lies = f"region {where}" if where else "file"
        raise InputError(
            f"{path.name}: the {lies} has no biallelic site: name a region that the panel covers"
        )
    lengths = read_header(path).contigs
    contigs = {name: lengths.get(name) for name in dict.fromkeys(chrom)}
    places = Places(contigs, chrom, np.array(pos, np.int64), *texts)
    return places, np.stack(found, axis=1), not counts["unphased_genotypes"]


def _text(where: Region) -> str:
    return (
        where.chrom
        if where.end == TO_THE_END and where.start == 1
        else f"{where.chrom}:{where.start}-{where.end}"
    )


def _alleles(path: Path, record: Any, counts: Counter[str]) -> Int16:
    """Two alleles of everybody, int16[n, 2], -1 where missing; a haploid genotype counts twice."""
    genotypes = genotypes_of(path, record)
    two = genotypes[:, :2] if genotypes.shape[1] == 3 else genotypes[:, [0, 0]]
    two = np.where(two == PAD, two[:, :1], two)
    heterozygous = (two[:, 0] != two[:, 1]) & (two >= 0).all(axis=1)
    counts["unphased_genotypes"] += int((heterozygous & (genotypes[:, -1] == 0)).sum())
    return np.where((two < 0).any(axis=1, keepdims=True), np.int16(-1), two).astype(np.int16)


def _filled(
    alleles: Int16, label: Int64, phased: bool, rng: np.random.Generator, counts: Counter[str]
) -> Int8:
    """Missing genotypes drawn from the label's allele frequencies."""
    missing = alleles[..., 0] < 0
    counts["genotypes_missing"] = int(missing.sum())
    if counts["genotypes_missing"]:
        person, site = np.nonzero(missing)
        alt = np.where(missing, 0, alleles.sum(axis=2))
        frequency = np.empty((int(label.max()) + 1, alleles.shape[1]))
        for kind in range(len(frequency)):
            here = label == kind
            frequency[kind] = alt[here].sum(axis=0) / np.maximum(2 * (~missing[here]).sum(axis=0), 1)
        chance = frequency[label[person], site][:, None]
        alleles[person, site] = rng.random((len(person), 2)) < chance
    return (alleles if phased else np.sort(alleles, axis=2)).astype(np.int8)


def _require_common(people: People, path: Path, where: Region | None) -> None:
    frequency = people.copies().mean(axis=0) / 2
    common = int((np.minimum(frequency, 1 - frequency) >= COMMON).sum())
    if common < FEWEST_SITES:
        raise InputError(
            f"{path.name}: {common} sites of {where or 'the file'} have a MAF of 1 % or more, and "
            f"{FEWEST_SITES} are "
            "needed to learn from: name a larger region"
        )
