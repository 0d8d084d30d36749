"""Haplotypes, beside those of bcftools consensus."""

import pysam
import pysam.bcftools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.expression.edits import Edit, edit, reverse_complement, window
from deepcohort.genome.vcf import make_index
from tests.genotypes import write_vcf

BASES = st.sampled_from("ACGT")


@st.composite
def variants(draw):
    """A reference of 60 bases with variants of any kind, sorted by place; some overlap."""
    reference = "".join(draw(st.lists(BASES, min_size=60, max_size=60)))
    found = []
    for place in sorted(draw(st.lists(st.integers(1, 50), max_size=12, unique=True))):
        kind = draw(st.sampled_from(["snv", "deletion", "insertion", "mnv"]))
        length = draw(st.integers(2, 6))
        ref = reference[place : place + (1 if kind in ("snv", "insertion") else length)]
        tail = "".join(draw(st.lists(BASES, min_size=length, max_size=length)))
        change = "".join({"A": "C", "C": "G", "G": "T", "T": "A"}[base] for base in ref)
        alt = {"snv": change, "mnv": change, "deletion": ref[0], "insertion": ref + tail}[kind]
        found.append((place, ref, alt))
    return reference, found


@settings(max_examples=60, deadline=None)
@given(variants())
def test_haplotypes_are_those_of_bcftools_consensus(tmp_path_factory, made):
    reference, found = made
    folder = tmp_path_factory.mktemp("consensus")
    fasta = folder / "r.fa"
    fasta.write_text(f">1\n{reference}\n")
    pysam.faidx(str(fasta))
    rows = [("1", place + 1, ref, alt, ["1|1"]) for place, ref, alt in found]
    vcf = write_vcf(folder / "v.vcf.gz", rows, ["one"], {"1": 60})
    make_index(vcf, folder / "v.vcf.gz.tbi")
    told = pysam.bcftools.consensus("-f", str(fasta), "-H", "1", "-s", "one", str(vcf))
    edits = [Edit(place, ref.encode(), alt.encode()) for place, ref, alt in found]
    ours = edit(reference.encode(), 0, edits, 30)
    assert ours.text.decode() == "".join(told.split("\n")[1:])


@settings(max_examples=100, deadline=None)
@given(variants(), st.integers(8, 52))
def test_the_anchor_keeps_its_base_and_its_place(made, anchor):
    reference, found = made
    marked = reference[:anchor] + "N" + reference[anchor + 1 :]
    # Variants that do not touch the anchor's base, which is the only N.
    edits = [Edit(p, marked[p : p + len(r)].encode(), a.encode()) for p, r, a in found]
    edits = [one for one in edits if b"N" not in one.ref]
    done = edit(marked.encode(), 0, edits, anchor)
    assert done.text[done.anchor : done.anchor + 1] == b"N" and not done.disrupted
    text, padded = window(done, 100, 40)
    assert len(text) == 141 and text[100:101] == b"N"
    assert padded == text.count(b"N") - 1


def test_what_overlaps_is_left_out_and_counted():
    edits = [Edit(2, b"CCC", b"C"), Edit(3, b"C", b"T"), Edit(4, b"C", b"CG"), Edit(4, b"C", b"CA")]
    done = edit(b"AACCCTT", 0, edits, 6)
    assert (done.text, done.overlapping, done.anchor) == (b"AACGTT", 2, 5)


def test_a_deleted_anchor_is_replaced_by_the_next_base_kept():
    done = edit(b"AACGTAA", 0, [Edit(1, b"ACG", b"A")], 3)
    assert done.text == b"AATAA" and done.text[done.anchor :] == b"TAA" and done.disrupted
    swapped = edit(b"AACGTAA", 0, [Edit(2, b"CG", b"TT")], 3)
    assert (swapped.anchor, swapped.disrupted) == (3, False)


@pytest.mark.parametrize(("text", "other"), [(b"AACG", b"CGTT"), (b"RYKMSWN", b"NWSKMRY")])
def test_the_other_strand(text, other):
    assert reverse_complement(text) == other and reverse_complement(other) == text
