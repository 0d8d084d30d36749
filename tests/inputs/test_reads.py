import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.inputs.reads import check_reads


def write_bam(path, groups=("me",), positions=(100, 200), order="coordinate"):
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr20", "LN": 64_444_167}]}
    header["RG"] = [{"ID": f"g{i}", **({"SM": name} if name else {})} for i, name in enumerate(groups)]
    if order:
        header["HD"]["SO"] = order
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for number, position in enumerate(positions):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.query_sequence, read.flag = f"r{number}", "ACGT", 0
            read.reference_id, read.reference_start, read.cigarstring = 0, position, "4M"
            out.write(read)
    return path


def check(path, name="me", index=None):
    return check_reads(path, name=name, index=index, out_index=path.parent / f"{path.name}.bai")


def test_a_good_bam_is_summed_up_and_indexed(tmp_path):
    found = check(write_bam(tmp_path / "x.bam"))
    assert (found.samples, found.read_groups, found.build) == (["me"], 1, "GRCh38")
    assert found.notes == ["x.bam had no index: one was made."]
    with pysam.AlignmentFile(str(tmp_path / "x.bam")) as reads:
        assert reads.count("chr20", 150, 300) == 1


def test_the_index_given_is_kept(tmp_path):
    file = write_bam(tmp_path / "x.bam")
    (tmp_path / "given").mkdir()
    pysam.samtools.index("-o", str(tmp_path / "given/x.bam.bai"), str(file))
    assert check(file, index=tmp_path / "given/x.bam.bai").notes == []
    assert (tmp_path / "x.bam.bai").read_bytes() == (tmp_path / "given/x.bam.bai").read_bytes()


def test_an_index_that_is_none_is_replaced(tmp_path):
    file = write_bam(tmp_path / "x.bam")
    (tmp_path / "x.bai").write_text("no index")
    assert check(file, index=tmp_path / "x.bai").notes == [
        "The index x.bai could not be used: another was made."
    ]
    with pysam.AlignmentFile(str(file), index_filename=str(tmp_path / "x.bam.bai")) as reads:
        assert reads.count("chr20", 150, 300) == 1


@pytest.mark.parametrize(
    ("groups", "note"),
    [
        (("other", "other"), "x.bam calls the sample other; the sheet's name me is used."),
        ((), "x.bam names no sample in its read groups: taken as me."),
        (("",), "x.bam names no sample in its read groups: taken as me."),
    ],
)
def test_the_name_of_the_sheet_wins_and_that_is_said(tmp_path, groups, note):
    assert note in check(write_bam(tmp_path / "x.bam", groups)).notes


def test_a_cram_is_read_without_its_reference(tmp_path):
    fasta = tmp_path / "ref.fa"
    fasta.write_text(">chr20\n" + "ACGT" * 200 + "\n")
    bam = write_bam(tmp_path / "x.bam")
    with pysam.AlignmentFile(str(bam)) as reads:
        header = reads.header.to_dict()
        header["SQ"][0]["LN"] = 800
        with pysam.AlignmentFile(
            str(tmp_path / "x.cram"), "wc", header=header, reference_filename=str(fasta)
        ) as o:
            for read in reads:
                o.write(pysam.AlignedSegment.from_dict(read.to_dict(), o.header))
    fasta.unlink()
    found = check_reads(tmp_path / "x.cram", name="me", index=None, out_index=tmp_path / "x.cram.crai")
    assert found.samples == ["me"]
    assert (tmp_path / "x.cram.crai").stat().st_size > 0


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"groups": ("a", "b")}, "the read groups are of 2 people (a, b): give one file for each person"),
        ({"order": "queryname"}, "the reads are not sorted by position: sort them (samtools sort)"),
        ({"order": None, "positions": (200, 100)}, "cannot be indexed, so it is not sorted by position"),
    ],
)
def test_bad_reads_are_refused(tmp_path, made, message):
    with pytest.raises(InputError) as refused:
        check(write_bam(tmp_path / "x.bam", **made))
    assert str(refused.value).startswith(f"x.bam: {message}")
    assert not list(tmp_path.glob("*.bai"))


def test_truncated_reads_are_refused(tmp_path):
    file = write_bam(tmp_path / "x.bam", positions=range(100, 3000))
    file.write_bytes(file.read_bytes()[:-28])
    with pytest.raises(InputError, match=r"x\.bam: truncated: the block that marks the end"):
        check(file)


def test_a_truncated_cram_is_refused(tmp_path):
    (tmp_path / "x.cram").write_bytes(b"CRAM\3\0" + bytes(100))
    with pytest.raises(InputError, match=r"x\.cram: truncated: the block that marks the end of a CRAM"):
        check(tmp_path / "x.cram")


def test_what_is_no_bam_is_refused(tmp_path):
    (tmp_path / "x.bam").write_text("reads")
    with pytest.raises(InputError, match="no BAM or CRAM that can be read"):
        check(tmp_path / "x.bam")
