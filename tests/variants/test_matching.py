"""Matching against all subsets and phasings tried one by one, and on haplotypes written in other ways."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.variants import matching
from deepcohort.variants.alleles import trimmed, units_of
from deepcohort.variants.matching import match

REFERENCE = b"GATTACAAAAAAAACGTCGATCGATTTTAGC"


def spelled(reference, edits):
    """Text of a haplotype with these edits, None where two want the same place."""
    text, at, inserted = [], 0, None
    for start, end, bases in sorted(edits):
        if start < at or (start == end and inserted == start):
            return None
        text += [reference[at:start].decode(), bases]
        at, inserted = end, start if start == end else None
    return "".join(text) + reference[at:].decode()


def diplotypes(reference, units, chosen):
    """All unordered pairs of haplotypes that the chosen units may spell, their records held together."""
    found = set()
    options = [(0, 1) if units[i].copies == 1 else (2,) for i in chosen]
    for haps in product(*options):
        on = dict(zip(chosen, haps, strict=True))
        linked = all(
            (units[i].allele == units[j].allele) == (on[i] == on[j])
            for i in chosen
            for j in chosen
            if on[i] != 2 and on[j] != 2 and units[i].record == units[j].record
        )
        if linked:
            pair = [spelled(reference, [units[i][:3] for i in chosen if on[i] in (h, 2)]) for h in (0, 1)]
            if None not in pair:
                found.add(tuple(sorted(pair)))
    return found


def subsets(n):
    return [[i for i in range(n) if mask >> i & 1] for mask in range(2**n)]


def best(reference, truth, calls, exact):
    """Most exact units and then most units that can be kept, over all subsets of both sides."""
    ways = [[(chosen, diplotypes(reference, own, chosen)) for chosen in subsets(len(own))]
            for own in (truth, calls)]  # fmt: skip
    scores = [
        (sum(exact[0][i] for i in one) + sum(exact[1][i] for i in other), len(one) + len(other))
        for (one, spell), (other, also) in product(*ways)
        if spell & also
    ]
    return max(scores)


@st.composite
def person(draw, reference, most):
    """Units of one side: substitutions and indels of up to two bases, some records with two alleles."""
    units = []
    for record in range(draw(st.integers(0, most))):
        pos = draw(st.integers(2, len(reference) - 3))
        ref = reference[pos - 1 : pos - 1 + draw(st.integers(1, 3))].decode()
        alts = draw(st.lists(st.text("AC", min_size=1, max_size=3), min_size=1, max_size=2, unique=True))
        alts = [alt for alt in alts if alt != ref]
        copies = draw(st.sampled_from([1, 2])) if len(alts) == 1 else 1
        for allele, alt in enumerate(alts, 1):
            units += units_of(reference, pos, ref, alt, copies, record, allele)
    return units[: most + 1]


@st.composite
def both_sides(draw):
    reference = draw(st.text("AC", min_size=10, max_size=16)).encode()
    return reference, draw(person(reference, 3)), draw(person(reference, 3))


@settings(max_examples=150, deadline=None)
@given(both_sides())
def test_the_best_way_is_found(given_sides):
    reference, truth, calls = given_sides
    pair = matching._exact(truth, calls)
    exact = [[i in pair for i in range(len(truth))], (pair >= 0).tolist()]
    members = [(0, i) for i in range(len(truth))] + [(1, i) for i in range(len(calls))]
    if not members:
        return
    arrays = (np.array(exact[0], bool), np.array(exact[1], bool))
    kept = matching._Search(reference, (truth, calls), members, arrays, ploidy=2).kept()
    assert (sum(exact[side][i] for side, i in kept), len(kept)) == best(reference, truth, calls, exact)
    sides = [[i for side, i in kept if side == asked] for asked in (0, 1)]
    assert diplotypes(reference, truth, sides[0]) & diplotypes(reference, calls, sides[1])


@st.composite
def phased_person(draw):
    """A reference, edits of its two haplotypes that are apart, and cuts for other ways to write them."""
    # Drawn by a seed, as plain text shrinks to one long run, where everything is everywhere.
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    letters = list("ACGT" if draw(st.booleans()) else "AC")
    reference = "".join(rng.choice(letters, draw(st.integers(40, 60)))).encode()
    edits = []
    at = 3
    while at < len(reference) - 8:
        length = draw(st.integers(0, 3))
        bases = draw(st.text("ACG", max_size=4))
        if bases != reference[at : at + length].decode():
            edits.append((at, at + length, bases, draw(st.sampled_from([1, 2, 3]))))
        at += length + draw(st.integers(1, 12))
    return reference, edits, draw(st.booleans())


def record_of(reference, start, end, bases):
    """POS, REF and ALT with a base before."""
    before = reference[start - 1 : start].decode()
    return start, before + reference[start:end].decode(), before + bases


@settings(max_examples=100, deadline=None)
@given(phased_person())
def test_equal_haplotypes_are_judged_equal(simulated):
    """Truth: a record for each edit; calls: each haplotype's whole text in one record, in cis or 1/2."""
    reference, edits, together = simulated
    truth = []
    for record, (start, end, bases, on) in enumerate(edits):
        copies = 2 if on == 3 else 1
        pos, ref, alt = record_of(reference, start, end, bases)
        truth += units_of(reference, pos, ref, alt, copies, record, 1)
    haps = [
        spelled(reference, [(s, e, b) for s, e, b, on in edits if on & which])[3 : -len(reference[-3:])]
        for which in (1, 2)
    ]
    ref = reference[3:-3].decode()
    calls = []
    if haps[0] == haps[1]:
        calls += units_of(reference, 4, ref, haps[0], 2, 0, 1) if haps[0] != ref else []
    else:
        for number, hap in enumerate(haps):
            if hap != ref:
                record = 0 if together else number
                calls += units_of(reference, 4, ref, hap, 1, record, number + 1)
    found = match(reference, truth, calls)
    assert found.right[0].all()
    assert found.right[1].all()


@settings(max_examples=100, deadline=None)
@given(phased_person(), st.data())
def test_a_base_that_is_wrong_is_found(simulated, data):
    reference, edits, _ = simulated
    truth = []
    for record, (start, end, bases, on) in enumerate(edits):
        pos, ref, alt = record_of(reference, start, end, bases)
        truth += units_of(reference, pos, ref, alt, 2 if on == 3 else 1, record, 1)
    at = data.draw(st.integers(1, len(reference) - 1))
    other = next(base for base in "TGCA" if base != chr(reference[at]))
    extra = units_of(reference, at + 1, chr(reference[at]), other, 1, 999, 1)
    found = match(reference, truth, [*truth, *extra])
    assert found.right[0].all()
    assert found.right[1].tolist() == [True] * len(truth) + [False]
    lacking = match(reference, [*truth, *extra], truth)
    assert lacking.right[0].tolist() == [True] * len(truth) + [False]


def test_genotype_errors_are_told_apart():
    truth = units_of(REFERENCE, 6, "CA", "C", 1, 0, 1) + units_of(REFERENCE, 17, "T", "G", 2, 1, 1)
    calls = units_of(REFERENCE, 13, "AA", "A", 2, 0, 1) + units_of(REFERENCE, 17, "TC", "GT", 1, 1, 1)
    found = match(REFERENCE, truth, calls)
    assert [found.right[side].any() for side in (0, 1)] == [False, False]
    assert found.allele[0].tolist() == [True, True]
    # The second base of the call's double substitution is in no truth at all.
    assert found.allele[1].tolist() == [True, True, False]


def test_an_allele_split_otherwise_is_a_genotype_error_too():
    """An insertion of GG, homozygous as two insertions beside an SNP, heterozygous as one substitution."""
    truth = units_of(REFERENCE, 15, "C", "CT", 2, 0, 1) + units_of(REFERENCE, 16, "G", "A", 2, 1, 1)
    calls = units_of(REFERENCE, 16, "G", "T", 1, 0, 1) + units_of(REFERENCE, 16, "G", "GA", 1, 1, 1)
    found = match(REFERENCE, truth, calls)
    assert [found.right[side].any() for side in (0, 1)] == [False, False]
    assert found.allele[0].all()
    assert found.allele[1].all()


def test_an_indel_that_an_snp_of_its_repeat_stops():
    """On the haplotype with the SNP the deletion left of it is another than the one right of it."""
    snp = units_of(REFERENCE, 10, "A", "T", 2, 0, 1)
    left = units_of(REFERENCE, 6, "CA", "C", 2, 1, 1)
    right = units_of(REFERENCE, 13, "AA", "A", 2, 1, 1)
    moved = units_of(REFERENCE, 9, "A", "T", 2, 0, 1) + right
    found = match(REFERENCE, snp + left, moved)
    assert found.right[0].all()
    assert found.right[1].all()


def test_two_deletions_of_one_base_are_one_of_two():
    truth = units_of(REFERENCE, 6, "CAA", "C", 1, 0, 1)
    calls = units_of(REFERENCE, 6, "CA", "C", 1, 0, 1) + units_of(REFERENCE, 12, "AA", "A", 1, 1, 1)
    found = match(REFERENCE, truth, calls)
    assert found.right[0].all()
    assert found.right[1].all()


def test_too_many_ways_are_cut_and_said(monkeypatch):
    monkeypatch.setattr(matching, "MOST_STATES", 4)
    reference = b"G" + b"A" * 80 + b"G"
    truth = [u for r in range(6) for u in units_of(reference, 5 + 9 * r, "A" * (r + 2), "A", 1, r, 1)]
    calls = [u for r in range(6) for u in units_of(reference, 9 + 9 * r, "A", "A" * (r + 2), 1, r, 1)]
    found = match(reference, truth, calls)
    assert found.cut_short == 1
    assert not found.right[0].all()


@pytest.mark.parametrize(
    ("record", "change"),
    [
        ((5, "ACAA", "AAA"), (5, 6, "")),
        ((6, "C", "CT"), (6, 6, "T")),
        ((7, "A", "AA"), (7, 7, "A")),
        ((5, "ACA", "A"), (5, 7, "")),
        ((9, "AACA", "AA"), (9, 11, "")),
        ((6, "CA", "A"), (5, 6, "")),
        ((6, "CAA", "CTA"), (6, 7, "T")),
    ],
)
def test_shared_ends_are_trimmed(record, change):
    assert trimmed(*record) == change
