"""Files are written whole or not at all, and are known again by their checksum."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path`` and rename it to ``path`` when the block ends well.

    A block that raises leaves neither file, so a killed or failed task never leaves something that
    looks finished. The temporary name keeps all suffixes (``.vcf.gz``), which some writers look at.
    """
    temporary = path.with_name(f".unfinished.{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits; read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
