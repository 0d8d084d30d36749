"""Examples that callers learn from: the evidence of candidates of a person whose variants are known."""

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.arrays import save_arrays
from deepcohort.genome.errors import InputError
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Inside, Region, parse_regions
from deepcohort.variants.alleles import GenotypeFile
from deepcohort.variants.calls import AROUND, TILE, Stretch, stretch_of, weigh
from deepcohort.variants.candidates import Candidates
from deepcohort.variants.evaluate import is_inside
from deepcohort.variants.evidence import Evidence, evidence_of, joined_evidence
from deepcohort.variants.features import NAMES
from deepcohort.variants.labels import true_copies
from deepcohort.variants.matching import Unit
from deepcohort.variants.reads import ReadsFile, index_of
from deepcohort.variants.reference import contig_within, read_reference
from deepcohort.variants.tensors import LAYOUTS, VERSION

log = logging.getLogger(__name__)

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """N candidates with what is true of them. copies: int64[N], 0, 1 or 2; layout: of the tensors."""

    evidence: Evidence
    copies: Int64
    layout: str

    def save(self, path: Path) -> None:
        """Write a compressed .npz."""
        arrays = {
            "tensors": self.evidence.tensors,
            "features": self.evidence.features,
            "log_chances": self.evidence.log_chances,
            "copies": self.copies.astype(np.int8),
            "layout": np.array([self.layout, str(VERSION), *NAMES]),
        }
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> "Examples":
        """Read what ``save`` wrote; raises ``InputError`` for anything else."""
        layout, columns = _columns(path, ("tensors", "features", "log_chances", "copies"))
        *evidence, copies = columns
        return cls(Evidence(*evidence), copies.astype(np.int64), layout)


class Facts(NamedTuple):
    """What is told of a file of N examples without their tensors: features float32[N, F], copies int64[N]."""

    layout: str
    features: NDArray[np.float32]
    copies: Int64

    @classmethod
    def load(cls, path: Path) -> "Facts":
        """Read a file of examples; raises ``InputError`` for anything else."""
        layout, (features, copies) = _columns(path, ("features", "copies"))
        return cls(layout, features, copies.astype(np.int64))


def _columns(path: Path, names: Sequence[str]) -> tuple[str, list[NDArray[Any]]]:
    """Layout and some arrays of a file of examples."""
    again = "make it by make-examples"
    try:
        with np.load(path, allow_pickle=False) as file:
            layout = file["layout"].tolist()
            columns = [file[name] for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path.name}: not a file of examples ({error}): {again}") from None
    if layout[1:] != [str(VERSION), *NAMES] or layout[0] not in LAYOUTS:
        raise InputError(f"{path.name}: examples of another layout: {again} of this version")
    return layout[0], columns


def make_examples(
    reads: Path,
    fasta: Path,
    truth: Path,
    bed: Path,
    regions: str,
    layout: str,
    *,
    index: Path | None = None,
    gaps: Path | None = None,
) -> Examples:
    """Make examples of all candidates in some regions that lie where the truth is known.

    truth, bed: genotypes of the person, and where they hold. gaps: as of ``ReadsFile``. Raises
    ``InputError`` where files do not fit together, or nothing was found.
    """
    file = ReadsFile(reads, fasta, index or index_of(reads, reads.parent), gaps)
    known = GenotypeFile.opened(truth, None)
    counts: Counter[str] = Counter()
    parts: list[Evidence] = []
    copies: list[Int64] = []
    for region in parse_regions(regions):
        for evidence, labels in _of_region(file, fasta, known, bed, region, layout, counts):
            parts.append(evidence)
            copies.append(labels)
    if not parts:
        raise InputError(f"{reads.name}: no candidates where {bed.name} says the truth is known")
    log.info("%s: %s", reads.name, ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return Examples(joined_evidence(parts), np.concatenate(copies), layout)


def _of_region(
    file: ReadsFile,
    fasta: Path,
    known: GenotypeFile,
    bed: Path,
    region: Region,
    layout: str,
    counts: Counter[str],
) -> Iterator[tuple[Evidence, Int64]]:
    _, region = contig_within(fasta, region)
    inside = Inside(parse_regions(str(bed)))
    whole = read_reference(fasta, region, AROUND)
    truth = sorted(known.alleles(whole.text, [region], whole.start).units)
    begins = [unit.start for unit in truth]
    starts = range(region.start, region.end + 1, TILE)
    with progress("tiles", len(starts)) as bar:
        for first in starts:
            tile = region._replace(start=first, end=min(region.end, first + TILE - 1))
            reference = read_reference(fasta, tile, AROUND)
            near = truth[bisect_left(begins, tile.start - AROUND) : bisect_left(begins, tile.end + AROUND)]
            stretch = stretch_of(file, reference, tile.start - 1, tile.end)
            yield from _of_stretch(stretch, near, inside, tile, layout, counts)
            bar.update()


def _of_stretch(
    stretch: Stretch, truth: Sequence[Unit], inside: Inside, tile: Region, layout: str, counts: Counter[str]
) -> Iterator[tuple[Evidence, Int64]]:
    candidates, layout_shape = stretch.candidates, LAYOUTS[layout]
    for window in stretch.windows:
        numbers = range(window.span.first, window.span.last)
        counted = np.array([_counts(candidates, i, tile, inside) for i in numbers])
        if not counted.any():
            continue
        weighed = weigh(window, stretch, ploidy=2)
        copies = true_copies(window, candidates, stretch.reference, truth)[counted]
        seen = stretch.reads, candidates, stretch.reference, stretch.chances
        evidence = evidence_of(window, *seen, weighed, layout_shape)
        counts.update(f"with {n} copies" for n in copies.tolist())
        picked = (evidence.tensors[counted], evidence.features[counted], evidence.log_chances[counted])
        yield Evidence(*picked), copies


def _counts(candidates: Candidates, i: int, tile: Region, inside: Inside) -> bool:
    """Whether a candidate is of the tile, and lies where the truth is known."""
    pos, ref, alt = int(candidates.pos[i]), candidates.ref[i], candidates.alt[i]
    return tile.start - 1 <= pos < tile.end and is_inside(inside, tile.chrom, (pos + 1, ref, alt))
