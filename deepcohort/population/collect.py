"""Tables and lists of several cohorts made one."""

from collections.abc import Sequence
from pathlib import Path

from deepcohort.genome.files import written_whole
from deepcohort.genome.samples import read_samples, write_samples


def join_tables(paths: Sequence[Path], out: Path) -> None:
    """Write the rows of tables of the same columns, in the order of the files' names."""
    texts = [path.read_text(encoding="utf-8").splitlines(keepends=True) for path in sorted(paths)]
    with written_whole(out) as unfinished:
        unfinished.write_text("".join([texts[0][0], *(line for text in texts for line in text[1:])]), "utf-8")


def join_people(paths: Sequence[Path], out: Path) -> None:
    """Write everybody whom a list names, each once, in the order of first mention."""
    write_samples(out, list(dict.fromkeys(name for path in sorted(paths) for name in read_samples(path))))
