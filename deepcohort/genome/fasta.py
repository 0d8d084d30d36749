"""A reference sequence opened by its index."""

from pathlib import Path
from typing import Any

import pysam

from deepcohort.genome.errors import InputError


def open_fasta(fasta: Path) -> Any:
    """A ``pysam.FastaFile``. Raises ``InputError`` where the index is not beside it or does not fit."""
    if not fasta.with_name(f"{fasta.name}.fai").exists():  # pysam would write one into the user's folder
        raise InputError(f"{fasta.name}: there is no {fasta.name}.fai beside it: make it (samtools faidx)")
    try:
        return pysam.FastaFile(str(fasta))
    except (OSError, ValueError):
        raise InputError(
            f"{fasta.name}: cannot be opened with its index: make both again (samtools faidx)"
        ) from None


def contig_lengths(index: Path) -> dict[str, int]:
    """Length of each contig in bases, by its name, from an index (.fai)."""
    with index.open(encoding="utf-8") as lines:
        fields = (line.split("\t") for line in lines)
        return {name: int(length) for name, length, *_ in fields}
