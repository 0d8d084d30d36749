"""A reference sequence looked at and indexed before work starts."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

import pysam.samtools
from pysam.utils import SamtoolsError

from deepcohort.genome.builds import build_of
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import BGZF_START, require_whole_bgzf


@dataclass
class FastaCheck:
    """What a reference holds; written as check.json."""

    name: str
    file: str
    lengths: dict[str, int | None] = field(default_factory=dict)
    build: str | None = None
    notes: list[str] = field(default_factory=list)


def check_fasta(path: Path, *, name: str, out_index: Path) -> FastaCheck:
    """Check a reference sequence, plain or bgzipped, and write its index (.fai) at ``out_index``.

    A bgzipped one also gets ``.gzi`` beside that. Raises ``InputError`` for a file that is empty, packed by
    plain gzip, no FASTA, or whose lines or names do not allow an index.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise InputError(f"{path.name}: the file is empty (0 bytes): copy it again")
    if start[:2] == b"\x1f\x8b":
        require_whole_bgzf(path)
    elif start[:1] != b">":
        raise InputError(f"{path.name}: no FASTA: the first line must start with >")
    check = FastaCheck(name=name, file=path.name)
    with written_whole(out_index) as unfinished:
        options = ["--gzi-idx", str(out_index.with_suffix(".gzi"))] if start[:2] == b"\x1f\x8b" else []
        try:
            pysam.samtools.faidx(str(path), "--fai-idx", str(unfinished), *options)
        except SamtoolsError:
            raise InputError(
                f"{path.name}: cannot be indexed: give each sequence one name and lines of one length "
                "(samtools faidx says which is not)"
            ) from None
        for line in unfinished.read_text(encoding="utf-8").splitlines():
            contig, length = line.split("\t")[:2]
            check.lengths[contig] = int(length)
        twice = _count_sequences(path) - len(check.lengths)
        if twice:
            raise InputError(
                f"{path.name}: {twice} sequences have the name of another: rename or remove them"
            )
    check.build = build_of(check.lengths)
    check.notes.append(f"{path.name}: its index was made ({len(check.lengths)} sequences).")
    return check


def _count_sequences(path: Path) -> int:
    """Count the lines that start with ``>``: the index leaves out sequences whose name it knows already."""
    with path.open("rb") as raw:
        packed = raw.read(4) == BGZF_START
    count, before = 0, b"\n"
    with gzip.open(path) if packed else path.open("rb") as file:
        while piece := file.read(2**20):
            count += (before + piece).count(b"\n>")
            before = piece[-1:]
    return count
