"""Genes and measured expression read from files of users."""

import gzip

import pytest

from deepcohort.expression.genes import load_genes, read_genes, warn_of_middles, write_genes
from deepcohort.expression.measured import read_measured
from deepcohort.genome.errors import InputError

GTF = """#!genome-build x
chr2\th\tgene\t101\t300\t.\t-\t.\tgene_id "ENSG02.7"; gene_name "TWO";
chr2\th\ttranscript\t101\t300\t.\t-\t.\tgene_id "ENSG02.7";
1\th\tgene\t11\t20\t.\t+\t.\tgene_id "ENSG01.1"; gene_name "ONE";
"""


def test_starts_from_gtf_and_bed_are_one(tmp_path):
    gtf, bed = tmp_path / "genes.gtf.gz", tmp_path / "genes.bed"
    gtf.write_bytes(gzip.compress(GTF.encode()))
    bed.write_text("1\t10\t20\tENSG01\t0\t+\n2\t100\t300\tENSG02\t0\t-\n")
    ours = read_genes(gtf).genes
    assert [(g.gene, g.chrom, g.tss, g.strand) for g in ours] == [
        ("ENSG01", "1", 10, "+"),
        ("ENSG02", "2", 299, "-"),
    ]
    assert [g[2:] for g in read_genes(bed).genes] == [g[2:] for g in ours]
    write_genes(tmp_path / "genes.tsv", ours)
    assert load_genes(tmp_path / "genes.tsv") == ours


def test_exons_of_all_transcripts_are_one(tmp_path):
    gtf = tmp_path / "genes.gtf"
    rows = [(101, 150, 2), (140, 180, 2), (181, 190, 2), (250, 300, 2), (101, 150, 2), (12, 14, 3)]
    exons = [f'chr2\th\texon\t{a}\t{b}\t.\t-\t.\tgene_id "ENSG0{n}.7"; x "y";\n' for a, b, n in rows]
    elsewhere = '3\th\texon\t400\t500\t.\t-\t.\tgene_id "ENSG02.7";\n'
    gtf.write_text("".join(exons) + GTF + elsewhere)
    one, two = read_genes(gtf).genes
    assert one.exons == () and two.exons == ((100, 190), (249, 300))
    write_genes(tmp_path / "genes.tsv", [one, two])
    assert load_genes(tmp_path / "genes.tsv") == [one, two]


def test_a_header_names_the_columns_and_a_strand_may_be_missing(tmp_path):
    bed = tmp_path / "e.bed"
    bed.write_text("#chr\tstart\tend\tgene_id\tgene_name\tstrand\tp1\n1\t10\t11\tA\tB\t-1\t0.5\n")
    (one,) = read_genes(bed).genes
    assert (one.name, one.strand, one.tss) == ("B", "-", 10)
    bed.write_text("1\t10\t11\tA\n")
    assert read_genes(bed).genes[0].strand == "."


def test_windows_around_a_point_are_named(tmp_path):
    bed = tmp_path / "middles.bed"
    bed.write_text("".join(f"1\t{n}000\t{n}200\tG{n}\t0\t+\n" for n in range(1, 5)))
    (said,) = read_genes(bed).warnings
    assert said.startswith("middles.bed: all genes are 200 bases long, so these are windows around a point")
    bed.write_text(bed.read_text().replace("1200", "1300"))
    assert read_genes(bed).warnings == []


def test_expression_at_the_middle_of_genes_is_named(tmp_path):
    gtf = tmp_path / "genes.gtf"
    gtf.write_text(GTF)
    genes = read_genes(gtf).genes
    (said,) = warn_of_middles(tmp_path / "e.bed", genes, {"ENSG02": 200, "X": 1})
    assert said.startswith("e.bed: 1 of 1 genes stand at their middle")
    assert warn_of_middles(tmp_path / "e.bed", genes, {"ENSG02": 299}) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("g.bed", "#nothing\n", "g.bed: no gene in it"),
        ("g.bed", "1\t10\t20\n", "g.bed: row 1 has no gene: write chromosome, start, end"),
        ("g.bed", "1\t30\t20\tA\t0\t+\n", "g.bed: row 1: '30' to '20' is no stretch"),
        ("g.bed", "1\t1\t2\tA\n1\t5\t6\tA\n", "g.bed: the gene A stands in 2 rows"),
        ("g.gtf", "1\th\tgene\t1\t2\t.\t+\t.\tname 3\n", "g.gtf: row 1 has no gene_id"),
        ("g.gtf", b"\xff\xfe\xff", "g.gtf: damaged, or no text"),
    ],
)
def test_genes_that_cannot_be_read(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_genes(path)
    assert str(caught.value).startswith(said)


HEADER = "#chr\tstart\tend\tgene_id\tstrand\tp1\tp2\n"


def test_measured_expression(tmp_path):
    path = tmp_path / "e.bed"
    path.write_text(HEADER + "1\t5\t6\tENSG01.3\t+\t0.5\tNA\n")
    found = read_measured(path)
    assert (found.genes, found.people, found.places) == (["ENSG01"], ["p1", "p2"], {"ENSG01": 5})
    assert found.values[0, 0] == 0.5 and found.values[0, 1] != found.values[0, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t5\t6\tA\t+\t1\t2\n", "e.bed: the first row must be a header"),
        (HEADER + "1\t5\t6\tA\t+\t1\n", "e.bed: row 2 has 6 cells, the header 7"),
        (HEADER + "1\t5\t6\tA\t+\t1\tx\n", "e.bed: row 2: 'x' is no number"),
        (HEADER + "1\t5\t6\tA\t+\t1\t2\n" * 2, "e.bed: row 3: the gene A stands in a row before"),
        (HEADER.replace("p2", "p1"), "e.bed: a person has two columns"),
    ],
)
def test_measured_expression_that_cannot_be_read(tmp_path, text, said):
    path = tmp_path / "e.bed"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_measured(path)
    assert str(caught.value).startswith(said)
