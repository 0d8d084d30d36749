import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.variants.normalise import atoms, normalised

SEQUENCES = st.text("AC", min_size=1, max_size=12) | st.text("ACGT", min_size=1, max_size=12)
STARTS = st.integers(0, 1000)


@st.composite
def alleles(draw):
    """A sequence, where it starts, and some way to write a variant of it."""
    sequence, start = draw(SEQUENCES), draw(STARTS)
    first = draw(st.integers(0, len(sequence) - 1))
    last = draw(st.integers(first + 1, len(sequence)))
    alt = draw(st.text("AC", min_size=1, max_size=6))
    return sequence.encode(), start, first + start + 1, sequence[first:last], alt


def haplotype(sequence, start, pos, ref, alt):
    at = pos - 1 - start
    text = sequence.decode()
    assert at >= 0
    assert text[at : at + len(ref)] == ref
    return text[:at] + alt + text[at + len(ref) :]


def every_way_to_write(sequence, start, spelled):
    """All (pos, ref, alt) that turn the sequence into another one, by trying all stretches."""
    text = sequence.decode()
    for first in range(len(text)):
        for last in range(first + 1, len(text) + 1):
            end = len(spelled) - (len(text) - last)
            if end > first and text[:first] == spelled[:first] and text[last:] == spelled[end:]:
                yield start + first + 1, text[first:last], spelled[first:end]


@settings(max_examples=400, deadline=None)
@given(alleles())
def test_the_shortest_and_then_the_leftmost_of_all_ways_is_found(variant):
    sequence, start, pos, ref, alt = variant
    if ref == alt:
        assert normalised(*variant) == (pos, ref, alt)
        return
    ways = every_way_to_write(sequence, start, haplotype(*variant))
    best = min(ways, key=lambda way: (len(way[1]) + len(way[2]), way[0]))
    assert normalised(*variant) == best


@settings(max_examples=300, deadline=None)
@given(alleles())
def test_all_ways_to_write_an_allele_become_one(variant):
    sequence, start, _, ref, alt = variant
    if ref != alt:
        ways = every_way_to_write(sequence, start, haplotype(*variant))
        assert len({normalised(sequence, start, *way) for way in ways}) == 1


@settings(max_examples=400, deadline=None)
@given(alleles())
def test_atoms_together_spell_the_haplotype(variant):
    sequence, start, _, ref, alt = variant
    parts = atoms(*variant)
    assert parts == sorted(parts)
    assert sum(len(one) != len(other) for _, one, other in parts) == (len(ref) != len(alt))
    assert all(len(one) == 1 or len(other) == 1 for _, one, other in parts)
    assert spelled_by(sequence, start, parts) == haplotype(*variant)


def spelled_by(sequence, start, parts):
    """The haplotype with all parts in it; the base that an indel is written with stays."""
    text = sequence.decode()
    edits = []
    for pos, ref, alt in parts:
        at = pos - 1 - start
        assert text[at : at + len(ref)] == ref
        if len(ref) != len(alt):
            behind = ref[0] == alt[0]
            at, ref, alt = (at + 1, ref[1:], alt[1:]) if behind else (at, ref[:-1], alt[:-1])
        edits.append((at, ref, alt))
    for at, ref, alt in sorted(edits, key=lambda edit: (edit[0], bool(edit[1])), reverse=True):
        text = text[:at] + alt + text[at + len(ref) :]
    return text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ((106, "AA", "A"), (103, "CA", "C")),
        ((104, "A", "AA"), (103, "C", "CA")),
        ((101, "g", "t"), (101, "G", "T")),
        ((101, "GGC", "GTC"), (102, "G", "T")),
        ((101, "G", "TG"), (101, "G", "TG")),
        ((101, "GG", "G"), (101, "GG", "G")),
    ],
)
def test_alleles_of_a_repeat(written, expected):
    assert normalised(b"GGCAAAATCACA", 100, *written) == expected


def test_an_mnp_and_a_complex_allele_are_split():
    assert atoms(b"GGCATGC", 100, 103, "CATG", "TATC") == [(103, "C", "T"), (106, "G", "C")]
    assert atoms(b"GGCATGC", 100, 103, "CATG", "TTG") == [(102, "GC", "G"), (104, "A", "T")]
    assert atoms(b"GGCATGC", 100, 103, "CA", "CA") == []
