"""Sequences of people: strand, phase, what cannot be used and is counted, what is refused."""

import numpy as np
import pysam
import pysam.bcftools
import pytest

from deepcohort.expression.genes import Gene
from deepcohort.expression.people import Sequences, Unphased
from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import make_index
from tests.genotypes import bgzip, write_vcf

REFERENCE = "".join(np.random.default_rng(3).choice(list("ACGT"), 400))
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}
AT = 200


def gene(strand="+", tss=AT, chrom="1"):
    return Gene("G", "G", chrom, tss, strand, tss, tss + 1)


def made(folder, rows, *, samples=("a", "b"), fasta_name="chr1", unphased=Unphased.random, seed=1):
    fasta = folder / "r.fa"
    fasta.write_text(f">{fasta_name}\n{REFERENCE}\n")
    pysam.faidx(str(fasta))
    records = [("1", place + 1, ref, alt, cells) for place, ref, alt, cells in rows]
    vcf = write_vcf(folder / "v.vcf.gz", records, list(samples), {"1": 400})
    make_index(vcf, folder / "v.vcf.gz.tbi")
    return Sequences(fasta, [vcf], "1", unphased=unphased, seed=seed)


def snv(place, *cells):
    return place, REFERENCE[place], OTHER[REFERENCE[place]], cells


def text(found, person, haplotype):
    return found.unique[found.of[person, haplotype]].tobytes().decode()


def test_two_phased_haplotypes_on_both_strands(tmp_path):
    sequences = made(tmp_path, [snv(195, "0|1", "1|1"), snv(203, "1|0", "0|0")])
    found = sequences.of_gene(gene(), 20, 10)
    expected = list(REFERENCE[180:211])
    assert text(found, 0, 0) == "".join([*expected[:23], OTHER[REFERENCE[203]], *expected[24:]])
    assert text(found, 0, 1) == "".join([*expected[:15], OTHER[REFERENCE[195]], *expected[16:]])
    assert text(found, 1, 0) == text(found, 1, 1) == text(found, 0, 1)
    assert (sequences.counts["haplotypes"], sequences.counts["haplotypes_unique"]) == (4, 2)
    other = sequences.of_gene(gene("-"), 20, 10)
    complement = str.maketrans("ACGT", "TGCA")
    assert text(other, 1, 0)[20] == REFERENCE[AT].translate(complement)
    assert text(other, 1, 0)[25] == OTHER[REFERENCE[195]].translate(complement)


def test_indels_do_not_move_the_start(tmp_path):
    rows = [
        (150, REFERENCE[150:190], REFERENCE[150], ("1|0", "0|1")),
        (195, REFERENCE[195], REFERENCE[195] + "ACGTACG", ("0|1", "1|1")),
    ]
    found = made(tmp_path, rows).of_gene(gene(), 60, 10)
    for person in (0, 1):
        for haplotype in (0, 1):
            assert text(found, person, haplotype)[60:] == REFERENCE[200:211]
    assert text(found, 0, 0)[:16] == REFERENCE[101:117]


def test_what_cannot_be_used_is_counted(tmp_path):
    place = 190
    rows = [
        snv(185, "./.", "0|."),
        (place, REFERENCE[place], "<DEL>", ("0|1", "1|1")),
        (192, REFERENCE[192], "*", ("1|1", "0|0")),
    ]
    sequences = made(tmp_path, rows)
    found = sequences.of_gene(gene(), 20, 10)
    assert found.unique.tobytes().decode() == REFERENCE[180:211]
    counts = sequences.counts
    assert (counts["genotypes_missing"], counts["records_symbolic"], counts["records_star"]) == (2, 1, 1)


def with_deletions(folder, rows, **options):
    """People whose symbolic alleles end where INFO END says; rows have the end last."""
    sequences = made(folder, [row[:4] for row in rows])
    text = pysam.bcftools.view(str(folder / "v.vcf.gz"))
    header = '##INFO=<ID=END,Number=1,Type=Integer,Description="End">\n#CHROM'
    lines = text.replace("#CHROM", header, 1).split("\n")
    ends = {str(row[0] + 1): row[4] for row in rows}
    for number, line in enumerate(lines):
        cells = line.split("\t")
        if len(cells) > 8 and cells[1] in ends and cells[4].startswith("<"):
            cells[7] = f"END={ends[cells[1]]}"
            lines[number] = "\t".join(cells)
    bgzip(folder / "d.vcf.gz", "\n".join(lines))
    make_index(folder / "d.vcf.gz", folder / "d.vcf.gz.tbi")
    return Sequences(folder / "r.fa", [folder / "d.vcf.gz"], sequences.contig, **options)


@pytest.mark.parametrize("alt", ["<DEL>", "<CN0>", "<DEL:ME:ALU>"])
def test_symbolic_deletions_are_applied_if_wanted(tmp_path, alt):
    # The first one begins before what is read for the window, the last one is no deletion.
    rows = [
        (5, REFERENCE[5], alt, ("1|0", "0|0"), 20),
        (185, REFERENCE[185], alt, ("0|1", "0|0"), 190),
        (195, REFERENCE[195], "<INS>", ("1|1", "1|1"), 196),
    ]
    applied = with_deletions(tmp_path, rows, deletions=True)
    found = applied.of_gene(gene(), 30, 10)
    assert text(found, 0, 0) == REFERENCE[170:211]
    assert text(found, 0, 1) == REFERENCE[166:186] + REFERENCE[190:211]
    counts = applied.counts
    assert (counts["records_symbolic_deleted"], counts["records_symbolic"]) == (2, 1)
    left = with_deletions(tmp_path, rows).of_gene(gene(), 30, 10)
    assert text(left, 0, 1) == REFERENCE[170:211]
    over = with_deletions(tmp_path, [(150, REFERENCE[150], alt, ("1|0", "0|0"), 300)], deletions=True)
    found = over.of_gene(gene(), 30, 10)
    assert text(found, 0, 0) == REFERENCE[121:151] + REFERENCE[300:311]
    assert over.counts["haplotypes_tss_deleted"] == 1
    edge = with_deletions(tmp_path, [(150, REFERENCE[150], alt, ("1|0", "0|0"), 398)], deletions=True)
    found = edge.of_gene(gene(), 30, 10)
    assert text(found, 0, 0) == REFERENCE[121:151] + REFERENCE[398:400] + "N" * 9
    assert edge.counts["haplotypes_filled"] == 1


def test_models_of_one_strand_see_the_reference_s(tmp_path):
    found = made(tmp_path, [snv(195, "0|1", "1|1")]).of_gene(gene("-"), 20, 10, stranded=False)
    assert text(found, 0, 0) == REFERENCE[180:211]


def test_unphased_people(tmp_path):
    rows = [snv(195, "0/1", "1/1"), snv(203, "0/1", "0/0"), (205, REFERENCE[205], "ACGTT", ("1/0", "0/0"))]
    rows[2] = (205, REFERENCE[205], REFERENCE[205] + "TT", ("0/1", "0/0"))
    averaged = made(tmp_path, rows, unphased=Unphased.mean)
    found = averaged.of_gene(gene(), 20, 10)
    assert text(found, 0, 0) == text(found, 0, 1)
    assert text(found, 0, 0)[15] in "MRWSYK" and text(found, 0, 0)[24:] == REFERENCE[204:211]
    counts = averaged.counts
    assert (counts["genotypes_unphased_averaged"], counts["genotypes_unphased_left_out"]) == (2, 1)
    drawn = {}
    for seed in range(8):
        sequences = made(tmp_path, rows, seed=seed)
        found = sequences.of_gene(gene(), 20, 10)
        drawn[seed] = [text(found, 0, 0), text(found, 0, 1)]
        alternatives = sum(one[15] == OTHER[REFERENCE[195]] for one in drawn[seed])
        assert alternatives == 1 and sequences.counts["genotypes_unphased_drawn"] == 3
    assert len({tuple(pair) for pair in drawn.values()}) > 2


def test_people_with_one_copy_have_one_sequence(tmp_path):
    found = made(tmp_path, [snv(195, "1", "0|1")]).of_gene(gene(), 20, 10)
    assert found.of[0, 1] == -1 and found.of[1].min() >= 0
    assert text(found, 0, 0) == text(found, 1, 1) != text(found, 1, 0)


def test_names_of_chromosomes_with_and_without_chr(tmp_path, caplog):
    with caplog.at_level("INFO"):
        sequences = made(tmp_path, [snv(195, "1|1", "1|1")])
    assert "1 is called 1 and chr1" in caplog.text
    assert text(sequences.of_gene(gene(), 20, 10), 0, 0)[15] == OTHER[REFERENCE[195]]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (gene("."), "genes_unstranded"),
        (gene(tss=400), "genes_beyond_contig"),
    ],
)
def test_genes_without_a_sequence(tmp_path, one, why):
    sequences = made(tmp_path, [snv(195, "0|0", "0|1")])
    assert sequences.of_gene(one, 20, 10) is None
    assert sequences.counts[why] == 1


def test_windows_past_the_contig_are_filled_and_those_of_n_left_out(tmp_path):
    sequences = made(tmp_path, [snv(195, "0|0", "0|1")])
    found = sequences.of_gene(gene(tss=395), 20, 10)
    assert text(found, 0, 0) == REFERENCE[375:] + "N" * 6
    assert sequences.of_gene(gene(tss=399), 2, 10) is None
    assert sequences.counts["windows_past_contig"] == 2 and sequences.counts["genes_without_bases"] == 1


def test_a_chromosome_that_the_reference_lacks(tmp_path):
    sequences = made(tmp_path, [snv(195, "0|0", "0|1")], fasta_name="2")
    assert sequences.of_gene(gene(), 20, 10) is None
    assert sequences.counts["genes_without_bases"] == 1


@pytest.mark.parametrize("swapped", [True, False])
def test_ref_that_is_not_the_reference(tmp_path, swapped):
    place, ref, alt, cells = snv(195, "0|0", "0|1")
    row = (place, alt, ref if swapped else OTHER[alt], cells)
    sequences = made(tmp_path, [row, snv(203, "0|1", "0|0")])
    found = sequences.of_gene(gene(), 20, 10)
    assert text(found, 1, 1) == REFERENCE[180:211]
    said = "v.vcf.gz: REF of 1 of 2 records near genes is not what r.fa has (50.0%, at most 0.1% may be); "
    said += "most have REF and ALT swapped" if swapped else "the two are of different builds"
    with pytest.raises(InputError, match=said.replace("(", r"\(").replace(")", r"\)")):
        sequences.check_reference()


def test_more_than_two_alleles(tmp_path):
    sequences = made(tmp_path, [snv(195, "0|0|1", "0|0|1")])
    with pytest.raises(InputError, match="1:196 has genotypes of 3 alleles: people have two at most"):
        sequences.of_gene(gene(), 20, 10)


def test_a_chromosome_in_two_files(tmp_path):
    sequences = made(tmp_path, [snv(195, "0|0", "0|1")])
    with pytest.raises(InputError, match=r"v.vcf.gz and v.vcf.gz: all have records of chromosome 1"):
        Sequences(tmp_path / "r.fa", [sequences.path, sequences.path], "1")


def test_bases_that_the_reference_does_not_know(tmp_path):
    """N agrees with any REF; the alternative is known where somebody has it, and N elsewhere."""
    sequences = made(tmp_path, [snv(195, "0|1", "0|0"), snv(203, "1|1", "0|0")])
    unknown = REFERENCE[:195] + "N" + REFERENCE[196:]
    (tmp_path / "r.fa").write_text(f">chr1\n{unknown}\n")
    sequences = Sequences(tmp_path / "r.fa", [tmp_path / "v.vcf.gz"], "1")
    found = sequences.of_gene(gene(), 20, 10)
    assert text(found, 0, 0)[15] == text(found, 1, 1)[15] == "N"
    assert text(found, 0, 1)[15] == OTHER[REFERENCE[195]]
    counts = sequences.counts
    assert (counts["records_ref_unknown"], counts["records_ref_mismatch"], counts["records"]) == (1, 0, 2)
