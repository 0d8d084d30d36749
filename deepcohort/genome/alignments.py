"""BAM and CRAM: is the file whole, what does its header say, whose reads are these, is there an index."""

from pathlib import Path
from typing import Any

import pysam
import pysam.samtools
from pysam.utils import SamtoolsError

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import BGZF_START, require_whole_bgzf

LEFT_OUT = 0x4 | 0x100 | 0x200 | 0x400 | 0x800
"""Flags of reads that do not count: unmapped, secondary, failed, duplicate, supplementary."""


def alignment_header(path: Path) -> dict[str, Any]:
    """The header as pysam tells it. Raises ``InputError`` for what is truncated or no BAM or CRAM."""
    _require_whole_reads(path)
    try:
        with pysam.AlignmentFile(str(path), "rb", check_sq=False) as reads:
            header: dict[str, Any] = reads.header.to_dict()
    except (ValueError, OSError):
        raise InputError(f"{path.name}: no BAM or CRAM that can be read: make it again") from None
    return header


def samples_of(path: Path, header: dict[str, Any]) -> list[str]:
    """The samples that the read groups name, one or none.

    Raises ``InputError`` for reads of several people, or not sorted by position.
    """
    samples = sorted({group["SM"] for group in header.get("RG", []) if group.get("SM")})
    if len(samples) > 1:
        raise InputError(
            f"{path.name}: the read groups are of {len(samples)} people "
            f"({', '.join(samples[:3])}): give one file for each person (samtools split)"
        )
    if header.get("HD", {}).get("SO") not in (None, "coordinate"):
        raise InputError(f"{path.name}: the reads are not sorted by position: sort them (samtools sort)")
    return samples


def _require_whole_reads(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"CRAM":
        try:
            pysam.samtools.quickcheck(str(path))
        except SamtoolsError:
            raise InputError(
                f"{path.name}: truncated: the block that marks the end of a CRAM is missing: copy it again"
            ) from None
    elif start == BGZF_START:
        require_whole_bgzf(path)


def index_fits(path: Path, index: Path) -> bool:
    """Whether an index can be used with a file of reads."""
    try:
        with pysam.AlignmentFile(str(path), "rb", index_filename=str(index), check_sq=False) as reads:
            return bool(reads.has_index())
    except (ValueError, OSError):
        return False


def index_reads(path: Path, out: Path, threads: int = 1) -> None:
    """Write the index of a file of reads. Raises ``InputError`` where it is not sorted or damaged."""
    with written_whole(out) as unfinished:
        try:
            pysam.samtools.index("-@", str(threads), "-o", str(unfinished), str(path))
        except SamtoolsError:
            raise InputError(
                f"{path.name}: cannot be indexed, so it is not sorted by position or it is damaged: sort it "
                "(samtools sort) or copy it again"
            ) from None
