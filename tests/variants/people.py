"""People made up for tests: a reference, two haplotypes that differ from it, and their reads as aligned."""

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pysam


@dataclass
class Person:
    """edits[h]: sorted, non-overlapping (pos from 1, ref, alt) of haplotype h."""

    sequence: str
    edits: list[list[tuple[int, str, str]]]
    contig: str = "chr20"
    reads: list[tuple] = field(default_factory=list)

    def haplotype(self, h):
        """Bases and the reference position of each (-1 for inserted ones)."""
        bases, places, here = [], [], 0
        for pos, ref, alt in self.edits[h]:
            at = pos - 1
            assert self.sequence[at : at + len(ref)] == ref
            assert at >= here
            bases += self.sequence[here:at] + alt
            places += [*range(here, at)]
            shared = min(len(ref), len(alt))
            places += [*range(at, at + shared)] + [-1] * (len(alt) - shared)
            here = at + len(ref)
        bases += self.sequence[here:]
        places += [*range(here, len(self.sequence))]
        return "".join(bases), np.array(places)

    def sequenced(self, depth, rng, length=100, insert=350, error=0.002):
        """Add pairs of reads; qualities tell the error."""
        quality = round(-10 * np.log10(error))
        for h in range(len(self.edits)):
            bases, places = self.haplotype(h)
            for _ in range(int(depth * len(bases) / len(self.edits) / 2 / length)):
                size = max(length, int(rng.normal(insert, 40)))
                first = int(rng.integers(0, len(bases) - size))
                name = f"r{len(self.reads)}"
                for reverse, at in ((False, first), (True, first + size - length)):
                    self._add(name, reverse, bases, places, at, length, quality, error, rng)
        return self

    def _add(self, name, reverse, bases, places, at, length, quality, error, rng):
        own = list(bases[at : at + length])
        for i in np.flatnonzero(rng.random(length) < error):
            own[i] = rng.choice([b for b in "ACGT" if b != own[i]])
        cigar = cigar_of(places[at : at + length])
        start = int(next(p for p in places[at:] if p >= 0))
        self.reads.append((name, reverse, start, cigar, "".join(own), quality))

    def write(self, folder, name="p", sample="me", header=None):
        """A BAM with its index and a FASTA with its own."""
        fasta, bam = folder / f"{name}.fa", folder / f"{name}.bam"
        lines = [self.sequence[i : i + 60] for i in range(0, len(self.sequence), 60)]
        fasta.write_text(f">{self.contig}\n" + "\n".join(lines) + "\n")
        pysam.samtools.faidx(str(fasta))
        head = {
            "HD": {"VN": "1.6", "SO": "coordinate"},
            "SQ": [{"SN": self.contig, "LN": len(self.sequence)}],
            "RG": [{"ID": "g", "SM": sample}],
        }
        with pysam.AlignmentFile(str(bam), "wb", header=header or head) as out:
            for name_, reverse, start, cigar, bases, quality in sorted(self.reads, key=lambda read: read[2]):
                read = pysam.AlignedSegment(out.header)
                read.query_name, read.query_sequence = name_, bases
                read.flag = 0x1 | 0x2 | (0x10 | 0x80 if reverse else 0x20 | 0x40)
                read.reference_id, read.reference_start, read.cigarstring = 0, start, cigar
                read.mapping_quality = 60
                read.query_qualities = pysam.qualitystring_to_array(chr(quality + 33) * len(bases))
                out.write(read)
        pysam.samtools.index(str(bam))
        return bam, fasta


def cigar_of(places):
    """CIGAR of bases whose places on the reference are given; bases inserted at an end are clipped."""
    known = np.flatnonzero(places >= 0)
    operations, before = "", None
    for i, place in enumerate(places):
        if place < 0:
            operations += "I" if known[0] < i < known[-1] else "S"
        else:
            operations += "D" * (0 if before is None else place - before - 1) + "M"
            before = place
    return "".join(f"{len(list(run))}{operation}" for operation, run in groupby(operations))


def sequence_with_repeats(n, rng):
    """Random bases with a homopolymer or a dinucleotide repeat now and then."""
    text = ""
    while len(text) < n:
        text += "".join(rng.choice(list("ACGT"), 60))
        unit = "".join(rng.choice(list("ACGT"), int(rng.integers(1, 3))))
        text += unit * int(rng.integers(1, 9))
    return text[:n]
