"""Reads with any CIGAR and any bases: whatever is called is well-formed, and pieces are the whole."""

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcohort.variants.calls import AROUND, call_stretch
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import Reference

LENGTH = 6_000


@st.composite
def alignments(draw):
    """Start, CIGAR and qualities of a read; its bases are the reference's with some changed."""
    middle = st.lists(st.tuples(st.sampled_from("MIDNX=M"), st.integers(1, 60)), max_size=5)
    ends = st.sampled_from(["", "5S", "40S", "3H", "3H12S", "2I", "60S"])
    cigar = draw(ends)
    cigar += f"{draw(st.integers(1, 40))}M"
    for op, size in draw(middle):
        cigar += f"{size}{op}{draw(st.integers(1, 40))}M"
    last = draw(ends)
    cigar += {"3H12S": "12S3H"}.get(last, last)
    return (
        draw(st.integers(2_500, 3_300)),
        cigar,
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(0, 60)),
        draw(st.integers(0, 9)),
        draw(st.booleans()),
    )


def written(folder, rows, text):
    head = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "1", "LN": LENGTH}]}
    path = folder / "wild.bam"
    with pysam.AlignmentFile(str(path), "wb", header=head) as out:
        for start, cigar, seed, mapq, name, reverse in sorted(rows):
            rng = np.random.default_rng(seed)
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.cigarstring = f"r{name}", 16 if reverse else 0, cigar
            read.reference_id, read.reference_start, read.mapping_quality = 0, start, mapq
            size = read.infer_query_length()
            bases = (text[start:] * 3)[:size]
            changed = rng.random(size) < rng.choice([0, 0.02, 0.3])
            read.query_sequence = "".join(
                str(rng.choice(list("ACGTN"))) if change else base
                for base, change in zip(bases, changed, strict=True)
            )
            read.query_qualities = pysam.qualitystring_to_array(
                "".join(chr(33 + q) for q in rng.integers(0, 42, size))
            )
            # Each is there twice under another name, so that there are candidates.
            out.write(read)
            read.query_name += "again"
            out.write(read)
    pysam.samtools.index(str(path))
    return path


@pytest.fixture(scope="module")
def sequence():
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ACGT"), LENGTH))
    return text[:2_900] + "A" * 30 + "CT" * 20 + "N" * 10 + text[2_980:]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(alignments(), min_size=1, max_size=7), ploidy=st.sampled_from([1, 2]))
def test_calls_are_well_formed(tmp_path, sequence, rows, ploidy):
    path = written(tmp_path, rows, sequence)
    reference = Reference.of("1", 0, sequence)
    calls = call_stretch(ReadsFile(path, None), reference, 0, LENGTH, ploidy).calls
    assert [call.pos for call in calls] == sorted(call.pos for call in calls)
    for call in calls:
        ref, *alts = call.alleles
        at = call.pos - 1
        assert sequence[at : at + len(ref)] == ref
        assert len({*call.alleles}) == len(call.alleles) > 1
        assert set("".join(alts)) <= set("ACGT")
        n = len(call.alleles)
        assert len(call.pl) == (n if ploidy == 1 else n * (n + 1) // 2)
        assert min(call.pl) == 0
        assert len(call.ad) == n
        assert sum(call.ad) <= call.dp
        assert len(call.genotype) == ploidy
        assert max(call.genotype) < n
        assert 0 <= call.gq <= 99
        assert np.isfinite(call.qual)
        assert call.qual >= 0
    pieces = []
    for first in range(2_400, 3_900, 500):
        low = max(0, first - AROUND)
        part = Reference.of("1", low, sequence[low : first + 500 + AROUND], LENGTH)
        pieces += call_stretch(ReadsFile(path, None), part, first, first + 500, ploidy)[0]
    assert pieces == calls
