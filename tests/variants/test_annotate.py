"""Known variants written into calls: matched however either file writes an allele."""

from functools import partial

import numpy as np
import pysam
import pytest

from tests.genotypes import bgzip
from tests.scripts import run_script

run = partial(run_script, "variants")

HEAD = """##fileformat=VCFv4.2
##contig=<ID={contig}>
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=SIG,Number=.,Type=String,Description="Meaning">
##INFO=<ID=DB,Number=0,Type=Flag,Description="Seen">
##INFO=<ID=COUNT,Number=R,Type=Integer,Description="Counts">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
"""
GOOD = "AF=0.25;SIG=good,bad;COUNT=3,4"
CALLS = """##fileformat=VCFv4.3
##contig=<ID=chr20,length=4000>
##INFO=<ID=AC,Number=A,Type=Integer,Description="Copies">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann
"""


def write(path, head, rows, index=True):
    bgzip(path, head + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    if index:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def call(pos, ref, alt, info="."):
    return "chr20", pos, ".", ref, alt, 50, "PASS", info, "GT:DP:GQ", "0/1:20:50"


@pytest.fixture
def sequence():
    rng = np.random.default_rng(5)
    text = "".join(rng.choice(list("ACGT"), 4000))
    return text[:1000] + "CAGTTTTTTTTGC" + text[1013:2000] + "GATATATATATC" + text[2012:]


@pytest.fixture
def fasta(tmp_path, sequence):
    path = tmp_path / "ref.fa"
    path.write_text(f">chr20\n{sequence}\n")
    pysam.faidx(str(path))
    return path


def joined(tmp_path, calls, fasta, known, fields, expected=0):
    parts = write(tmp_path / "part.vcf.gz", CALLS, calls)
    options = [option for name, path in known.items() for option in ("--annotate", f"{name}={path}")]
    options += [option for name in fields for option in ("--annotate-field", name)]
    done = run(
        "join-calls", parts, "--out", tmp_path / "out.vcf.gz", "--sample", "ann",
        "--out-counts", tmp_path / "counts.tsv", "--fasta", fasta, *options,
    )  # fmt: skip
    assert done.returncode == expected, done.stderr
    return done.stderr if expected else list(pysam.VariantFile(str(tmp_path / "out.vcf.gz")))


def test_alleles_are_found_however_they_are_written(tmp_path, sequence, fasta):
    snp, other = sequence[499], "ACGT"["ACGT".index(sequence[499]) - 1]
    third = "ACGT"["ACGT".index(sequence[499]) - 2]
    calls = [
        call(500, snp, f"{other},{third}", "AC=1,1"),
        call(1003, "G", "GT"),
        call(1200, sequence[1199], "<DEL>"),
        call(2001, "GAT", "G"),
        call(2500, sequence[2499], "ACGT"["ACGT".index(sequence[2499]) - 1]),
    ]
    known = write(
        tmp_path / "known.vcf.gz", HEAD.format(contig="20"),
        [
            # The third base of the site alone, with the base before it; then the other way round.
            (20, 499, "rs1", sequence[498:500], sequence[498] + third, ".", ".", GOOD),
            # One T more at the end of the run; and another allele of the same record.
            (20, 1011, "rs2;x", "TG", "TTG,T", ".", ".", "AF=0.125,0.5;DB;COUNT=1,2,3"),
            (20, 2005, ".", "TAT", "T", ".", ".", "AF=0.0625"),
            (20, 2005, "rs3", "TAT", "T", ".", ".", "AF=0.5;SIG=late"),
            (20, 2500, "rs9", sequence[2499], "ACGT"["ACGT".index(sequence[2499]) - 2], ".", ".", "AF=0.9"),
        ],
    )  # fmt: skip
    site, insertion, symbolic, deletion, absent = joined(
        tmp_path, calls, fasta, {"db": known}, ["AF", "SIG", "DB", "COUNT"]
    )
    assert site.id == "rs1" and site.info["AC"] == (1, 1)
    assert site.info["db_AF"] == (None, 0.25) and site.info["db_SIG"] == (".", "good&bad")
    assert site.info["db_COUNT"] == (None, 4) and "db_DB" not in site.info
    assert insertion.id == "rs2;x" and insertion.info["db_AF"] == (0.125,)
    assert insertion.info["db_DB"] == (1,) and insertion.info["db_COUNT"] == (2,)
    assert symbolic.id is None and not len(symbolic.info)
    # Two records of one allele: what the first says stays.
    assert deletion.id == "rs3"
    assert deletion.info["db_AF"] == (0.0625,) and deletion.info["db_SIG"] == ("late",)
    assert absent.id is None and not len(absent.info)


def test_random_alleles_are_those_that_bcftools_finds(tmp_path, sequence, fasta):
    """``bcftools norm`` and ``annotate`` on files of one ALT in each record."""
    rng = np.random.default_rng(8)
    rows, calls = [], []
    for number, pos in enumerate(range(50, 3900, 7)):
        length = int(rng.integers(1, 4))
        ref = sequence[pos - 1 : pos - 1 + length]
        alt = ref[0] if length > 1 else ref + "".join(rng.choice(list("ACGT"), int(rng.integers(1, 3))))
        if rng.random() < 0.7:
            end = int(rng.integers(0, 3))
            after = sequence[pos - 1 + length : pos - 1 + length + end]
            rows.append(
                ("chr20", pos, f"rs{number}", ref + after, alt + after, ".", ".", f"AF=0.{number + 1}")
            )
        calls.append(call(pos, ref, alt))
    head = HEAD.format(contig="chr20,length=4000")
    known = write(tmp_path / "known.vcf.gz", head, rows)
    write(tmp_path / "part.vcf.gz", CALLS, calls)
    normal = {}
    for name in ("known", "part"):
        normal[name] = tmp_path / f"{name}.normal.vcf.gz"
        pysam.bcftools.norm(
            "-f",
            str(fasta),
            "-Oz",
            "-o",
            str(normal[name]),
            str(tmp_path / f"{name}.vcf.gz"),
            catch_stdout=False,
        )
        pysam.bcftools.index(str(normal[name]))
    # Ours are calls in normal form, as callers write them.
    ours = [call(record.pos, record.ref, record.alts[0]) for record in pysam.VariantFile(str(normal["part"]))]
    text = pysam.bcftools.annotate("-a", str(normal["known"]), "-c", "ID,INFO/AF", str(normal["part"]))
    expected = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            _, pos, name, ref, alt, _, _, info, *_ = line.split("\t")
            expected[int(pos), ref, alt] = name, info.removeprefix("AF=")
    found = {}
    for record in joined(tmp_path, ours, fasta, {"db": known}, ["AF"]):
        af = record.info["db_AF"][0] if "db_AF" in record.info else None
        found[record.pos, record.ref, record.alts[0]] = record.id, af
    assert found.keys() == expected.keys() and len(found) > 300
    ids = {key: name for key, (name, _) in expected.items()}
    assert {key: (name or ".") for key, (name, _) in found.items()} == ids
    assert sum(name != "." for name in ids.values()) > 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a b"}, "--annotate a b=…: the name becomes part of INFO's fields: use letters"),
        ({"index": False}, "known.vcf.gz: there is no index: make one (bcftools index -t)"),
        ({"fields": ["CLNSIG"]}, "--annotate-field CLNSIG: no such field of INFO in known.vcf.gz: correct"),
        ({"ref": "other"}, "known.vcf.gz: REF differs from the FASTA in 150 of 150 records: give a file"),
        ({"given": "known"}, "--annotate known: write a name and a file, as in name=file.vcf.gz"),
    ],
)  # fmt: skip
def test_known_variants_that_do_not_fit_are_told(tmp_path, sequence, fasta, change, message):
    def ref(pos):
        return "ACGT"["ACGT".index(sequence[pos - 1]) - ("ref" in change)]

    rows = [("chr20", pos, ".", ref(pos), "<X>", ".", ".", ".") for pos in range(500, 650)]
    known = write(tmp_path / "known.vcf.gz", HEAD.format(contig="chr20"), rows, change.get("index", True))
    calls = write(tmp_path / "part.vcf.gz", CALLS, [call(500, sequence[499], "<DEL>")])
    fields = [option for name in change.get("fields", []) for option in ("--annotate-field", name)]
    done = run(
        "join-calls", calls, "--out", tmp_path / "out.vcf.gz", "--sample", "ann",
        "--out-counts", tmp_path / "counts.tsv",
        "--fasta", fasta, "--annotate", change.get("given", f"{change.get('name', 'db')}={known}"), *fields,
    )  # fmt: skip
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert not (tmp_path / "out.vcf.gz").exists()


def test_fields_without_files_are_told(tmp_path, sequence):
    calls = write(tmp_path / "part.vcf.gz", CALLS, [call(500, sequence[499], "<DEL>")])
    done = run(
        "join-calls", calls, "--out", tmp_path / "out.vcf.gz", "--sample", "ann",
        "--out-counts", tmp_path / "counts.tsv",
        "--annotate-field", "AF",
    )  # fmt: skip
    assert done.returncode == 2 and "needs --fasta: give files and FASTA" in done.stderr
