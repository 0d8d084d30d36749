"""Haplotypes shared with the panel's people, told from unphased copies: who has long stretches in common.

Two people who share a haplotype are nowhere homozygous for different alleles along it. Stretches without such
a site are weighed by how unlikely they are between strangers (after the tests for identity by descent of Henn
et al. 2012, PLoS ONE 7:e34267, with information in place of lengths), and long ones count by their square:
sharing that is recent tells of populations, while allele frequencies tell of continents.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.population.study import Int8, Int64

Float64 = NDArray[np.float64]
UInt64 = NDArray[np.uint64]

BITS = 64
CHANCE = 3.0
"""Information (nats) that strangers share by chance; what is above counts."""

LEAST, MOST = 1e-4, 0.5
"""Bounds of the chance that strangers are homozygous for different alleles at a site."""

FLOOR = 0.01
"""Of the mean sharing: added before the log is taken."""

COST = 1.0
"""Inverse strength of the ridge penalty of the regression."""

_ORDER = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(BITS, np.int64)
for _bit in range(BITS):
    _PLACES[(int(_ORDER) << _bit) % 2**BITS >> 58] = _bit
"""Number of a lone bit by the first six bits of its product with a de Bruijn sequence."""


class Sharing:
    """Sharing with people learnt from (``learnt``, packed).

    ``columns`` int64[padded sites] are the sites with chromosomes padded to whole words, ``places`` int64[S]
    where in them the real ones stand, ``blocks`` the words at which chromosomes begin and the last one ends,
    ``information`` float64[padded sites + 1] sums up that of the sites.
    """

    def __init__(self, learnt: Int8, starts: Int64) -> None:
        """learnt: copies int8[n, S], -1 where missing. starts: int64[C], first site of each chromosome."""
        known = learnt >= 0
        share = np.where(known, learnt, 0).sum(axis=0) / np.maximum(2 * known.sum(axis=0), 1)
        differ = np.clip(2 * (share * (1 - share)) ** 2, LEAST, MOST)
        self.columns, self.blocks = _padded(starts, learnt.shape[1])
        weight = np.append(-np.log1p(-differ), 0.0)[self.columns]
        self.information = np.concatenate([[0.0], np.cumsum(weight)])
        self.places = np.flatnonzero(self.columns < learnt.shape[1])
        self.learnt = self.packed(learnt)

    def packed(self, copies: Int8) -> UInt64:
        """Bits of who is homozygous for REF, and for ALT, uint64[2, m, words].

        Where a person has no genotype in a whole word, as of a missing chromosome, both are set: nobody
        who is homozygous shares it, or those who lack most would seem to share most.
        """
        padded = np.concatenate([copies, np.full((len(copies), 1), -1, np.int8)], axis=1)
        real = self.columns < copies.shape[1]
        found = np.empty((2, len(copies), len(real) // 8), np.uint8)
        for number, row in enumerate(padded):
            here = row[self.columns]
            nothing = np.repeat((here.reshape(-1, BITS) < 0).all(axis=1), BITS) & real
            for place, homozygous in enumerate((0, 2)):
                found[place, number] = np.packbits((here == homozygous) | nothing, bitorder="little")
        return found.view(np.uint64)

    def of(self, people: Int8) -> Float64:
        """Sharing of other people with each of those learnt from, float64[m, n]."""
        return _shared(self.packed(people), self.learnt, self.blocks, self.information, False)

    def own(self) -> Float64:
        """Sharing of those learnt from with each other, float64[n, n]; with oneself 0."""
        return _shared(self.learnt, self.learnt, self.blocks, self.information, True)


def _padded(starts: Int64, sites: int) -> tuple[Int64, Int64]:
    """Columns of sites with chromosomes padded to whole words (``sites`` stands for none), and the words at
    which chromosomes begin and the last one ends.
    """
    columns, blocks = [], [0]
    for first, end in zip(starts, [*starts[1:], sites], strict=True):
        words = -(-(end - first) // BITS)
        columns.append(np.arange(first, end))
        columns.append(np.full(words * BITS - (end - first), sites))
        blocks.append(blocks[-1] + words)
    return np.concatenate(columns).astype(np.int64), np.array(blocks, np.int64)


@compiled
def _counted(information: float) -> float:
    """What a stretch counts: the square of what is above ``CHANCE``."""
    more = information - CHANCE
    return more * more if more > 0 else 0.0


@compiled
def room(blocks: Int64) -> tuple[Int64, Int64]:
    """Space for what ``stretches`` writes of two people who differ everywhere."""
    most = blocks[-1] * BITS + len(blocks)
    return np.empty(most, np.int64), np.empty(most, np.int64)


@compiled
def stretches(
    people: UInt64, i: int, learnt: UInt64, j: int, blocks: Int64, begins: Int64, ends: Int64
) -> int:
    """Write where stretches without a site that differs begin, and the sites after them; tell how many.

    people, learnt: as of ``Sharing.packed``; i, j: who of them. begins, ends: as ``room`` gives them.
    """
    count = 0
    for block in range(len(blocks) - 1):
        begins[count] = blocks[block] * BITS
        for word in range(blocks[block], blocks[block + 1]):
            differ = (people[0, i, word] & learnt[1, j, word]) | (people[1, i, word] & learnt[0, j, word])
            while differ:
                lowest = differ & (~differ + np.uint64(1))
                ends[count] = word * BITS + _PLACES[(lowest * _ORDER) >> np.uint64(58)]
                begins[count + 1] = ends[count] + 1
                count += 1
                differ ^= lowest
        ends[count] = blocks[block + 1] * BITS
        count += 1
    return count


@compiled
def _shared(people: UInt64, learnt: UInt64, blocks: Int64, information: Float64, same: bool) -> Float64:
    """Sums over stretches without a site that differs of what they count.

    same: both are the same people, whose sharing with themselves is left 0.
    """
    found = np.zeros((people.shape[1], learnt.shape[1]))
    begins, ends = room(blocks)
    for i in range(people.shape[1]):
        for j in range(i if same else learnt.shape[1]):
            total = 0.0
            for number in range(stretches(people, i, learnt, j, blocks, begins, ends)):
                total += _counted(information[ends[number]] - information[begins[number]])
            found[i, j] = total
            if same:
                found[j, i] = total
    return found


class Regression:
    """Populations by the logs of what a person has of each: multinomial logistic regression.

    Logs are taken relative to the person's own mean.
    """

    def __init__(self, amounts: Float64, label: Int64, floor: float, cost: float) -> None:
        """Learn from amounts float64[n, P], to which ``floor`` is added, and populations int64[n].

        cost: inverse strength of the ridge penalty.
        """
        from sklearn.linear_model import LogisticRegression

        self._floor = floor
        features = self._relative(amounts)
        self._mean, self._spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
        self._model: Any = LogisticRegression(C=cost, max_iter=500).fit(self._scaled(features), label)

    def scores(self, amounts: Float64) -> Float64:
        """Log-probabilities float64[m, P] of other people by their amounts float64[m, P]."""
        return np.asarray(self._model.predict_log_proba(self._scaled(self._relative(amounts))))

    def _relative(self, amounts: Float64) -> Float64:
        logs = np.log(amounts + self._floor)
        return np.asarray(logs - logs.mean(axis=1, keepdims=True))

    def _scaled(self, features: Float64) -> Float64:
        return np.asarray((features - self._mean) / self._spread)


class SharingModel:
    """Populations by how much a person shares with each, on average."""

    def __init__(self, sharing: Sharing, label: Int64) -> None:
        """Learn from those whom ``sharing`` has learnt from; their populations int64[n]."""
        self._sharing = sharing
        self._member = np.eye(int(label.max()) + 1)[label]
        own = sharing.own() @ self._member / np.maximum(self._member.sum(axis=0) - self._member, 1)
        self._regression = Regression(own, label, FLOOR * own.mean() + np.finfo(float).tiny, COST)

    def scores(self, people: Int8) -> Float64:
        """Log-probabilities float64[m, P] of other people."""
        return self._regression.scores(self._sharing.of(people) @ self._member / self._member.sum(axis=0))
