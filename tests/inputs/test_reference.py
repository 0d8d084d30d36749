"""REF of VCFs compared with a reference sequence that the tests make up."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.inputs import reference
from deepcohort.inputs.checks import check_genotypes
from deepcohort.inputs.fasta import check_fasta
from tests.genotypes import bgzip, write_vcf

SEQUENCE = "".join(random.Random(20).choices("ACGT", k=6_000))
OTHER = {"A": "C", "C": "A", "G": "T", "T": "G"}
TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    return write_fasta(tmp_path_factory.mktemp("fasta") / "ref.fa")


def write_fasta(path, sequences=None):
    lines = []
    for name, bases in (sequences or {"20": SEQUENCE, "21": "N" * 500}).items():
        lines += [f">{name}", *(bases[i : i + 60] for i in range(0, len(bases), 60))]
    text = "\n".join(lines) + "\n"
    bgzip(path, text) if path.suffix == ".gz" else path.write_text(text)
    check_fasta(path, name="reference", out_index=path.with_name(f"{path.name}.fai"))
    return path


def base(position):
    return SEQUENCE[position - 1]


def right(position, contig="20"):
    return (contig, position, base(position), TRANSITION[base(position)], ["0|1", "0|0"])


def check(folder, records, fasta, *, panel=False, contigs=None):
    file = write_vcf(folder / "x.vcf.gz", records, ["a", "b"], contigs)
    return check_genotypes(
        file,
        panel=panel,
        name="x",
        index=None,
        out_sites=folder / "x.sites.bcf",
        out_index=folder / "x.vcf.gz.csi",
        fasta=fasta,
    )


def refused(folder, records, fasta, **options):
    with pytest.raises(InputError) as error:
        check(folder, records, fasta, **options)
    assert not list(folder.glob("*.sites.bcf*"))
    return str(error.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("window", [1, 7, 2**20])
def test_right_records_agree_however_they_are_written(tmp_path, monkeypatch, window, packed):
    monkeypatch.setattr(reference, "WINDOW", window)
    fasta = write_fasta(tmp_path / ("ref.fa.gz" if packed else "ref.fa"))
    deletion = ("20", 30, SEQUENCE[29:60], base(30), ["0|1", "0|0"])
    lower = ("20", 61, base(61).lower(), OTHER[base(61)], ["0|1", "0|0"])
    last = right(len(SEQUENCE))
    found = check(tmp_path, [right(1), deletion, right(31), lower, last], fasta, panel=True)
    assert (found.ref_compared, found.ref_differs) == (5, 0)
    assert found.notes == ["x.vcf.gz had no index: one was made."]


def test_names_with_and_without_chr_are_harmonised_and_that_is_said(tmp_path, fasta):
    found = check(tmp_path, [right(5, "chr20")], fasta)
    assert found.ref_compared == 1
    assert "x.vcf.gz and ref.fa name chromosomes differently (chr20 is 20): taken as the same." in found.notes


def test_few_differences_are_kept_counted_and_told(tmp_path, fasta):
    records = [right(position) for position in range(1, 101)]
    swapped = ("20", 50, TRANSITION[base(50)], base(50), ["0|1", "0|0"])
    flipped = ("20", 60, COMPLEMENT[base(60)], COMPLEMENT[TRANSITION[base(60)]], ["0|1", "0|0"])
    records[49], records[59] = swapped, flipped
    found = check(tmp_path, records, fasta)
    assert (found.ref_compared, found.ref_differs, found.records) == (100, 2, 100)
    assert found.notes[-1] == (
        f"REF of x.vcf.gz differs from ref.fa at 2 of 100 records, the first at record 50, 20:50, with REF "
        f"{TRANSITION[base(50)]} where the FASTA has {base(50)} (at 2 the FASTA has an ALT, or the alleles "
        "are of the other strand): kept, as sites are matched with the panel by their alleles."
    )


def test_a_panel_must_agree_better_than_a_target(tmp_path, fasta):
    records = [right(position) for position in range(1, 101)]
    wrong = OTHER[base(40)]
    for position in (40, 41):
        records[position - 1] = ("20", position, OTHER[base(position)], base(position), ["0|1", "0|0"])
    assert check(tmp_path, records, fasta).ref_differs == 2
    (tmp_path / "x.sites.bcf").unlink()
    (tmp_path / "x.sites.bcf.csi").unlink()
    assert refused(tmp_path, records, fasta, panel=True) == (
        f"x.vcf.gz: REF differs from ref.fa at 2 of 100 records, the first at record 40, 20:40, with REF "
        f"{wrong} where the FASTA has {base(40)} (at 2 the FASTA has an ALT, or the alleles are of the other "
        "strand): put REF right (bcftools norm --check-ref s -f ref.fa; for arrays the plugin +fixref), or "
        "give the reference that the file was made with"
    )


def test_another_build_is_refused_before_the_file_is_read_to_its_end(tmp_path, fasta):
    picks = random.Random(1)
    bases = [picks.choice("ACGT") for _ in range(2_000)]
    records = [("20", n, ref, TRANSITION[ref], ["0|1", "0|0"]) for n, ref in enumerate(bases, 1)]
    message = refused(tmp_path, records, fasta)
    different = sum(ref != base(n) for n, ref in enumerate(bases[:1_000], 1))
    assert message.startswith(
        f"x.vcf.gz: REF differs from ref.fa at {different} of the first 1,000 records, the "
    )
    assert message.endswith(
        ": it looks like another genome build, so give the reference of the file's build, or lift the file "
        "over"
    )


def test_a_record_beyond_the_sequence_is_refused(tmp_path, fasta):
    beyond = ("20", len(SEQUENCE), base(len(SEQUENCE)) + "A", "A", ["0|1", "0|0"])
    assert refused(tmp_path, [right(3), beyond], fasta) == (
        "x.vcf.gz: record 2 at 20:6000 lies beyond the end of 20 in ref.fa (6,000 bases): they are of "
        "different genome builds, so give the reference of the file's build, or lift the file over"
    )


def test_a_reference_of_other_chromosomes_is_refused(tmp_path, fasta):
    records = [("22", 5, "A", "C", ["0|1", "0|0"])]
    assert refused(tmp_path, records, fasta) == (
        "x.vcf.gz: ref.fa has none of its chromosomes (22; it has 20, 21): give the reference that the "
        "file was made with"
    )


def test_what_cannot_be_compared_is_said(tmp_path, fasta):
    plain = [("21", 5, "A", "C", ["0|1", "0|0"]), ("22", 5, "A", "C", ["0|1", "0|0"])]
    found = check(tmp_path, plain, fasta)
    assert (found.ref_compared, found.ref_differs) == (0, 0)
    assert found.notes[1:] == [
        "ref.fa has no 22: REF was not compared at 1 records of x.vcf.gz.",
        "ref.fa has only N where x.vcf.gz has records: REF was not compared.",
    ]


def test_a_header_with_another_length_is_told_when_ref_agrees(tmp_path, fasta):
    found = check(tmp_path, [right(5)], fasta, contigs={"20": 63_025_520})
    assert found.notes[-1] == (
        "The header of x.vcf.gz gives 20 63,025,520 bases, ref.fa has 6,000: REF agrees, so the header is "
        "not believed."
    )


@pytest.mark.parametrize("index", [None, "none\n"])
def test_a_reference_without_a_good_index_is_refused(tmp_path, index):
    (tmp_path / "ref.fa").write_text(f">20\n{SEQUENCE}\n")
    if index:
        (tmp_path / "ref.fa.fai").write_text(index)
    with pytest.raises(InputError, match=r"ref\.fa: .*samtools faidx"):
        check(tmp_path, [right(5)], tmp_path / "ref.fa")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 5_900), st.sampled_from("ACGTN"), st.integers(1, 40)), min_size=1))
def test_counts_agree_with_slicing_the_text(tmp_path, fasta, drawn):
    """Each REF is the sequence itself with, perhaps, another first base."""
    sites = sorted((p, first + SEQUENCE[p : p - 1 + n]) for p, first, n in drawn)
    differs = [ref != SEQUENCE[p - 1 : p - 1 + len(ref)] for p, ref in sites if "N" not in ref]
    records = [("20", p, ref, "<DEL>", ["0|1", "0|0"]) for p, ref in sites]
    try:
        found = check(tmp_path, records, fasta)
    except InputError as error:
        assert sum(differs) > 0.05 * len(differs)
        assert f"at {sum(differs)} of {len(differs)} records" in str(error)
    else:
        assert sum(differs) <= 0.05 * len(differs)
        assert (found.ref_compared, found.ref_differs) == (len(differs), sum(differs))
