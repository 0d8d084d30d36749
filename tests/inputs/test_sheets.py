from pathlib import Path

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.inputs.sheets import check_sheet, load_schema, write_sheet

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def check(tmp_path, kind, content, encoding="utf-8"):
    sheet = tmp_path / "staged.csv"
    sheet.write_text(content, encoding)
    return check_sheet(sheet, load_schema(ASSETS / f"schema_{kind}.json"), kind=kind, name="my/samples.csv")


def test_columns_are_put_in_order_and_completed(tmp_path):
    rows = check(tmp_path, "input", "\ufefffile,sample\r\na.bcf , cohört \r\n\r\nb.vcf.gz,cohört\r\n")
    assert rows == [
        {"sample": "cohört", "file": "a.bcf", "index": "", "sex": ""},
        {"sample": "cohört", "file": "b.vcf.gz", "index": "", "sex": ""},
    ]


@pytest.mark.parametrize(
    ("kind", "content", "last"),
    [
        ("panel", "chrom,file\nchr20,p.bcf\nX,q.vcf.gz\n", {"chrom": "X", "file": "q.vcf.gz", "index": ""}),
        ("panel", "chrom,file\n20,p.pgen\n21,p.pgen\n", {"chrom": "21", "file": "p.pgen", "index": ""}),
        ("panel", "chrom,file\n20,p.hap.gz\n", {"chrom": "20", "file": "p.hap.gz", "index": ""}),
        ("truth", "sample,vcf,bed\nc,t.bcf,t.bed.gz\n", {"sample": "c", "vcf": "t.bcf", "bed": "t.bed.gz"}),
        (
            "labels",
            "sample\tpopulation\tsuperpopulation\tsex\nB C\tGBR\tEUR\tfemale\n",
            {"sample": "B C", "population": "GBR", "superpopulation": "EUR", "sex": "female"},
        ),
        (
            "input",
            'sample,file,index\n"p,1","reads, old.bam",reads.bai\n',
            {"sample": "p,1", "file": "reads, old.bam", "index": "reads.bai", "sex": ""},
        ),
    ],
)
def test_good_sheets_of_every_kind_pass(tmp_path, kind, content, last):
    assert check(tmp_path, kind, content)[-1] == last


def test_a_sheet_written_reads_the_same(tmp_path):
    rows = check(tmp_path, "input", 'sample,file\na,"x, y.bcf"\nb,z.bam\n')
    write_sheet(tmp_path / "out.csv", rows)
    schema = load_schema(ASSETS / "schema_input.json")
    assert check_sheet(tmp_path / "out.csv", schema, kind="input", name="out.csv") == rows


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("input", "", "the sheet is empty"),
        ("input", "sample,file\n", "has a header but no row"),
        ("input", "sample\na\n", "column file is missing (the header has sample): add it"),
        ("input", "sample,file,fastq\na,b.bam,c\n", "column fastq is not known: remove it"),
        ("input", "sample,file,\na,b.bam,\n", "column (no name) is not known"),
        ("input", "sample,file,file\na,b.bam,c.bam\n", "column file occurs twice in the header"),
        ("input", "sample;file\na;b.bam\n", "separated by semicolons where commas are needed"),
        ("labels", "sample,population\na,b\n", "separated by commas where tabs are needed"),
        ("input", "sample,file\na,b.bam,c\n", "row 2 has 3 cells where the header has 2"),
        ("input", "sample,file\na,b.bam\n\na\n", "row 4 has 1 cells where the header has 2"),
        ("input", "sample,file\n,b.bam\n", "row 2, column sample: the cell is empty: fill it"),
        ("input", "sample,file\na,\n", "row 2, column file: the cell is empty"),
        ("input", "sample,file\na/b,b.bam\n", "row 2, column sample: 'a/b' becomes part of file names"),
        ("input", "sample,file\na b,b.bam\n", "row 2, column sample: 'a b' becomes part of file names"),
        ("input", "sample,file\n.a,b.bam\n", "row 2, column sample: '.a' becomes part"),
        ("input", "sample,file\na,b.txt\n", "row 2, column file: 'b.txt' must end in .vcf.gz, .bcf, .pgen"),
        ("input", "sample,file\na,b.vcf\n", "compress it by bcftools view -Oz"),
        ("input", "sample,file,index\na,b.bam,b.idx\n", "row 2, column index: 'b.idx' must end in .tbi"),
        ("input", "sample,file,sex\na,b.bam,f\n", "row 2, column sex: 'f' must be male or female"),
        ("input", "sample,file\na,b.bcf\na,b.bcf\n", "row 3 has the same file as row 2 ('b.bcf')"),
        ("input", "sample,file\na,b.pgen\na,b.pgen\n", "row 3 has the same file as row 2 ('b.pgen')"),
        ("input", "sample,file\na,b.bam\na,c.bam\n", "row 3 names sample 'a' again (row 2 has it)"),
        ("input", "sample,file\na,b.bcf\na,c.g.vcf.gz\n", "row 3 names sample 'a' again"),
        ("input", 'sample,file\n"a,b.bam\n', "cannot be read"),
        ("panel", "chrom,file\n20,a.bcf\nchr20,b.bcf\n", "row 3 has the same chrom as row 2 ('chr20')"),
        ("panel", "chrom,file\n20,a.bcf\n21,a.bcf\n", "row 3 has the same file as row 2"),
        ("panel", "chrom,file\n20 21,a.bcf\n", "row 2, column chrom: '20 21' must be one chromosome's name"),
        ("panel", "chrom,file\n20,a.bam\n", "row 2, column file: 'a.bam' must end in .vcf.gz, .bcf, .pgen"),
        ("labels", "sample\tpopulation\tsuperpopulation\na\tb\tc\na\tb\tc\n", "the same sample as row 2"),
        (
            "labels",
            "sample\tpopulation\tsuperpopulation\na\tb\t\n",
            "column superpopulation: the cell is empty",
        ),
        ("truth", "sample,vcf\nc,t.bed\n", "row 2, column vcf: 't.bed' must end in .vcf.gz or .bcf"),
    ],
)
def test_bad_sheets_are_refused_by_name_row_and_column(tmp_path, kind, content, message):
    with pytest.raises(InputError) as refused:
        check(tmp_path, kind, content)
    assert str(refused.value).startswith("my/samples.csv: ")
    assert message in str(refused.value)


def test_a_sheet_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(InputError, match="the sheet is not UTF-8 text"):
        check(tmp_path, "input", "sample,file\nZoë,b.bam\n", "latin-1")
