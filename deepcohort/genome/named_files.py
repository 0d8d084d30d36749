"""Files that a user gives with a name each: ``name=file``."""

from collections.abc import Sequence
from pathlib import Path

from deepcohort.genome.errors import InputError


def named_files(option: str, given: Sequence[str]) -> dict[str, Path]:
    """Read ``name=file`` of each value of an option.

    Raises ``InputError`` for another form, a name that is there twice, or a missing file.
    """
    files: dict[str, Path] = {}
    for one in given:
        name, _, path = one.partition("=")
        if not name or not path:
            raise InputError(f"{option} {one}: write a name and a file, as in name=file.vcf.gz")
        if name in files:
            raise InputError(f"{option} {one}: {name} is there twice: give each file a name of its own")
        if not Path(path).is_file():
            raise InputError(f"{option} {one}: there is no file {path}: correct the path")
        files[name] = Path(path)
    return files
