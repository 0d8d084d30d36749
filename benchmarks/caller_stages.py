"""Processor seconds of what is done before a network sees the candidates of a stretch."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deepcohort.genome.regions import Region
from deepcohort.variants.active import REACH
from deepcohort.variants.calls import AROUND
from deepcohort.variants.candidates import Thresholds, count_bases, find_candidates
from deepcohort.variants.features import sides_of
from deepcohort.variants.reads import ReadsFile, read_reads
from deepcohort.variants.realigned import laid_out
from deepcohort.variants.reference import read_reference
from deepcohort.variants.tensors import Shape, window_tensors
from deepcohort.variants.windows import windows

READING = "reads"
REALIGNED = ("windows", "reads laid out")
"""Stages that align reads anew: a target for candidates and tensors is told without them
and without reading."""


def stages_of(bam: Path, fasta: Path, region: Region, shape: Shape) -> tuple[int, dict[str, float]]:
    """Number of candidates in windows, and seconds of one core by stage."""
    spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        spent[stage] += time.process_time() - begun

    file = ReadsFile(bam, fasta, Path(f"{bam}.bai"))
    reference = read_reference(fasta, region, AROUND)
    contig = file.contig(reference.contig, reference.length)
    start, end = region.start - 1, region.end
    low, high = max(0, start - REACH), min(reference.length, end + REACH)
    with timed(READING):
        reads, _ = read_reads(file, contig, low, high)
    with timed("candidates"):
        counts = count_bases(reads, low, high)
        candidates = find_candidates(reads, reference, counts, Thresholds())
    with timed("windows"):
        found = list(windows(reads, reference, candidates, start, end))
    number = 0
    for window in found:
        own = np.arange(window.span.first, window.span.last)
        number += len(own)
        if not len(own):
            continue
        with timed("alleles of reads"):
            sides = np.stack([sides_of(window, reads, candidates, i) for i in own.tolist()])
        positions, half = candidates.pos[own], shape.columns // 2
        with timed("reads laid out"):
            laid_out(reads, window, int(positions.min()) - half, int(positions.max()) + half + 1)
        nobody = np.full(len(window.picked), 2)
        with timed("tensors"):
            window_tensors(window, reads, reference, positions, sides, nobody, shape)
    spent["tensors"] -= spent["reads laid out"]  # which is done in there once more
    return number, dict(spent)
