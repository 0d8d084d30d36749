"""Pileup tensors held against the reads that were put there."""

import numpy as np
import pytest

from deepcohort.variants.calls import stretch_of, weigh
from deepcohort.variants.evidence import evidence_of
from deepcohort.variants.features import NAMES, OTHER, REF, THIS, UNCLEAR
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import Reference
from deepcohort.variants.tensors import (
    BASES,
    CHANNELS,
    DELETED,
    DIFFERENT,
    FORWARD,
    LAYOUTS,
    REVERSE,
    SUPPORTS,
    _rows,
)
from tests.variants.people import Person

SEQUENCE = "".join(np.random.default_rng(7).choice(list("ACGT"), 3_000))
PLACE = 1_500
REF_BASE = SEQUENCE[PLACE - 1]
ALT_BASE = "ACGT"["ACGT".index(REF_BASE) - 1]


def seen(edits, folder, layout, depth=24):
    """Evidence of the candidates of one window, and of which they are."""
    person = Person(SEQUENCE, edits).sequenced(depth, np.random.default_rng(9), error=1e-4)
    bam, _ = person.write(folder)
    reference = Reference.of("chr20", 0, SEQUENCE)
    stretch = stretch_of(ReadsFile(bam, None), reference, PLACE - 50, PLACE + 50)
    (window,) = stretch.windows
    weighed = weigh(window, stretch, 2)
    arguments = stretch.reads, stretch.candidates, reference, stretch.chances
    evidence = evidence_of(window, *arguments, weighed, LAYOUTS[layout])
    here = range(window.span.first, window.span.last)
    found = stretch.candidates
    keys = [(int(found.pos[i]) + 1, found.ref[i], found.alt[i]) for i in here]
    return evidence, keys, person


def channel(tensor, name):
    return tensor[CHANNELS.index(name)]


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_the_middle_column_shows_the_bases_of_the_reads(tmp_path, layout):
    edit = (PLACE, REF_BASE, ALT_BASE)
    evidence, keys, person = seen([[edit], []], tmp_path, layout)
    tensor = evidence.tensors[keys.index(edit)]
    shape = LAYOUTS[layout]
    assert tensor.shape == (shape.channels, shape.rows, shape.columns)
    middle = channel(tensor, "base")[shape.reference_rows :, shape.columns // 2]
    covering = [read[4][PLACE - 1 - read[2]] for read in person.reads if read[2] <= PLACE - 1 < read[2] + 100]
    codes = {base: int(BASES["ACGT".index(base)]) for base in "ACGT"}
    assert len(covering) < shape.rows
    assert sorted(middle[middle > 0].tolist()) == sorted(codes[base] for base in covering)
    assert set(channel(tensor, "base")[: shape.reference_rows, shape.columns // 2]) == {codes[REF_BASE]}
    strands = channel(tensor, "strand")[shape.reference_rows :, shape.columns // 2]
    assert set(strands[middle > 0].tolist()) == {FORWARD, REVERSE}
    if shape.channels == len(CHANNELS):
        supports = channel(tensor, "supports")[shape.reference_rows :, shape.columns // 2]
        assert set(supports[middle == codes[ALT_BASE]]) == {SUPPORTS[THIS]}
        assert set(supports[middle == codes[REF_BASE]]) == {SUPPORTS[REF]}
        differs = channel(tensor, "differs")[shape.reference_rows :, shape.columns // 2]
        np.testing.assert_array_equal(differs == DIFFERENT, middle == codes[ALT_BASE])


def test_a_deletion_is_a_gap_in_the_rows_that_have_it(tmp_path):
    edit = (PLACE, SEQUENCE[PLACE - 1 : PLACE + 5], REF_BASE)
    evidence, keys, _ = seen([[edit], []], tmp_path, "full")
    at = next(i for i, key in enumerate(keys) if len(key[1]) == 6)
    tensor, shape = evidence.tensors[at], LAYOUTS["full"]
    first = shape.columns // 2 + 1
    gap = channel(tensor, "base")[shape.reference_rows :, first : first + 5] == DELETED
    supports = channel(tensor, "supports")[shape.reference_rows :, shape.columns // 2]
    has = supports == SUPPORTS[THIS]
    assert has.sum() > 4 and gap[has].all()
    assert not gap[supports == SUPPORTS[REF]].any()


def test_all_sides_keep_rows_where_reads_are_too_many():
    sides = np.repeat([REF, THIS, OTHER, UNCLEAR, -1], [400, 3, 30, 40, 50])
    order = np.random.default_rng(1).permutation(len(sides))
    rows = _rows(sides[order], np.arange(len(sides)), 40)
    chosen = sides[order][rows]
    counts = np.bincount(chosen, minlength=4)
    assert len(rows) == len(set(rows.tolist())) <= 40 and len(rows) >= 37
    assert counts[THIS] == 3 and counts[OTHER] >= 9 and counts[UNCLEAR] >= 9 and counts[REF] >= 10
    assert (np.diff(chosen) >= 0).all()


def test_features_count_the_reads(tmp_path):
    edit = (PLACE, REF_BASE, ALT_BASE)
    evidence, keys, person = seen([[edit], []], tmp_path, "compact")
    row = dict(zip(NAMES, evidence.features[keys.index(edit)].tolist(), strict=True))
    names = {read[0]: [] for read in person.reads}
    for read in person.reads:
        names[read[0]].append(read)
    shown = [read[4][PLACE - 1 - read[2]] for read in person.reads if read[2] <= PLACE - 1 < read[2] + 100]
    assert np.expm1(row["reads_this"]) == pytest.approx(shown.count(ALT_BASE))
    assert np.expm1(row["reads_ref"]) == pytest.approx(shown.count(REF_BASE))
    assert row["share_this"] == pytest.approx(shown.count(ALT_BASE) / len(shown))
    assert row["snp"] == 1 and row["insertion"] == 0 and row["this_mapq"] == 60
    assert row["log_chance_1"] == pytest.approx(0, abs=0.01) and row["copies"] == 2
