"""Sums over people at a site: what parts of a cohort tell each other so that figures of all are exact."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class _Additive:
    """Numbers that add up over parts of a cohort, written as text between commas."""

    def __add__(self, other: Self) -> Self:
        mine, theirs = vars(self).values(), vars(other).values()
        return type(self)(*(a + b for a, b in zip(mine, theirs, strict=True)))

    def __str__(self) -> str:
        return ",".join(f"{value:.9g}" for value in vars(self).values())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote."""
        return cls(*map(float, text.split(",")))


@dataclass(frozen=True)
class DosageSums(_Additive):
    """Sums over people at each site, from which frequency and R2 follow; parts of a cohort add up.

    alleles: number of alleles. people: number of people. dosage, squares: sums of the dosage and of its
    square. expected_squares: sum of the expected square of the true number of ALT alleles.
    """

    alleles: float
    people: float
    dosage: float
    squares: float
    expected_squares: float

    @property
    def frequency(self) -> float:
        """Frequency of ALT."""
        return self.dosage / self.alleles

    @property
    def r2(self) -> float:
        """Variance of the dosage over that expected of the true genotype.

        Browning & Browning 2009, AJHG 84:210. Zero where nobody is expected to differ.
        """
        mean_square = self.dosage**2 / self.people
        variance, expected = self.squares - mean_square, self.expected_squares - mean_square
        return min(max(variance / expected, 0.0), 1.0) if expected > 1e-6 else 0.0


@dataclass(frozen=True)
class LeftOutSums(_Additive):
    """Sums over haplotypes at a typed site, of their alleles and of what they are imputed as without them.

    haplotypes: how many. dosage, squares: sums of the chance of ALT and of its square. alleles: haplotypes
    with ALT. products: sum of the chance over those.
    """

    haplotypes: float
    dosage: float
    squares: float
    alleles: float
    products: float

    @property
    def r2(self) -> float | None:
        """Squared correlation of chance and allele; None where either is the same for everybody."""
        n = self.haplotypes
        of_dosage, of_alleles = n * self.squares - self.dosage**2, n * self.alleles - self.alleles**2
        # Sums of equal numbers, written to nine digits, leave rounding.
        if of_alleles <= 0 or of_dosage <= 1e-7 * max(n * self.squares, 1e-12):
            return None
        return min((n * self.products - self.dosage * self.alleles) ** 2 / (of_dosage * of_alleles), 1.0)
