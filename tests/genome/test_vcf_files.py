import gzip

import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import (
    contig_of,
    indexed_contigs,
    indexed_records,
    make_index,
    open_vcf,
    read_header,
    read_sites,
    records,
    require_sorted,
    require_whole_bgzf,
)
from tests.genotypes import bgzip, vcf_text, write_vcf

RECORDS = [
    ("20", 100, "A", "C", ["0|1"]),
    ("20", 200, "ATT", "A,ATTT,<DEL>", ["0|2"]),
    ("20", 201, "G", ".", ["0|0"]),
    ("20", 300, "G", "T", ["1|1"]),
    ("21", 50, "C", "G", ["0|1"]),
]


def many(n):
    return [("20", 100 + i, "A", "C", [f"{i % 2}|{i % 3 % 2}"]) for i in range(n)]


@pytest.mark.parametrize("name", ["x.vcf.gz", "x.bcf"])
def test_whole_files_pass_and_their_header_is_read(tmp_path, name):
    file = write_vcf(tmp_path / name, RECORDS, ["Zoë Müller"], {"20": 63_025_520, "21": None, "X": 2**31 - 1})
    require_whole_bgzf(file)
    header = read_header(file)
    assert header.samples == ["Zoë Müller"]
    assert header.contigs == {"20": 63_025_520, "21": None, "X": None}


def broken(tmp_path):
    text = vcf_text(many(20_000), ["a"])
    whole = bgzip(tmp_path / "whole.vcf.gz", text).read_bytes()
    return {
        "empty.vcf.gz": b"",
        "plain.vcf": text.encode(),
        "gzip.vcf.gz": gzip.compress(text.encode()),
        "text.vcf.gz": b"hello, these are no genotypes",
        "raw.bcf": b"BCF\2\2" + bytes(40),
        "cut.vcf.gz": whole[: len(whole) // 2],
        "no_end.vcf.gz": whole[:-28],
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty.vcf.gz", "the file is empty"),
        (
            "plain.vcf",
            "a VCF that is not bgzipped: compress it \\(bcftools view -Oz -o plain.vcf.gz plain.vcf",
        ),
        ("gzip.vcf.gz", "compressed by plain gzip, which cannot be indexed"),
        ("text.vcf.gz", "neither VCF nor BCF"),
        ("raw.bcf", "an uncompressed BCF that is not bgzipped"),
        ("cut.vcf.gz", "truncated"),
        ("no_end.vcf.gz", "truncated: the block that marks the end"),
    ],
)
def test_files_that_are_not_whole_are_refused(tmp_path, name, message):
    file = tmp_path / name
    file.write_bytes(broken(tmp_path)[name])
    with pytest.raises(InputError, match=message) as refused:
        require_whole_bgzf(file)
    assert str(refused.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello\n", "neither VCF nor BCF"),
        ("##fileformat=VCFv4.2\n20\t1\n", "the VCF header has no line #CHROM"),
    ],
)
def test_headers_that_are_none_are_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_header(bgzip(tmp_path / "x.vcf.gz", content))


def test_a_header_in_another_encoding_is_refused(tmp_path):
    file = tmp_path / "x.vcf.gz"
    file.write_bytes(gzip.compress(vcf_text(RECORDS, ["Zoë"]).encode("latin-1")))
    with pytest.raises(InputError, match="the header is not UTF-8 text"):
        read_header(file)


def test_a_header_that_cannot_be_decompressed_is_refused(tmp_path):
    file = tmp_path / "x.vcf.gz"
    file.write_bytes(gzip.compress(vcf_text(RECORDS, ["a"]).encode())[:60])
    with pytest.raises(InputError, match="the header cannot be decompressed"):
        read_header(file)


@pytest.mark.parametrize("name", ["x.vcf.gz", "x.bcf"])
def test_damage_in_the_middle_names_the_last_good_record(tmp_path, name):
    file = write_vcf(tmp_path / name, many(60_000), ["a"])
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    file.write_bytes(content)
    seen = 0
    with pytest.raises(InputError, match=r"the record after 20:\d+ cannot be read") as refused:
        for record in records(file, open_vcf(file)):
            seen = record.POS
    assert f"20:{seen} " in str(refused.value)


def test_what_htslib_cannot_open_is_refused(tmp_path):
    file = tmp_path / "x.vcf.gz"
    file.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be opened as VCF or BCF"):
        open_vcf(file)


@pytest.mark.parametrize(("name", "suffix"), [("x.vcf.gz", ".tbi"), ("x.vcf.gz", ".csi"), ("x.bcf", ".csi")])
def test_sites_come_one_for_each_alt(tmp_path, name, suffix):
    file = write_vcf(tmp_path / name, RECORDS, ["a"])
    make_index(file, file.with_name(name + suffix))
    sites = read_sites(file, "20")
    assert sites.pos.tolist() == [100, 200, 200, 200, 201, 300]
    assert sites.alt == ["C", "A", "ATTT", "<DEL>", ".", "T"]
    assert sites.ref[1:4] == ["ATT"] * 3
    assert sites.record.tolist() == [0, 1, 1, 1, 2, 3]
    assert sites.allele.tolist() == [1, 1, 2, 3, 1, 1]
    # The deletion at 200 reaches to 202, but begins before.
    assert read_sites(file, "20", 201, 250).pos.tolist() == [201]


def test_an_index_tells_records_and_contigs(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", RECORDS, ["a"], contigs={})
    make_index(file, tmp_path / "elsewhere.tbi")
    assert indexed_records(tmp_path / "elsewhere.tbi") == 5
    assert indexed_contigs(file, tmp_path / "elsewhere.tbi") == ["20", "21"]
    (tmp_path / "bad.tbi").write_bytes(b"no index")
    assert indexed_records(tmp_path / "bad.tbi") is None


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 3, 1], "record 3 at 20:200 comes after 20:300: the file is not sorted, sort it"),
        ([0, 4, 1], "record 3 is on 20 again after records of 21: sort the file"),
    ],
)
def test_unsorted_files_are_refused_and_leave_no_index(tmp_path, order, message):
    file = write_vcf(tmp_path / "x.vcf.gz", [RECORDS[i] for i in order], ["a"])
    for refuse in (lambda: require_sorted(file), lambda: make_index(file, tmp_path / "x.vcf.gz.tbi")):
        with pytest.raises(InputError, match=message):
            refuse()
    assert [path.name for path in tmp_path.iterdir()] == ["x.vcf.gz"]


def test_an_index_that_cannot_hold_the_positions_is_refused(tmp_path):
    far = [("20", 2**29 + 10, "A", "C", ["0|1"])]
    file = write_vcf(tmp_path / "x.vcf.gz", far, ["a"])
    with pytest.raises(InputError, match=r"the index \(.tbi\) cannot be made"):
        make_index(file, tmp_path / "x.vcf.gz.tbi")
    make_index(file, tmp_path / "x.vcf.gz.csi")
    with pysam.VariantFile(str(file), index_filename=str(tmp_path / "x.vcf.gz.csi")) as vcf:
        assert [record.pos for record in vcf.fetch("20")] == [2**29 + 10]


def test_a_chromosome_is_found_by_either_name():
    assert contig_of(["chr1", "chr20"], "20") == "chr20"
    assert contig_of(["1", "20"], "chr20") == "20"
    assert contig_of(["1"], "20") is None
