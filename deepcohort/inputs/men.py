"""Men whom a program wrote with two equal copies of X."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.builds import PSEUDO_AUTOSOMAL
from deepcohort.genome.genotypes import PAD, Counts
from deepcohort.genome.regions import chrom_key

MALE = 0.8
"""Inbreeding on X from which on somebody counts as a man, as in PLINK (Purcell et al. 2007)."""

ENOUGH = 10.0
"""Heterozygous genotypes that a woman would have, from which on a lack of them means something."""


class MenOnX:
    """Counts diploid and heterozygous genotypes of everybody on X outside the pseudo-autosomal regions.

    Without a known ``build`` nothing is counted, as the regions are not known.
    """

    def __init__(self, people: int, build: str | None) -> None:
        self.regions = PSEUDO_AUTOSOMAL.get(build or "")
        self.heterozygous: NDArray[np.int64] = np.zeros(people, np.int64)
        self.expected: NDArray[np.float64] = np.zeros(people)

    def add(self, record: Any, genotypes: NDArray[np.int16], counts: Counts) -> None:
        """Take a record in; chromosomes other than X and people with one copy do not count."""
        if self.regions is None or genotypes.shape[1] < 3 or len(counts.alt) != 1:
            return
        if chrom_key(record.CHROM) != "X" or any(a <= record.POS <= b for a, b in self.regions):
            return
        first, second = genotypes[:, 0], genotypes[:, 1]
        diploid = (first >= 0) & (second != PAD) & (second >= 0)
        frequency = counts.alt[0] / max(counts.called, 1)
        self.heterozygous += diploid & (first != second)
        self.expected += diploid * (2 * frequency * (1 - frequency))

    def notes(self, file: str, samples: list[str]) -> list[str]:
        """Sentence about those who look like men, or nothing."""
        told = self.expected >= ENOUGH
        inbreeding = 1 - self.heterozygous / np.where(told, self.expected, 1)
        men = [samples[person] for person in np.flatnonzero(told & (inbreeding > MALE))]
        if not men:
            return []
        shown = ", ".join(men[:5]) + (f" and {len(men) - 5} more" if len(men) > 5 else "")
        return [
            f"{file}: who looks like a man but has two equal copies of X ({shown}) keeps them, so dosages "
            "reach 2; write such genotypes with one allele (bcftools +fixploidy) to have men haploid."
        ]
