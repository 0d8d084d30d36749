"""Likelihoods of genotypes in VCF: PL and GL, read record by record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError

Float32 = NDArray[np.float32]
Int16 = NDArray[np.int16]

Number = TypeVar("Number", int, NDArray[np.int64])

LEAST = 1e-6
"""No genotype is held for less likely than this beside the likeliest one: reads may be mapped wrongly."""

HAPLOID, MISSING = -2, -1
"""What stands for the second allele of a haploid genotype and for a missing one, as in cyvcf2."""


def has_likelihoods_only(record: Any) -> bool:
    """Say whether a record has PL or GL and no GT."""
    return "GT" not in record.FORMAT and ("PL" in record.FORMAT or "GL" in record.FORMAT)


def read_likelihoods(path: Path, record: Any) -> tuple[Float32, NDArray[np.bool_]]:
    """P(reads | genotype) of n people, float32[n, G], the likeliest one's 1; and who is haploid, bool[n].

    G genotypes stand in VCF's order; a haploid person has the alleles first and then zeros. All is 1 where
    nothing is known. PL is taken where GL stands beside it. Raises ``InputError`` where a record has another
    number of values than its alleles have genotypes.
    """
    field = "PL" if "PL" in record.FORMAT else "GL"
    values = record.format(field)
    n_alleles = 1 + len(record.ALT)
    n_genotypes = n_alleles * (n_alleles + 1) // 2
    if values.shape[1] not in (1, n_alleles, n_genotypes):
        raise InputError(
            f"{path.name}: record {record.CHROM}:{record.POS} has {values.shape[1]} values of {field} for "
            f"{n_alleles} alleles, which have {n_genotypes} genotypes: make the file again"
        )
    known = values >= 0 if field == "PL" else np.isfinite(values)
    logs = np.full((len(values), n_genotypes), -np.inf)
    logs[:, : values.shape[1]] = np.where(known, values * (-0.1 if field == "PL" else 1.0), -np.inf)
    said = known.sum(axis=1)
    haploid = (said == n_alleles) & (n_alleles < n_genotypes)
    told = haploid | (said == n_genotypes)
    highest = np.where(told, logs.max(axis=1), 0)
    likelihoods = np.maximum(10.0 ** (logs - highest[:, None]), LEAST)
    likelihoods[haploid, n_alleles:] = 0
    likelihoods[~told] = 1
    return likelihoods.astype(np.float32), haploid


def genotypes_among(alleles: Sequence[int], ploidy: int = 2) -> list[tuple[int, ...]]:
    """All genotypes of some alleles and of one copy or two, in VCF's order."""
    if ploidy == 1:
        return [(a,) for a in alleles]
    return [(a, b) for i, b in enumerate(alleles) for a in alleles[: i + 1]]


def genotype_number(one: Number, other: Number) -> Number:
    """Place in VCF's order of a genotype of two alleles, the second is not the smaller; numbers or arrays."""
    return other * (other + 1) // 2 + one


def genotype_alleles(n_alleles: int) -> Int16:
    """The two alleles of each genotype in VCF's order, int16[G, 2]."""
    return np.array(genotypes_among(range(n_alleles)), np.int16)


def by_copies(likelihoods: Float32, haploid: NDArray[np.bool_], n_alleles: int, counted: int) -> Float32:
    """P(reads | 0, 1, 2 copies of one allele), float32[n, 3]; of haploid people the first two count.

    Of the genotypes with as many copies the likeliest one speaks.
    """
    copies = (genotype_alleles(n_alleles) == counted).sum(axis=1)
    found = np.stack([likelihoods[:, copies == number].max(axis=1) for number in range(3)], axis=1)
    alone = likelihoods[:, :n_alleles]
    single = np.stack([np.delete(alone, counted, axis=1).max(axis=1), alone[:, counted]], axis=1)
    found[haploid, :2] = single[haploid]
    found[haploid, 2] = 0
    return found


def likeliest(likelihoods: Float32, haploid: NDArray[np.bool_], n_alleles: int) -> Int16:
    """The likeliest genotypes as cyvcf2 gives genotypes, int16[n, 3]; missing where all are as likely."""
    best = likelihoods.argmax(axis=1)
    genotypes = np.concatenate(
        [genotype_alleles(n_alleles)[best], np.zeros((len(best), 1), np.int16)], axis=1
    )
    genotypes[haploid, 0], genotypes[haploid, 1] = best[haploid], HAPLOID
    alike = np.where(haploid, likelihoods[:, :n_alleles].min(axis=1), likelihoods.min(axis=1)) == 1
    genotypes[alike, 0] = MISSING
    genotypes[alike & ~haploid, 1] = MISSING
    return genotypes
