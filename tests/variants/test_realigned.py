"""Reads laid out on the reference, held against where their bases truly are."""

import numpy as np
import pytest

from deepcohort.variants.candidates import Thresholds, count_bases, find_candidates
from deepcohort.variants.reads import ReadsFile, read_reads
from deepcohort.variants.realigned import GAP, OUTSIDE, laid_out
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import windows
from tests.variants.people import Person

PLACE, LENGTH = 1_500, 100


def edit_of(kind, sequence):
    before = sequence[PLACE - 1]
    if kind == "insertion":
        return (PLACE, before, before + "GATTACAGA")
    if kind == "deletion":
        return (PLACE, sequence[PLACE - 1 : PLACE + 12], before)
    return (PLACE, before, {"A": "C", "C": "G", "G": "T", "T": "A"}[before])


@pytest.mark.parametrize("kind", ["insertion", "deletion", "single base"])
def test_reads_lie_where_their_bases_truly_are(tmp_path, kind):
    """Reads that end near an indel are given to us without it, as aligners leave them."""
    rng = np.random.default_rng(11)
    sequence = "".join(rng.choice(list("ACGT"), 3_000))
    # Nothing can be moved to the left.
    sequence = f"{sequence[: PLACE - 2]}TC{sequence[PLACE : PLACE + 11]}G{sequence[PLACE + 12 :]}"
    person = Person(sequence, [[edit_of(kind, sequence)], []]).sequenced(100, rng, error=1e-4)
    wrong = 0
    for number, (name, reverse, start, cigar, bases, quality) in enumerate(person.reads):
        parts = cigar.replace("I", "D").split("D")
        last = int(parts[-1].split("M")[0]) if len(parts) == 2 and parts[-1].endswith("M") else 99
        if last < 25:
            wrong += 1
            person.reads[number] = (name, reverse, start, f"{LENGTH}M", bases, quality)
    assert wrong > 3 or kind == "single base"
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 3_000)
    reference = Reference.of("chr20", 0, sequence)
    found = find_candidates(reads, reference, count_bases(reads, 0, 3_000), Thresholds())
    (window,) = windows(reads, reference, found, PLACE - 1, PLACE)
    _, ref, alt = edit_of(kind, sequence)
    here = range(window.span.first, window.span.last)
    (column,) = [i - window.span.first for i in here if (found.ref[i], found.alt[i]) == (ref, alt)]
    layout = laid_out(reads, window, PLACE - 110, PLACE + 111)
    truly = [person.haplotype(0), person.haplotype(1)]
    checked = gaps = added = 0
    for row, read in enumerate(window.picked.tolist()):
        offset = reads.base_start[read]
        text = "".join("ACGT"[code] for code in reads.bases[offset : offset + LENGTH])
        likely = int(window.haplotypes.carries[window.by_haplotype[row].argmax(), column])
        bases, places = truly[1 - likely]
        at = bases.find(text)
        if at < 0:
            continue
        expected = np.full(221, OUTSIDE)
        own = places[at : at + LENGTH]
        known = own[own >= 0]
        expected[max(0, known[0] - layout.start) : max(0, known[-1] + 1 - layout.start)] = GAP
        inside = (own >= layout.start) & (own < layout.start + 221)
        expected[own[inside] - layout.start] = offset + np.flatnonzero(inside)
        assert layout.base[row].tolist() == expected.tolist()
        where = PLACE - 1 - layout.start
        inner = (own < 0) & (np.arange(LENGTH) > np.flatnonzero(own >= 0)[0])
        inner &= np.arange(LENGTH) < np.flatnonzero(own >= 0)[-1]
        assert layout.inserted[row].sum() == layout.inserted[row, where] == inner.sum()
        if inner.any():
            assert layout.inserted_from[row, where] == offset + np.flatnonzero(inner)[0]
        checked += 1
        gaps += (expected == GAP).sum()
        added += inner.sum()
    assert checked > 20
    assert (gaps > 100) == (kind == "deletion")
    assert (added > 50) == (kind == "insertion")
