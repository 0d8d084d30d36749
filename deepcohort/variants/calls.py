"""A stretch's variants: reads, candidates, windows, genotypes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.active import REACH
from deepcohort.variants.candidates import (
    LONGEST_SHIFT,
    Candidates,
    Key,
    Thresholds,
    count_bases,
    find_candidates,
)
from deepcohort.variants.evidence import Caller, evidence_of, joined_evidence
from deepcohort.variants.features import CLEARLY
from deepcohort.variants.genotypes import Diplotypes, diplotypes, genotype_of
from deepcohort.variants.others import Others
from deepcohort.variants.priors import allele_chances
from deepcohort.variants.reads import Reads, ReadsFile, read_reads
from deepcohort.variants.reference import Reference
from deepcohort.variants.reference_blocks import ReferenceEvidence, weigh_reference
from deepcohort.variants.windows import Window, windows

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TILE = 100_000
"""Bases that are looked at together: memory hangs on this, not on the region."""

AROUND = REACH + 2 * LONGEST_SHIFT
"""Bases of the reference that are needed on each side of a stretch that is called."""


@dataclass(frozen=True)
class Call:
    """A record: pos (1-based), alleles as in a VCF, the first is REF.

    genotype: numbers of the copies' alleles, empty where nothing was read. ad: reads (mates count as one) for
    each allele; dp: reads that cover the site. pl in VCF's order. qual: phred of the chance that there is no
    variant; gq: of that of another genotype. base_quality: of the genotype's single bases the least mean
    quality of the bases that show it. called_by: numbers of the other callers that call each ALT; agree: of
    those that call this genotype of these alleles.
    """

    pos: int
    alleles: list[str]
    genotype: tuple[int, ...]
    qual: float
    gq: int
    dp: int
    ad: list[int]
    pl: list[int]
    base_quality: float = np.inf
    called_by: Sequence[Sequence[int]] = ()
    agree: Sequence[int] = ()


class Called(NamedTuple):
    """A stretch's calls; how many reads that begin there were left out, by reason; and what reads say for the
    reference at every position.
    """

    calls: list[Call]
    left_out: dict[str, int]
    evidence: ReferenceEvidence


@dataclass(frozen=True)
class Stretch:
    """What is seen of a stretch: its windows, with all reads and candidates that they hang on.

    chances: float64[A], of each candidate before any read is seen. left_out: how many reads that begin there
    were left out, by reason. copies: int64[A, C], of each candidate as C ``others`` have it.
    """

    reads: Reads
    reference: Reference
    candidates: Candidates
    chances: Float64
    windows: list[Window]
    left_out: dict[str, int]
    copies: Int64
    others: Others | None


def stretch_of(
    file: ReadsFile, reference: Reference, start: int, end: int, others: Others | None = None
) -> Stretch:
    """Look at what begins from ``start`` to ``end`` (0-based, half open).

    reference: with ``AROUND`` bases on each side, as far as the contig goes. others: callers whose alleles
    are looked at too. Raises ``InputError`` where the reads have no such contig.
    """
    contig = file.contig(reference.contig, reference.length)
    low, high = max(0, start - REACH), min(reference.length, end + REACH)
    reads, left_out = read_reads(file, contig, low, high)
    counts = count_bases(reads, low, high)
    said = others.copies(reference, low, high) if others else {}
    candidates = find_candidates(reads, reference, counts, Thresholds(), said)
    return Stretch(
        reads,
        reference,
        candidates,
        allele_chances(candidates, reference),
        list(windows(reads, reference, candidates, start, end)),
        {why: sum(start <= at < end for at in places) for why, places in left_out.items()},
        _copies(candidates, said, others),
        others,
    )


def _copies(candidates: Candidates, said: Mapping[Key, Int64], others: Others | None) -> Int64:
    callers = len(others.files) if others else 0
    nobody = np.zeros(callers, np.int64)
    keys = zip(candidates.pos.tolist(), candidates.ref, candidates.alt, strict=True)
    return np.array([said.get(key, nobody) for key in keys], np.int64).reshape(len(candidates), callers)


def call_stretch(
    file: ReadsFile,
    reference: Reference,
    start: int,
    end: int,
    ploidy: int = 2,
    caller: Caller | None = None,
    others: Others | None = None,
) -> Called:
    """Call what begins from ``start`` to ``end`` (0-based, half open).

    See ``stretch_of``. caller: without one the haplotypes alone say what is there. others: callers whose
    genotypes count too. The calls of a stretch are those of its pieces.
    """
    stretch = stretch_of(file, reference, start, end, others)
    weighed = [weigh(window, stretch, ploidy) for window in stretch.windows]
    judged = _judged(stretch, weighed, caller)
    found: list[Call] = []
    for window, pairs, chances in zip(stretch.windows, weighed, judged, strict=True):
        made = calls_of(window, stretch, pairs, ploidy, chances)
        found += [call for call in made if start < call.pos <= end]
    found.sort(key=lambda call: (call.pos, call.alleles))
    return Called(found, stretch.left_out, weigh_reference(stretch.reads, reference, found, start, end))


def weigh(window: Window, stretch: Stretch, ploidy: int) -> Diplotypes:
    """Weigh the pairs of a window's haplotypes."""
    own = slice(window.span.first, window.span.last)
    fragment = stretch.reads.fragment[window.picked]
    return diplotypes(window, fragment, stretch.chances[own], stretch.candidates.pos[own], ploidy)


def _judged(stretch: Stretch, weighed: list[Diplotypes], caller: Caller | None) -> list[Float64 | None]:
    """Logs of the chances of 0, 1 and 2 copies that a caller gives, float64[A, 3] by window."""
    if caller is None or not stretch.windows:
        return [None] * len(stretch.windows)
    seen = stretch.reads, stretch.candidates, stretch.reference, stretch.chances
    parts = [
        evidence_of(window, *seen, pairs, caller.shape)
        for window, pairs in zip(stretch.windows, weighed, strict=True)
    ]
    chances = caller.log_chances(joined_evidence(parts))
    return list(np.split(chances, np.cumsum([len(part) for part in parts])[:-1]))


def calls_of(
    window: Window, stretch: Stretch, weighed: Diplotypes, ploidy: int, judged: Float64 | None = None
) -> list[Call]:
    """The records of a window: candidates of one position, single bases and indels apart, make one.

    judged: float64[A, 3], as by ``Caller``.
    """
    candidates = stretch.candidates
    first, last = window.span.first, window.span.last
    sites: dict[tuple[int, bool], list[int]] = {}
    for i in range(first, last):
        is_snp = len(candidates.ref[i]) == len(candidates.alt[i])
        sites.setdefault((int(candidates.pos[i]), is_snp), []).append(i - first)
    votes = stretch.others.votes(stretch.copies[first:last]) if stretch.others else None
    return [_call(window, stretch, weighed, site, ploidy, judged, votes) for site in sites.values()]


def _call(
    window: Window,
    stretch: Stretch,
    weighed: Diplotypes,
    site: list[int],
    ploidy: int,
    judged: Float64 | None,
    votes: Float64 | None,
) -> Call:
    reads, candidates = stretch.reads, stretch.candidates
    said = genotype_of(weighed, window, site, ploidy, judged, votes)
    numbers = [window.span.first + column for column in said.kept]
    pos, alleles = (
        int(candidates.pos[numbers[0]]),
        joined([candidates.ref[i] for i in numbers], [candidates.alt[i] for i in numbers]),
    )
    covers = (reads.start[window.picked] <= pos) & (reads.end[window.picked] > pos)
    depths = _depths(window, reads, said.kept, covers)
    dp = len(np.unique(reads.fragment[window.picked[covers]]))
    copies = stretch.copies[numbers]
    ours = np.array([said.alleles.count(a) * (2 // ploidy) for a in range(1, len(alleles))])
    shown = [numbers[allele - 1] for allele in set(said.alleles) - {0}]
    qualities = [
        candidates.base_quality(i) for i in shown if len(candidates.ref[i]) == len(candidates.alt[i])
    ]
    return Call(
        pos + 1,
        alleles,
        said.alleles,
        said.qual,
        said.gq,
        dp,
        depths,
        said.pl.tolist(),
        min(qualities, default=np.inf),
        [np.flatnonzero(row).tolist() for row in copies],
        np.flatnonzero((copies == ours[:, None]).all(axis=0)).tolist(),
    )


def _depths(window: Window, reads: Reads, kept: list[int], covers: NDArray[np.bool_]) -> list[int]:
    """Fragments that are clearly of each allele."""
    by_read = window.by_allele(kept)[covers]
    _, of = np.unique(reads.fragment[window.picked[covers]], return_inverse=True)
    by_fragment = np.zeros((of.max(initial=-1) + 1, by_read.shape[1]))
    np.add.at(by_fragment, of, by_read)
    order = np.sort(by_fragment, axis=1)
    clear = order[:, -1] - order[:, -2] > CLEARLY
    best = by_fragment[clear].argmax(axis=1)
    return [int((best == allele).sum()) for allele in range(by_read.shape[1])]


def joined(refs: list[str], alts: list[str]) -> list[str]:
    """REF and ALTs of one record out of those of several at one position."""
    longest = max(refs, key=len)
    return [longest, *(alt + longest[len(ref) :] for ref, alt in zip(refs, alts, strict=True))]
