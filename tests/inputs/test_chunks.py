from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.regions import Region
from deepcohort.inputs.chunks import LOW_TYPED, ChunkSize, Sites, batches, cut, padded, plan_cores


def positions(values):
    return np.array(sorted(values), dtype=np.int64)


panel_positions = st.lists(st.integers(1, 3000), min_size=1, max_size=150).map(positions)
regions = st.tuples(st.integers(1, 3000), st.integers(0, 3000)).map(lambda r: Region("20", r[0], r[0] + r[1]))
sizes = st.builds(
    ChunkSize,
    variants=st.integers(1, 60),
    bases=st.integers(1, 2000),
    overlap_bases=st.integers(0, 500),
    overlap_typed=st.integers(0, 20),
)


@settings(deadline=None)
@given(panel_positions, regions, sizes)
def test_every_variant_of_the_region_lies_in_exactly_one_core(pos, region, size):
    cores = plan_cores(pos, region, size)
    assert all(a.end < b.start for a, b in pairwise(cores))
    assert all(region.start <= core.start <= core.end <= region.end for core in cores)
    covered = [p for core in cores for p in pos.tolist() if core.start <= p <= core.end]
    assert covered == [p for p in pos.tolist() if region.start <= p <= region.end]


@settings(deadline=None)
@given(panel_positions, regions, sizes)
def test_cores_keep_to_the_bounds(pos, region, size):
    for core in plan_cores(pos, region, size):
        within = [p for p in pos.tolist() if core.start <= p <= core.end]
        assert within
        assert core.end - core.start < size.bases
        assert len(within) <= size.variants or core.start == core.end or len(set(within)) == 1


@settings(deadline=None)
@given(st.integers(2, 3000), sizes)
def test_cores_tile_where_variants_are_everywhere(length, size):
    region = Region("20", 1, length)
    cores = plan_cores(positions(range(1, length + 1)), region, size)
    assert (cores[0].start, cores[-1].end) == (1, length)
    assert all(a.end + 1 == b.start for a, b in pairwise(cores))


def test_no_more_chunks_than_needed_and_all_about_equal():
    pos = positions(range(1, 2_100_001, 100))
    cores = plan_cores(pos, Region("20", 1, 2_100_000), ChunkSize(variants=20_000, bases=1_000_000))
    lengths = [core.end - core.start + 1 for core in cores]
    assert len(cores) == 3
    assert max(lengths) - min(lengths) < 200


@pytest.mark.parametrize(
    ("variants", "bases", "chunks"), [(500, 10**6, 2), (10**6, 25_000, 4), (500, 25_000, 4)]
)
def test_the_tighter_of_both_bounds_decides(variants, bases, chunks):
    pos = positions(range(100, 100_001, 100))
    assert len(plan_cores(pos, Region("20", 1, 100_000), ChunkSize(variants, bases))) == chunks


def test_a_stretch_without_variants_gets_no_chunk():
    pos = positions([*range(1, 1000), *range(9001, 10_000)])
    cores = plan_cores(pos, Region("20", 1, 10_000), ChunkSize(bases=1000))
    assert sum(core.end - core.start + 1 for core in cores) <= 4000


@settings(deadline=None)
@given(panel_positions, st.lists(st.booleans(), min_size=150, max_size=150), regions, sizes)
def test_padding_covers_the_core_and_stays_on_the_chromosome(pos, chosen, region, size):
    typed = np.unique(pos[chosen[: len(pos)]])
    for core in plan_cores(pos, region, size):
        around = padded(core, pos, typed, size, contig_end=max(3500, core.end))
        assert 1 <= around.start <= core.start
        assert core.end <= around.end <= max(3500, core.end)
        assert around.start == 1 or around.start <= core.start - size.overlap_bases
        assert around.end == max(3500, core.end) or around.end >= core.end + size.overlap_bases


def test_the_overlap_reaches_for_typed_sites():
    panel = positions(range(1, 100_000, 10))
    typed = positions(range(1, 100_000, 500))
    core = Region("20", 50_000, 60_000)
    around = padded(core, panel, typed, ChunkSize(overlap_bases=1000, overlap_typed=10), 100_000)
    # Ten typed sites before 50,000 begin at 45,001; ten after 60,000 end at 64,501.
    assert around == Region("20", 45_001, 64_501)


def test_bases_win_where_typed_sites_are_dense():
    panel = typed = positions(range(1, 100_000, 10))
    around = padded(Region("20", 50_000, 60_000), panel, typed, ChunkSize(overlap_bases=9000), 100_000)
    assert around == Region("20", 41_000, 69_000)


@pytest.mark.parametrize(
    ("size", "reach"),
    [
        (ChunkSize(variants=100, overlap_bases=50, overlap_typed=10), 1000),  # 100 panel variants
        (ChunkSize(bases=700, overlap_bases=50, overlap_typed=10), 700),
    ],
)
def test_typed_sites_far_away_are_not_worth_any_price(size, reach):
    panel = positions(range(10, 100_001, 10))
    around = padded(Region("20", 50_000, 60_000), panel, positions([10, 99_990]), size, 100_000)
    assert around.start == pytest.approx(50_000 - reach, abs=10)
    assert around.end == pytest.approx(60_000 + reach, abs=10)


def typed_within(sites, region):
    return int(((sites.typed >= region.start) & (sites.typed <= region.end)).sum())


@settings(deadline=None)
@given(panel_positions, st.lists(st.booleans(), min_size=150, max_size=150), regions, sizes)
def test_merging_loses_no_variant_and_keeps_to_twice_the_bounds(pos, chosen, region, size):
    sites = Sites(pos, np.unique(pos[chosen[: len(pos)]]), 3500)
    whole = Region("20", 1, 10**9)
    cuts, merged = cut(region, whole, sites, size)
    planned = plan_cores(pos, region, size)
    assert len(cuts) + merged == len(planned)
    assert all(a.core.end < b.core.start for a, b in pairwise(cuts))
    covered = [p for one in cuts for p in pos.tolist() if one.core.start <= p <= one.core.end]
    assert covered == [p for p in pos.tolist() if region.start <= p <= region.end]
    for one in cuts:
        if one.core not in planned:
            assert one.core.end - one.core.start < 2 * size.bases
            inside = [p for p in pos.tolist() if one.core.start <= p <= one.core.end]
            assert len(inside) <= 2 * size.variants


def test_a_chunk_with_few_typed_sites_joins_the_neighbour_that_has_more():
    panel = positions(range(10, 50_001, 10))
    size = ChunkSize(bases=10_000, variants=10_000, overlap_bases=100, overlap_typed=5)
    region = Region("20", 1, 50_000)
    few, many = range(100, 9_000, 450), range(30_010, 40_000, 100)  # 20 and 100 typed sites
    typed = [*few, *range(10_010, 20_000, 500), 25_000, *many, *range(40_010, 50_000, 100)]
    cuts, merged = cut(region, region, Sites(panel, positions(typed), 50_000), size)
    starts = [one.core.start for one in cuts]
    assert merged == 1
    # The third of five has one site of its own and takes the fourth in, which has most.
    assert [round(start, -4) for start in starts] == [0, 10_000, 20_000, 40_000]
    lonely = Sites(panel, positions([25_000]), 50_000)
    assert cut(region, region, lonely, size)[1] > 0, "two chunks share what one has"
    assert cut(region, region, Sites(panel, positions([]), 50_000), size)[1] == 0, "there is nothing to gain"
    dense = Sites(panel, positions(range(10, 50_001, 40 * LOW_TYPED // 10)), 50_000)
    assert cut(region, region, dense, size)[1] == 0


def test_neither_core_nor_overlap_leaves_the_stretch():
    panel = positions(range(10, 50_001, 10))
    size = ChunkSize(bases=10_000, overlap_bases=3_000)
    stretch = Region("X", 12_001, 33_000)
    cuts, _ = cut(stretch, stretch, Sites(panel, panel, 50_000), size)
    assert (cuts[0].padded.start, cuts[-1].padded.end) == (12_001, 33_000)
    assert (cuts[0].core.start, cuts[-1].core.end) == (12_001, 33_000)
    assert cuts[1].padded.start == cuts[1].core.start - 3_000


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 50))
def test_batches_are_few_equal_and_in_order(n, size):
    samples = [f"s{i}" for i in range(n)]
    cut = batches(samples, size)
    assert [sample for batch in cut for sample in batch] == samples
    assert len(cut) == -(-n // size)
    lengths = [len(batch) for batch in cut]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1
