"""Real reads of HG002: what is called, and that borders of stretches leave no trace."""

import os
from pathlib import Path

import pytest

from deepcohort.genome.regions import Region
from deepcohort.variants.calls import AROUND, call_stretch
from deepcohort.variants.calls_vcf import write_calls
from deepcohort.variants.evaluate import RIGHT, evaluate
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import Contig, read_reference

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
READS = DATA / "variants/HG002.30x.GRCh37.chr20_10.0_10.1Mb.bam"
FASTA = DATA / "variants/GRCh37.chr20.windows.fa.gz"
TRUTH = DATA / "variants/HG002.v4.2.1.GRCh37lift.chr20_9995000_11095000"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not there: {DATA} (set DEEPCOHORT_DATA)"),
]


def calls_between(first, last):
    reference = read_reference(FASTA, Region("20", first, last), AROUND)
    return call_stretch(ReadsFile(READS, FASTA), reference, first - 1, last)[0]


@pytest.fixture(scope="module")
def whole():
    return calls_between(10_000_001, 10_100_000)


def test_pieces_of_7_kb_have_the_same_calls(whole):
    pieces = [
        call
        for first in range(10_000_001, 10_100_001, 7_000)
        for call in calls_between(first, min(first + 6_999, 10_100_000))
    ]
    assert pieces == whole


def test_the_calls_agree_with_the_truth(whole, tmp_path):
    write_calls(tmp_path / "calls.vcf.gz", "HG002", Contig("chr20", 63_025_520), whole)
    bed = tmp_path / "inside.bed"
    known = [line.split()[:3] for line in Path(f"{TRUTH}.bed").read_text().splitlines()]
    inside = [(c, max(int(a), 10_000_000), min(int(b), 10_100_000)) for c, a, b in known]
    bed.write_text("".join(f"{c}\t{a}\t{b}\n" for c, a, b in inside if a < b))
    found = evaluate(tmp_path / "calls.vcf.gz", Path(f"{TRUTH}.vcf.gz"), FASTA, bed)
    for least, is_snp in ((0.995, True), (0.97, False)):
        of_kind = [one for one in found.judged if (len(one.unit.key[1]) == len(one.unit.key[2])) == is_snp]
        assert len(of_kind) > 60
        assert sum(one.verdict == RIGHT for one in of_kind) / len(of_kind) > least
