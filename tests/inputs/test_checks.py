import json

import pytest
from cyvcf2 import VCF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import indexed_records, make_index
from deepcohort.inputs.checks import check_genotypes, write_check
from tests.genotypes import bgzip, vcf_text, write_vcf

PEOPLE = ["Zoë", "B C", "d"]
PHASED = [
    ("chr20", 100, "A", "C", ["0|1", "1|1", "0|0"]),
    ("chr20", 200, "ATT", "A,<DEL>", ["0|2", "1|0", "2|2"]),
    ("chr20", 300, "G", ".", ["0|0", "0|0", "0|0"]),
    ("chrX", 50, "C", "G", ["0|1", "1", "0"]),
]


def check(file, panel=False, index=None, suffix=".csi"):
    return check_genotypes(
        file,
        panel=panel,
        name="cohort.target001",
        index=index,
        out_sites=file.parent / "cohort.target001.sites.bcf",
        out_index=file.parent / f"{file.name}{suffix}",
    )


@pytest.mark.parametrize("panel", [True, False])
@pytest.mark.parametrize("name", ["x.vcf.gz", "x.bcf"])
def test_a_good_file_is_summed_up(tmp_path, name, panel):
    file = write_vcf(
        tmp_path / name, PHASED, PEOPLE, {"chr20": 64_444_167, "chrX": None, "chr1": 248_956_422}
    )
    found = check(file, panel)
    assert found.contigs == {"20": "chr20", "X": "chrX"}
    assert found.lengths == {"chr20": 64_444_167, "chrX": None}
    assert found.build == "GRCh38"
    assert found.samples == PEOPLE
    assert (found.records, found.phased, found.haploid_genotypes, found.missing) == (4, 1.0, 2, 0)
    assert indexed_records(tmp_path / f"{name}.csi") == 4
    assert found.notes[0] == f"{name} had no index: one was made."
    assert "2 haploid genotypes" in found.notes[1]
    assert "1 records without ALT" in found.notes[2]


def test_sites_carry_counts_and_are_indexed(tmp_path):
    check(write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE))
    sites = VCF(str(tmp_path / "cohort.target001.sites.bcf"))
    assert sites.samples == []
    found = [(s.CHROM, s.POS, s.REF, s.ALT, s.INFO.get("AC"), s.INFO["AN"]) for s in sites("chr20:150-400")]
    assert found == [
        ("chr20", 200, "ATT", ["A", "<DEL>"], (1, 3), 6),
        ("chr20", 300, "G", [], None, 6),
    ]
    assert [(s.POS, s.INFO["AC"], s.INFO["AN"]) for s in sites("chrX")] == [(50, 2, 4)]


def test_a_report_is_json_that_keeps_names(tmp_path):
    found = check(write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE))
    write_check(found, tmp_path / "x.check.json")
    said = json.loads((tmp_path / "x.check.json").read_text("utf-8"))
    assert said["samples"] == PEOPLE
    assert said["name"] == "cohort.target001"
    assert said["file"] == "x.vcf.gz"


def test_unphased_missing_and_half_missing_genotypes_are_counted(tmp_path):
    records = [
        ("20", 100, "A", "C", ["0/1", "./.", "0|1"]),
        ("20", 200, "A", "C", ["1/0", "./.", "./1"]),
        ("20", 300, "A", "C", ["0/0", ".", "0|1"]),
    ]
    found = check(write_vcf(tmp_path / "x.vcf.gz", records, PEOPLE))
    assert found.missing == 4
    assert found.phased == pytest.approx(2 / 4)
    assert "no genotype at all for B C: only panel frequencies can be given" in found.notes[-1]


def test_where_nobody_is_heterozygous_all_genotypes_tell_the_phase(tmp_path):
    records = [("20", 100, "A", "C", ["0|0", "1/1", "1"])]
    assert check(write_vcf(tmp_path / "x.vcf.gz", records, PEOPLE)).phased == 0.5


def test_a_panel_may_write_homozygotes_unphased(tmp_path):
    records = [("20", 100, "A", "C", ["0/0", "1/1", "0|1"])]
    assert check(write_vcf(tmp_path / "x.bcf", records, PEOPLE), panel=True).phased == 1.0


def test_alleles_that_are_letters_are_counted(tmp_path):
    records = [("20", 100, "I", "D", ["0/0"] * 3), ("20", 101, "A", "C", ["0/1"] * 3)]
    found = check(write_vcf(tmp_path / "x.vcf.gz", records, PEOPLE))
    assert found.dropped == {"alleles_not_written_as_bases": 1}
    assert "1 records whose alleles are letters such as I, D or 0" in found.notes[-1]


def test_contigs_without_a_header_line_are_found_by_the_index(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE, contigs={})
    assert check(file).lengths == {"chr20": None, "chrX": None}


def test_the_index_given_is_used(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE)
    (tmp_path / "given").mkdir()
    make_index(file, tmp_path / "given/x.vcf.gz.tbi")
    found = check(file, index=tmp_path / "given/x.vcf.gz.tbi", suffix=".tbi")
    assert not any("index" in note for note in found.notes)
    given = (tmp_path / "given/x.vcf.gz.tbi").read_bytes()
    assert (tmp_path / "x.vcf.gz.tbi").read_bytes() == given


def test_the_index_of_another_file_is_replaced(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE)
    other = write_vcf(tmp_path / "other.vcf.gz", PHASED[:2], PEOPLE)
    make_index(other, tmp_path / "other.vcf.gz.csi")
    found = check(file, index=tmp_path / "other.vcf.gz.csi")
    assert "The index given with x.vcf.gz is not of this file: another was made." in found.notes
    assert indexed_records(tmp_path / "x.vcf.gz.csi") == 4


def test_an_index_that_is_none_is_replaced(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", PHASED, PEOPLE)
    (tmp_path / "bad.csi").write_text("no index")
    found = check(file, index=tmp_path / "bad.csi")
    assert "The index bad.csi could not be used: another was made." in found.notes


def refused(file, panel):
    """The message, after seeing that nothing was left that looks finished."""
    with pytest.raises(InputError) as error:
        check(file, panel)
    assert not list(file.parent.glob("*.sites.bcf*"))
    message = str(error.value)
    assert message.startswith(file.name)
    return message


@pytest.mark.parametrize("panel", [True, False])
@pytest.mark.parametrize(
    ("records", "people", "message"),
    [
        (PHASED, [], "no samples: the VCF holds sites only"),
        (PHASED, ["a", "b", "a"], "sample 'a' occurs twice in the header: rename or remove one"),
        (PHASED, ["a", "a", "a"], "sample 'a' occurs twice in the header"),
        ([], PEOPLE, "empty: the VCF has a header but no record"),
        ([PHASED[1], PHASED[0]], PEOPLE, "record 2 at chr20:100 comes after chr20:200"),
        ([PHASED[0], PHASED[3], PHASED[1]], PEOPLE, "record 3 is on chr20 again after records of chrX"),
        (
            [PHASED[0], ("20", 5, "A", "C", ["0|0"] * 3)],
            PEOPLE,
            "chromosome 20 goes by two names, chr20 and 20: rename one",
        ),
        ([("20", 5, "A", "C", ["0|0|1"] * 3)], PEOPLE, "record 20:5 has genotypes of 3 alleles"),
    ],
)
def test_bad_files_are_refused(tmp_path, records, people, message, panel):
    file = write_vcf(
        tmp_path / "x.vcf.gz", records, people, contigs={"20": None, "chr20": None, "chrX": None}
    )
    assert message in refused(file, panel)


def test_duplicated_samples_are_counted(tmp_path):
    file = write_vcf(tmp_path / "x.vcf.gz", [("20", 5, "A", "C", ["0|0"] * 4)], ["a", "a", "b", "b"])
    assert "sample 'a' occurs twice in the header (as do 1 more)" in refused(file, panel=False)


@pytest.mark.parametrize("panel", [True, False])
def test_records_without_genotypes_are_refused(tmp_path, panel):
    file = write_vcf(tmp_path / "x.vcf.gz", [("20", 5, "A", "C", ["0.5"] * 3)], PEOPLE, form="DS")
    assert "record 20:5 has no GT field (it has DS)" in refused(file, panel)


@pytest.mark.parametrize("panel", [True, False])
def test_a_truncated_file_is_refused(tmp_path, panel):
    whole = bgzip(tmp_path / "y.vcf.gz", vcf_text(PHASED, PEOPLE)).read_bytes()
    file = tmp_path / "x.vcf.gz"
    file.write_bytes(whole[:-30])
    assert "truncated" in refused(file, panel)


def test_an_unphased_panel_is_refused_at_its_first_genotype(tmp_path):
    records = [PHASED[0], ("chr20", 150, "A", "C", ["0/0", "1|1", "0/1"])]
    message = refused(write_vcf(tmp_path / "x.bcf", records, PEOPLE), panel=True)
    assert "the genotype of d at chr20:150 is not phased (0/1): a reference panel must be phased" in message


@pytest.mark.parametrize("cell", [".|.", "0|.", "."])
def test_an_incomplete_panel_is_refused_at_its_first_genotype(tmp_path, cell):
    records = [PHASED[0], ("chr20", 150, "A", "C", ["0|0", cell, "0|1"])]
    message = refused(write_vcf(tmp_path / "x.bcf", records, PEOPLE), panel=True)
    assert "the genotype of B C at chr20:150 is missing: a reference panel must be complete" in message


allele = st.sampled_from([".", "0", "1", "2"])
cells = st.one_of(allele, st.tuples(allele, st.sampled_from("/|"), allele).map("".join))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6))
def test_counts_agree_with_reading_the_text(tmp_path, genotypes):
    records = [("20", 100 + i, "A", "C,G", row) for i, row in enumerate(genotypes)]
    found = check(write_vcf(tmp_path / "x.vcf.gz", records, PEOPLE))
    every = [cell for row in genotypes for cell in row]
    haploid = [cell for cell in every if len(cell) == 1 and cell != "."]
    heterozygous = [cell for cell in every if len(cell) == 3 and "." not in cell and cell[0] != cell[2]]
    assert found.missing == sum("." in cell for cell in every)
    assert found.haploid_genotypes == len(haploid)
    if heterozygous:
        expected = sum(cell[1] == "|" for cell in heterozygous) / len(heterozygous)
        assert found.phased == pytest.approx(expected, abs=1e-6)
    for site, row in zip(VCF(str(tmp_path / "cohort.target001.sites.bcf")), genotypes, strict=True):
        text = "".join(row)
        assert site.INFO["AC"] == (text.count("1"), text.count("2"))
        assert site.INFO["AN"] == sum(text.count(a) for a in "012")
