"""What the reads say of each window's candidates: reads aligned anew to the window's haplotypes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.active import Span, spans
from deepcohort.variants.candidates import Candidates
from deepcohort.variants.haplotypes import Haplotypes, conflicts, haplotypes_of, shown_by_cigar
from deepcohort.variants.reads import Reads
from deepcohort.variants.realign import likelihoods, reads_in
from deepcohort.variants.reference import Reference

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

MOST_MAPPING_QUALITY = 45
"""Of a read: however well it is mapped, it may be from elsewhere."""


@dataclass(frozen=True)
class Window:
    """A window with its R reads, H haplotypes and A candidates (``span.first`` to ``span.last`` of all).

    picked: int64[R], numbers of the reads. parts: int64[R, 2], first base and end in ``Reads.bases`` of what
    lies in the haplotypes' stretch. by_haplotype: float64[R, H], natural logs of the reads' likelihoods, with
    the chance that a read is mapped wrongly. excluded: bool[A, A], which candidates exclude each other.
    """

    span: Span
    haplotypes: Haplotypes
    excluded: Bool
    picked: Int64
    parts: Int64
    by_haplotype: Float64

    def by_allele(self, alleles: list[int]) -> Float64:
        """Natural logs of the reads' likelihoods by the best haplotype with none of some of the window's
        candidates and with each of them, float64[R, 1 + len(alleles)]; least where no haplotype has one.
        """
        carries = self.haplotypes.carries
        having = [~carries[:, alleles].any(axis=1), *(carries[:, a] for a in alleles)]
        worst = self.by_haplotype.min(axis=1, initial=0.0)
        columns = [self.by_haplotype[:, has].max(axis=1) if has.any() else worst for has in having]
        return np.stack(columns, axis=1)


def windows(
    reads: Reads, reference: Reference, candidates: Candidates, start: int, end: int
) -> Iterator[Window]:
    """Align reads in the windows that have a candidate from ``start`` to ``end`` (0-based, half open)."""
    for span in spans(candidates, reference):
        pos = candidates.pos[span.first : span.last]
        if ((pos >= start) & (pos < end)).any():
            yield _window(reads, reference, candidates, span)


def _window(reads: Reads, reference: Reference, candidates: Candidates, span: Span) -> Window:
    picked = reads_in(reads, span.start, span.end)
    excluded = conflicts(candidates, span)
    shown = shown_by_cigar(reads, picked, candidates, span)
    haplotypes = haplotypes_of(candidates, span, reference, shown, excluded)
    logs, parts = likelihoods(reads, picked, haplotypes)
    # A read that is mapped wrongly is as likely from any haplotype as from its best.
    wrong = 10.0 ** (np.minimum(reads.mapq[picked], MOST_MAPPING_QUALITY) / -10)
    best = logs.max(axis=1, initial=-np.inf)
    logs = best[:, None] + np.log(np.exp(logs - best[:, None]) * (1 - wrong)[:, None] + wrong[:, None])
    return Window(span, haplotypes, excluded, picked, parts, logs)
