"""Files of reads looked at before work starts."""

from dataclasses import dataclass, field
from pathlib import Path

from deepcohort.genome.alignments import alignment_header, index_fits, index_reads, samples_of
from deepcohort.genome.builds import build_of
from deepcohort.genome.files import written_whole


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
    header = alignment_header(path)
    groups = header.get("RG", [])
    check = ReadsCheck(name=name, file=path.name, read_groups=len(groups))
    check.samples = samples_of(path, header)
    check.lengths = {line["SN"]: int(line["LN"]) for line in header.get("SQ", [])}
    check.build = build_of(check.lengths)
    if index is None or not index_fits(path, index):
        index_reads(path, out_index, threads)
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
