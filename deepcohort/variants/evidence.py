"""What a caller judges candidates by: their pileups, their features, and what the haplotypes say of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.candidates import Candidates
from deepcohort.variants.features import CLEARLY, features_of, sides_of
from deepcohort.variants.genotypes import Diplotypes, copies_of
from deepcohort.variants.reads import Reads
from deepcohort.variants.reference import Reference
from deepcohort.variants.tensors import Shape, window_tensors
from deepcohort.variants.windows import Window

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Evidence:
    """Of N candidates.

    tensors: uint8[N, channels, rows, columns], or of no rows for callers that look at none. features:
    float32[N, F], as ``features.NAMES``. log_chances: float64[N, 3], of 0, 1 and 2 copies, as the haplotypes
    say.
    """

    tensors: UInt8
    features: Float32
    log_chances: Float64

    def __len__(self) -> int:
        return len(self.features)


class Caller(Protocol):
    """What judges candidates beyond what the haplotypes say."""

    @property
    def shape(self) -> Shape | None:
        """Of the tensors that it looks at, if any."""
        ...

    def log_chances(self, evidence: Evidence) -> Float64:
        """Logs of the chances of 0, 1 and 2 copies, float64[N, 3], ``LEAST_LOG`` at least.

        Each candidate's are the same whichever others are asked for with it.
        """
        ...


def evidence_of(
    window: Window,
    reads: Reads,
    candidates: Candidates,
    reference: Reference,
    chances: Float64,
    weighed: Diplotypes,
    shape: Shape | None,
) -> Evidence:
    """The evidence of a window's candidates.

    chances: of all candidates, before any read is seen; shape: of tensors.
    """
    numbers = np.arange(window.span.first, window.span.last)
    sides = np.stack([sides_of(window, reads, candidates, i) for i in numbers.tolist()])
    features = features_of(window, reads, candidates, reference, weighed, chances[numbers], sides)
    log_chances, _ = copies_of(weighed, window)
    if shape is None:
        return Evidence(np.zeros((len(numbers), 0, 0, 0), np.uint8), features, log_chances)
    haplotype = _haplotype(window, weighed)
    tensors = window_tensors(window, reads, reference, candidates.pos[numbers], sides, haplotype, shape)
    return Evidence(tensors, features, log_chances)


def joined_evidence(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several windows as one."""
    return Evidence(
        np.concatenate([part.tensors for part in parts]),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.log_chances for part in parts]),
    )


def _haplotype(window: Window, weighed: Diplotypes) -> Int64:
    """Which haplotype of the likeliest pair each read is clearly of: 0, 1, or 2 for neither."""
    members = weighed.members[(weighed.logs + weighed.prior).argmax()]
    apart = window.by_haplotype[:, members[0]] - window.by_haplotype[:, members[-1]]
    return np.where(np.abs(apart) <= CLEARLY, 2, (apart < 0).astype(np.int64))
