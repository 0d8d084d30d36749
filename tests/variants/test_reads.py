"""Reads as arrays, held against what pysam says of each."""

import numpy as np
import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.variants import reads as module
from deepcohort.variants.reads import MOST_IN_BIN, ReadsFile, beside, index_of, read_reads
from tests.variants.people import Person, sequence_with_repeats


@pytest.fixture(scope="module")
def someone(tmp_path_factory):
    rng = np.random.default_rng(1)
    sequence = sequence_with_repeats(8_000, rng)
    edits = [[(3_000, sequence[2_999], sequence[2_999] + "GATT")], [(4_000, sequence[3_999:4_006], "A")]]
    edits[1][0] = (4_000, sequence[3_999:4_006], sequence[3_999])
    person = Person(sequence, edits).sequenced(20, rng, insert=150)
    return person, person.write(tmp_path_factory.mktemp("reads"))


def test_arrays_hold_what_the_file_says(someone):
    _, (bam, _) = someone
    found, left_out = read_reads(ReadsFile(bam, None), "chr20", 2_900, 4_100)
    with pysam.AlignmentFile(str(bam)) as file:
        expected = list(file.fetch("chr20", 2_900, 4_100))
    assert not any(left_out.values())
    assert len(found.start) == len(expected) > 100
    assert found.start.tolist() == [read.reference_start for read in expected]
    assert found.end.tolist() == [read.reference_end for read in expected]
    for i, read in enumerate(expected):
        bases = found.bases[found.base_start[i] : found.base_start[i + 1]]
        assert "".join("ACGTN"[code] for code in bases) == read.query_sequence
        own = slice(found.op_start[i], found.op_start[i + 1])
        assert list(zip(found.ops[own], found.lengths[own], strict=True)) == read.cigartuples
        assert found.reverse[i] == read.is_reverse
    names = [read.query_name for read in expected]
    assert len(set(found.fragment.tolist())) == len(set(names))
    assert all((found.fragment[i] == found.fragment[0]) == (name == names[0]) for i, name in enumerate(names))


def test_overlapping_mates_count_once(someone):
    """Of each position that both mates read only one base has a quality."""
    _, (bam, _) = someone
    found, _ = read_reads(ReadsFile(bam, None), "chr20", 2_000, 5_000)
    with pysam.AlignmentFile(str(bam)) as file:
        expected = list(file.fetch("chr20", 2_000, 5_000))
    seen = {}
    for i, read in enumerate(expected):
        for at, place in read.get_aligned_pairs(matches_only=True):
            quality = int(found.quality[found.base_start[i] + at])
            base = read.query_sequence[at]
            seen.setdefault((read.query_name, place), []).append((quality, base, read.query_qualities[at]))
    twice = [pair for pair in seen.values() if len(pair) == 2]
    assert len(twice) > 1_000
    assert any(one[1] != other[1] for one, other in twice)
    for one, other in twice:
        (_, *_), (larger, base, own) = sorted((one, other), key=lambda said: said[0])
        assert min(one[0], other[0]) == 0
        assert larger == (own if one[1] == other[1] else 0), base
    assert all(said[0][0] == said[0][2] for said in seen.values() if len(said) == 1)


def written(path, make, header=None, index=True):
    """A small BAM; ``make`` changes each of its reads."""
    head = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "20", "LN": 9_000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header or head) as out:
        for number in range(40):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.query_sequence = f"r{number}", "ACGT" * 5
            read.query_qualities = pysam.qualitystring_to_array("I" * 20)
            read.reference_id, read.reference_start, read.cigarstring = 0, 1_000 + number, "20M"
            read.mapping_quality, read.flag = 60, 0
            make(number, read)
            out.write(read)
    if index:
        pysam.samtools.index(str(path))
    return path


def test_what_does_not_count_is_left_out_and_counted(tmp_path):
    def make(number, read):
        if number < 5:
            read.flag = (0x4, 0x100, 0x200, 0x400, 0x800)[number]
        elif number < 8:
            read.mapping_quality = 4
        elif number < 10:
            read.query_sequence = None
        else:
            read.set_tag("MQ", 37)

    found, left_out = read_reads(ReadsFile(written(tmp_path / "x.bam", make), None), "20", 0, 9_000)
    assert left_out == {
        "flagged": [1_000, 1_001, 1_002, 1_003, 1_004],
        "low_mapping_quality": [1_005, 1_006, 1_007],
        "without_bases": [1_008, 1_009],
        "over_depth": [],
    }
    assert len(found.start) == 30
    assert set(found.mate_mapq.tolist()) == {37}


def test_reads_of_one_base_have_their_quality(tmp_path):
    def make(number, read):
        read.query_sequence, read.cigarstring = "A", "1M"
        read.query_qualities = pysam.qualitystring_to_array("I")

    found, _ = read_reads(ReadsFile(written(tmp_path / "x.bam", make), None), "20", 0, 9_000)
    assert found.quality.tolist() == [40] * 40


def test_deep_places_keep_the_same_reads_whatever_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_IN_BIN", 12)
    path = written(tmp_path / "x.bam", lambda number, read: None)
    file = ReadsFile(path, None)
    whole, left_out = read_reads(file, "20", 0, 9_000)
    assert (len(whole.start), len(left_out["over_depth"])) == (12, 28)
    for first in range(990, 1_060, 7):
        part, _ = read_reads(file, "20", first, first + 7)
        inside = (whole.start < first + 7) & (whole.end > first)
        assert part.start.tolist() == whole.start[inside].tolist()
    assert MOST_IN_BIN > 1_000


def test_reads_that_start_in_an_earlier_bin_are_cut_as_there(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_IN_BIN", 12)

    def make(number, read):
        read.reference_start = 1_000 + (970 if number < 20 else 995)

    file = ReadsFile(written(tmp_path / "x.bam", make), None)
    whole, _ = read_reads(file, "20", 1_000, 3_000)
    part, _ = read_reads(file, "20", 2_000, 3_000)
    assert part.start.tolist() == [start for start in whole.start.tolist() if start == 1_995]
    assert 0 < len(part.start) < 12


def test_a_missing_index_is_made_elsewhere(tmp_path, caplog):
    path = written(tmp_path / "x.bam", lambda number, read: None, index=False)
    with pytest.raises(InputError, match=r"x\.bam: there is no index that fits: make one"):
        ReadsFile(path, None)
    (tmp_path / "made").mkdir()
    with caplog.at_level("INFO"):
        made = index_of(path, tmp_path / "made")
    assert made == tmp_path / "made/x.bam.bai"
    assert beside(path) is None
    assert "x.bam had no index that fits: one was made" in caplog.text
    assert len(read_reads(ReadsFile(path, None, made), "20", 0, 9_000)[0].start) == 40


def test_people_orders_and_cuts_are_refused(tmp_path):
    head = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "20", "LN": 9_000}]}
    two = {**head, "RG": [{"ID": "a", "SM": "Ann"}, {"ID": "b", "SM": "Bob"}]}
    path = written(tmp_path / "two.bam", lambda number, read: None, two)
    with pytest.raises(InputError, match=r"two\.bam: the read groups are of 2 people \(Ann, Bob\)"):
        ReadsFile(path, None)
    by_name = {**head, "HD": {"VN": "1.6", "SO": "queryname"}}
    path = written(tmp_path / "names.bam", lambda number, read: None, by_name, index=False)
    with pytest.raises(InputError, match=r"names\.bam: the reads are not sorted by position"):
        ReadsFile(path, None)
    path = written(tmp_path / "cut.bam", lambda number, read: None)
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(InputError, match=r"cut\.bam: truncated"):
        ReadsFile(path, None)


def test_an_index_of_another_file_does_not_hide_disorder(tmp_path):
    path = written(tmp_path / "x.bam", lambda number, read: None)
    index = (tmp_path / "x.bam.bai").read_bytes()

    def back(number, read):
        read.reference_start = 1_000 - number

    written(path, back, index=False)
    (tmp_path / "x.bam.bai").write_bytes(index)
    with pytest.raises(InputError, match=r"x\.bam: the read r1 at 20:1,000 comes after 1,001: sort the file"):
        read_reads(ReadsFile(path, None), "20", 900, 1_200)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_damaged_block_is_refused(tmp_path):
    rng = np.random.default_rng(1)
    person = Person(sequence_with_repeats(9_000, rng), [[], []]).sequenced(60, rng)
    path, _ = person.write(tmp_path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(
        InputError, match=r"p\.bam: damaged: the reads of chr20 after [\d,]+ cannot be read: copy"
    ):
        read_reads(ReadsFile(path, None), "chr20", 0, 9_000)


def test_contigs_go_by_either_name_and_must_be_as_long(someone):
    _, (bam, _) = someone
    file = ReadsFile(bam, None)
    assert file.contig("20", 8_000) == "chr20"
    with pytest.raises(
        InputError, match=r"p\.bam: no contig 21 \(there are chr20\): give reads and FASTA of one"
    ):
        file.contig("21", 8_000)
    with pytest.raises(InputError, match=r"p\.bam: chr20 has 8,000 bases but 8,001 in the FASTA"):
        file.contig("chr20", 8_001)


def test_a_cram_needs_its_own_fasta(someone, tmp_path):
    _, (bam, fasta) = someone
    cram = tmp_path / "p.cram"
    options = ("-C", "-T", str(fasta), "--output-fmt-option", "embed_ref=0")
    pysam.samtools.view(*options, "-o", str(cram), str(bam), catch_stdout=False)
    pysam.samtools.index(str(cram))
    with pytest.raises(
        InputError, match=r"p\.cram: a CRAM cannot be read without its reference: give the FASTA"
    ):
        ReadsFile(cram, None)
    by_cram, _ = read_reads(ReadsFile(cram, fasta), "chr20", 3_000, 4_000)
    by_bam, _ = read_reads(ReadsFile(bam, None), "chr20", 3_000, 4_000)
    assert all(np.array_equal(one, other) for one, other in zip(by_cram, by_bam, strict=True))
    other = tmp_path / "other.fa"
    other.write_text(">chr20\n" + "A" * 8_000 + "\n")
    pysam.samtools.faidx(str(other))
    with pytest.raises(InputError, match=r"p\.cram: damaged.*or give the FASTA that it was made with"):
        read_reads(ReadsFile(cram, other), "chr20", 3_000, 4_000)
