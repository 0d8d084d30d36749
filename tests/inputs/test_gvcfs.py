"""gVCFs that come from elsewhere."""

from functools import partial

import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.inputs.gvcfs import check_gvcf
from tests.genotypes import write_vcf
from tests.scripts import run_script
from tests.variants.gvcfs import block, record, write_gvcf

run = partial(run_script, "inputs")
LINES = [block(1, 9, "A"), record(10, "A", "C,<NON_REF>", "0/1:60:30:15,15,0:500,0,450,545,495,990")]


def test_the_name_of_the_sheet_is_written(tmp_path):
    path = write_gvcf(tmp_path, "someone", LINES, index=False)
    done = run("check-gvcf", path, "--name", "Zoë", "--out", tmp_path / "Zoë.g.vcf.gz")
    assert done.returncode == 0, done.stderr
    assert "someone.g.vcf.gz calls the sample someone; the sheet's name Zoë is used" in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "Zoë.g.vcf.gz",
        "Zoë.g.vcf.gz.tbi",
        "someone.g.vcf.gz",
    ]
    text = pysam.bcftools.view(str(tmp_path / "Zoë.g.vcf.gz"), "chr20:5-20")
    assert text.splitlines()[-3].endswith("\tZoë")
    assert len(pysam.bcftools.view("-H", str(tmp_path / "Zoë.g.vcf.gz")).splitlines()) == 2


def test_bad_files_are_refused(tmp_path):
    plain = write_vcf(tmp_path / "plain.vcf.gz", [("chr20", 5, "A", "C", ["0/1"])], ["me"], {"chr20": 90})
    two = write_gvcf(tmp_path, "a\tb", [], index=False)
    unsorted = write_gvcf(tmp_path, "u", LINES[::-1], index=False)
    cut = write_gvcf(tmp_path, "cut", LINES, index=False)
    cut.write_bytes(cut.read_bytes()[:-10])
    for path, message in (
        (
            plain,
            "plain.vcf.gz: no gVCF, as no record has the allele <NON_REF> or <*>: give what the caller "
            "writes as gVCF, or the reads",
        ),
        (two, "holds 2 people: give a gVCF for each person (bcftools view -s)"),
        (unsorted, "u.g.vcf.gz: record 2 at chr20:1 comes after chr20:10: the file is not sorted"),
        (cut, "cut.g.vcf.gz: truncated"),
    ):
        with pytest.raises(InputError) as refused:
            check_gvcf(path, "me", tmp_path / "out.g.vcf.gz")
        assert message in str(refused.value)
        assert not (tmp_path / "out.g.vcf.gz").exists()
    done = run("check-gvcf", plain, "--name", "me", "--out", tmp_path / "out.g.vcf.gz")
    assert done.returncode == 2 and done.stderr.startswith("ERROR: plain.vcf.gz: no gVCF")
