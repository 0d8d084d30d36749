"""From simulated reads to records."""

import itertools
from functools import partial

import numpy as np
import pysam
import pytest

from deepcohort.variants import calls_vcf
from deepcohort.variants import reads as reads_module
from deepcohort.variants.calls import AROUND, call_stretch, joined
from deepcohort.variants.normalise import normalised
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import Reference
from tests.scripts import run_script
from tests.variants.people import Person, sequence_with_repeats

run = partial(run_script, "variants")
FIRST, LAST = 4_000, 16_000


def other_base(base, rng):
    return str(rng.choice([b for b in "ACGT" if b != base]))


def made_up_variants(sequence, rng):
    """Single bases and indels at least 25 bases apart, on one haplotype or both."""
    edits = [[], []]
    at = FIRST
    while at < LAST:
        at += int(rng.integers(25, 200))
        ref = sequence[at - 1]
        kind = rng.choice(["snp", "snp", "insertion", "deletion"])
        size = int(rng.integers(1, 12))
        if kind == "snp":
            edit = (at, ref, other_base(ref, rng))
        elif kind == "insertion":
            edit = (at, ref, ref + "".join(rng.choice(list("ACGT"), size)))
        else:
            edit = (at, sequence[at - 1 : at + size], ref)
        for h in [[0], [1], [0, 1]][int(rng.integers(0, 3))]:
            edits[h].append(edit)
        at += size
    return edits


def truth_of(person):
    """How often each normalised allele is there."""
    found = {}
    for edits in person.edits:
        for edit in edits:
            key = normalised(person.sequence.encode(), 0, *edit)
            found[key] = found.get(key, 0) + 1
    return found


def called(calls, person):
    found = {}
    for call in calls:
        for number, alt in enumerate(call.alleles[1:], 1):
            if number in call.genotype and call.qual >= 10:
                key = normalised(person.sequence.encode(), 0, call.pos, call.alleles[0], alt)
                found[key] = call.genotype.count(number)
    return found


def calls_between(person, files, first, last, ploidy=2):
    """Calls with no more of the reference than is asked for."""
    low, high = max(0, first - AROUND), min(len(person.sequence), last + AROUND)
    text, length = person.sequence[low:high], len(person.sequence)
    reference = Reference.of(person.contig, low, text, length)
    return call_stretch(ReadsFile(*files), reference, first, last, ploidy)[0]


@pytest.fixture(scope="module")
def someone(tmp_path_factory):
    rng = np.random.default_rng(5)
    sequence = sequence_with_repeats(20_000, rng)
    person = Person(sequence, made_up_variants(sequence, rng)).sequenced(30, rng)
    return person, person.write(tmp_path_factory.mktemp("calls"))


def test_variants_are_found_with_their_genotypes(someone):
    person, files = someone
    truth, found = truth_of(person), called(calls_between(person, files, 0, 20_000), person)
    right = sum(found.get(key) == copies for key, copies in truth.items())
    assert len(truth) > 90
    assert 2 * right / (len(truth) + len(found)) > 0.97


@pytest.mark.parametrize("size", [7_000, 1_300, 217])
def test_a_stretch_has_the_calls_of_its_pieces(someone, size):
    person, files = someone
    whole = calls_between(person, files, 3_000, 17_000)
    borders = [*range(3_000, 17_000, size), 17_000]
    if size == 217:
        borders = borders[20:30]
        whole = [call for call in whole if borders[0] < call.pos <= borders[-1]]
    pieces = [
        call
        for first, last in itertools.pairwise(borders)
        for call in calls_between(person, files, first, last)
    ]
    assert pieces == whole
    assert len(whole) > 5


def test_pieces_are_the_whole_where_reads_are_left_out_for_depth(someone, monkeypatch):
    monkeypatch.setattr(reads_module, "MOST_IN_BIN", 150)
    person, files = someone
    whole = calls_between(person, files, 5_000, 9_000)
    borders = [5_000, 5_900, 6_001, 6_500, 7_777, 9_000]
    pieces = [
        call
        for first, last in itertools.pairwise(borders)
        for call in calls_between(person, files, first, last)
    ]
    assert pieces == whole
    assert max(call.dp for call in whole) < 27


def one_site(tmp_path, edits, ploidy=2, depth=30, sequence=None, seed=3):
    """Calls of a person with the given edits of a made-up sequence."""
    rng = np.random.default_rng(seed)
    sequence = sequence or sequence_with_repeats(6_000, np.random.default_rng(1))
    filled = [
        [(pos, sequence[pos - 1 : pos - 1 + ref], alt(sequence[pos - 1])) for pos, ref, alt in own]
        for own in edits
    ]
    person = Person(sequence, filled).sequenced(depth, rng)
    calls = calls_between(person, person.write(tmp_path), 0, 6_000, ploidy)
    return person, [call for call in calls if any(call.genotype)]


def insertion(bases):
    return lambda base: base + bases


def deletion(base):
    return base


def changed(base):
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def test_two_alleles_of_one_site_make_one_record(tmp_path):
    person, calls = one_site(tmp_path, [[(3_000, 1, insertion("GATTACA"))], [(3_000, 4, deletion)]])
    assert [call.genotype for call in calls] == [(1, 2)]
    (call,) = calls
    assert len(call.alleles) == 3
    assert len(call.pl) == 6
    assert call.pl[4] == 0
    assert min(call.ad[1:]) > 5
    assert called(calls, person) == truth_of(person)


def test_two_snps_of_one_site_make_one_record(tmp_path):
    person, calls = one_site(
        tmp_path, [[(3_000, 1, changed)], [(3_000, 1, lambda base: changed(changed(base)))]]
    )
    assert [call.genotype for call in calls] == [(1, 2)]
    assert called(calls, person) == truth_of(person)


def test_neighbouring_changes_of_one_haplotype_are_all_called(tmp_path):
    edits = [(3_000, 1, changed), (3_001, 1, changed), (3_006, 5, deletion), (3_020, 1, changed)]
    person, calls = one_site(tmp_path, [edits, []])
    assert called(calls, person) == truth_of(person)


def test_a_snp_in_what_the_other_haplotype_lacks(tmp_path):
    person, calls = one_site(tmp_path, [[(3_000, 13, deletion)], [(3_006, 1, changed)]])
    assert called(calls, person) == truth_of(person)
    assert {call.genotype for call in calls} == {(0, 1)}


def test_one_copy_has_haploid_genotypes(tmp_path):
    person, calls = one_site(tmp_path, [[(3_000, 1, changed), (3_500, 3, deletion)]], ploidy=1)
    assert [call.genotype for call in calls] == [(1,), (1,)]
    assert [len(call.pl) for call in calls] == [2, 2]
    assert called(calls, person) == truth_of(person)


def test_unknown_bases_of_the_reference_are_no_variants(tmp_path):
    rng = np.random.default_rng(2)
    sequence = sequence_with_repeats(6_000, rng)
    person = Person(sequence, [[], []]).sequenced(30, rng)
    files = person.write(tmp_path)
    text = sequence[:3_000] + "NNRYN" + sequence[3_005:]
    calls = call_stretch(ReadsFile(*files), Reference.of("chr20", 0, text), 0, 6_000)[0]
    assert [call for call in calls if any(call.genotype)] == []


def test_no_reads_no_calls(tmp_path):
    person = Person(sequence_with_repeats(6_000, np.random.default_rng(2)), [[], []])
    assert calls_between(person, person.write(tmp_path), 0, 6_000) == []


def test_records_are_joined_by_the_longest_reference():
    assert joined(["A", "ACG", "AC"], ["AT", "A", "A"]) == ["ACG", "ATCG", "A", "AG"]


def test_the_script_writes_a_vcf_that_bcftools_reads(someone, tmp_path):
    person, (bam, fasta) = someone
    out = tmp_path / "calls.vcf.gz"
    done = run(
        "call-region", bam, "--fasta", fasta, "--region", "20:4001-9000", "--out", out, "--sample", "Zoë"
    )
    assert done.returncode == 0, done.stderr
    assert "p.bam calls the sample me; the name Zoë is used" in done.stderr
    text = pysam.bcftools.view("-H", str(out), "chr20:4001-9000").splitlines()
    calls = calls_between(person, (bam, fasta), 4_000, 9_000)
    assert len(text) == len(calls)
    row, call = next((row.split("\t"), call) for row, call in zip(text, calls, strict=True) if call.qual > 50)
    assert row[:5] == ["chr20", str(call.pos), ".", call.alleles[0], ",".join(call.alleles[1:])]
    assert row[6] == "PASS"
    assert row[8] == "GT:GQ:DP:AD:VAF:PL"
    assert "Zoë" in pysam.bcftools.view("-h", str(out))
    again = tmp_path / "again.vcf.gz"
    run("call-region", bam, "--fasta", fasta, "--region", "20:4001-9000", "--out", again, "--sample", "Zoë")
    assert again.read_bytes() == out.read_bytes()


def test_large_regions_are_called_tile_by_tile(someone, tmp_path, monkeypatch, caplog):
    _, (bam, fasta) = someone
    calls_vcf.call_region(bam, fasta, "chr20", tmp_path / "whole.vcf.gz")
    monkeypatch.setattr(calls_vcf, "TILE", 3_333)
    with caplog.at_level("INFO"):
        calls_vcf.call_region(bam, fasta, "chr20", tmp_path / "tiles.vcf.gz")
    assert (tmp_path / "tiles.vcf.gz").read_bytes() == (tmp_path / "whole.vcf.gz").read_bytes()
    rows = pysam.bcftools.view("-H", str(tmp_path / "whole.vcf.gz")).splitlines()
    passed = sum(row.split("\t")[6] == "PASS" for row in rows)
    assert f"20:1-20000: {passed} PASS" in caplog.text


def test_a_missing_index_is_made_beside_the_calls(someone, tmp_path):
    _, (bam, fasta) = someone
    copy = tmp_path / "copy.bam"
    copy.write_bytes(bam.read_bytes())
    (tmp_path / "out").mkdir()
    done = run(
        "call-region", copy, "--fasta", fasta, "--region", "chr20:1-2000", "--out", tmp_path / "out/x.vcf.gz"
    )
    assert done.returncode == 0, done.stderr
    assert "copy.bam had no index that fits: one was made" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "copy.bam.bai",
        "x.vcf.gz",
        "x.vcf.gz.tbi",
    ]


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chr20:1-10,chr20:500-600", "2 regions: give one"),
        ("21", "p.fa: no contig 21: give the reference that the reads were aligned to"),
        (
            "chr20:30000-40000",
            "p.fa: chr20 ends at 20,000, before the region 20:30000-40000: give one inside",
        ),
    ],
)
def test_regions_that_are_not_there_are_refused(someone, tmp_path, region, message):
    _, (bam, fasta) = someone
    done = run("call-region", bam, "--fasta", fasta, "--region", region, "--out", tmp_path / "x.vcf.gz")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("quality", "told"), [(30, ["PASS", "PASS"]), (18, ["LowBaseQuality", "PASS"])])
def test_single_bases_that_bad_bases_show_are_marked(tmp_path, quality, told):
    rng = np.random.default_rng(6)
    sequence = "".join(rng.choice(list("ACGT"), 4_000))
    ref = sequence[1_999]
    edits = [
        [(2_000, ref, other_base(ref, rng)), (2_500, sequence[2_499], f"{sequence[2_499]}GATTACAGAT")],
        [],
    ]
    person = Person(sequence, edits).sequenced(30, rng)
    person.reads = [(*read[:5], quality) for read in person.reads]
    calls_vcf.call_region(*person.write(tmp_path), "chr20:1500-3000", tmp_path / "calls.vcf.gz")
    with pysam.VariantFile(str(tmp_path / "calls.vcf.gz")) as calls:
        assert [";".join(call.filter.keys()) for call in calls] == told
