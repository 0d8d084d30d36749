"""A public truth set written in other words is the same truth."""

import os
from pathlib import Path

import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.variants.evaluate import evaluate
from tests.genotypes import bgzip

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SET = DATA / "variants" / "HG002.v4.2.1.GRCh38.chr20_0_10Mb"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not there: {DATA} (set DEEPCOHORT_DATA)"),
]

FIRST, LAST = 2_000_001, 4_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("truth")
    with pysam.FastaFile(str(DATA / "variants" / "GRCh38.chr20_0_10Mb.fa.gz")) as packed:
        text = packed.fetch("chr20")
    (path / "r.fa").write_text(f">chr20\n{text}\n")
    pysam.faidx(str(path / "r.fa"))
    (path / "r.bed").write_text(f"chr20\t{FIRST - 1}\t{LAST}\n")
    records = [
        (r.POS, r.REF, r.ALT, r.genotypes[0][:2])
        for r in VCF(f"{SET}.vcf.gz")(f"chr20:{FIRST - 5000}-{LAST + 5000}")
    ]
    return path, text.upper(), records


def moved_right(text, pos, ref, alt, end):
    """An indel as far to the right as its repeat goes, but not to ``end``; POS counts from 1."""
    unit = ref[1:] or alt[1:]
    while pos + len(ref) < end and text[pos] == unit[0] and text[pos + len(ref[1:])] == unit[0] and ref[1:]:
        pos, unit = pos + 1, unit[1:] + unit[0]
    while not ref[1:] and pos + 1 < end and text[pos] == unit[0]:
        pos, unit = pos + 1, unit[1:] + unit[0]
    base = text[pos - 1]
    return (pos, base + unit, base) if ref[1:] else (pos, base, base + unit)


def test_the_same_truth_in_other_words(folder):
    """Indels at the right end of their repeats, and two alternatives in two records."""
    path, text, records = folder
    lines, moved, split = [], 0, 0
    for number, (pos, ref, alts, genotype) in enumerate(records):
        end = records[number + 1][0] - 1 if number + 1 < len(records) else len(text)
        if len(alts) == 2:
            lines += [(pos, ref, alt, "0/1") for alt in alts]
            split += 1
            continue
        one, shown = (pos, ref, alts[0]), "/".join(map(str, genotype))
        if min(len(ref), len(alts[0])) == 1 < len(ref + alts[0]) - 1 and ref[0] == alts[0][0]:
            one = moved_right(text, pos, ref, alts[0], end)
            moved += one[0] != pos
        lines.append((*one, shown))
    head = (
        "##fileformat=VCFv4.2\n##contig=<ID=chr20,length=10000000>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme\n"
    )
    rows = (f"chr20\t{p}\t.\t{r}\t{a}\t50\tPASS\t.\tGT\t{g}\n" for p, r, a, g in sorted(lines))
    calls = bgzip(path / "moved.vcf.gz", head + "".join(rows))
    found = evaluate(calls, Path(f"{SET}.vcf.gz"), path / "r.fa", path / "r.bed")
    assert moved > 200
    assert split > 10
    assert len(found.judged) > 5_000
    assert [one for one in found.judged if one.verdict != "right"] == []
