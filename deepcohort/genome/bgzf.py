"""Write BGZF, the blocked gzip of VCF files (SAM specification, section 4.1), on several threads."""

import struct
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from isal import igzip_lib, isal_zlib

BLOCK = 65280
"""Bytes of text in a block; with the largest overhead a block stays under 64 KiB."""

END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that says a file is whole."""

LEVEL = 2
QUEUE = 64
"""Blocks under way for each thread before writing waits."""


def compressed_block(text: bytes) -> bytes:
    """Return ``text`` (at most ``BLOCK`` bytes) as one BGZF block."""
    deflated = igzip_lib.compress(text, LEVEL, igzip_lib.COMP_DEFLATE)
    header = struct.pack(
        "<4BI2BH2B2H", 31, 139, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, len(deflated) + 25
    )
    return header + deflated + struct.pack("<2I", isal_zlib.crc32(text), len(text))


class BgzfWriter:
    """A binary file that compresses what is written to it; blocks keep their order."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._file = path.open("wb")
        self._pool = ThreadPoolExecutor(threads)
        self._limit = QUEUE * threads
        self._under_way: deque[Future[bytes]] = deque()
        self._rest = bytearray()

    def write(self, text: bytes | bytearray | memoryview) -> None:
        """Add text."""
        self._rest += text
        whole = len(self._rest) - len(self._rest) % BLOCK
        for start in range(0, whole, BLOCK):
            self._submit(bytes(self._rest[start : start + BLOCK]))
        if whole:
            del self._rest[:whole]

    def _submit(self, text: bytes) -> None:
        self._under_way.append(self._pool.submit(compressed_block, text))
        self._drain(self._limit)

    def _drain(self, left: int) -> None:
        while len(self._under_way) > left:
            self._file.write(self._under_way.popleft().result())

    def close(self) -> None:
        """Write what is left and the end-of-file block."""
        if self._rest:
            self._submit(bytes(self._rest))
        self._drain(0)
        self._file.write(END_OF_FILE)
        self._abandon()

    def _abandon(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._abandon()
