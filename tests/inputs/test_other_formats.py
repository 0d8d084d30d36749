"""Panels of PLINK 2 and IMPUTE, written as VCF: the same people, sites and haplotypes as went in."""

import gzip

import numpy as np
import pgenlib
import pysam
import pytest
from cyvcf2 import VCF
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcohort.genome.errors import InputError
from deepcohort.inputs.other_formats import convert_impute, convert_plink

PEOPLE = ["Ann", "Bob", "Cid"]


def write_plink(folder, codes, phased, chroms=None, alts=None, sexes=("2", "1", "NA"), header="#IID\tSEX\n"):
    """codes: int32[S, n, 2], -9 missing; phased: bool[S, n]."""
    sites, people, _ = codes.shape
    chroms, alts = chroms or ["chr20"] * sites, alts or ["C"] * sites
    most = max(alt.count(",") for alt in alts) + 2
    pgen = folder / "panel.pgen"
    with pgenlib.PgenWriter(
        str(pgen).encode(),
        people,
        variant_ct=sites,
        nonref_flags=False,
        hardcall_phase_present=True,
        allele_ct_limit=most,
    ) as writer:
        for row, known, alt in zip(codes.astype(np.int32), phased, alts, strict=True):
            writer.append_partially_phased(row.ravel(), known.astype(np.uint8), allele_ct=alt.count(",") + 2)
    rows = [f"{c}\t{10 * i + 1}\tv{i}\tA\t{a}\n" for i, (c, a) in enumerate(zip(chroms, alts, strict=True))]
    contig = "##contig=<ID=chr20,length=64444167>\n"
    (folder / "panel.pvar").write_text(contig + "#CHROM\tPOS\tID\tREF\tALT\n" + "".join(rows))
    names = [f"{name}\t{sex}\n" for name, sex in zip(PEOPLE, sexes, strict=True)]
    (folder / "panel.psam").write_text(header + "".join(names))
    return pgen, folder / "panel.pvar", folder / "panel.psam"


def write_impute(folder, rows, compress=False):
    """rows: of 0, 1 and -, a string a site."""
    texts = {
        "panel.hap": "".join(" ".join(row) + "\n" for row in rows),
        "panel.legend": "id position a0 a1\n"
        + "".join(f"rs{i}:{10 * i + 1}:A:C {10 * i + 1} A C\n" for i in range(len(rows))),
        "panel.sample": "sample population\n" + "".join(f"{name} GBR\n" for name in PEOPLE),
    }
    paths = []
    for name, text in texts.items():
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(text.encode()) if compress else text.encode())
        paths.append(path)
    return paths


def genotypes(path):
    with pysam.VariantFile(str(path)) as file:
        return [
            ["".join(str(call) for call in _text(record.samples[name])) for name in file.header.samples]
            for record in file
        ]


def _text(call):
    between = "|" if call.phased else "/"
    return between.join("." if allele is None else str(allele) for allele in call["GT"])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_plink_genotypes_come_out_as_they_went_in(tmp_path_factory, data):
    sites = data.draw(st.integers(1, 12))
    alts = data.draw(st.lists(st.sampled_from(["C", "C,<DEL>", "C,G,TT"]), min_size=sites, max_size=sites))
    codes = data.draw(arrays(np.int32, (sites, 3, 2), elements=st.integers(0, 3)))
    codes = np.minimum(codes, np.array([alt.count(",") + 1 for alt in alts])[:, None, None])
    phased = data.draw(arrays(np.bool_, (sites, 3)))
    codes[data.draw(arrays(np.bool_, (sites, 3)))] = -9
    folder = tmp_path_factory.mktemp("plink")
    out = folder / "panel.vcf.gz"
    assert convert_plink(*write_plink(folder, codes, phased, alts=alts), "20", out) == sites
    for found, row, known in zip(genotypes(out), codes, phased, strict=True):
        for text, pair, in_phase in zip(found, row.tolist(), known, strict=True):
            told = pair if in_phase else sorted(pair)
            words = ["." if allele < 0 else str(allele) for allele in told]
            assert text == ("|" if in_phase or pair[0] == pair[1] else "/").join(words)


def test_only_the_chromosome_and_what_the_header_says_of_it(tmp_path):
    codes, phased = np.zeros((3, 3, 2), np.int32), np.ones((3, 3), np.bool_)
    out = tmp_path / "panel.vcf.gz"
    files = write_plink(tmp_path, codes, phased, chroms=["chr19", "chr20", "chr20"])
    assert convert_plink(*files, "20", out) == 2
    panel = VCF(str(out))
    assert (panel.seqnames, panel.seqlens, panel.samples) == (["chr20"], [64444167], PEOPLE)
    assert [(record.POS, record.ID) for record in panel] == [(11, "v1"), (21, "v2")]


def test_all_chromosomes_of_a_file(tmp_path):
    codes, phased = np.zeros((3, 3, 2), np.int32), np.ones((3, 3), np.bool_)
    codes[:, :, 1] = 1
    files = write_plink(tmp_path, codes, phased, chroms=["7", "chr20", "X"], sexes=("1", "2", "NA"))
    assert convert_plink(*files, None, tmp_path / "all.vcf.gz") == 3
    with pysam.VariantFile(str(tmp_path / "all.vcf.gz")) as file:
        assert {name: one.length for name, one in file.header.contigs.items()} == {
            "7": None, "chr20": 64444167, "X": None,
        }  # fmt: skip
    assert genotypes(tmp_path / "all.vcf.gz") == [["0|1"] * 3, ["0|1"] * 3, [".", "0|1", "0|1"]]


def test_men_have_one_x(tmp_path):
    codes = np.array([[[0, 1], [1, 1], [1, 0]], [[0, 0], [0, 1], [1, 1]]])
    files = write_plink(tmp_path, codes, np.ones((2, 3), np.bool_), chroms=["X", "X"])
    convert_plink(*files, "chrX", tmp_path / "x.vcf.gz")
    assert genotypes(tmp_path / "x.vcf.gz") == [["0|1", "1", "1|0"], ["0|0", ".", "1|1"]]


@pytest.mark.parametrize("compress", [False, True])
def test_impute_haplotypes_come_out_as_they_went_in(tmp_path, compress):
    files = write_impute(tmp_path, ["01101-", "000011"], compress)
    assert convert_impute(*files, "X", tmp_path / "x.vcf.gz") == 2
    assert genotypes(tmp_path / "x.vcf.gz") == [["0|1", "1|0", "1"], ["0|0", "0|0", "1|1"]]
    assert [
        (record.POS, record.ID, record.REF, record.ALT) for record in VCF(str(tmp_path / "x.vcf.gz"))
    ] == [
        (1, "rs0", "A", ["C"]),
        (11, "rs1", "A", ["C"]),
    ]


def test_a_sample_file_with_types_of_its_columns(tmp_path):
    files = write_impute(tmp_path, ["011010"])
    files[2].write_text("ID_1 ID_2 missing\n0 0 0\n" + "".join(f"{name} {name} 0\n" for name in PEOPLE))
    convert_impute(*files, "20", tmp_path / "20.vcf.gz")
    assert VCF(str(tmp_path / "20.vcf.gz")).samples == PEOPLE


def refused(files, folder, chrom="20"):
    out = folder / "out.vcf.gz"
    with pytest.raises(InputError) as caught:
        (convert_plink if files[0].suffix == ".pgen" else convert_impute)(*files, chrom, out)
    assert not out.exists()
    return str(caught.value)


def test_what_does_not_fit_is_refused(tmp_path):
    codes, phased = np.zeros((2, 3, 2), np.int32), np.ones((2, 3), np.bool_)
    plink = write_plink(tmp_path, codes, phased)
    assert "panel.pvar: has no site on chromosome 7" in refused(plink, tmp_path, "7")
    plink[1].write_text("#CHROM\tPOS\tID\tREF\tALT\n")
    assert "No variants in panel.pvar: give" in refused(plink, tmp_path, None)
    plink = write_plink(tmp_path, codes, phased)
    with plink[2].open("a") as file:
        file.write("Dan\t1\n")
    message = refused(plink, tmp_path)
    assert "panel.pgen: PLINK's library says" in message and "3 samples" in message
    assert str(tmp_path) not in message
    plink[2].write_text("family person\n1 Ann\n")
    assert "panel.psam: its header does not begin with #IID" in refused(plink, tmp_path)


def test_what_does_not_fit_of_impute_is_refused(tmp_path):
    haps, legend, sample = write_impute(tmp_path, ["010101", "0101"])
    assert "panel.hap: line 2 has 4 alleles" in refused((haps, legend, sample), tmp_path)
    haps.write_text("0 1 0 1 0 1\n0 1 0 1 0 2\n")
    assert "panel.hap: line 2: '2' is no allele" in refused((haps, legend, sample), tmp_path)
    haps.write_text("0 1 0 1 0 1\n")
    assert "not as many lines as panel.legend" in refused((haps, legend, sample), tmp_path)
    legend.write_text("rsid place\n")
    assert "panel.legend: lacks a column" in refused((haps, legend, sample), tmp_path)
    sample.write_text("sample\n")
    assert "panel.sample: names nobody" in refused((haps, legend, sample), tmp_path)
