"""Progress of long loops: a bar on a terminal, a line a minute in a log otherwise."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

LOG_INTERVAL = 60.0
"""Seconds between lines where stderr is no terminal."""


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """Yield a ``tqdm`` bar that counts to ``total`` if that is known; short loops leave logs empty."""
    terminal = sys.stderr.isatty()
    interval = 0.1 if terminal else LOG_INTERVAL
    with tqdm(
        total=total,
        desc=what,
        unit="",
        mininterval=interval,
        delay=interval,
        leave=terminal,
        ascii=not terminal,
    ) as bar:
        yield bar
