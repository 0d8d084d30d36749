"""Evaluation of files: every form a genotype comes in, borders, strata, figures, and what is refused."""

import csv
import importlib.util

import numpy as np
import pysam
import pytest
from typer.testing import CliRunner

import deepcohort
from tests.genotypes import bgzip, write_vcf
from tests.scripts import ROOT, run_script

spec = importlib.util.spec_from_file_location("variants_script", ROOT / "bin" / "variants.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def run(command, *arguments):
    """The script in this process, which saves the start of Python; one test starts it as tasks do."""
    line = [command, "--release", deepcohort.__version__, *map(str, arguments)]
    return CliRunner().invoke(script.app, line)


# No run of one base is longer than the eight A at 201-208.
BASES = "ACGTTGCAGT" * 20 + "AAAAAAAA" + "CGTACTGACT" * 40
HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID={contig},length=608>\n"
    '##FILTER=<ID=LowQual,Description="">\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">\n'
    '##INFO=<ID=END,Number=1,Type=Integer,Description="">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}\n"
)


def ref_at(pos, length=1):
    return BASES[pos - 1 : pos - 1 + length]


def snp(pos, genotype="0/1", **more):
    return (pos, ref_at(pos), "ACGTA"["ACGT".index(ref_at(pos)) + 1], genotype, more)


def vcf(path, rows, contig="chr9", samples="me"):
    """Write rows (POS, REF, ALT, GT, {qual, filter, depth, info})."""
    lines = [HEADER.format(contig=contig, samples=samples)]
    for pos, ref, alt, genotype, *rest in sorted(rows, key=lambda row: row[0]):
        more = rest[0] if rest else {}
        depth = f":{more['depth']}" if "depth" in more else ""
        cells = "\t".join(one + depth for one in genotype.split(" "))
        fixed = [contig, pos, ".", ref, alt, more.get("qual", 50), more.get("filter", "PASS")]
        lines.append("\t".join(map(str, [*fixed, more.get("info", "."), "GT:DP" if depth else "GT", cells])))
        lines.append("\n")
    return bgzip(path, "".join(lines))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "r.fa").write_text(f">chr9\n{BASES}\n")
    pysam.faidx(str(tmp_path / "r.fa"))
    return tmp_path


def evaluated(files, truth, calls, bed=None, *more, contig="chr9"):
    """Verdicts {(side, pos, ref, alt): (verdict, copies)} and the figures {type: row} over everything."""
    vcf(files / "truth.vcf.gz", truth)
    vcf(files / "calls.vcf.gz", calls, contig=contig)
    options = ["--fasta", files / "r.fa", "--truth", files / "truth.vcf.gz", "--name", "x"]
    for kind in ("judged", "counts", "curve", "left-out"):
        options += [f"--out-{kind}", files / f"{kind}.tsv"]
    if bed:
        (files / "r.bed").write_text("".join(f"chr9\t{a}\t{b}\n" for a, b in bed))
        options += ["--bed", files / "r.bed"]
    result = run("evaluate", "--calls", files / "calls.vcf.gz", *options, "--out", files / "e.tsv", *more)
    assert result.exit_code == 0, result.stderr
    judged = {
        (row["side"], int(row["pos"]), row["ref"], row["alt"]): (row["verdict"], row["copies"])
        for row in table(files / "judged.tsv")
    }
    rows = table(files / "e.tsv")
    return judged, {row["type"]: row for row in rows if row["stratum"] == "all"}


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def verdicts(judged, side):
    return {pos: verdict for (one, pos, _, _), (verdict, _) in judged.items() if one == side}


def test_right_wrong_and_genotype(files):
    truth = [snp(10), snp(30, "1/1"), snp(50)]
    calls = [snp(10), snp(30, "0/1"), snp(70)]
    judged, figures = evaluated(files, truth, calls)
    assert verdicts(judged, "truth") == {10: "right", 30: "genotype", 50: "wrong"}
    assert verdicts(judged, "calls") == {10: "right", 30: "genotype", 70: "wrong"}
    row = figures["snp"]
    assert [row[k] for k in ("truth", "true_found", "false_negatives", "truth_genotype_errors")] == list(
        "3121"
    )
    assert [row[k] for k in ("calls", "true_calls", "false_positives", "call_genotype_errors")] == list(
        "3121"
    )
    assert (
        float(row["precision"]) == float(row["recall"]) == float(row["f1"]) == pytest.approx(1 / 3, abs=1e-4)
    )
    assert float(row["genotype_concordance"]) == 0.5
    assert float(row["f1_low"]) <= float(row["f1"]) <= float(row["f1_high"])


def test_one_change_written_in_many_ways(files):
    """A double substitution, an indel at the other end of its run, a complex allele, a 1/2 as two records."""
    truth = [
        snp(20), snp(21),
        (200, ref_at(200, 2), ref_at(200), "0/1"),
        (301, ref_at(301, 3), ref_at(301) + "G", "1/1"),
        (400, ref_at(400), f"{ref_at(400)}TT,{ref_at(400)}GG", "1/2"),
    ]  # fmt: skip
    calls = [
        (20, ref_at(20, 2), truth[0][2] + truth[1][2], "0/1"),
        (207, "AA", "A", "0/1"),
        (301, ref_at(301, 4), ref_at(301) + "G" + ref_at(304), "1|1"),
        (400, ref_at(400), f"{ref_at(400)}GG", "0|1"),
        (400, ref_at(400), f"{ref_at(400)}TT", "0|1"),
    ]
    judged, _ = evaluated(files, truth, calls)
    assert {verdict for verdict, _ in judged.values()} == {"right"}
    assert len({key for key in judged if key[0] == "truth"}) == 7


def test_forms_of_genotypes(files):
    """Haploid is homozygous, half a call is heterozygous, * is another record's deletion."""
    deletion = (99, ref_at(99, 3), ref_at(99), "0/1")
    truth = [snp(10, "1/1"), snp(30, "0/1"), deletion, snp(100, "0/1"), snp(120, "./."), snp(140, "0/0")]
    star = (100, ref_at(100), f"{snp(100)[2]},*", "1/2")
    symbolic = (160, ref_at(160), "<DEL>", "0/1")
    calls = [
        snp(10, "1"),
        snp(30, "./1"),
        deletion,
        star,
        symbolic,
        snp(180, filter="LowQual"),
        snp(200, "./."),
    ]
    judged, figures = evaluated(files, truth, calls)
    assert {verdict for verdict, _ in judged.values()} == {"right"}
    assert figures["snp"]["truth"] == figures["snp"]["calls"] == "3"
    left_out = {(row["side"], row["what"]): row["count"] for row in table(files / "left-out.tsv")}
    assert left_out == {
        ("truth", "no genotype"): "1",
        ("calls", "filtered"): "1",
        ("calls", "no genotype"): "1",
        ("calls", "symbolic or ambiguous allele"): "1",
        ("calls", "half a genotype, the other allele taken as REF"): "1",
    }


def test_borders_of_regions(files):
    """A change counts where all its bases are inside; an insertion where both its neighbours are."""
    inserted = [(pos, ref_at(pos), ref_at(pos) + "CCC", "0/1") for pos in (40, 41, 60)]
    rows = [snp(20), snp(21), snp(80), snp(81), *inserted[::2], (100, ref_at(100, 4), ref_at(100), "0/1")]
    judged, _ = evaluated(files, rows, [], [(20, 40), (59, 80), (100, 102)])
    assert set(verdicts(judged, "truth")) == {21, 80, 60}
    judged, _ = evaluated(files, [], [*rows, inserted[1]], [(39, 41), (100, 103)])
    assert set(verdicts(judged, "calls")) == {40, 100}


def test_a_call_outside_may_spell_what_is_inside(files):
    """The deletion is called at the run's end, outside the region of its normalised place."""
    truth, calls = [(200, ref_at(200, 2), ref_at(200), "1/1")], [(207, "AA", "A", "1/1")]
    judged, _ = evaluated(files, truth, calls, [(195, 203)])
    assert judged == {
        ("truth", 200, "TA", "T"): ("right", "2"),
        ("calls", 200, "TA", "T"): ("right", "2"),
    }


def test_strata(files):
    truth = [
        (200, ref_at(200, 2), ref_at(200), "0/1"),
        (300, ref_at(300), ref_at(300) + "GATTAC", "0/1"),
        snp(400),
    ]
    calls = [
        (200, ref_at(200, 2), ref_at(200), "0/1", {"depth": 12}),
        (400, ref_at(400), ".", "0/0", {"depth": 35, "info": "END=410"}),
    ]
    evaluated(files, truth, calls)
    found = {
        (row["stratum"], row["bin"], row["type"]): (row["true_found"], row["truth"])
        for row in table(files / "e.tsv")
    }
    expected = {
        ("length", "1", "deletion"): ("1", "1"),
        ("length", "6-15", "insertion"): ("0", "1"),
        ("homopolymer", "7-9", "deletion"): ("1", "1"),
        ("homopolymer", "1-3", "insertion"): ("0", "1"),
        ("coverage", "10-19", "deletion"): ("1", "1"),
        ("coverage", "unknown", "insertion"): ("0", "1"),
        ("coverage", "30-49", "snp"): ("0", "1"),
    }
    assert {key: found[key] for key in expected} == expected


def test_names_with_and_without_chr(files):
    judged, _ = evaluated(files, [snp(10)], [snp(10)], contig="9")
    assert verdicts(judged, "calls") == {10: "right"}


def test_curve_by_quality(files):
    truth = [snp(10), snp(30), snp(50), snp(70)]
    calls = [snp(10, qual=90), snp(30, qual=20), snp(51, qual=50), snp(71, qual=10)]
    evaluated(files, truth, calls)
    points = {
        float(row["qual"]): (float(row["precision"]), float(row["recall"]))
        for row in table(files / "curve.tsv")
        if row["type"] == "snp"
    }
    assert points == {
        90: (1.0, 0.25), 50: (0.5, 0.25), 20: (pytest.approx(2 / 3, abs=1e-4), 0.5), 10: (0.5, 0.5)
    }  # fmt: skip


def test_pooled_counts_are_those_of_all(files):
    """Two evaluations pooled: counts add up, and the interval is that of blocks drawn together."""
    truth = [snp(10), snp(30), snp(50)]
    evaluated(files, truth, truth[:1])
    (files / "counts.tsv").rename(files / "one.tsv")
    evaluated(files, truth, truth[1:])
    result = run("combine-evaluations", "--out", files / "all.tsv", files / "one.tsv", files / "counts.tsv")
    assert result.exit_code == 0, result.stderr
    (row,) = [one for one in table(files / "all.tsv") if (one["stratum"], one["type"]) == ("all", "snp")]
    assert (row["evaluations"], row["truth"], row["true_found"]) == ("2", "6", "3")
    assert float(row["recall"]) == 0.5


def test_chromosomes_are_judged_one_after_the_other(files):
    """Counts alone need one chromosome at a time, and are those of all at once."""
    from deepcohort.variants import evaluation_table as tables
    from deepcohort.variants.evaluate import by_chromosome, evaluate

    lengths = dict.fromkeys(("chr8", "chr9"), len(BASES))
    (files / "two.fa").write_text("".join(f">{name}\n{BASES}\n" for name in lengths))
    pysam.faidx(str(files / "two.fa"))
    names, both = ("truth", "calls"), [snp(10), snp(30), snp(50, "1/1")]
    rows = {"truth": [both, both[1:]], "calls": [both[:2], [*both[:2], snp(90)]]}
    for name in names:
        found = zip(lengths, rows[name], strict=True)
        records = [(contig, *row[:3], [row[3]]) for contig, own in found for row in own]
        write_vcf(files / f"{name}.vcf.gz", records, ["me"], lengths)
    given = [files / "calls.vcf.gz", files / "truth.vcf.gz", files / "two.fa", None]
    parts = list(by_chromosome(*given))
    assert [{one.contig for one in part.judged} for part in parts] == [{"chr8"}, {"chr9"}]
    options = ("--calls", given[0], "--truth", given[1], "--fasta", given[2], "--name", "x")
    for more in ((), ("--out", files / "e.tsv")):
        counts = files / f"counts{len(more)}.tsv"
        assert run("evaluate", *options, "--out-counts", counts, *more).exit_code == 0
    assert (files / "counts0.tsv").read_bytes() == (files / "counts2.tsv").read_bytes()
    held = tables.count_rows("x", evaluate(*given).counts())
    assert tables.figures([tables.CountsFile(files / "counts0.tsv")], 1) == tables.figures([held], 1)
    (row,) = [one for one in table(files / "e.tsv") if (one["stratum"], one["type"]) == ("all", "snp")]
    assert (row["truth"], row["true_found"], row["false_positives"]) == ("5", "3", "2")


def test_intervals_against_a_plain_bootstrap():
    from deepcohort.variants import evaluation_table as tables

    rng = np.random.default_rng(1)
    rows, right = [], rng.integers(0, 9, 60)
    wrong = rng.integers(0, 2, 60)
    for block in range(60):
        values = dict.fromkeys(tables.VERDICTS, "0")
        values |= {"truth_right": str(right[block]), "calls_right": str(right[block])}
        values |= {"truth_wrong": str(wrong[block])}
        key = dict(zip(tables.COUNT_COLUMNS, ("x", "1", str(block), "all", "all", "snp"), strict=False))
        rows.append(key | values)
    (row,) = tables.figures([rows], seed=1)
    drawn = rng.integers(0, 60, (4000, 60))
    recalls = right[drawn].sum(1) / (right[drawn].sum(1) + wrong[drawn].sum(1))
    low, high = np.percentile(recalls, [2.5, 97.5])
    assert float(row["recall_low"]) == pytest.approx(low, abs=0.006)
    assert float(row["recall_high"]) == pytest.approx(high, abs=0.006)
    assert row["precision"] == row["precision_low"] == "1.00000"


def test_the_same_bytes_from_the_command_line(files):
    evaluated(files, [snp(10), snp(30)], [snp(10)])
    once = (files / "e.tsv").read_bytes()
    options = ("--fasta", files / "r.fa", "--truth", files / "truth.vcf.gz", "--name", "x")
    again = ("--calls", files / "calls.vcf.gz", "--out", files / "again.tsv")
    assert run_script("variants", "evaluate", *options, *again).returncode == 0
    assert (files / "again.tsv").read_bytes() == once


def test_beside_another_caller(files):
    truth, other = [snp(10), snp(30), snp(50)], [snp(10), snp(30, "1/1"), snp(90)]
    vcf(files / "other.vcf.gz", other)
    given = ("--compare", f"b={files / 'other.vcf.gz'}", "--out-concordance", files / "c.tsv")
    evaluated(files, truth, [snp(10), snp(30), snp(70), snp(90)], None, *given)
    rows = {(row["type"], row["truth"]): row for row in table(files / "c.tsv")}
    counted = ("shared", "genotype_differs", "alone", "other_shared", "other_genotype_differs", "other_alone")
    assert [rows["snp", "right"][what] for what in counted] == list("110100")
    assert [rows["snp", "wrong"][what] for what in counted] == list("101110")
    assert rows["snp", "right"]["concordance"] == "0.66667"


def test_mendelian_errors(files):
    people = "child dad mum".replace(" ", "\t")
    rows = [
        (10, "A", "C", "0/1 0/0 0/1"), (11, "A", "C", "1/1 0/1 0/0"), (12, "A", "CT", "0/1 0/0 0/0"),
        (13, "A", "C", "./. 0/1 0/1"), (14, "A", "C", "0/0 0/0 0/0"), (15, "A", "C,G", "1/2 0/1 2/2"),
        (16, "A", "C", "1 0 0/1"), (17, "A", "C", "1/1 0/0 0/0", {"filter": "LowQual"}),
        (300, "A", "C", "1/1 0/0 0/0"),
    ]  # fmt: skip
    calls = vcf(files / "trio.vcf.gz", rows, samples=people)
    (files / "t.ped").write_text("#family\nF child dad mum 1 0\nF dad 0 0 1 0\n")
    (files / "r.bed").write_text("chr9\t0\t200\n")
    options = ("--calls", calls, "--pedigree", files / "t.ped", "--out", files / "m.tsv")
    assert run("mendelian", *options, "--bed", files / "r.bed").exit_code == 0
    found = {
        row["type"]: (row["records"], row["errors"], row["incomplete"]) for row in table(files / "m.tsv")
    }
    assert found == {"snp": ("4", "1", "1"), "indel": ("1", "1", "0")}


def refused(message, *arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_refused(files):
    good = vcf(files / "good.vcf.gz", [snp(10)])
    two = vcf(files / "two.vcf.gz", [snp(10, "0/1 0/1")], samples="a\tb")
    poly = vcf(files / "poly.vcf.gz", [snp(10, "0/0/1")])
    wrong = vcf(files / "wrong.vcf.gz", [(11, "T", "G", "0/1")])
    elsewhere = vcf(files / "elsewhere.vcf.gz", [], contig="chr8")
    no_gt = bgzip(files / "no_gt.vcf.gz", good_text().replace("\tGT\t0/1", "\tDP\t3"))
    (files / "r.bed").write_text("chr8\t1\t50\n")

    def ask(message, calls, *more):
        options = ("--fasta", files / "r.fa", "--truth", good, "--name", "x", "--out", files / "e.tsv")
        refused(message, "evaluate", "--calls", calls, *options, *more)

    ask("two.vcf.gz: holds 2 people: say whose genotypes count (--sample)", two)
    ask("two.vcf.gz: has no sample c: give one of its names", two, "--sample", "c")
    (files / "cut.vcf.gz").write_bytes(good.read_bytes()[:-10])
    ask("cut.vcf.gz: truncated", files / "cut.vcf.gz")
    ask("poly.vcf.gz: chr9:10 has a genotype of 3 alleles", poly)
    ask("wrong.vcf.gz: chr9:11 has REF T where the FASTA says A: give the reference", wrong)
    ask("no_gt.vcf.gz: chr9:10 has no GT: give a VCF with genotypes", no_gt)
    ask("good.vcf.gz and elsewhere.vcf.gz share no chromosome with it", elsewhere)
    ask("r.fa: has no chromosome 8, which r.bed names", good, "--bed", files / "r.bed")
    ask("--compare and --out-concordance go together", good, "--compare", f"b={good}")
    there = ("--out-concordance", files / "c.tsv")
    ask("--compare b: write a name and a file", good, "--compare", "b", *there)
    ask("--compare b=none: there is no file none", good, "--compare", "b=none", *there)
    ask("b is there twice", good, "--compare", f"b={good}", "--compare", f"b={good}", *there)
    (files / "part.tsv").write_text("name\tcontig\n")
    refused(
        "part.tsv: not a table of an evaluation's counts",
        *("combine-evaluations", "--out", files / "e.tsv", files / "part.tsv"),
    )


def good_text():
    pos, ref, alt, genotype, _ = snp(10)
    line = f"chr9\t{pos}\t.\t{ref}\t{alt}\t50\tPASS\t.\tGT\t{genotype}\n"
    return HEADER.format(contig="chr9", samples="me") + line


def test_what_is_refused_of_a_pedigree(files):
    calls = vcf(files / "trio.vcf.gz", [snp(10, "0/1 0/1")], samples="a\tb")
    pedigree = files / "t.ped"
    pedigree.write_text("F a b\n")
    options = ("mendelian", "--calls", calls, "--pedigree", pedigree, "--out", files / "m.tsv")
    refused("t.ped: line 1 has 3 columns: write family, person, father, mother", *options)
    pedigree.write_text("F a b c\n")
    refused("t.ped: of no child are both parents among the genotypes", *options)
    pedigree.write_text("F a b b\n")
    bgzip(calls, good_text().replace("\tGT\t0/1", "\tDP\t3\t3").replace("\tme\n", "\ta\tb\n"))
    refused("trio.vcf.gz: chr9:10 has no GT: give genotypes", *options)
