"""Files of reads looked at before work starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pysam
import pysam.samtools
from pysam.utils import SamtoolsError

from deepcohort.genome.builds import build_of
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import BGZF_START, require_whole_bgzf


@dataclass
class ReadsCheck:
    """What a BAM or CRAM says of itself; written as check.json. ``samples`` are its read groups' samples."""

    name: str
    file: str
    samples: list[str] = field(default_factory=list)
    read_groups: int = 0
    lengths: dict[str, int | None] = field(default_factory=dict)
    build: str | None = None
    notes: list[str] = field(default_factory=list)


def check_reads(
    path: Path, *, name: str, index: Path | None, out_index: Path, threads: int = 1
) -> ReadsCheck:
    """Check one person's BAM or CRAM and put its index at ``out_index``, made where it is missing.

    ``name`` is the sheet's name of the person. Raises ``InputError`` for a file that is no BAM or CRAM, is
    truncated, not sorted by position, or holds reads of several people.
    """
    header = _alignment_header(path)
    groups = header.get("RG", [])
    check = ReadsCheck(name=name, file=path.name, read_groups=len(groups))
    check.samples = sorted({group["SM"] for group in groups if group.get("SM")})
    check.lengths = {line["SN"]: int(line["LN"]) for line in header.get("SQ", [])}
    check.build = build_of(check.lengths)
    if len(check.samples) > 1:
        raise InputError(
            f"{path.name}: the read groups are of {len(check.samples)} people "
            f"({', '.join(check.samples[:3])}): give one file for each person (samtools split)"
        )
    if header.get("HD", {}).get("SO") not in (None, "coordinate"):
        raise InputError(f"{path.name}: the reads are not sorted by position: sort them (samtools sort)")
    if index is None or not _fits(path, index):
        _index_reads(path, out_index, threads)
        check.notes.append(
            f"{path.name} had no index: one was made."
            if index is None
            else f"The index {index.name} could not be used: another was made."
        )
    elif index.resolve() != out_index.resolve():
        with written_whole(out_index) as unfinished:
            unfinished.write_bytes(index.read_bytes())
    if not check.samples:
        check.notes.append(f"{path.name} names no sample in its read groups: taken as {name}.")
    elif check.samples != [name]:
        check.notes.append(
            f"{path.name} calls the sample {check.samples[0]}; the sheet's name {name} is used."
        )
    return check


def _alignment_header(path: Path) -> dict[str, Any]:
    _require_whole_reads(path)
    try:
        with pysam.AlignmentFile(str(path), "rb", check_sq=False) as reads:
            header: dict[str, Any] = reads.header.to_dict()
    except (ValueError, OSError):
        raise InputError(f"{path.name}: no BAM or CRAM that can be read: make it again") from None
    return header


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


def _fits(path: Path, index: Path) -> bool:
    try:
        with pysam.AlignmentFile(str(path), "rb", index_filename=str(index), check_sq=False) as reads:
            return bool(reads.has_index())
    except (ValueError, OSError):
        return False


def _index_reads(path: Path, out: Path, threads: int) -> None:
    with written_whole(out) as unfinished:
        try:
            pysam.samtools.index("-@", str(threads), "-o", str(unfinished), str(path))
        except SamtoolsError:
            raise InputError(
                f"{path.name}: cannot be indexed, so it is not sorted by position or it is damaged: sort it "
                "(samtools sort) or copy it again"
            ) from None
