"""Calls judged by a truth set: every allele of both is right, wrong, or right with the wrong genotype."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Inside, Region, parse_regions
from deepcohort.genome.vcf import contig_of
from deepcohort.variants.alleles import Alleles, GenotypeFile
from deepcohort.variants.matching import CALLS, TRUTH, Matched, Unit, match
from deepcohort.variants.strata import Stratum, homopolymer, strata_of

log = logging.getLogger(__name__)

BLOCK = 1_000
"""Bases of a block of the bootstrap."""

RIGHT, WRONG, GENOTYPE = "right", "wrong", "genotype"
"""Verdicts: ``genotype`` is a right allele in a wrong number of copies."""

SIDES = ("truth", "calls")
VERDICTS = tuple(f"{side}_{verdict}" for side in SIDES for verdict in (RIGHT, WRONG, GENOTYPE))
"""What is counted: TP, FN and genotype errors of the truth, TP, FP and genotype errors of the calls."""

Counts = dict[tuple[str, int, Stratum], Counter[str]]
"""Verdicts by chromosome, number of the block, and stratum."""


@dataclass(frozen=True)
class Judged:
    """One allele inside the regions with its verdict.

    ``qual`` is the call's QUAL; for a true allele that was found, that of the call that found it (the lowest
    where several spell it together), else NaN. ``depth`` below 0 is unknown.
    """

    side: str
    contig: str
    unit: Unit
    verdict: str
    qual: float
    depth: int
    homopolymer: int


@dataclass
class Evaluation:
    """What came out: judged alleles in order of the genome, and what was left out, by side."""

    judged: list[Judged]
    left_out: dict[str, Counter[str]]

    def counts(self) -> Counts:
        """Count verdicts by block and stratum."""
        counts: Counts = defaultdict(Counter)
        for one in self.judged:
            block = (one.unit.key[0] - 1) // BLOCK
            for stratum in strata_of(one.unit, one.homopolymer, one.depth):
                counts[one.contig, block, stratum][f"{one.side}_{one.verdict}"] += 1
        return counts


def evaluate(
    calls: Path,
    truth: Path,
    fasta: Path,
    bed: Path | None,
    *,
    sample: str | None = None,
    truth_sample: str | None = None,
) -> Evaluation:
    """Judge the calls of one person, see ``by_chromosome``; all judged alleles are held."""
    parts = list(by_chromosome(calls, truth, fasta, bed, sample=sample, truth_sample=truth_sample))
    left_out = {side: sum((part.left_out[side] for part in parts), Counter()) for side in SIDES}
    return Evaluation([one for part in parts for one in part.judged], left_out)


def by_chromosome(
    calls: Path,
    truth: Path,
    fasta: Path,
    bed: Path | None,
    *,
    sample: str | None = None,
    truth_sample: str | None = None,
) -> Iterator[Evaluation]:
    """Judge the calls of one person inside the regions of ``bed`` (everywhere without it).

    Yields what came out of one chromosome after the other, so that one is in memory at a time. calls, truth:
    VCF or BCF; records that a filter refused are left out and counted. sample, truth_sample: whose genotypes
    count, where the file holds several people. Raises ``InputError`` for files that do not fit together.
    """
    files = (GenotypeFile.opened(truth, truth_sample), GenotypeFile.opened(calls, sample))
    for contig, reference, regions in stretches(fasta, bed, files):
        sides = (files[TRUTH].alleles(reference, regions), files[CALLS].alleles(reference, regions))
        matched = match(reference, sides[TRUTH].units, sides[CALLS].units)
        if matched.cut_short:
            log.warning("%s: %d crowded places compared in part only", contig, matched.cut_short)
        judged = _judged(contig, reference, regions, sides, matched)
        yield Evaluation(judged, {side: Counter(files[i].left_out) for i, side in enumerate(SIDES)})
        for file in files:
            file.left_out.clear()


def stretches(
    fasta: Path, bed: Path | None, files: Sequence[GenotypeFile]
) -> Iterator[tuple[str, bytes, list[Region]]]:
    """Yield chromosome by chromosome: the FASTA's name of it, its bases in capitals, the regions asked for.

    Without ``bed`` these are all chromosomes that the FASTA and the headers of all files name.
    """
    with open_fasta(fasta) as sequences:
        if bed is None:
            shared = [c for c in sequences.references if all(contig_of(f.contigs, c) for f in files)]
            if not shared:
                names = " and ".join(file.path.name for file in files)
                raise InputError(f"{fasta.name}: {names} share no chromosome with it: give their reference")
            regions = parse_regions(",".join(shared))
        else:
            regions = parse_regions(str(bed))
        chromosomes = [(chrom, list(own)) for chrom, own in groupby(regions, lambda region: region.chrom)]
        with progress("chromosomes", len(chromosomes)) as bar:
            for chrom, own in chromosomes:
                contig = contig_of(list(sequences.references), chrom)
                if contig is None:
                    raise InputError(
                        f"{fasta.name}: has no chromosome {chrom}, which {bed and bed.name} names: give the "
                        "reference that the calls were made with"
                    )
                yield contig, sequences.fetch(contig).upper().encode(), own
                bar.update()


def is_inside(inside: Inside, contig: str, key: tuple[int, str, str]) -> bool:
    """Whether all bases that an allele (pos, ref, alt) changes, or both neighbours of an insertion, lie in
    one region.
    """
    pos, ref, alt = key
    anchored = len(alt) < len(ref) and ref[0] == alt[0]
    return inside(contig, pos + anchored, pos - 1 + len(ref) + (len(ref) < len(alt)))


def _judged(
    contig: str, reference: bytes, regions: Sequence[Region], sides: tuple[Alleles, Alleles], matched: Matched
) -> list[Judged]:
    inside = Inside(regions)
    qual = (_truth_qual(sides, matched), sides[CALLS].qual)
    depth = (_truth_depth(sides, matched), sides[CALLS].depth)
    found = []
    for side in (TRUTH, CALLS):
        for i, unit in enumerate(sides[side].units):
            if not is_inside(inside, contig, unit.key):
                continue
            verdict = RIGHT if matched.right[side][i] else GENOTYPE if matched.allele[side][i] else WRONG
            run = homopolymer(reference, unit)
            found.append(
                Judged(SIDES[side], contig, unit, verdict, float(qual[side][i]), int(depth[side][i]), run)
            )
    return sorted(found, key=lambda one: (one.unit.key, one.side))


def _truth_qual(sides: tuple[Alleles, Alleles], matched: Matched) -> NDArray[np.float64]:
    """QUAL of the call that found each true allele, NaN where none did."""
    qual = np.full(len(sides[TRUTH].units), np.nan)
    right = matched.right[CALLS]
    lowest: dict[int, float] = {}
    alone: dict[int, float] = {}
    for i in np.flatnonzero(right):
        # Calls that have no pair are what spells the truth otherwise.
        least = alone if matched.pair[i] < 0 else lowest
        block, one = int(matched.block[CALLS][i]), float(sides[CALLS].qual[i])
        least[block] = min(one, least.get(block, one))
    for i in np.flatnonzero(matched.right[TRUTH]):
        block = int(matched.block[TRUTH][i])
        qual[i] = alone.get(block, lowest.get(block, np.nan))
    paired = np.flatnonzero(matched.pair >= 0)
    qual[matched.pair[paired]] = sides[CALLS].qual[paired]
    return qual


def _truth_depth(sides: tuple[Alleles, Alleles], matched: Matched) -> NDArray[np.int64]:
    """Depth by the call of the same allele, else by any record of the calls that lies there."""
    depth = np.array([sides[CALLS].depth_at(unit.key[0] - 1) for unit in sides[TRUTH].units], np.int64)
    paired = np.flatnonzero(matched.pair >= 0)
    depth[matched.pair[paired]] = sides[CALLS].depth[paired]
    return depth
