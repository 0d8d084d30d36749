"""How many copies of each candidate a known person has, however the truth writes its variants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.variants.alleles import units_of
from deepcohort.variants.candidates import Thresholds, count_bases, find_candidates
from deepcohort.variants.labels import true_copies
from deepcohort.variants.reads import ReadsFile, read_reads
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import windows
from tests.variants.people import Person

UNIT = "CATA"
FLANK = "GATTACCAGTTGACCTGAGTCGATCCAGTTAACGGTCATGC"
LEFT = "".join(np.random.default_rng(1).choice(list("ACGT"), 700)) + FLANK
SEQUENCE = LEFT + UNIT * 8 + FLANK[::-1] + "".join(np.random.default_rng(2).choice(list("ACGT"), 700))
PLACE = len(LEFT)
"""The last base before the repeat, counted from 1."""


def window_of(edits, folder):
    """The candidates of a person's window, and how many copies of them were put there."""
    person = Person(SEQUENCE, edits).sequenced(60, np.random.default_rng(3), error=1e-4)
    bam, _ = person.write(folder)
    reads, _ = read_reads(ReadsFile(bam, None), "chr20", 0, len(SEQUENCE))
    reference = Reference.of("chr20", 0, SEQUENCE)
    found = find_candidates(reads, reference, count_bases(reads, 0, len(SEQUENCE)), Thresholds())
    (window,) = windows(reads, reference, found, PLACE - 60, PLACE + 90)
    here = range(window.span.first, window.span.last)
    return window, found, reference, [(int(found.pos[i]) + 1, found.ref[i], found.alt[i]) for i in here]


def truth_of(*records):
    """Alleles of records (pos, ref, alts, copies of each)."""
    units = []
    for number, (pos, ref, alts, copies) in enumerate(records):
        for allele, (alt, many) in enumerate(zip(alts, copies, strict=True), 1):
            units += units_of(SEQUENCE.encode(), pos, ref, alt, many, number, allele)
    return units


BASE = SEQUENCE[PLACE - 1]


def test_two_alleles_of_one_place_are_one_copy_each(tmp_path):
    """Together on one haplotype they would undo each other."""
    more, fewer = (PLACE, BASE, BASE + UNIT), (PLACE, BASE + UNIT, BASE)
    window, found, reference, keys = window_of([[more], [fewer]], tmp_path)
    truth = truth_of((PLACE, BASE + UNIT, [BASE + UNIT + UNIT, BASE], [1, 1]))
    copies = dict(zip(keys, true_copies(window, found, reference, truth).tolist(), strict=True))
    assert copies[more] == 1 and copies[fewer] == 1
    assert sum(copies.values()) == 2


@pytest.mark.parametrize("shift", [0, 4, 12])
def test_an_indel_is_found_wherever_the_truth_writes_it(tmp_path, shift):
    fewer = (PLACE, BASE + UNIT, BASE)
    window, found, reference, keys = window_of([[fewer], [fewer]], tmp_path)
    at = PLACE + shift
    truth = truth_of((at, SEQUENCE[at - 1 : at + 4], [SEQUENCE[at - 1]], [2]))
    copies = dict(zip(keys, true_copies(window, found, reference, truth).tolist(), strict=True))
    assert copies == {key: 2 * (key == fewer) for key in keys}


def test_a_truth_that_no_haplotype_spells_is_compared_allele_by_allele(tmp_path):
    fewer = (PLACE, BASE + UNIT, BASE)
    window, found, reference, keys = window_of([[fewer], []], tmp_path)
    unseen = (PLACE + 10, SEQUENCE[PLACE + 9], ["ACGT"["ACGT".index(SEQUENCE[PLACE + 9]) - 1]], [2])
    truth = truth_of((PLACE, BASE + UNIT, [BASE], [1]), unseen)
    copies = dict(zip(keys, true_copies(window, found, reference, truth).tolist(), strict=True))
    assert copies == {key: int(key == fewer) for key in keys}


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.sampled_from([3, 9, 15, 21]), st.sampled_from([1, 2]), min_size=1))
def test_labels_are_what_was_put_there(tmp_path_factory, chosen):
    """Single bases, phased or not: the truth tells no phase."""
    rng = np.random.default_rng(len(chosen))
    edits, records = [[], []], []
    for offset, many in sorted(chosen.items()):
        at = PLACE - 40 + offset
        ref = SEQUENCE[at - 1]
        alt = "ACGT"["ACGT".index(ref) - 1]
        for h in [0, 1] if many == 2 else [int(rng.integers(2))]:
            edits[h].append((at, ref, alt))
        records.append((at, ref, [alt], [many]))
    window, found, reference, keys = window_of(edits, tmp_path_factory.mktemp("person"))
    copies = dict(zip(keys, true_copies(window, found, reference, truth_of(*records)).tolist(), strict=True))
    assert copies == {key: sum(edit == key for side in edits for edit in side) for key in keys}
