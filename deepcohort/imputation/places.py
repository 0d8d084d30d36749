"""What is known of a site before anybody is imputed: how common its alleles are, how far it is typed."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.copying import Float32

EDGES = (0.001, 0.005, 0.01, 0.05, 0.2)
"""Minor allele frequencies at which one bin ends and the next one begins."""

NOWHERE = -1
"""Bin of sites that do not vary in the panel, or of which nothing is to be known."""


@dataclass(frozen=True)
class Places:
    """What is known of U sites.

    facts: float32[U, 3], a one, and the logarithms of MAF and of the way (in cM) to the nearest typed site,
    scaled to about one. flipped: bool[U], whether REF is the minor allele. bin: int64[U], of MAF, or
    ``NOWHERE``.
    """

    facts: Float32
    flipped: NDArray[np.bool_]
    bin: NDArray[np.int64]

    @classmethod
    def of(
        cls, frequency: NDArray[np.float64], cm: NDArray[np.float64], typed_cm: NDArray[np.float64]
    ) -> "Places":
        """From the frequency of ALT in the panel, float64[U], and the places of sites and of typed sites."""
        maf = np.minimum(frequency, 1 - frequency)
        right = np.searchsorted(typed_cm, cm).clip(0, len(typed_cm) - 1)
        way = np.minimum(np.abs(typed_cm[right] - cm), np.abs(typed_cm[np.maximum(right - 1, 0)] - cm))
        columns = np.ones(len(cm)), np.log10(maf + 1e-4) + 2, np.log10(way + 1e-4) + 2
        facts = np.stack(columns, axis=1).astype(np.float32)
        number = np.where(maf > 0, np.searchsorted(EDGES, maf, side="right"), NOWHERE)
        return cls(facts, frequency > 0.5, number)

    def without(self, rows: NDArray[np.bool_]) -> "Places":
        """The same with nothing known of some sites: what is said of them stays as it is."""
        facts, number = np.where(rows[:, None], 0, self.facts), np.where(rows, NOWHERE, self.bin)
        return replace(self, facts=facts, bin=number)

    def minor(self, dosages: Float32) -> Float32:
        """Turn dosages [U, L] of ALT into those of the minor allele, or back."""
        return np.where(self.flipped[:, None], 1 - dosages, dosages)
