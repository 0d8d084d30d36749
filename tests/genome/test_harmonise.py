from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.harmonise import match_sites

OTHER_STRAND = dict(zip("ACGT", "TGCA", strict=True))


def match(panel, target):
    """match_sites on lists of (position, REF, ALT)."""
    columns = [list(zip(*sites, strict=True)) or [(), (), ()] for sites in (panel, target)]
    return match_sites(*columns[0], *columns[1])


def one(panel, target):
    """How one target site matches one panel site at the same position."""
    result = match([(5, *panel)], [(5, *target)])
    (how,) = [w for w, n in result.counts.items() if n and w not in ("target_sites", "panel_sites", "shared")]
    return how, result.swapped.tolist()


@pytest.mark.parametrize(
    ("panel", "target", "how", "swapped"),
    [
        ("AC", "AC", "same", False),
        ("AC", "ac", "same", False),
        ("AC", "CA", "swapped", True),
        ("AC", "TG", "flipped", False),
        ("AC", "GT", "flipped_swapped", True),
        ("AT", "AT", "same", False),
        (("AT", "A"), ("AT", "A"), "same", False),
        (("A", "<DEL>"), ("A", "<DEL>"), "same", False),
        (("A", "C"), ("A", "."), "same", False),
        (("A", "C"), ("C", "."), "swapped", True),
    ],
)
def test_alleles_that_agree(panel, target, how, swapped):
    assert one(panel, target) == (how, [swapped])


@pytest.mark.parametrize(
    ("panel", "target", "why"),
    [
        ("AT", "TA", "dropped_palindromic"),
        ("CG", "GC", "dropped_palindromic"),
        (("A", "T"), ("T", "."), "dropped_palindromic"),
        ("AC", "AG", "dropped_alleles"),
        ("AC", "AT", "dropped_alleles"),
        ("AT", "AC", "dropped_alleles"),
        (("AT", "A"), ("A", "AT"), "dropped_alleles"),  # a deletion is not the insertion of the same base
        (("AT", "A"), ("TA", "T"), "dropped_alleles"),
        (("A", "C"), ("G", "."), "dropped_alleles"),
        (("A", "C"), ("T", "."), "dropped_alleles"),  # one base of two cannot show the strand
        (("A", "<DEL>"), ("A", "<DUP>"), "dropped_alleles"),
        (("A", "C"), ("I", "D"), "dropped_alleles"),
    ],
)
def test_alleles_that_do_not_agree(panel, target, why):
    assert one(panel, target) == (why, [])


def test_each_alt_of_a_multi_allelic_site_finds_its_own():
    panel = [(5, "A", "C"), (5, "A", "G"), (5, "A", "T"), (9, "G", "A")]
    result = match(panel, [(5, "A", "T"), (5, "A", "C"), (9, "G", "C")])
    assert result.target_index.tolist() == [0, 1]
    assert result.panel_index.tolist() == [2, 0]
    assert result.counts["dropped_alleles"] == 1


def test_the_best_agreement_wins_over_the_first():
    # G>A is A>G the other way round, and C>T on the other strand; as it stands, it is the third site.
    result = match([(5, "A", "G"), (5, "C", "T"), (5, "G", "A")], [(5, "G", "A")])
    assert result.panel_index.tolist() == [2]


def test_the_first_of_duplicates_wins_and_the_rest_are_counted():
    result = match([(5, "A", "C"), (5, "A", "C")], [(5, "A", "C"), (5, "C", "A"), (5, "A", "C")])
    assert result.target_index.tolist() == [0]
    assert result.panel_index.tolist() == [0]
    assert result.counts["duplicates"] == 2


def test_no_sites_at_all_match_nothing():
    result = match([], [])
    assert len(result.target_index) == len(result.panel_index) == len(result.swapped) == 0
    assert set(result.counts.values()) == {0}


def brute_force(panel, target):
    """The same by trying all transformations of all pairs: slow, and written another way."""
    taken, pairs, lost = set(), [], 0
    for t, (position, ref, alt) in enumerate(target):
        forms = [((ref, alt), False), ((alt, ref), True)]
        if OTHER_STRAND[ref] != alt:
            forms += [(tuple(OTHER_STRAND[b] for b in alleles), swap) for alleles, swap in forms]
        else:
            forms = forms[:1]
        for alleles, swap in forms:
            there = [p for p, site in enumerate(panel) if site == (position, *alleles)]
            if there:
                if there[0] in taken:
                    lost += 1
                else:
                    taken.add(there[0])
                    pairs.append((t, there[0], swap))
                break
    return pairs, lost


snp = st.tuples(st.integers(1, 6), st.sampled_from([(a, b) for a, b in product("ACGT", repeat=2) if a != b]))
snps = st.lists(snp.map(lambda s: (s[0], *s[1])), max_size=12).map(lambda s: sorted(s, key=lambda x: x[0]))


@settings(max_examples=300, deadline=None)
@given(snps, snps)
def test_agrees_with_trying_everything(panel, target):
    result = match(panel, target)
    pairs, duplicates = brute_force(panel, target)
    found = zip(
        result.target_index.tolist(), result.panel_index.tolist(), result.swapped.tolist(), strict=True
    )
    assert list(found) == pairs
    assert result.counts["duplicates"] == duplicates


anything = st.tuples(
    st.integers(1, 4),
    st.text("ACGTNacgt*<>ID0", min_size=1, max_size=3),
    st.text("ACGTNacgt*<>.ID0", min_size=1, max_size=3),
)
wild = st.lists(anything, max_size=10).map(lambda s: sorted(s, key=lambda x: x[0]))


@settings(deadline=None)
@given(wild, wild)
def test_every_site_is_matched_once_or_counted_as_dropped(panel, target):
    result = match(panel, target)
    counts = result.counts
    assert len(set(result.target_index.tolist())) == len(result.target_index) == counts["shared"]
    assert len(set(result.panel_index.tolist())) == len(result.panel_index)
    assert counts["shared"] == sum(counts[how] for how in ("same", "swapped", "flipped", "flipped_swapped"))
    dropped = ("dropped_not_in_panel", "dropped_alleles", "dropped_palindromic", "duplicates")
    assert counts["target_sites"] == counts["shared"] + sum(counts[why] for why in dropped) == len(target)
    positions = np.array([site[0] for site in panel]), np.array([site[0] for site in target])
    if len(result.target_index):
        assert (positions[0][result.panel_index] == positions[1][result.target_index]).all()


@settings(deadline=None)
@given(snps)
def test_a_file_matches_itself(sites):
    unique = sorted(set(sites))
    result = match(unique, unique)
    assert result.target_index.tolist() == result.panel_index.tolist()
    # At a site A>C beside C>A each must find itself, not the other way round.
    assert result.counts["same"] == len(unique)
