"""BGZF as we write it, read back by htslib, Python's gzip and a parser of the specification."""

import gzip
import struct

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.bgzf import BLOCK, END_OF_FILE, BgzfWriter, compressed_block
from deepcohort.genome.vcf import require_whole_bgzf


def blocks_of(data):
    """Sizes of the blocks, as the extra field of each tells them."""
    sizes, at = [], 0
    while at < len(data):
        assert data[at : at + 4] == b"\x1f\x8b\x08\x04"
        assert data[at + 12 : at + 16] == b"BC\x02\x00"
        sizes.append(struct.unpack_from("<H", data, at + 16)[0] + 1)
        at += sizes[-1]
    assert at == len(data)
    return sizes


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.sampled_from([0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17]), max_size=6),
    letters=st.sampled_from([1, 4, 256]),
    threads=st.integers(1, 3),
)
def test_what_is_written_is_read(tmp_path_factory, seed, sizes, letters, threads):
    path = tmp_path_factory.mktemp("bgzf") / "file.gz"
    rng = np.random.default_rng(seed)
    pieces = [rng.integers(0, letters, size, dtype=np.uint8).tobytes() for size in sizes]
    with BgzfWriter(path, threads) as out:
        for piece in pieces:
            out.write(piece)
    text, data = b"".join(pieces), path.read_bytes()
    assert gzip.decompress(data) == text
    with pysam.BGZFile(str(path)) as file:
        assert file.read() == text
    require_whole_bgzf(path)
    assert max(blocks_of(data)) <= 65536
    assert len(blocks_of(data)) == -(-len(text) // BLOCK) + 1


def test_bytes_hang_neither_on_threads_nor_on_pieces(tmp_path):
    text = np.random.default_rng(1).integers(48, 60, 20 * BLOCK, dtype=np.uint8).tobytes()
    written = []
    for threads, step in ((1, len(text)), (2, 1000), (3, 70_001)):
        with BgzfWriter(tmp_path / "file.gz", threads) as out:
            for start in range(0, len(text), step):
                out.write(text[start : start + step])
        written.append((tmp_path / "file.gz").read_bytes())
    assert written[0] == written[1] == written[2]


def test_more_blocks_than_may_wait(tmp_path):
    with BgzfWriter(tmp_path / "file.gz", 1) as out:
        for _ in range(300):
            out.write(b"a" * BLOCK)
    assert gzip.decompress((tmp_path / "file.gz").read_bytes()) == b"a" * BLOCK * 300


def test_random_bytes_fit_a_block():
    text = np.random.default_rng(2).integers(0, 256, BLOCK, dtype=np.uint8).tobytes()
    assert blocks_of(compressed_block(text)) == [len(compressed_block(text))]
    assert gzip.decompress(compressed_block(text)) == text


def test_an_error_leaves_no_end_mark(tmp_path):
    with pytest.raises(ZeroDivisionError), BgzfWriter(tmp_path / "file.gz") as out:
        out.write(b"text")
        raise ZeroDivisionError
    assert not (tmp_path / "file.gz").read_bytes().endswith(END_OF_FILE)
