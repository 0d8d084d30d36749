import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import (
    Inside,
    Region,
    chrom_key,
    chunk_name,
    genome_order,
    merged,
    parse_regions,
)


@pytest.mark.parametrize(
    ("contig", "key"), [("chr20", "20"), ("20", "20"), ("CHRX", "X"), ("chr", "chr"), ("HLA-A", "HLA-A")]
)
def test_chromosomes_lose_the_prefix_that_some_builds_write(contig, key):
    assert chrom_key(contig) == key


def test_chromosomes_sort_as_the_genome_does():
    names = ["Y", "chr10", "MT", "chr2", "X", "GL1", "1"]
    assert sorted(names, key=genome_order) == ["1", "chr2", "chr10", "X", "Y", "MT", "GL1"]


@settings(deadline=None)
@given(st.sets(st.integers(1, 10**9 - 1), min_size=2, max_size=20))
def test_chunk_names_sort_as_positions_do(starts):
    names = [chunk_name(Region("20", start, start)) for start in sorted(starts)]
    assert names == sorted(names)


def test_a_chunk_name_pads_positions_to_nine_digits():
    assert chunk_name(Region("20", 1_000_001, 6_000_000)) == "20.001000001-006000000"


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("chr20:5-9", [Region("20", 5, 9)]),
        ("X,2:7-8, 2:1-6", [Region("2", 1, 8), Region("X", 1, 2**31 - 1)]),
        ("3:500-", [Region("3", 500, 2**31 - 1)]),
    ],
)
def test_regions_are_read_merged_and_ordered(text, regions):
    assert parse_regions(text) == regions


def test_a_bed_file_counts_starts_from_zero(tmp_path):
    bed = tmp_path / "targets.bed"
    bed.write_text("track name=x\n#comment\nchr2\t99\t200\tname\nchr1\t0\t10\n\n")
    assert parse_regions(str(bed)) == [Region("1", 1, 10), Region("2", 100, 200)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" , ", "--regions is empty"),
        ("20:9-5", "'20:9-5' ends before it starts"),
        ("20:0-5", "'20:0-5' ends before it starts (positions count from 1)"),
        ("20:1-x", "'20:1-x' is not a region: write chr:from-to"),
        ("missing.bed", "there is no such BED file"),
    ],
)
def test_bad_regions_are_refused(text, message):
    with pytest.raises(InputError) as refused:
        parse_regions(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("20\t5\n", "line 1 does not start with chromosome, start and end"),
        ("20\t1\t5\n20\t5\t5\n", "line 2 ends at 5, not after its start 5"),
        ("# nothing\n", "the BED file holds no region"),
    ],
)
def test_bad_bed_files_are_refused(tmp_path, content, message):
    bed = tmp_path / "bad.bed"
    bed.write_text(content)
    with pytest.raises(InputError, match=message):
        parse_regions(str(bed))


stretches = st.builds(
    lambda chrom, start, length: Region(chrom, start, start + length),
    st.sampled_from(["1", "2"]),
    st.integers(1, 60),
    st.integers(0, 20),
)


@settings(deadline=None)
@given(st.lists(stretches, max_size=8))
def test_merged_regions_cover_the_same_positions_once(regions):
    result = merged(regions)
    covered = [(r.chrom, p) for r in result for p in range(r.start, r.end + 1)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {(r.chrom, p) for r in regions for p in range(r.start, r.end + 1)}
    assert all(a.chrom != b.chrom or a.end + 1 < b.start for a, b in itertools.pairwise(result))


@settings(deadline=None)
@given(st.lists(stretches, max_size=8), stretches)
def test_what_lies_inside_lies_in_one_region(regions, one):
    inside = Inside(merged(regions))
    covered = {(region.chrom, p) for region in regions for p in range(region.start, region.end + 1)}
    expected = all((one.chrom, p) in covered for p in range(one.start, one.end + 1))
    assert inside(f"chr{one.chrom}", one.start, one.end) == expected
