"""Calls of other callers as candidates and votes."""

from functools import partial

import numpy as np
import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.variants.calls_vcf import call_region
from tests.genotypes import write_vcf
from tests.scripts import run_script
from tests.variants.people import Person

run = partial(run_script, "variants")
LENGTH = 6_000
SEQUENCE = "".join(np.random.default_rng(11).choice(list("ACGT"), LENGTH))
SEQUENCE = f"{SEQUENCE[:2999]}GCATATATATATGC{SEQUENCE[3013:]}"
HET, HOM, SHORTER, NOT_THERE = 1_500, 2_000, 3_001, 4_000
LATE = 5_500
"""No read comes here."""


def base(pos):
    return SEQUENCE[pos - 1]


def other(pos):
    return "ACGT"["ACGT".index(base(pos)) - 1]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Reads of somebody with a heterozygous and a homozygous SNP and AT less in a repeat, to LATE."""
    edits = [(HOM, base(HOM), other(HOM))]
    person = Person(
        SEQUENCE, [[(HET, base(HET), other(HET)), *edits, (SHORTER, SEQUENCE[3000:3003], base(3002))], edits]
    ).sequenced(30, np.random.default_rng(2))
    person.reads = [read for read in person.reads if read[2] < LATE - 500]
    return person.write(tmp_path_factory.mktemp("others"))


def write_calls_of(folder, name, records, sample="me"):
    path = folder / f"{name}.vcf.gz"
    write_vcf(path, [("chr20", *record) for record in records], [sample], {"chr20": LENGTH})
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def called(folder, files, given, **more):
    out = folder / "calls.vcf.gz"
    call_region(files[0], files[1], "chr20", out, call_with=given, **more)
    with pysam.VariantFile(str(out)) as calls:
        return {call.pos: call for call in calls}


def test_calls_say_who_agrees(tmp_path, files):
    one = [
        (HET, base(HET), other(HET), ["0/1"]),
        (HOM, base(HOM), other(HOM), ["0/1"]),
        # the same deletion, written at the repeat's end
        (3009, SEQUENCE[3008:3011], base(3009), ["0/1"]),
    ]
    given = {
        "one": write_calls_of(tmp_path, "one", one),
        "two": write_calls_of(tmp_path, "two", [(HOM, base(HOM), other(HOM), ["1/1"])]),
    }
    calls = called(tmp_path, files, given, gvcf=tmp_path / "calls.g.vcf.gz")
    said = {pos: (call.info["CALLED_BY"], call.info.get("AGREE", ())) for pos, call in calls.items()}
    assert said == {
        HET: (("one",), ("one",)),
        HOM: (("one&two",), ("two",)),
        SHORTER: (("one",), ("one",)),
    }
    assert [call.samples[0]["GT"] for call in calls.values()] == [(0, 1), (1, 1), (0, 1)]
    with pysam.VariantFile(str(tmp_path / "calls.g.vcf.gz")) as blocks:
        told = {one.pos: one.info["CALLED_BY"] for one in blocks if "CALLED_BY" in one.info}
    assert told == {pos: (*names, ".") for pos, (names, _) in said.items()}
    plain = called(tmp_path, files, None)
    assert list(plain) == list(calls) and not any("CALLED_BY" in call.info for call in plain.values())


def test_what_another_caller_writes_otherwise_stays_as_it_was(tmp_path):
    """Two neighbouring bases, which another caller writes as a deletion and an insertion."""
    at = NOT_THERE
    alt = other(at) + other(at + 1)
    edits = [[(at, SEQUENCE[at - 1 : at + 1], alt)], []]
    files = Person(SEQUENCE, edits).sequenced(20, np.random.default_rng(4)).write(tmp_path)
    before, after = base(at - 1), base(at + 1)
    records = [
        (at - 1, SEQUENCE[at - 2 : at + 1], before, ["0/1"]),
        (at + 1, after, after + alt, ["0/1"]),
    ]
    given = {"one": write_calls_of(tmp_path, "one", records)}
    texts = []
    for one in (None, given):
        called(tmp_path, files, one)
        lines = pysam.bcftools.view("-H", "-f", "PASS", str(tmp_path / "calls.vcf.gz")).splitlines()
        texts.append([(*line.split("\t")[1:5], line.split("\t")[9][:3]) for line in lines])
    assert texts[0] == texts[1] and len(texts[0]) == 2


def test_what_reads_do_not_show_is_refused_and_said(tmp_path, files):
    alleles = [
        (NOT_THERE, base(NOT_THERE), other(NOT_THERE), ["1/1"]),
        (
            NOT_THERE + 200,
            base(NOT_THERE + 200),
            base(NOT_THERE + 200) + "GATTA" + other(NOT_THERE + 200),
            ["0/1"],
        ),
        (NOT_THERE + 400, base(NOT_THERE + 400), base(NOT_THERE + 400) + "GC" * 40, ["0/1"]),
        (LATE, base(LATE), other(LATE), ["1/1"]),
    ]
    calls = called(tmp_path, files, {"one": write_calls_of(tmp_path, "one", alleles)})
    for pos in (NOT_THERE, NOT_THERE + 200):
        assert calls[pos].samples[0]["GT"] == (0, 0) and calls[pos].filter.keys() == ["RefCall"]
        assert calls[pos].samples[0]["AD"][1] == 0 and calls[pos].info["CALLED_BY"] == ("one",)
    assert NOT_THERE + 400 not in calls and LATE not in calls


def weak(folder, reads):
    """Somebody of whose reads at NOT_THERE only some show another base; the qualities are low."""
    person = Person(SEQUENCE, [[], []]).sequenced(12, np.random.default_rng(4), error=0.01)
    left = reads
    for number, (name, reverse, start, cigar, bases, _) in enumerate(person.reads):
        at = NOT_THERE - 1 - start
        if left and 10 < at < 90 and cigar == "100M":
            changed = bases[:at] + other(NOT_THERE) + bases[at + 1 :]
            person.reads[number] = (name, reverse, start, cigar, changed, 20)
            left -= 1
    assert not left
    return person.write(folder)


def test_who_calls_an_allele_makes_it_likelier_if_votes_count(tmp_path):
    files = weak(tmp_path, 3)
    yes = write_calls_of(tmp_path, "yes", [(NOT_THERE, base(NOT_THERE), other(NOT_THERE), ["0/1"])])
    no = write_calls_of(tmp_path, "no", [(HET, base(HET), other(HET), ["0/1"])])
    quality = {
        name: called(tmp_path, files, given, votes=2.0)[NOT_THERE].qual
        for name, given in {
            "nobody": None,
            "yes": {"a": yes},
            "no": {"a": no},
            "half": {"a": yes, "b": no},
        }.items()
    }
    assert (
        quality["no"] < quality["nobody"] < quality["yes"]
        and quality["no"] < quality["half"] < quality["yes"]
    )
    assert called(tmp_path, files, {"a": yes})[NOT_THERE].qual == quality["nobody"]


def test_the_calls_of_a_region_are_those_of_its_pieces(tmp_path, files):
    records = [(pos, base(pos), other(pos), ["0/1"]) for pos in range(1_000, 5_000, 331)]
    records += [(pos, SEQUENCE[pos - 1 : pos + 3], base(pos), ["0/1"]) for pos in range(1_100, 5_000, 497)]
    given = {"one": write_calls_of(tmp_path, "one", sorted(records))}
    text = {}
    for region in ("chr20:1001-4700", "chr20:1001-2000", "chr20:2001-3003", "chr20:3004-4700"):
        out = tmp_path / f"{region[6:]}.vcf.gz"
        call_region(files[0], files[1], region, out, call_with=given)
        with pysam.BGZFile(str(out), "rb", None) as lines:
            text[region] = [line for line in lines if not line.startswith(b"#")]
    whole, *pieces = text.values()
    assert [line for piece in pieces for line in piece] == whole and len(whole) > 15


@pytest.mark.parametrize(
    ("name", "sample", "indexed", "message"),
    [
        ("a b", "me", True, "--call-with a b=one.vcf.gz: write the name of letters, digits and _"),
        ("one", "you", True, "one.vcf.gz: has no genotypes of me: rename the person's column"),
        ("one", "me", False, "one.vcf.gz: there is no index: make one"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, files, name, sample, indexed, message):
    path = write_calls_of(tmp_path, "one", [(HET, base(HET), other(HET), ["0/1"])], sample)
    if not indexed:
        path.with_name("one.vcf.gz.tbi").unlink()
    with pytest.raises(InputError) as error:
        called(tmp_path, files, {name: path})
    assert message in str(error.value)
