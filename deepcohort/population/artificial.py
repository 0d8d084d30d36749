"""Artificial people of the augmentation at a study's sites, whom plain models may learn from as well.

A generator has seen most of the panel's people, and what it makes carries stretches of their genomes. So
what artificial people are worth is told by strangers alone: people of the panel that the generator had not
learnt from, nor from anybody of their family.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.genotypes import alt_copies, genotypes_of
from deepcohort.genome.regions import chrom_key
from deepcohort.genome.samples import read_labels
from deepcohort.genome.vcf import open_vcf, records
from deepcohort.population.study import MISSING, Artificial, Int8, Int64

FEWEST_FOLDS = 2
"""Folds that must have strangers: some to fit weights on, others to be told of."""

Site = tuple[str, int, str, str]


class ArtificialFiles(NamedTuple):
    """What the augmentation hands over: genotypes, labels and the generator's description."""

    genotypes: Path
    labels: Path
    generator: Path

    @classmethod
    def of(cls, folder: Path) -> "ArtificialFiles":
        """The three of a folder, by the names that the augmentation gives them."""
        return cls(*(folder / name for name in ("synthetic.vcf.gz", "labels.tsv", "generator.json")))


def read_artificial(
    files: ArtificialFiles,
    sites: Sequence[Site],
    populations: list[str],
    names: list[str],
    group: Int64,
    fold: Int64,
) -> Artificial:
    """Read the artificial people who are of a population of the study, at its ``sites``.

    ``names`` are the panel's people, ``group`` int64[n] of family and duplicates, ``fold`` int64[n]. Sites
    that the artificial people lack are missing. Raises ``InputError`` where nobody is of one of the
    populations, no site is shared, or too few strangers are left.
    """
    of = read_labels(files.labels)
    vcf = open_vcf(files.genotypes)
    everybody = list(vcf.samples)
    chosen = [i for i, name in enumerate(everybody) if name in of and of[name].population in populations]
    if not chosen:
        raise InputError(
            f"{files.labels.name}: none of the {len(everybody):,} artificial people is of one of the panel's "
            "populations: make them by population (--augmentation_label population)"
        )
    column = {site: number for number, site in enumerate(sites)}
    copies: Int8 = np.full((len(chosen), len(sites)), MISSING, np.int8)
    for record in records(files.genotypes, vcf, None):
        site = column.get((chrom_key(record.CHROM), record.POS, record.REF, ",".join(record.ALT)))
        if site is not None:
            copies[:, site] = alt_copies(genotypes_of(files.genotypes, record))[chosen]
    vcf.close()
    if (copies == MISSING).all():
        raise InputError(
            f"{files.genotypes.name}: artificial people have none of the {len(sites):,} sites that panel and "
            "cohort share: name a region of these (--augmentation_region)"
        )
    label = np.array([populations.index(of[everybody[i]].population) for i in chosen], np.int64)
    return Artificial(copies, label, _strangers(files.generator, names, group, fold))


def _strangers(generator: Path, names: list[str], group: Int64, fold: Int64) -> NDArray[np.bool_]:
    """Who was held out from the generator, with all of the group, bool[n]."""
    try:
        held = set(json.loads(generator.read_text(encoding="utf-8"))["held_out"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{generator.name}: not the description of a generator ({error}): make it by 'train'"
        ) from None
    seen = np.array([name not in held for name in names], bool)
    strangers = ~np.isin(group, group[seen])
    if len(np.unique(fold[strangers])) < FEWEST_FOLDS:
        raise InputError(
            f"{generator.name}: {int(strangers.sum())} people of the panel were held out from artificial "
            "people's generator, too few to tell what these are worth: raise --augmentation_held_out"
        )
    return np.asarray(strangers)
