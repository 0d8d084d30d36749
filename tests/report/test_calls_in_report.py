"""Called variants in the report: counted from a VCF, told as a table, curves and figures."""

import json

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.report import calls
from deepcohort.report.tables import Files, write_tables
from deepcohort.variants.statistics import count_calls, count_cohort, write_counts
from tests.genotypes import bgzip

HEADER = """##fileformat=VCFv4.3
##contig=<ID=20,length=1000>
##FILTER=<ID=LowQual,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme
"""
RECORDS = [  # REF, ALT, FILTER, entry
    ("A", "G", "PASS", "0/1:40:20"),
    ("C", "T", "PASS", "1/1:99:30"),
    ("C", "A,CTT", "PASS", "1/2:50:30"),
    ("CAA", "C", "PASS", "0/1:40:300"),
    ("A", "C", "PASS", "1:20:7"),
    ("A", "G", "LowQual", "0/1:3:4"),
]


@pytest.fixture
def counts(tmp_path):
    lines = [
        f"20\t{10 * (i + 1)}\t.\t{ref}\t{alt}\t50\t{filter_}\t.\tGT:GQ:DP\t{entry}\n"
        for i, (ref, alt, filter_, entry) in enumerate(RECORDS)
    ]
    vcf = bgzip(tmp_path / "me.vcf.gz", HEADER + "".join(lines))
    return count_calls(vcf)


def test_calls_are_counted(counts):
    expected = {
        **{("filter", "PASS"): 5, ("filter", "LowQual"): 1},
        **{("type", "snp"): 4, ("type", "insertion"): 1, ("type", "deletion"): 1},
        **{("substitution", "transition"): 2, ("substitution", "transversion"): 2},
        **{("zygosity", "heterozygous"): 3, ("zygosity", "homozygous"): 1, ("zygosity", "haploid"): 1},
        **{("depth", "7"): 1, ("depth", "20"): 1, ("depth", "30"): 2, ("depth", "100"): 1},
        **{("gq", "20"): 1, ("gq", "40"): 2, ("gq", "50"): 1, ("gq", "99"): 1},
    }
    assert counts == expected


def evaluation(path):
    header = [
        "name",
        "stratum",
        "bin",
        "type",
        "truth",
        "calls",
        "precision",
        "recall",
        "f1",
        "f1_low",
        "f1_high",
    ]
    rows = [
        ["me", "all", "all", "snp", 10, 9, 1, 0.9, 0.947, 0.8, "NA"],
        ["me", "all", "all", "insertion", 1, 1, 1, 1, 1, 1, 1],
        ["me", "coverage", "30-49", "snp", 10, 9, 1, 0.9, 0.947, 0.8, 1],
    ]
    return table(path, header, *rows)


def test_sections_of_calls(tmp_path, counts):
    write_counts(tmp_path / "me.counts.tsv", {"me <b>": counts})
    files = Files(calls=[tmp_path / "me.counts.tsv"], evaluation=[evaluation(tmp_path / "evaluation.tsv")])
    write_tables(files, tmp_path / "mqc")
    made = {path.name: json.loads(path.read_text()) for path in (tmp_path / "mqc").glob("*.json")}
    table = made["called_variants_mqc.json"]["data"]["me &lt;b&gt;"]
    assert table["snps"] == 4 and table["insertions"] == table["deletions"] == table["low"] == 1
    assert (table["titv"], table["hethom"], table["depth"]) == (1.0, 3.0, 30.0)
    depth, quality = made["calls_distribution_mqc.json"]["data"]
    assert dict(map(tuple, depth["me &lt;b&gt;"]))[30] == pytest.approx(0.4)
    assert sum(share for _, share in quality["me &lt;b&gt;"]) == pytest.approx(1)
    figures = made["calls_evaluation_mqc.json"]["data"]
    assert list(figures) == ["me · SNPs"]
    assert figures["me · SNPs"]["f1"] == 0.947 and figures["me · SNPs"]["f1_high"] is None
    assert (
        "Variants of one person were called from reads: 6 that pass" in made["summary_notes_mqc.json"]["data"]
    )


def test_people_genotyped_together(tmp_path, counts):
    records = [  # FILTER, genotypes of ann, bob, cyd
        ("PASS", "0/1", "0/0", "./."),
        ("PASS", "1/1", "0/1", "1"),
        ("PASS", ".", "0", "0/1"),
        ("LowQual", "0/1", "0/1", "0/1"),
    ]
    lines = [
        f"20\t{10 * (i + 1)}\t.\tA\tC\t50\t{filter_}\t.\tGT\t" + "\t".join(entries) + "\n"
        for i, (filter_, *entries) in enumerate(records)
    ]
    head = HEADER.replace("\tme\n", "\tann\tbob\tcyd\n")
    found = count_cohort(bgzip(tmp_path / "cohort.vcf.gz", head + "".join(lines)))
    kinds = ("reference", "variant", "missing", "alone")
    table = {name: [person["cohort", kind] for kind in kinds] for name, person in found.items()}
    assert table == {"ann": [0, 2, 1, 1], "bob": [2, 1, 0, 0], "cyd": [0, 2, 1, 1]}
    write_counts(tmp_path / "ann.counts.tsv", {"ann": counts})
    write_counts(tmp_path / "cohort.counts.tsv", found)
    files = Files(calls=[tmp_path / "ann.counts.tsv", tmp_path / "cohort.counts.tsv"])
    write_tables(files, tmp_path / "mqc")
    made = {path.name: json.loads(path.read_text()) for path in (tmp_path / "mqc").glob("*.json")}
    assert list(made["called_variants_mqc.json"]["data"]) == ["ann"]
    assert made["calls_cohort_mqc.json"]["data"]["bob"] == {"variant": 1, "alone": 0, "missing": 0}
    assert made["calls_cohort_mqc.json"]["data"]["cyd"]["missing"] == pytest.approx(1 / 3)
    notes = made["summary_notes_mqc.json"]["data"]
    assert "Variants of one person were called" in notes
    assert "3 people got genotypes at 3 sites of the cohort." in notes


def table(path, *rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


def test_calls_beside_other_callers_and_of_trios(tmp_path):
    beside = ["name", "other", "type", "truth", "shared", "genotype_differs", "alone", "other_alone"]
    found = calls.read_judged(
        [
            table(
                tmp_path / "concordance.tsv",
                [*beside, "concordance"],
                ["me", "gatk <b>", "snp", "right", 90, 1, 2, 3, 0.96],
                ["me", "gatk <b>", "insertion", "right", 9, 0, 0, 0, 1],
                ["me", "gatk <b>", "indel", "wrong", 0, 0, 0, 0, "NA"],
            ),
            table(
                tmp_path / "mendelian.tsv",
                ["child", "father", "mother", "type", "records", "errors", "error_rate", "incomplete"],
                ["cyd", "bob", "ann", "indel", 40, 2, 0.05, 7],
            ),
        ]
    )
    concordance, trios = calls.sections({}, found)
    assert list(concordance.data) == ["me · gatk <b> · right SNPs", "me · gatk <b> · wrong indels"]
    assert concordance.data["me · gatk <b> · right SNPs"]["other_alone"] == 3
    assert concordance.data["me · gatk <b> · wrong indels"]["concordance"] is None
    assert trios.data == {"cyd · indels": {"records": 40, "errors": 2, "error_rate": 0.05, "incomplete": 7}}


@pytest.mark.parametrize(
    ("read", "name", "message"),
    [
        (calls.read_counts, "other", r"other.tsv: columns .* are missing"),
        (calls.read_judged, "mendelian", r"mendelian.tsv: columns .* are missing"),
        (calls.read_judged, "other", r"other.tsv: not a table of judged calls: make it with"),
    ],
)
def test_other_tables_are_refused(tmp_path, read, name, message):
    with pytest.raises(InputError, match=message):
        read([table(tmp_path / f"{name}.tsv", ["a", "b"], [1, 2])])
