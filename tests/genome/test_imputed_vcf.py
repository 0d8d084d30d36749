"""Entries of imputed genotypes against a plain formatter that rounds as a person would."""

import math
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.imputed_vcf import ENTRY, imputed_entries


def thousandths(value):
    return math.floor(1000 * value + 0.5)


def text(value):
    """Shortest decimal of so many thousandths."""
    return np.format_float_positional(value / 1000, trim="-")


def plain(first, second, phased, haploid, with_hds):
    """One person's entry."""
    total = float(first + second)
    first, second = float(first), float(second)
    one, two = thousandths(first), thousandths(second)
    if haploid:
        genotype, dosage, chances, hds = str(int(first > 0.5)), one, [1000 - one, one], text(one)
    elif phased:
        genotype = f"{int(first > 0.5)}|{int(second > 0.5)}"
        dosage = thousandths(total)
        none, both = thousandths((1 - first) * (1 - second)), thousandths(first * second)
        both = min(both, 1000 - none)
        chances, hds = [none, 1000 - none - both, both], f"{text(one)},{text(two)}"
    else:
        none = max(0, 1000 - one - two)
        both = min(two, 1000 - none)
        genotype = "1/1" if two > max(one, none) else "0/1" if one > none else "0/0"
        dosage = min(thousandths(first + 2 * second), 2000)
        chances, hds = [none, 1000 - none - both, both], "."
    columns = [genotype, text(dosage), ",".join(map(text, chances)), *([hds] if with_hds else [])]
    return ":".join(columns)


chance = st.floats(0, 1, width=32)


@st.composite
def person(draw):
    phased, haploid = draw(st.booleans()), draw(st.booleans())
    first, second = draw(chance), draw(chance)
    if not phased and first + second > 1:
        first, second = 1 - first, min(second, first)
    return np.float32(first), np.float32(second), phased, haploid


@settings(max_examples=400, deadline=None)
@given(people=st.lists(person(), min_size=1, max_size=5), with_hds=st.booleans())
def test_entries(people, with_hds):
    chances = np.array([c for first, second, _, _ in people for c in (first, second)], np.float32)
    phased, haploid = (np.array([p[i] for p in people], bool) for i in (2, 3))
    found = imputed_entries(chances, phased, haploid, with_hds).decode()
    assert found[0] == "\t"
    entries = found[1:].split("\t")
    assert entries == [plain(*one, with_hds) for one in people]
    for entry, one in zip(entries, people, strict=True):
        assert len(entry) < ENTRY
        assert sum(Decimal(cell) for cell in entry.split(":")[2].split(",")) == 1
        assert entry.count("/") == (not one[2] and not one[3])


@given(copies=st.lists(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]), min_size=1, max_size=9))
def test_observed_genotypes_are_written_as_they_are(copies):
    chances = np.array(copies, np.float32).ravel()
    n = len(copies)
    found = imputed_entries(chances, np.ones(n, bool), np.zeros(n, bool), True).decode()[1:].split("\t")
    for entry, (a, b) in zip(found, copies, strict=True):
        chances_of = ["0"] * 3
        chances_of[a + b] = "1"
        assert entry == f"{a}|{b}:{a + b}:{','.join(chances_of)}:{a},{b}"


@settings(max_examples=300, deadline=None)
@given(
    people=st.lists(
        st.tuples(person(), chance, st.one_of(st.just(math.nan), chance)), min_size=1, max_size=5
    ),
    with_hds=st.booleans(),
)
def test_entries_in_phase(people, with_hds):
    """All as without phase, but for the order of the alleles, HDS, and the confidence behind."""
    chances = np.array([c for (first, second, _, _), _, _ in people for c in (first, second)], np.float32)
    phased, haploid = (np.array([one[i] for one, _, _ in people], bool) for i in (2, 3))
    lies = tuple(np.array([p[i] for p in people], np.float32) for i in (1, 2))
    found = imputed_entries(chances, phased, haploid, with_hds, lies).decode()[1:].split("\t")
    for entry, (one, on_first, sure) in zip(found, people, strict=True):
        *cells, confidence = entry.split(":")
        expected = plain(*one, with_hds).split(":")
        if one[2] or one[3]:
            assert (cells, confidence) == (expected, ".")
            continue
        assert cells[1:3] == expected[1:3]
        order = "1|0" if on_first >= 0.5 else "0|1"
        assert cells[0] == {"0/0": "0|0", "0/1": order, "1/1": "1|1"}[expected[0]]
        known = expected[0] == "0/1" and not math.isnan(sure)
        assert confidence == (text(thousandths(float(np.float32(sure)))) if known else ".")
        if with_hds:
            het, both = float(one[0]), float(one[1])
            alleles = [both + het * on_first, both + het * (1 - on_first)]
            np.testing.assert_allclose([float(c) for c in cells[3].split(",")], alleles, atol=5.1e-4)


def test_entries_of_each_kind():
    chances = np.array([0.25, 0.9, 0.3, 0.6, 0.123, 7.0], np.float32)
    found = imputed_entries(chances, np.array([True, False, True]), np.array([False, False, True]), True)
    assert found.decode().split("\t")[1:] == [
        "0|1:1.15:0.075,0.7,0.225:0.25,0.9",
        "1/1:1.5:0.1,0.3,0.6:.",
        "0:0.123:0.877,0.123:0.123",
    ]
