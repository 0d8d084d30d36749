"""The script as Nextflow calls it, on the bundled cohort."""

import csv
import json
from functools import partial
from pathlib import Path

import pysam
import pytest

from tests.genotypes import bgzip, vcf_text, write_vcf
from tests.scripts import run_script

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "assets" / "demo"


run = partial(run_script, "inputs")


def done(*arguments):
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    return result


def check(folder, kind, name, file):
    done(
        f"check-{kind}",
        *("--name", name, "--threads", 1),
        *("--out-sites", folder / f"{name}.sites.bcf"),
        *("--out-index", folder / f"{file.name}.csi"),
        *("--out-people", folder / f"{name}.people.npz"),
        *("--out-report", folder / f"{name}.check.json"),
        file,
    )
    ends = {"sites": "sites.bcf", "reports": "check.json", "people": "people.npz"}
    return [part for what, end in ends.items() for part in (f"--{kind}-{what}", folder / f"{name}.{end}")]


def plan_outputs(folder):
    """Options that name all outputs of a plan."""
    names = ("chunks", "counts", "qc", "frequencies", "people", "excluded", "batches")
    return [word for name in names for word in (f"--out-{name}", folder / f"out.{name}")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("input", "samples.csv"), ("panel", "panel.csv"), ("truth", "truth.csv"), ("labels", "labels.tsv")],
)
def test_bundled_sheets_pass(tmp_path, kind, name):
    schema = ROOT / "assets" / f"schema_{kind}.json"
    done(
        *("check-sheet", "--kind", kind, "--schema", schema, "--name", name),
        *("--out", tmp_path / "out", DEMO / name),
    )
    separator = "\t" if kind == "labels" else ","
    with (tmp_path / "out").open() as sheet:
        rows = list(csv.DictReader(sheet, delimiter=separator))
    assert list(rows[0]) == list(json.loads(schema.read_text())["items"]["properties"])


def test_the_bundled_cohort_is_planned(tmp_path):
    options = []
    for chrom in ("20", "22"):
        for kind in ("panel", "target"):
            options += check(tmp_path, kind, f"{kind}.{chrom}", DEMO / f"{kind}.{chrom}.vcf.gz")
    done(
        *("plan", "--cohort", "demo", "--chunk-bases", 1_000_000, "--batch-size", 50, *options),
        *plan_outputs(tmp_path),
    )
    with (tmp_path / "out.chunks").open() as table:
        chunks = list(csv.DictReader(table, delimiter="\t"))
    assert [row["chrom"] for row in sorted(chunks, key=lambda row: row["chunk"])] == ["20"] * 3 + ["22"] * 2
    assert all(row["flag"] == "ok" and int(row["typed_sites"]) > 200 for row in chunks)
    batches = [path.read_text().split() for path in sorted((tmp_path / "out.batches").iterdir())]
    assert [len(batch) for batch in batches] == [30, 30]
    with (tmp_path / "out.counts").open() as table:
        counts = {(r["chrom"], r["what"]): int(r["count"]) for r in csv.DictReader(table, delimiter="\t")}
    for chrom in ("20", "22"):
        assert counts[chrom, "shared"] == counts[chrom, "target_sites"] > 400
        assert counts[chrom, "swapped"] > 0
        assert counts[chrom, "flipped"] > 0
        assert counts[chrom, "qc_frequency"] == counts[chrom, "qc_strand"] == 0
    assert counts["all", "qc_people_sites"] > 200
    assert counts["all", "qc_in_panel"] == counts["all", "qc_in_cohort"] == 0


def test_bad_input_ends_in_one_sentence_and_code_2(tmp_path):
    file = write_vcf(tmp_path / "x.bcf", [("20", 5, "A", "C", ["0/1"])], ["Zoë"])
    result = run(
        *("check-panel", "--name", "p", "--out-sites", tmp_path / "s.bcf"),
        *(
            "--out-index",
            tmp_path / "i.csi",
            "--out-people",
            tmp_path / "p.npz",
            "--out-report",
            tmp_path / "r.json",
            file,
        ),
    )
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "ERROR: x.bcf: the genotype of Zoë at 20:5 is not phased (0/1): a reference panel must be phased, so "
        "phase it first (with SHAPEIT, Eagle or Beagle) or give another panel"
    ]
    assert not (tmp_path / "r.json").exists()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda text: text.replace("##contig=<ID=20>\n", "").replace("\t7\t", "\t5\t"),
            "record 2 at 20:5 comes",
        ),
        (lambda text: text + "20\t9\t.\tA\tC\n", "damaged: the record after 20:8 cannot be read"),
    ],
    ids=["unsorted, without contigs", "a short line"],
)
def test_the_libraries_own_remarks_do_not_stand_beside_the_sentence(tmp_path, spoil, sentence):
    records = [("20", position, "A", "C", ["0/1"]) for position in (6, 7, 8)]
    file = bgzip(tmp_path / "x.vcf.gz", spoil(vcf_text(records, ["Zoë"])))
    result = run(
        *("check-target", "--name", "t", "--out-sites", tmp_path / "s.bcf"),
        *(
            "--out-index",
            tmp_path / "i.csi",
            "--out-people",
            tmp_path / "p.npz",
            "--out-report",
            tmp_path / "r.json",
            file,
        ),
    )
    assert result.returncode == 2
    assert result.stderr.startswith(f"ERROR: x.vcf.gz: {sentence}")
    assert len(result.stderr.splitlines()) == 1


def test_ref_is_compared_with_a_reference(tmp_path):
    (tmp_path / "ref.fa").write_text(">chr20\nGATTACA\n")
    fai, report = tmp_path / "ref.fa.fai", tmp_path / "r.json"
    done("check-fasta", "--name", "ref", "--out-index", fai, "--out-report", report, tmp_path / "ref.fa")
    for ref, code in (("T", 0), ("G", 2)):
        file = write_vcf(tmp_path / "x.vcf.gz", [("20", 4, ref, "C", ["0/1"])], ["a"])
        result = run(
            *(
                "check-target",
                "--name",
                "t",
                "--fasta",
                tmp_path / "ref.fa",
                "--out-sites",
                tmp_path / "s.bcf",
            ),
            *("--out-index", tmp_path / "x.csi", "--out-people", tmp_path / "p.npz"),
            *("--out-report", report, file),
        )
        assert result.returncode == code, result.stderr
    assert "REF differs from ref.fa at 1 of 1 records" in result.stderr


def test_another_release_is_refused(tmp_path):
    arguments = ["check-fasta", "--name", "r", "--out-index", tmp_path / "i", "--out-report", tmp_path / "r"]
    result = run(*arguments, ROOT / "LICENSE", release="0.0.0")
    assert result.returncode == 2
    assert "the pipeline is version 0.0.0" in result.stderr
    assert "no FASTA" in run(*arguments, ROOT / "LICENSE").stderr


def test_a_bam_is_checked(tmp_path):
    (tmp_path / "x.bam").write_text("none")
    result = run(
        *("check-reads", "--name", "p", "--out-index", tmp_path / "i", "--out-report", tmp_path / "r"),
        tmp_path / "x.bam",
    )
    assert (result.returncode, result.stderr) == (
        2,
        "ERROR: x.bam: no BAM or CRAM that can be read: make it again\n",
    )


def test_an_empty_region_is_refused(tmp_path):
    target = check(tmp_path, "target", "t", DEMO / "target.22.vcf.gz")
    result = run(
        *("plan", "--cohort", "c", "--regions", ""),
        *target,
        *(str(part).replace("--target", "--panel") for part in target),
        *plan_outputs(tmp_path),
    )
    assert result.returncode == 2
    assert "--regions is empty" in result.stderr


def test_chunks_and_regions_are_not_both_given(tmp_path):
    target = check(tmp_path, "target", "t", DEMO / "target.22.vcf.gz")
    panel = [str(part).replace("--target", "--panel") for part in target]
    (tmp_path / "chunks.tsv").write_text("chrom")
    options = [*target, *panel, *plan_outputs(tmp_path), "--chunks", tmp_path / "chunks.tsv"]
    result = run("plan", "--cohort", "c", "--regions", "22", *options)
    sentence = "ERROR: --chunks and --regions both say where to work: give one of them\n"
    assert (result.returncode, result.stderr) == (2, sentence)
    assert "column start" in run("plan", "--cohort", "c", *options).stderr


def test_excluded_sites_are_taken_out_of_files_of_either_kind(tmp_path):
    records = [("chr20", position, "A", "C", ["0/1"]) for position in (6, 7, 7, 8)]
    for name in ("x.vcf.gz", "x.bcf"):
        file = write_vcf(tmp_path / name, records, ["Zoë"])
        (tmp_path / "out").mkdir(exist_ok=True)
        for excluded, left in (("chr20\t7\n", [6, 8]), ("", [6, 7, 7, 8])):
            (tmp_path / "excluded.txt").write_text(excluded)
            out = tmp_path / "out" / name
            done("exclude-sites", "--excluded", tmp_path / "excluded.txt", "--out", out, file)
            with pysam.VariantFile(str(out), index_filename=f"{out}.csi") as vcf:
                assert [record.pos for record in vcf.fetch("chr20", 1, 20)] == left
                assert list(vcf.header.samples) == ["Zoë"]
