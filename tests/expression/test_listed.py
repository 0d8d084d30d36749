"""Effects of listed variants: what is read, what is left out, what is refused."""

import numpy as np
import pandas as pd
import pysam
import pytest

from deepcohort.expression.edits import Edit
from deepcohort.expression.effects import By
from deepcohort.expression.genes import Gene
from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.listed import fitting, listed_effects, read_list, write_list
from deepcohort.expression.people import Reference
from deepcohort.expression.views import Averaged
from deepcohort.genome.errors import InputError
from tests.expression.cohorts import OTHER, Additive
from tests.genotypes import write_vcf

REFERENCE = "".join(np.random.default_rng(7).choice(list("ACGT"), 300))


@pytest.fixture
def reference(tmp_path):
    (tmp_path / "r.fa").write_text(f">chr1\n{REFERENCE}\n")
    pysam.faidx(str(tmp_path / "r.fa"))
    return Reference(tmp_path / "r.fa", "1")


def gene(tss=150, strand="+"):
    return Gene("G", "G", "1", tss, strand, tss, tss + 1)


def told(reference, edits, genes, model):
    made = listed_effects("c", genes, sorted(edits), reference, Averaged(model), By.ism)
    return pd.concat(list(made), ignore_index=True)


def snv(place):
    return Edit(place, REFERENCE[place].encode(), OTHER[REFERENCE[place]].encode())


def test_effects_on_both_strands_are_those_of_the_weights(reference):
    model = Additive(20, 10)
    table = told(reference, [snv(140), snv(155), snv(100)], [gene(), gene(strand="-")], model)
    assert len(table) == 2 * 2 * 2 and set(table["pos"]) == {141, 156}
    change = ONE_HOT[ord(OTHER[REFERENCE[140]])] - ONE_HOT[ord(REFERENCE[140])]
    row = table[(table["pos"] == 141) & (table["track"] == "two")]
    assert row["effect"].iloc[0] == pytest.approx(model.weights[1, 10] @ change, abs=1e-4)
    # On the other strand the place is 10 bases behind the start, and A, C, G, T are T, G, C, A.
    assert row["effect"].iloc[1] == pytest.approx(model.weights[1, 30] @ change[::-1], abs=1e-4)
    assert row["log2_ratio"].isna().all() and (row["by"] == "ism").all()


def test_lists_of_either_kind_are_one(tmp_path):
    rows = [("chr1", 11, "A", "C,AT", []), ("2", 5, "g", "<DEL>", []), ("2", 7, "C", "T", [])]
    vcf = write_vcf(tmp_path / "l.vcf.gz", rows, [])
    table = tmp_path / "l.tsv"
    table.write_text(
        "#CHROM\tPOS\tid\tREF\tALT\nchr2\t7\tx\tc\tt\n1\t11\t.\tA\tC\n1\t11\t.\tA\tAT\n1\t11\t.\tA\tC\n"
    )
    expected = {"1": [Edit(10, b"A", b"AT"), Edit(10, b"A", b"C")], "2": [Edit(6, b"C", b"T")]}
    assert read_list(vcf) == read_list(table) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chrom\tpos\tref\n1\t1\tA\n", "l.tsv: the first row must name the columns chrom, pos, ref and alt"),
        ("chrom\tpos\tref\talt\n", "l.tsv: no variant in it"),
        ("chrom\tpos\tref\talt\n1\t0\tA\tC\n", "l.tsv: row 2: '1 0 A C' is no variant"),
        ("chrom\tpos\tref\talt\n1\t4\tA\t<DEL>\n", "l.tsv: row 2: '1 4 A <DEL>' is no variant"),
        ("chrom\tpos\tref\talt\n1\t4\tA\n", "l.tsv: row 2: '1 4 A ' is no variant"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path, text, said):
    (tmp_path / "l.tsv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_list(tmp_path / "l.tsv")
    assert str(caught.value).startswith(said)


def test_variants_of_another_reference(reference, tmp_path):
    wrong = [Edit(place, OTHER[REFERENCE[place]].encode(), b"N") for place in (141, 142)]
    past = Edit(299, REFERENCE[299].encode() + b"A", b"N")
    found = {"1": sorted([snv(140), snv(145), *wrong])}
    kept, notes = fitting("l.tsv", found, tmp_path / "r.fa")
    assert kept == {"1": [snv(140), snv(145)]}
    assert notes == ["2 variants of l.tsv on chromosome 1 have another REF than the reference: left out."]
    write_list(tmp_path / "kept.tsv", kept)
    assert read_list(tmp_path / "kept.tsv") == kept
    # One of one that is wrong is no reason to refuse a list that fits elsewhere.
    (tmp_path / "two.fa").write_text(f">chr1\n{REFERENCE}\n>2\nACGT\n")
    pysam.faidx(str(tmp_path / "two.fa"))
    found = {"1": [snv(140), snv(145)], "2": [Edit(1, b"A", b"C")], "3": wrong}
    kept, notes = fitting("l.tsv", found, tmp_path / "two.fa")
    assert kept == {"1": found["1"], "2": []}
    assert notes[0].startswith("1 variants of l.tsv on chromosome 2 have another REF")
    assert notes[1:] == ["2 variants of l.tsv are on chromosomes that the reference has not: left out."]
    with pytest.raises(InputError, match=r"^l.tsv: r.fa has none of its chromosomes: give the reference of"):
        fitting("l.tsv", {"3": wrong}, tmp_path / "r.fa")
    with pytest.raises(InputError, match=r"^l.tsv: REF of 3 of 4 variants is not what r.fa has: give the"):
        fitting("l.tsv", {"1": [snv(140), *wrong, past]}, tmp_path / "r.fa")
