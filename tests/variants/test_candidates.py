"""Candidates held against plain counting by pysam's aligned pairs."""

from collections import defaultdict

import numpy as np
import pysam
import pytest

from deepcohort.variants.active import GAP, LONGEST, REACH, extents, spans
from deepcohort.variants.candidates import LONGEST_INDEL, Candidates, Thresholds, count_bases, find_candidates
from deepcohort.variants.normalise import normalised
from deepcohort.variants.reads import ReadsFile, read_reads
from deepcohort.variants.reference import Reference
from tests.variants.people import Person, sequence_with_repeats


@pytest.fixture(scope="module")
def someone(tmp_path_factory):
    """A person with variants of all kinds in repeats, and many errors."""
    rng = np.random.default_rng(7)
    sequence = sequence_with_repeats(6_000, rng)
    edits = [[], []]
    for at in range(1_000, 5_000, 40):
        size = int(rng.integers(1, 5))
        unit = sequence[at : at + size]
        kind = int(rng.integers(0, 4))
        new = [unit, "".join(rng.choice(list("ACGT"), size)), "", ""][kind]
        if kind < 3:
            edit = (at, sequence[at - 1 : at + (size if kind == 2 else 0)], sequence[at - 1] + new)
        else:
            edit = (at, sequence[at - 1], {"A": "C", "C": "G", "G": "T", "T": "A"}[sequence[at - 1]])
        edits[int(rng.integers(0, 2))].append(edit)
    # Fragments are long: mates do not overlap, so that plain counting is right.
    person = Person(sequence, edits).sequenced(14, rng, insert=600, error=0.02)
    return person, person.write(tmp_path_factory.mktemp("candidates"))


def plainly(person, bam, least):
    """Candidates as (pos, ref, alt, forward, reverse), pos from 0."""
    shown, depth, covered = defaultdict(list), defaultdict(int), defaultdict(int)
    text = person.sequence
    with pysam.AlignmentFile(str(bam)) as file:
        for read in file.fetch("chr20"):
            pairs = [(q, r) for q, r in read.get_aligned_pairs() if not (r is None and q is None)]
            here, q = read.reference_start, 0
            for _, place in pairs:
                if place is not None:
                    covered[place] += 1
            for op, length in read.cigartuples:
                if op == 0:
                    for i in range(length):
                        depth[here + i] += 1
                        base = read.query_sequence[q + i]
                        if base != text[here + i]:
                            shown[here + i, text[here + i], base].append(read.is_reverse)
                elif op == 1:
                    alt = text[here - 1] + read.query_sequence[q : q + length]
                    pos, ref, alt = normalised(text.encode(), 0, here, text[here - 1], alt)
                    shown[pos - 1, ref, alt].append(read.is_reverse)
                elif op == 2:
                    ref = text[here - 1 : here + length]
                    pos, ref, alt = normalised(text.encode(), 0, here, ref, ref[0])
                    shown[pos - 1, ref, alt].append(read.is_reverse)
                here += length if op in (0, 2) else 0
                q += length if op in (0, 1, 4) else 0
    found = []
    for (pos, ref, alt), strands in shown.items():
        is_snp = len(ref) == len(alt)
        total = depth[pos] if is_snp else max(covered[pos], len(strands))
        share = least.snp_share if is_snp else least.indel_share
        if len(strands) >= max(least.reads if is_snp else least.indel_reads, share * total):
            found.append((pos, ref, alt, len(strands) - sum(strands), sum(strands)))
    return sorted(found)


@pytest.mark.parametrize("least", [Thresholds(), Thresholds(3, 3, 0.3, 0.2)])
def test_candidates_are_what_plain_counting_finds(someone, least):
    person, (bam, _) = someone
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 6_000)
    counts = count_bases(reads, 0, 6_000)
    found = find_candidates(reads, Reference.of("chr20", 0, person.sequence), counts, least)
    rows = list(zip(found.pos, found.ref, found.alt, found.forward, found.reverse, strict=True))
    assert rows == plainly(person, bam, least)
    assert sum(len(ref) != len(alt) for _, ref, alt, *_ in rows) > 40
    assert sum(len(ref) == len(alt) for _, ref, alt, *_ in rows) > 15
    quality = round(-10 * np.log10(0.02))
    shown = found.forward + found.reverse
    inserted = np.array([len(ref) <= len(alt) for ref, alt in zip(found.ref, found.alt, strict=True)])
    assert np.allclose(found.quality, np.where(inserted, quality * shown, 0))
    assert np.allclose(found.mapping, 60 * shown)


def test_mates_count_once(tmp_path):
    rng = np.random.default_rng(3)
    sequence = sequence_with_repeats(3_000, rng)
    edits = [(1_500, sequence[1_499], sequence[1_499] + "GA"), (1_600, sequence[1_599], "A")]
    if sequence[1_599] == "A":
        edits[1] = (1_600, "A", "C")
    person = Person(sequence, [edits]).sequenced(20, rng, insert=100, error=0.001)
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 3_000)
    found = find_candidates(
        reads, Reference.of("chr20", 0, sequence), count_bases(reads, 0, 3_000), Thresholds()
    )
    assert len(found) == 2
    with pysam.AlignmentFile(str(bam)) as file:
        for i, place in enumerate((1_500, 1_599)):
            over = list(file.fetch("chr20", place - 1, place + 1))
            names = {read.query_name for read in over}
            assert len(over) > 1.3 * len(names)
            assert found.forward[i] + found.reverse[i] <= len(names)
            assert found.depth[i] <= len(names) + 1


@pytest.mark.parametrize(("run", "shown"), [(8, 1), (14, 0)])
def test_one_read_is_enough_for_an_indel_outside_long_homopolymers(tmp_path, run, shown):
    rng = np.random.default_rng(8)
    text = "".join(rng.choice(list("ACGT"), 3_000))
    text = text[:1_500] + "C" + "A" * run + "C" + text[1_502 + run :]
    person = Person(text, [[]])
    person.reads = [(f"r{i}", False, 1_450, "100M", text[1_450:1_550], 30) for i in range(5)]
    without = text[1_450:1_501] + text[1_502:1_551]
    person.reads.append(("one", False, 1_450, "51M1D49M", without, 30))
    bam, _ = person.write(tmp_path)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 3_000)
    counts = count_bases(reads, 0, 3_000)
    found = find_candidates(reads, Reference.of("chr20", 0, text), counts, Thresholds())
    assert found.alt == ["C"] * shown
    assert find_candidates(reads, Reference.of("chr20", 0, text), counts, Thresholds(2, 2)).alt == []


def test_long_indels_and_unknown_references_are_no_candidates(someone):
    person, (bam, _) = someone
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, 6_000)
    unknown = Reference.of("chr20", 0, person.sequence[:2_000] + "N" * 2_000 + person.sequence[4_000:])
    found = find_candidates(reads, unknown, count_bases(reads, 0, 6_000), Thresholds())
    assert ((found.pos < 2_000) | (found.pos >= 3_999)).all()
    assert len(found) > 20
    assert LONGEST_INDEL == 50


def candidates_at(rows):
    n = len(rows)
    zeros, floats = np.zeros(n, np.int64), np.zeros(n)
    pos = np.array([row[0] for row in rows], np.int64)
    refs, alts = [row[1] for row in rows], [row[2] for row in rows]
    return Candidates(pos, refs, alts, zeros, zeros, zeros, floats, floats, [zeros[:0]] * n)


def test_an_indel_reaches_to_the_end_of_its_repeat():
    reference = Reference.of("20", 100, "GTCAAAAAACACAGT")
    found = candidates_at([(102, "C", "CA"), (102, "CAA", "C"), (108, "A", "ACA"), (103, "A", "G")])
    assert extents(found, reference).tolist() == [109, 109, 113, 104]


def test_windows_do_not_hang_on_the_stretch():
    rng = np.random.default_rng(4)
    reference = Reference.of("20", 0, sequence_with_repeats(30_000, rng))
    steps = rng.choice([3, 10, GAP + 30], 1_500, p=[0.5, 0.45, 0.05])
    rows = [(int(pos), "A", "C") for pos in np.cumsum(steps) if pos < 29_000]
    whole = spans(candidates_at(rows), reference)
    assert max(span.end - span.start for span in whole) <= LONGEST + 1
    assert any(span.last - span.first > 20 for span in whole)
    for first in range(5_000, 12_000, 900):
        cut = [i for i, row in enumerate(rows) if first - REACH <= row[0] < first + 900 + REACH]
        part = spans(candidates_at([rows[i] for i in cut]), reference)
        places = {(span.start, span.end) for span in part if first <= span.start < first + 900}
        assert places == {(span.start, span.end) for span in whole if first <= span.start < first + 900}
