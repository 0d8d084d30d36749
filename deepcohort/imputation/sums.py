"""Sums over people from which a site's frequency and estimated R2 follow; parts of a cohort add up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DosageSums:
    """Sums over people at each site, from which frequency and R2 follow; parts of a cohort add up.

    alleles: number of alleles. people: number of people. dosage, squares: sums of the dosage and of its
    square. expected_squares: sum of the expected square of the true number of ALT alleles.
    """

    alleles: float
    people: float
    dosage: float
    squares: float
    expected_squares: float

    def __add__(self, other: "DosageSums") -> "DosageSums":
        mine, theirs = vars(self).values(), vars(other).values()
        return DosageSums(*(a + b for a, b in zip(mine, theirs, strict=True)))

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

    def __str__(self) -> str:
        return ",".join(f"{value:.9g}" for value in vars(self).values())

    @classmethod
    def parse(cls, text: str) -> "DosageSums":
        """Read what ``str`` wrote."""
        return cls(*map(float, text.split(",")))
