"""Calls of pieces of the genome, of one person or of all, as one file."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pysam.bcftools

from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import index_beside, read_header
from deepcohort.variants.annotate import Known, annotate


def join_calls(parts: Sequence[Path], out: Path, known: Known | None = None) -> None:
    """Write the records of all parts, in the order of their names, to ``out`` (.vcf.gz), and its index.

    known: variants whose IDs and fields the calls get. The index is ``.tbi``, or ``.csi`` where a contig is
    too long for that. Raises ``InputError`` where known variants do not fit.
    """
    ordered = sorted(parts, key=lambda part: part.name)
    if known is None:
        _concatenate(ordered, out)
    else:
        with TemporaryDirectory(dir=out.parent) as folder:
            joined = Path(folder) / out.name
            _concatenate(ordered, joined)
            annotate(joined, known, out)
    index_beside(out, max(length or 0 for length in read_header(out).contigs.values()))


def _concatenate(parts: Sequence[Path], out: Path) -> None:
    with written_whole(out) as unfinished:
        pysam.bcftools.concat(
            "--no-version", "-Oz", "-o", str(unfinished), *map(str, parts), catch_stdout=False
        )
