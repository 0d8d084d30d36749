from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.regions import Region
from deepcohort.inputs.chunks import ChunkSize, batches, padded, plan_cores


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
