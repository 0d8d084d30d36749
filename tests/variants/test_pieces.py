"""The genome in pieces: they tile what was asked for, with the copies that a person has."""

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome import builds
from deepcohort.genome.errors import InputError
from deepcohort.variants.join import join_calls
from deepcohort.variants.pieces import plan_pieces, write_pieces
from tests.genotypes import write_vcf


def write_index(folder, lengths):
    """Only the index of a FASTA is looked at; the sequence is made short of it."""
    fasta = folder / "ref.fa"
    fasta.write_text(">x\nA\n")
    rows = (f"{name}\t{length}\t3\t60\t61\n" for name, length in lengths.items())
    (folder / "ref.fa.fai").write_text("".join(rows))
    return fasta


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=4), st.integers(1, 700), st.booleans())
def test_pieces_tile_the_contigs(tmp_path_factory, lengths, bases, male):
    contigs = {f"c{i}": length for i, length in enumerate(lengths)}
    pieces = plan_pieces(write_index(tmp_path_factory.mktemp("p"), contigs), contigs, None, bases, male)
    covered = [
        (piece.region.chrom, place)
        for piece in pieces
        for place in range(piece.region.start, piece.region.end + 1)
    ]
    assert covered == [(name, place) for name, length in contigs.items() for place in range(1, length + 1)]
    assert all(piece.region.end - piece.region.start < bases and not piece.haploid for piece in pieces)
    assert [piece.name for piece in pieces] == sorted(piece.name for piece in pieces)


def test_the_copies_of_men(tmp_path):
    lengths = {f"chr{name}": length for name, length in builds.BUILDS["GRCh38"].items()} | {"chrUn_1": 5}
    fasta = write_index(tmp_path, lengths)
    assert len(plan_pieces(fasta, lengths, None, 10**9, male=False)) == 24  # no chrUn
    men = plan_pieces(fasta, lengths, "X,chrY:1-9", 10**9, male=True)
    assert [(str(piece.region), piece.haploid) for piece in men] == [
        ("chrX:1-10000", True),
        ("chrX:10001-2781479", False),
        ("chrX:2781480-155701382", True),
        ("chrX:155701383-156030895", False),
        ("chrX:156030896-156040895", True),
        ("chrY:1-9", True),
    ]
    inside = plan_pieces(fasta, lengths, "X:100-200,X:20000-20010,X:156030890-156030900", 10**9, male=True)
    assert [piece.haploid for piece in inside] == [True, False, False, True]
    women = plan_pieces(fasta, lengths, "X", 10**9, male=False)
    assert [(str(piece.region), piece.haploid) for piece in women] == [("chrX:1-156040895", False)]


def test_the_table(tmp_path):
    write_pieces(
        tmp_path / "t.tsv",
        plan_pieces(write_index(tmp_path, {"20": 30, "MT": 5}), ["chr20", "MT"], None, 20, False),
    )
    assert (tmp_path / "t.tsv").read_text() == (
        "piece\tregion\thaploid\n000001\t20:1-15\tfalse\n000002\t20:16-30\tfalse\n000003\tMT:1-5\ttrue\n"
    )


@pytest.mark.parametrize(
    ("regions", "sentence"),
    [("7", "--regions names 7, which ref.fa lacks"), ("20:31-40", "begins beyond the end of 20 in ref.fa")],
)
def test_regions_that_are_not_there(tmp_path, regions, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_pieces(write_index(tmp_path, {"20": 30}), ["20"], regions, 20, False)


def test_parts_are_joined_in_their_order(tmp_path):
    parts = [
        write_vcf(tmp_path / f"00000{i}.vcf.gz", [("20", 10 * i, "A", "C", ["0/1"])], ["me"], {"20": 100})
        for i in (2, 1)
    ]
    for part in parts:
        pysam.tabix_index(str(part), preset="vcf", force=True)
    join_calls(parts, tmp_path / "me.vcf.gz")
    with pysam.VariantFile(str(tmp_path / "me.vcf.gz")) as joined:
        assert [record.pos for record in joined.fetch("20")] == [10, 20]


def test_only_what_reads_were_aligned_to(tmp_path):
    fasta = write_index(tmp_path, {"chr19": 10, "chr20": 30})
    assert [str(piece.region) for piece in plan_pieces(fasta, ["20"], None, 50, False)] == ["chr20:1-30"]
    with pytest.raises(InputError, match=r"ref.fa: has none of the contigs that the reads were aligned to"):
        plan_pieces(fasta, ["7"], None, 50, False)
