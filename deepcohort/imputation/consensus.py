"""One consistent phase out of many samples of it, with how sure each step from anchor to anchor is.

Anchors are the sites by which a person's two haplotypes are told apart: the heterozygous genotypes of the
input, or sites that reads show to be heterozygous. Two samples may hold the same phase with the haplotypes
the other way round, so only the relation of one anchor to the next means anything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.imputation.phasing import CERTAIN, PhaseSamples

Float32 = NDArray[np.float32]
Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Consensus:
    """The phase of n people at M typed sites.

    order: int8[M, n], 1 where the first haplotype carries ALT, -1 where the second does, 0 where there is
    no anchor. confidence: float32[M, n], posterior probability that an anchor's phase relative to the
    anchor before it is right, in [0.5, 1]; NaN at the first anchor and elsewhere.
    """

    order: Int8
    confidence: Float32

    def turned(self, alleles: Int8, cm: NDArray[np.float64]) -> Float32:
        """How a sample, int8[M, n, 2], lies at each site, float32[M, n].

        1 as the consensus, -1 the other way round, in between by distance where the anchors on either side
        do not agree.
        """
        turned = np.ones(self.order.shape, np.float32)
        _turn(alleles, self.order, cm, turned)
        return turned


def consensus(samples: PhaseSamples, anchors: NDArray[np.bool_]) -> Consensus:
    """Choose at each anchor the likelier relation to the one before: the most right relations expected.

    anchors: bool[M, n]. The probability of a relation is the mean over samples of its chance given the
    rest of the sample.
    """
    order = np.zeros(anchors.shape, np.int8)
    confidence = np.full(anchors.shape, np.nan, np.float32)
    _agree(samples.alleles, samples.order, anchors, order, confidence)
    return Consensus(order, confidence)


@compiled
def _agree(
    alleles: Int8, chance: NDArray[np.uint8], anchors: NDArray[np.bool_], order: Int8, confidence: Float32
) -> None:
    for person in range(anchors.shape[1]):
        before = -1
        for m in np.flatnonzero(anchors[:, person]):
            order[m, person] = 1
            if before >= 0:
                relation, told = 0.0, 0
                for sample in range(len(chance)):
                    was = alleles[sample, before, person]
                    if was[0] + was[1] == 1:
                        relation += (2 * was[0] - 1) * (2.0 * chance[sample, m, person] / CERTAIN - 1)
                        told += 1
                relation /= max(told, 1)
                order[m, person] = order[before, person] if relation >= 0 else -order[before, person]
                confidence[m, person] = (1 + abs(relation)) / 2
            before = int(m)


@compiled
def _turn(alleles: Int8, order: Int8, cm: NDArray[np.float64], turned: Float32) -> None:
    n_typed, n_people = order.shape
    for person in range(n_people):
        before = -1
        for m in range(n_typed):
            if order[m, person] == 0 or alleles[m, person, 0] + alleles[m, person, 1] != 1:
                continue
            here = order[m, person] * (2 * alleles[m, person, 0] - 1)
            if before < 0:
                turned[:m, person] = here
            else:
                gap, there = cm[m] - cm[before], turned[before, person]
                for between in range(before + 1, m):
                    share = (cm[between] - cm[before]) / gap if gap > 0 else 0.5
                    turned[between, person] = (1 - share) * there + share * here
            turned[m:, person] = here
            before = m
