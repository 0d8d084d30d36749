"""Panels packed from VCF and BCF: what comes out is what the file says, site by site."""

import tracemalloc

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.imputation.panel import BLOCK, PanelChunk, _length_of, pack_panel
from tests.genotypes import bgzip, vcf_text, write_vcf
from tests.imputation.haplotypes import founders, panel_chunk

WHOLE = (1, 10_000)


def indexed(path, records, samples):
    write_vcf(path, records, samples)
    pysam.bcftools.index("-f", str(path), catch_stdout=False)
    return path


def cells(rows):
    """Genotypes of one record as text, from pairs of alleles."""
    return [f"{a}|{b}" for a, b in rows]


def packed(
    folder, records, samples=("a", "b"), padded=(1, 10_000), core=(1, 10_000), suffix=".vcf.gz", **rest
):
    path = indexed(folder / f"panel{suffix}", records, samples)
    return pack_panel(path, records[0][0] if records else "20", padded, core, rest.get("genetic_map"))


def alleles(panel):
    return panel.alleles(np.arange(panel.n_sites)).tolist()


@pytest.mark.parametrize("suffix", [".vcf.gz", ".bcf"])
def test_haplotypes_are_those_of_the_file(tmp_path, suffix):
    rng = np.random.default_rng(1)
    truth = founders(rng, 50, 22)
    records = [
        ("chr20", 100 * (i + 1), "A", "C", cells(row.reshape(-1, 2).tolist())) for i, row in enumerate(truth)
    ]
    panel = packed(tmp_path, records, [f"Zoë{i}" for i in range(11)], core=(1000, 2000), suffix=suffix)
    assert alleles(panel) == truth.tolist()
    assert (panel.contig, panel.core, panel.n_haplotypes, panel.n_sites) == ("chr20", (1000, 2000), 22, 50)
    assert panel.person.tolist() == [k // 2 for k in range(22)]
    assert panel.pos[panel.in_core].tolist() == list(range(1000, 2001, 100))
    np.testing.assert_allclose(panel.alt_frequency(), truth.mean(axis=1))
    np.testing.assert_allclose(np.diff(panel.cm), 1e-4)


def test_an_entry_for_each_alt(tmp_path):
    records = [("20", 100, "A", "C,G", ["1|2", "0|2"]), ("20", 200, "AT", "A", ["0|1", "1|1"])]
    panel = packed(tmp_path, records)
    assert list(zip(panel.pos.tolist(), panel.ref, panel.alt, strict=True)) == [
        (100, "A", "C"),
        (100, "A", "G"),
        (200, "AT", "A"),
    ]
    assert alleles(panel) == [[1, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 1]]


def test_a_deletion_that_starts_before_the_stretch_belongs_to_its_neighbour(tmp_path):
    records = [("20", 95, "A" + "C" * 20, "A", ["0|1", "0|1"]), ("20", 100, "A", "C", ["1|1", "0|1"])]
    panel = packed(tmp_path, records, padded=(100, 200), core=(100, 200))
    assert panel.pos.tolist() == [100]


def test_records_without_alt_are_no_sites(tmp_path):
    panel = packed(tmp_path, [("20", 90, "A", ".", ["0|0", "0|0"]), ("20", 100, "A", "C", ["1|1", "0|1"])])
    assert panel.pos.tolist() == [100]


def test_people_haploid_throughout_have_one_haplotype(tmp_path):
    records = [("X", 100, "A", "C", ["1", "0|1", "0"]), ("X", 200, "A", "G", ["0", "1|1", "1"])]
    panel = packed(tmp_path, records, samples=["m", "f", "n"])
    assert alleles(panel) == [[1, 0, 1, 0], [0, 1, 1, 1]]
    assert (panel.person.tolist(), panel.n_haplotypes) == ([0, 1, 1, 2], 4)


def test_people_haploid_in_part_have_two(tmp_path):
    """Across the border of the pseudo-autosomal region the one allele stands for both."""
    records = [("X", 100, "A", "C", ["1|0", "0|1"]), ("X", 200, "A", "G", ["1", "0|1"])]
    panel = packed(tmp_path, records)
    assert alleles(panel) == [[1, 0, 0, 1], [1, 1, 0, 1]]


def test_a_panel_of_haploid_people_only(tmp_path):
    panel = packed(tmp_path, [("Y", 100, "A", "C", ["1", "0"]), ("Y", 200, "A", "C", ["1", "1"])])
    assert (alleles(panel), panel.person.tolist()) == ([[1, 0], [1, 1]], [0, 1])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (".|.", r"panel.vcf.gz: 20:200 has a missing genotype: .* complete and phased"),
        ("0|.", r"20:200 has a missing genotype"),
        (".", r"20:200 has a missing genotype"),
        ("0/1", r"20:200 has an unphased genotype: phase the panel"),
    ],
)
def test_missing_and_unphased_are_refused(tmp_path, cell, message):
    with pytest.raises(InputError, match=message):
        packed(tmp_path, [("20", 100, "A", "C", ["0|1", "1|1"]), ("20", 200, "A", "C", ["0|1", cell])])


def test_a_homozygous_genotype_needs_no_phase(tmp_path):
    assert alleles(packed(tmp_path, [("20", 100, "A", "C", ["0/0", "1/1"])])) == [[0, 0, 1, 1]]


@pytest.mark.parametrize(("padded", "core"), [((500, 900), (500, 900)), ((1, 900), (500, 900))])
def test_nothing_in_the_core_is_refused(tmp_path, padded, core):
    with pytest.raises(InputError, match=r"no variant between 20:500 and 900"):
        packed(tmp_path, [("20", 100, "A", "C", ["0|1", "1|1"])], padded=padded, core=core)


@pytest.mark.parametrize("name", ["panel.bcf", "panel.vcf.gz"])
def test_a_panel_cut_off_is_refused_though_htslib_says_nothing(tmp_path, name):
    rng = np.random.default_rng(2)
    rows = [cells(rng.integers(0, 2, (400, 2)).tolist()) for _ in range(300)]
    records = [("20", 10 * (i + 1), "A", "C", row) for i, row in enumerate(rows)]
    path = indexed(tmp_path / name, records, [f"s{i}" for i in range(400)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=f"{name}: truncated"):
        pack_panel(path, "20", WHOLE, WHOLE, None)


def test_genetic_map_gives_the_places(tmp_path):
    genetic_map = tmp_path / "chr20.map"
    genetic_map.write_text("pos\tchr\tcM\n100\t20\t1.0\n200\t20\t1.0002\n400\t20\t1.0003\n")
    records = [("20", p, "A", "C", ["0|1", "1|1"]) for p in (100, 150, 300)]
    panel = packed(tmp_path, records, genetic_map=genetic_map)
    np.testing.assert_allclose(panel.cm, [1, 1.0001, 1.00025])


def same(one, other):
    for name in vars(one):
        left, right = getattr(one, name), getattr(other, name)
        assert (left == right) if not isinstance(left, np.ndarray) else np.array_equal(left, right), name
        assert type(left) is type(right)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_round_trip(data, tmp_path_factory):
    n_sites, n_haplotypes = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    bases = st.text("ACGT", min_size=1, max_size=6)
    names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=5)
    many = {"min_size": n_sites, "max_size": n_sites}
    plain = panel_chunk(np.random.default_rng(1).integers(0, 2, (n_sites, n_haplotypes), dtype=np.uint8))
    panel = PanelChunk(
        **vars(plain)
        | {
            "header": data.draw(st.sampled_from(["", '##ALT=<ID=DEL,Description="Ça">\n##ALT=<ID=DUP>'])),
            "ref": data.draw(st.lists(bases, **many)),
            "alt": data.draw(st.lists(bases | st.just("<DEL>"), **many)),
            "ids": data.draw(st.lists(names, **many)),
        }
    )
    path = tmp_path_factory.mktemp("packed") / "chunk.npz"
    panel.save(path)
    same(panel, PanelChunk.load(path))


def test_long_alleles_take_their_own_room_only(tmp_path):
    """One deletion of 100 kb among 2,000 sites: as an array of strings it would take 800 MB."""
    n_sites = 2_000
    plain = panel_chunk(np.ones((n_sites, 4), np.uint8))
    ref = ["A"] * (n_sites - 1) + ["A" + "C" * 100_000]
    panel = PanelChunk(**vars(plain) | {"ref": ref})
    tracemalloc.start()
    panel.save(tmp_path / "chunk.npz")
    loaded = PanelChunk.load(tmp_path / "chunk.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.ref == ref
    assert peak < 10e6


@pytest.mark.parametrize("n_sites", [1, BLOCK, BLOCK + 1])
@pytest.mark.parametrize("subset", [None, [0, 3, 4, 8], [5]])
def test_carriers_of_the_minor_allele(n_sites, subset):
    rng = np.random.default_rng(3)
    every = (rng.random((n_sites + 5, 9)) < rng.random((n_sites + 5, 1))).astype(np.uint8)
    every[0], every[-1] = 1, 0
    panel = panel_chunk(every)
    sites = np.sort(rng.choice(n_sites + 5, n_sites, replace=False))
    chosen = None if subset is None else np.array(subset)
    found = panel.carriers(sites, chosen)
    among = every[sites] if chosen is None else every[sites][:, chosen]
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.carriers)
    for row, first, last, flipped in zip(
        among, found.starts[:-1], found.starts[1:], found.flipped, strict=True
    ):
        assert flipped == (row.mean() > 0.5)
        assert found.carriers[first:last].tolist() == np.flatnonzero(row != flipped).tolist()
    assert found.by_haplotype.shape == (among.shape[1], -(-n_sites // 64))
    bits = np.unpackbits(found.by_haplotype.view(np.uint8), axis=1, bitorder="little", count=n_sites)
    assert ((among != found.flipped[:, None]) == bits.T).all()


def test_symbolic_alleles_keep_their_header_lines(tmp_path):
    text = vcf_text([("20", 100, "A", "<DEL>", ["0|1", "1|1"])], ["a", "b"])
    line = '##ALT=<ID=DEL,Description="Deletion">'
    path = bgzip(tmp_path / "panel.vcf.gz", text.replace("##contig", f"{line}\n##contig", 1))
    pysam.bcftools.index(str(path), catch_stdout=False)
    panel = pack_panel(path, "20", (1, 1000), (1, 1000), None)
    assert (panel.alt, panel.header) == (["<DEL>"], line)


@pytest.mark.parametrize(
    ("line", "length"),
    [
        ("##contig=<ID=20,length=63025520>", 63025520),
        ("##contig=<length=7,ID=20>", 7),
        ("##contig=<ID=20>", 0),
        ("##contig=<ID=200,length=9>", 0),
    ],
)
def test_length_of_the_chromosome_comes_from_the_header(line, length):
    assert _length_of("20", f"##fileformat=VCFv4.2\n{line}\n#CHROM\tPOS\n") == length


@pytest.mark.parametrize("n_sites", [3, BLOCK, BLOCK + 1])
def test_some_haplotypes(n_sites):
    alleles = np.random.default_rng(1).integers(0, 2, (n_sites, 11)).astype(np.uint8)
    panel, some = panel_chunk(alleles), np.array([0, 4, 5, 10])
    sites = np.arange(n_sites)[::-1]
    np.testing.assert_array_equal(panel.alleles(sites, some), alleles[::-1][:, some])
    fewer = panel.among(some)
    np.testing.assert_array_equal(fewer.alleles(np.arange(n_sites)), alleles[:, some])
    assert fewer.person.tolist() == [0, 2, 2, 5]
    assert fewer.n_haplotypes == 4
