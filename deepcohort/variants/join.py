"""Calls of pieces of the genome, of one person or of all, as one file."""

from collections.abc import Sequence
from pathlib import Path

import pysam.bcftools

from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import index_beside, read_header


def join_calls(parts: Sequence[Path], out: Path) -> None:
    """Write the records of all parts, in the order of their names, to ``out`` (.vcf.gz), and its index.

    The index is ``.tbi``, or ``.csi`` where a contig is too long for that.
    """
    ordered = sorted(parts, key=lambda part: part.name)
    with written_whole(out) as unfinished:
        pysam.bcftools.concat(
            "--no-version", "-Oz", "-o", str(unfinished), *map(str, ordered), catch_stdout=False
        )
    index_beside(out, max(length or 0 for length in read_header(out).contigs.values()))
