"""Men on X who are written with two equal copies."""

import numpy as np

from deepcohort.genome.builds import BUILDS, PSEUDO_AUTOSOMAL
from deepcohort.inputs.checks import check_genotypes
from tests.genotypes import write_vcf

PEOPLE = ["woman", "Jürgen", "haploid", "few"]


def notes(folder, contig, length, first=5_000_000):
    """Notes about a file of 60 common sites; only the woman, of four people, is ever heterozygous."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(60):
        one, two, three = rng.integers(0, 2, 3)
        few = f"{one}/{one}" if number < 5 else "./."
        rows.append((contig, first + number, "A", "G", [f"{one}/{two}", f"{three}/{three}", f"{two}", few]))
    file = write_vcf(folder / "x.vcf.gz", rows, PEOPLE, {contig: length})
    made = check_genotypes(
        file, panel=False, name="x", index=None, out_sites=folder / "s.bcf", out_index=folder / "x.csi"
    )
    return [note for note in made.notes if "looks like a man" in note]


def test_men_with_two_equal_copies_are_named_and_others_are_not(tmp_path):
    length = BUILDS["GRCh38"]["X"]
    assert notes(tmp_path, "chrX", length) == [
        "x.vcf.gz: who looks like a man but has two equal copies of X (Jürgen) keeps them, so dosages "
        "reach 2; write such genotypes with one allele (bcftools +fixploidy) to have men haploid."
    ]


def test_other_chromosomes_pseudo_autosomal_regions_and_unknown_builds_say_nothing(tmp_path):
    assert notes(tmp_path, "20", BUILDS["GRCh38"]["20"]) == []
    assert notes(tmp_path, "X", BUILDS["GRCh38"]["X"], PSEUDO_AUTOSOMAL["GRCh38"][0][0]) == []
    assert notes(tmp_path, "X", None) == []
