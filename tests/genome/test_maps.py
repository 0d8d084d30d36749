import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.maps import constant_map, read_genetic_map, write_plink_map

LAYOUTS = {
    "plink": "chr20 . 0 1000\nchr20 rs1 0.5 2000\n20 . 2.0 5000\n",
    "named columns": "pos\tchr\tcM\n1000\t20\t0\n2000\t20\t0.5\n5000\t20\t2.0\n",
    "named columns, other order": "Chromosome Rate(cM/Mb) Map(cM) Position(bp)\nchr20 5 0 1000\n"
    "chr20 5 0.5 2000\nchr20 5 2.0 5000\n",
    "hapmap": "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n1000 9 0\n2000 9 0.5\n5000 9 2.0\n",
    "hapmap as R writes it": "position COMBINED_rate.cM.Mb. Genetic_Map.cM.\n1000 9 0\n2000 9 .5\n5000 9 2\n",
    "three columns with chromosome": "1000 20 0\n2000 20 0.5\n5000 20 2.0\n",
    "three columns with rate": "1000 500.0 0\n2000 500.0 0.5\n5000 0 2.0\n",
    "whole genome": "pos chr cM\n1 19 0\n9 19 1\n1000 20 0\n2000 20 0.5\n5000 20 2.0\n7 21 0\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_layouts_are_recognised(tmp_path, layout, packed):
    file = tmp_path / "genetic.map"
    file.write_bytes(gzip.compress(LAYOUTS[layout].encode()) if packed else LAYOUTS[layout].encode())
    genetic_map = read_genetic_map(file, "chr20")
    assert genetic_map.pos.tolist() == [1000, 2000, 5000]
    assert genetic_map.cm.tolist() == [0, 0.5, 2.0]
    assert genetic_map.pos.dtype == np.int64


def test_between_points_linear_outside_at_the_mean_rate(tmp_path):
    file = tmp_path / "map"
    file.write_text(LAYOUTS["plink"])
    cm = read_genetic_map(file, "20").interpolate([1500, 3500, 5000, 7000, 500])
    assert cm.tolist() == pytest.approx([0.25, 1.25, 2.0, 3.0, -0.25])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 5)), min_size=2, max_size=20),
    st.lists(st.integers(-(10**6), 3 * 10**6), min_size=2, max_size=20),
)
def test_centimorgans_never_decrease(tmp_path_factory, steps, positions):
    file = tmp_path_factory.mktemp("maps") / "20.map"
    pos, cm = np.cumsum([s for s, _ in steps]), np.cumsum([c for _, c in steps])
    file.write_text("".join(f"20 . {c} {p}\n" for p, c in zip(pos, cm, strict=True)))
    try:
        genetic_map = read_genetic_map(file, "20")
    except InputError as error:
        assert "mean rate" in str(error)
        return
    assert (np.diff(genetic_map.interpolate(sorted(positions))) >= -1e-9).all()


def test_no_map_means_one_centimorgan_in_a_megabase():
    assert constant_map().interpolate([0, 2_500_000]).tolist() == [0, 2.5]


def test_a_map_written_for_others_reads_the_same(tmp_path):
    (tmp_path / "in.map").write_text(LAYOUTS["hapmap"])
    genetic_map = read_genetic_map(tmp_path / "in.map", "20")
    write_plink_map(genetic_map, tmp_path / "out.map", "chr20")
    assert (tmp_path / "out.map").read_text().splitlines()[1] == "chr20 . 0.5 2000"
    again = read_genetic_map(tmp_path / "out.map", "20")
    assert again.pos.tolist() == genetic_map.pos.tolist()
    assert again.cm.tolist() == genetic_map.cm.tolist()


def folder(tmp_path, **files):
    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_text(content)
    return tmp_path


def test_a_folder_gives_the_file_that_names_the_chromosome(tmp_path):
    bare = "{} 1.0 0\n{} 1.0 1\n"
    maps = folder(
        tmp_path,
        genetic_map_GRCh37_chr2__txt=bare.format(10, 9000),
        genetic_map_GRCh37_chr20__txt=bare.format(20, 9000),
        chr20__vcf="##fileformat",
    )
    assert read_genetic_map(maps, "20").pos.tolist() == [20, 9000]
    assert read_genetic_map(maps, "2").pos.tolist() == [10, 9000]


def test_a_folder_may_hold_one_map_of_all_chromosomes(tmp_path):
    maps = folder(tmp_path, all__map=LAYOUTS["whole genome"])
    assert read_genetic_map(maps, "20").pos.tolist() == [1000, 2000, 5000]


def test_pieces_of_a_chromosome_are_joined_at_the_assumed_rate(tmp_path):
    maps = folder(
        tmp_path,
        chrX__map="X . 0 2000000\nX . 3 3000000\n",
        chrX_par1__map="X . 0 500000\nX . 4 1000000\n",
    )
    genetic_map = read_genetic_map(maps, "X")
    assert genetic_map.pos.tolist() == [500000, 1000000, 2000000, 3000000]
    assert genetic_map.cm.tolist() == pytest.approx([0, 4, 5, 8])


def test_plink_writes_x_as_23(tmp_path):
    (tmp_path / "m.map").write_text("23 . 0 1000\n23 . 1 900000\n")
    assert len(read_genetic_map(tmp_path / "m.map", "chrX").pos) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the genetic map is empty"),
        ("20 . 0 1000\n", "needs at least two points"),
        ("20 . 0 2000\n20 . 1 1000\n", "line 2 has position 1000 after 2000: sort"),
        ("20 . 0 1000\n20 . 1 1000\n", "line 2 has position 1000 after 1000"),
        ("20 . 1 1000\n20 . 0.5 2000\n", "line 2 has 0.5 cM after 1.0 cM"),
        ("20 . 0 1000\n20 . nan 2000\n", "line 2 has 'nan' where centimorgans should be"),
        ("20 . 0 1000\n20 . 1 x\n", "line 2 has 'x' where a position in bases should be"),
        ("20 . 0 1000\n20 . 1\n", "line 2 has 3 columns where 4 are needed"),
        ("20 . 1000 1\n20 . 90000 2\n", "the map's mean rate is 8.9e\\+10 cM/Mb"),
        ("19 . 0 1000\n19 . 1 2000\n", "no row of chromosome 20 \\(it holds 19\\)"),
        ("1000 19 0\n2000 19 1\n3000 19 2\n", "no row of chromosome 20 \\(it holds 19\\)"),
        ("1 2\n3 4\n", "line 1 has 2 columns and no header"),
        ("pos rate\n1 2\n", "names no column cM"),
        ("chr cM\n1 2\n", "names no column pos"),
    ],
)
def test_bad_maps_are_refused(tmp_path, content, message):
    file = tmp_path / "bad.map"
    file.write_text(content)
    with pytest.raises(InputError, match=message) as refused:
        read_genetic_map(file, "20")
    assert "bad.map" in str(refused.value)


def test_what_is_no_text_is_refused(tmp_path):
    file = tmp_path / "20.map"
    file.write_bytes(b"\xff\xfe\x00map")
    with pytest.raises(InputError, match="not text, so no genetic map"):
        read_genetic_map(file, "20")
    file.write_bytes(gzip.compress(LAYOUTS["plink"].encode() * 50)[:-20])
    with pytest.raises(InputError, match="the gzip file is damaged or cut off"):
        read_genetic_map(file, "20")


def test_a_map_without_chromosome_column_is_believed_by_its_name(tmp_path):
    file = tmp_path / "genetic_map_chr21.txt"
    file.write_text(LAYOUTS["hapmap"])
    with pytest.raises(InputError, match="by its name this genetic map is of chromosome 21, not 20"):
        read_genetic_map(file, "20")


def test_folders_without_the_chromosome_are_refused(tmp_path):
    with pytest.raises(InputError, match="no genetic map for chromosome 20 in this folder"):
        read_genetic_map(folder(tmp_path, chr21__map=LAYOUTS["plink"]), "20")


def test_overlapping_pieces_are_refused(tmp_path):
    maps = folder(tmp_path, b37_chr20__map=LAYOUTS["plink"], b38_chr20__map=LAYOUTS["plink"])
    with pytest.raises(InputError, match="two genetic maps of the same chromosome overlap at position 1000"):
        read_genetic_map(maps, "20")


def test_a_missing_map_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such genetic map"):
        read_genetic_map(tmp_path / "none.map", "20")
