"""One record's genotypes as the checks see them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.likelihoods import has_likelihoods_only, likeliest, read_likelihoods

PAD = -2
"""What cyvcf2 gives for the second allele of a haploid genotype; -1 is a missing allele."""


class Counts(NamedTuple):
    """Copies of each ALT, alleles called, and people whose genotype has a missing allele."""

    alt: list[int]
    called: int
    missing: int


def genotypes_of(path: Path, record: Any) -> NDArray[np.int16]:
    """Alleles of everybody and whether they are phased, [people, 2 or 3]; refuses what cannot be used.

    A record with likelihoods and no GT gives the likeliest genotypes.
    """
    if has_likelihoods_only(record):
        return likeliest(*read_likelihoods(path, record), 1 + len(record.ALT))
    if "GT" not in record.FORMAT:
        raise InputError(
            f"{path.name}: record {record.CHROM}:{record.POS} has no GT field (it has "
            f"{':'.join(record.FORMAT) or 'no FORMAT'}): give a VCF with genotypes, or with their likelihoods"
        )
    genotypes: NDArray[np.int16] = record.genotype.array()
    if genotypes.shape[1] > 3:
        raise InputError(
            f"{path.name}: record {record.CHROM}:{record.POS} has genotypes of "
            f"{genotypes.shape[1] - 1} alleles: only haploid and diploid ones can be used"
        )
    return genotypes


def alt_copies(genotypes: NDArray[np.int16]) -> NDArray[np.int8]:
    """Copies of ALT that people carry at a biallelic record, int8[people]: 0, 1, 2, or -1 where missing.

    A haploid genotype counts twice, so that a man is the same whichever way he is written.
    """
    first = genotypes[:, 0]
    second = genotypes[:, 1] if genotypes.shape[1] == 3 else np.full_like(first, PAD)
    second = np.where(second == PAD, first, second)
    return np.where((first < 0) | (second < 0), -1, first + second).astype(np.int8)
