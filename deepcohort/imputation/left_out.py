"""Typed sites as they would be imputed had they not been typed: accuracy that needs no truth.

In the copying model the posterior of copying a haplotype with ALT at a typed site is what all other sites
say times the chance of the allele that was observed there. Divided by that chance, it is the dosage of the
site left out, exactly, so that one pass over the chunk tests every typed site of every haplotype.
"""

import numpy as np
from numpy.typing import NDArray

from deepcohort.imputation.sums import LeftOutSums

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def left_out(chances: Float32, observed: NDArray[np.int8], error: float | Float32) -> Float64:
    """Chances of ALT at typed sites had the haplotype's own allele there not been looked at, float64[M, H].

    chances: float32[M, H], those of the model that has looked at it. observed: int8[M, H], 0, 1, or -1 where
    nothing was seen (NaN is returned). error: chance that a typed allele differs from the copied one, or
    float32[M, 1], that of each site. Of 32-bit chances the result is good to about 1e-6 / error.
    """
    of_alt = np.where(observed == 1, 1 - error, error)
    alt, ref = chances / of_alt, (1 - chances.astype(np.float64)) / (1 - of_alt)
    return np.where(observed < 0, np.nan, alt / (alt + ref))


def left_out_sums(chances: Float64, observed: NDArray[np.int8]) -> list[LeftOutSums]:
    """Sums of each typed site over the haplotypes that were observed there; shapes as in ``left_out``."""
    seen = observed >= 0
    dosage, alleles = np.where(seen, chances, 0.0), np.where(seen, observed, 0).astype(np.float64)
    columns = (seen, dosage, dosage**2, alleles, dosage * alleles)
    return [LeftOutSums(*row) for row in np.stack([c.sum(axis=1) for c in columns], axis=1).tolist()]
