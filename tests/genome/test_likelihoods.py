"""Likelihoods in VCF against their meaning, computed genotype by genotype."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from cyvcf2 import VCF
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.likelihoods import LEAST, by_copies, genotype_alleles, likeliest, read_likelihoods

HEADER = """##fileformat=VCFv4.2
##contig=<ID=1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""


def record_of(path, alts, field, cells):
    path.write_text(
        HEADER
        + "\t".join(f"s{i}" for i in range(len(cells)))
        + f"\n1\t5\t.\tA\t{alts}\t.\t.\t.\t{field}\t"
        + "\t".join(cells)
        + "\n"
    )
    return next(iter(VCF(str(path))))


def test_order_of_genotypes_is_that_of_the_specification():
    """Of alleles a ≤ b genotype b(b + 1)/2 + a."""
    for n in (1, 2, 3, 4):
        table = genotype_alleles(n).tolist()
        assert sorted(map(tuple, table)) == list(combinations_with_replacement(range(n), 2))
        assert all(b * (b + 1) // 2 + a == number for number, (a, b) in enumerate(table))


@pytest.mark.parametrize("field", ["PL", "GL"])
def test_two_alleles(tmp_path, field):
    cells = {"PL": ["0,10,20", "30,0,90", "."], "GL": ["-1,-2,-3", "-3.5,-0.5,-9.5", "."]}[field]
    likelihoods, haploid = read_likelihoods(tmp_path, record_of(tmp_path / "a.vcf", "C", field, cells))
    expected = [[1, 0.1, 0.01], [1e-3, 1, LEAST], [1, 1, 1]]
    np.testing.assert_allclose(likelihoods, expected, rtol=1e-5)
    assert not haploid.any()
    np.testing.assert_allclose(by_copies(likelihoods, haploid, 2, 1), expected, rtol=1e-5)
    np.testing.assert_allclose(by_copies(likelihoods, haploid, 2, 0), np.array(expected)[:, ::-1], rtol=1e-5)
    assert likeliest(likelihoods, haploid, 2).tolist() == [[0, 0, 0], [0, 1, 0], [-1, -1, 0]]


def test_haploid_people_beside_others(tmp_path):
    likelihoods, haploid = read_likelihoods(
        tmp_path, record_of(tmp_path / "a.vcf", "C", "PL", ["0,10,20", "20,0", "."])
    )
    assert haploid.tolist() == [False, True, False]
    np.testing.assert_allclose(by_copies(likelihoods, haploid, 2, 1)[1], [0.01, 1, 0], rtol=1e-5)
    np.testing.assert_allclose(by_copies(likelihoods, haploid, 2, 0)[1], [1, 0.01, 0], rtol=1e-5)
    assert likeliest(likelihoods, haploid, 2).tolist() == [[0, 0, 0], [1, -2, 0], [-1, -1, 0]]


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 50), min_size=6, max_size=6), counted=st.integers(0, 2))
def test_several_alleles_by_the_likeliest_genotype_with_as_many_copies(tmp_path_factory, values, counted):
    values = [value - min(values) for value in values]
    path = tmp_path_factory.mktemp("vcf") / "a.vcf"
    record = record_of(path, "C,G", "PL", [",".join(map(str, values))])
    likelihoods, haploid = read_likelihoods(path, record)
    genotypes = ["00", "01", "11", "02", "12", "22"]
    expected = [
        max(
            10 ** (-v / 10) for v, g in zip(values, genotypes, strict=True) if g.count(str(counted)) == number
        )
        for number in range(3)
    ]
    np.testing.assert_allclose(by_copies(likelihoods, haploid, 3, counted)[0], expected, rtol=1e-4)


def test_a_wrong_number_of_values_is_refused(tmp_path):
    record = record_of(tmp_path / "a.vcf", "C,G", "PL", ["0,1,2,3"])
    message = "record 1:5 has 4 values of PL for 3 alleles, which have 6 genotypes: make the file again"
    with pytest.raises(InputError, match=message):
        read_likelihoods(tmp_path / "a.vcf", record)
