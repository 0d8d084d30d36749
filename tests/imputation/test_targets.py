"""Targets told in the panel's alleles, whatever way they are written."""

import numpy as np
import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import read_target, typed_sites
from tests.genotypes import write_vcf
from tests.imputation.haplotypes import panel_chunk


def panel_of(*sites):
    """A panel of (position, REF, ALT)."""
    plain = panel_chunk(np.tile(np.array([0, 1], np.uint8), (len(sites), 2)), pos=[site[0] for site in sites])
    return PanelChunk(
        **vars(plain) | {"ref": [site[1] for site in sites], "alt": [site[2] for site in sites]}
    )


def target_of(folder, records, samples=("a", "b"), contig="20", suffix=".vcf.gz"):
    path = write_vcf(folder / f"target{suffix}", [(contig, *record) for record in records], samples)
    pysam.bcftools.index("-f", str(path), catch_stdout=False)
    return path


def read(folder, panel, records, samples=("a", "b"), **rest):
    return read_target(target_of(folder, records, samples, **rest), panel, list(samples))


@pytest.mark.parametrize(
    ("panel_alleles", "target_alleles", "cell", "copies"),
    [
        ("AC", "AC", "0|1", [0, 1]),
        ("AC", "CA", "0|1", [1, 0]),
        ("AC", "TG", "0|1", [0, 1]),
        ("AC", "GT", "0|1", [1, 0]),
        ("AC", "CA", ".|1", [-1, 0]),
        ("AC", "CA", "1", [0, -1]),
        ("AT", "AT", "0|1", [0, 1]),
        ("AC", "ac", "1|0", [1, 0]),
    ],
)
def test_alleles_whatever_the_way_round(tmp_path, panel_alleles, target_alleles, cell, copies):
    panel = panel_of((50, "G", "A"), (100, *panel_alleles))
    target = read(tmp_path, panel, [(100, *target_alleles, [cell, "0|0"])])
    assert target.typed.tolist() == [1]
    assert target.genotypes[0, 0].tolist() == copies


@pytest.mark.parametrize("target_alleles", ["TA", "AG", "GC"])
def test_what_does_not_match_is_not_typed(tmp_path, target_alleles):
    target = read(tmp_path, panel_of((100, "A", "T")), [(100, *target_alleles, ["0|1", "0|0"])])
    assert len(target.typed) == 0
    assert target.genotypes.shape == (0, 2, 2)


def test_a_target_without_alt_at_the_site(tmp_path):
    panel = panel_of((100, "A", "C"), (200, "A", "G"))
    records = [(100, "A", ".", ["0|0", "0|0"]), (200, "G", ".", ["0|0", ".|."])]
    target = read(tmp_path, panel, records)
    assert target.genotypes.tolist() == [[[0, 0], [0, 0]], [[1, 1], [-1, -1]]]


def test_each_alt_of_a_site_has_its_own_entry(tmp_path):
    panel = panel_of((100, "A", "C"), (100, "A", "G"))
    target = read(tmp_path, panel, [(100, "A", "C,G", ["1|2", "0|2"])])
    assert target.genotypes.tolist() == [[[1, 0], [0, 0]], [[0, 1], [0, 1]]]


def test_a_third_allele_is_no_copy_of_either(tmp_path):
    """REF and ALT turned round: copies of the panel's ALT are those of the target's REF and no others."""
    target = read(tmp_path, panel_of((100, "A", "C")), [(100, "C", "A,G", ["0|2", "1|2"])])
    assert target.genotypes.tolist() == [[[1, 0], [0, 0]]]


def test_duplicates_the_first_target_site_wins(tmp_path):
    panel = panel_of((100, "A", "C"), (100, "A", "C"), (100, "A", "G"), (200, "C", "T"))
    records = [
        (100, "A", "C", ["1|1", "0|1"]),
        (100, "A", "C", ["0|0", "0|0"]),
        (200, "C", "T", ["0|1", "1|1"]),
    ]
    target = read(tmp_path, panel, records)
    assert target.typed.tolist() == [0, 3]
    assert target.genotypes[0].tolist() == [[1, 1], [0, 1]]


def test_people_in_the_order_asked_and_no_others(tmp_path):
    panel, samples = panel_of((100, "A", "C")), ["ä", "b", "c d", "漢"]
    path = target_of(tmp_path, [(100, "A", "C", ["0|0", "0|1", "1|0", "1|1"])], samples)
    target = read_target(path, panel, ["漢", "b", "ä"])
    assert target.samples == ["漢", "b", "ä"]
    assert target.genotypes[0].tolist() == [[1, 1], [0, 1], [0, 0]]


def test_the_targets_name_of_the_chromosome(tmp_path):
    target = read(tmp_path, panel_of((100, "A", "C")), [(100, "A", "C", ["0|0", "0|1"])], contig="chr20")
    assert target.contig == "chr20"
    assert len(target.typed) == 1


PHASES = {
    "all phased": (["0|1", "1|1"], True),
    "homozygous ones without phase": (["0/0", "0|1"], True),
    "one heterozygous without phase": (["0|1", "0/1"], False),
    "only homozygous with phase": (["0|0", "1|1"], True),
    "only homozygous without phase": (["0/0", "1/1"], False),
    "half missing": (["0/.", "./1"], False),
    "half missing on one side": (["1/.", "0/."], False),
    "half missing with phase": (["0|.", ".|1"], True),
    "all missing": (["./.", "./."], True),
    "haploid": (["0", "1"], True),
    "haploid and missing": (["1", "."], True),
}


@pytest.mark.parametrize(("cells", "known"), PHASES.values(), ids=PHASES)
def test_whose_phase_is_known(tmp_path, cells, known):
    panel = panel_of((100, "A", "C"), (200, "A", "C"))
    records = [(p, "A", "C", [cell, "0|1"]) for p, cell in zip((100, 200), cells, strict=True)]
    assert read(tmp_path, panel, records).phased.tolist() == [known, True]


def test_who_is_haploid(tmp_path):
    panel = panel_of((100, "A", "C"), (200, "A", "C"))
    records = [
        (100, "A", "C", ["1", "0|1", "0", ".", "1", "./."]),
        (200, "A", "C", ["0", "0|0", ".", ".", "0|1", "./."]),
    ]
    samples = ["man", "woman", "man with a hole", "nobody", "both", "missing"]
    target = read(tmp_path, panel, records, samples)
    assert target.haploid.tolist() == [True, False, True, False, False, False]
    assert target.genotypes[:, 0].tolist() == [[1, -1], [0, -1]]
    assert target.genotypes[:, 4].tolist() == [[1, -1], [0, 1]]


def test_all_haploid(tmp_path):
    target = read(tmp_path, panel_of((100, "A", "C")), [(100, "A", "C", ["1", "0"])])
    assert target.haploid.all()
    assert target.genotypes.tolist() == [[[1, -1], [0, -1]]]


def test_men_stay_haploid_where_nothing_is_typed(tmp_path):
    panel = panel_of((500_000, "A", "C"))
    records = [
        (100, "A", "C", ["0|1", "0|1"]),
        (400_000, "A", "G", ["1", "0|1"]),
        (900_000, "A", "G", [".", "."]),
    ]
    assert read(tmp_path, panel, records).haploid.tolist() == [True, False]


def test_an_all_missing_person(tmp_path):
    target = read(tmp_path, panel_of((100, "A", "C")), [(100, "A", "C", ["./.", "0|1"])])
    assert target.genotypes.tolist() == [[[-1, -1], [0, 1]]]


def test_a_sample_that_is_not_there(tmp_path):
    path = target_of(tmp_path, [(100, "A", "C", ["0|1", "0|0"])])
    with pytest.raises(InputError, match=r"target.vcf.gz: there is no sample Zoë: give the samples"):
        read_target(path, panel_of((100, "A", "C")), ["a", "Zoë"])


def test_a_chromosome_that_is_not_there(tmp_path):
    path = target_of(tmp_path, [(100, "A", "C", ["0|1", "0|0"])], contig="21")
    panel = panel_of((100, "A", "C"))
    for read_file in (lambda: read_target(path, panel, ["a"]), lambda: typed_sites(path, panel)):
        with pytest.raises(InputError, match=r"target.vcf.gz: chromosome 20 is not in this file"):
            read_file()


@pytest.mark.parametrize("suffix", [".vcf.gz", ".bcf"])
def test_a_target_cut_off(tmp_path, suffix):
    records = [(i, "A", "C", ["0|1", "0|0"]) for i in range(1, 3000)]
    path = target_of(tmp_path, records, suffix=suffix)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="truncated"):
        read_target(path, panel_of((100, "A", "C")), ["a"])


def test_sites_alone_tell_what_is_typed(tmp_path):
    panel = panel_of((100, "A", "C"), (100, "A", "G"), (200, "A", "C"), (300, "A", "C"), (400, "C", "G"))
    records = [
        (90, "A", "C", ["0|1", "0|0"]),
        (100, "A", "G,T", ["0|1", "0|2"]),
        (200, "G", "T", ["0|1", "0|0"]),
        (400, "G", "C", ["0|1", "0|0"]),
        (500, "A", "C", ["0|1", "0|0"]),
    ]
    path = target_of(tmp_path, records)
    sites = tmp_path / "sites.bcf"
    pysam.bcftools.view("-G", "-Ob", "-o", str(sites), str(path), catch_stdout=False)
    pysam.bcftools.index(str(sites), catch_stdout=False)
    assert typed_sites(sites, panel).tolist() == [1, 2]
    assert read_target(path, panel, ["a", "b"]).typed.tolist() == [1, 2]


def test_masking_hides_a_share_and_hangs_on_the_position_alone(tmp_path):
    pos = np.arange(1, 2001) * 37
    records = [(int(p), "A", "C", ["0|1", "0|0"]) for p in pos]
    path = target_of(tmp_path, records)
    sites = [(int(p), "A", "C") for p in pos]
    whole, half = panel_of(*sites), panel_of(*sites[700:])
    hidden = {}
    for name, panel in (("whole", whole), ("half", half)):
        target = read_target(path, panel, ["a", "b"])
        masked = target.masking(panel.pos, 0.1, 5)
        assert sorted([*masked.typed, *masked.masked]) == target.typed.tolist()
        assert len(masked.genotypes) == len(masked.typed)
        assert (masked.samples, masked.contig) == (target.samples, target.contig)
        hidden[name] = set(panel.pos[masked.masked].tolist())
    assert hidden["half"] == {p for p in hidden["whole"] if p >= pos[700]}
    assert len(hidden["whole"]) == pytest.approx(200, abs=45)
    other = read_target(path, whole, ["a"]).masking(whole.pos, 0.1, 6)
    assert set(whole.pos[other.masked].tolist()) != hidden["whole"]
