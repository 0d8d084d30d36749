"""Pictures of candidates: what a network sees, with what the haplotypes and a caller say of it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import Region, parse_regions
from deepcohort.variants.calls import AROUND, Stretch, stretch_of, weigh
from deepcohort.variants.evidence import Caller, Evidence, evidence_of
from deepcohort.variants.features import NAMES
from deepcohort.variants.genotypes import LEAST_LOG
from deepcohort.variants.reads import ReadsFile
from deepcohort.variants.reference import contig_within, read_reference
from deepcohort.variants.tensors import CHANNELS, LAYOUTS

UInt8 = NDArray[np.uint8]

NEAR = 10
"""Candidates so many bases from a site are shown."""

SHOWN = "full"
"""Layout of the pictures, whatever the caller's own."""

SCALE, GAP, LINE, ACROSS = 2, 8, 14, 3
TOLD = (
    "reads_ref", "reads_this", "reads_other", "reads_unclear", "this_mapq", "this_differences",
    "this_strand_skew", "repeat",
)  # fmt: skip
"""Features that stand above the picture."""


def parse_sites(text: str) -> list[Region]:
    """Sites as contig:position, several with commas between; raises ``InputError`` for anything else."""
    places = [one.rpartition(":")[2] for one in text.split(",")]
    return parse_regions(",".join(f"{one}-{at}" for one, at in zip(text.split(","), places, strict=True)))


def show_sites(
    file: ReadsFile, fasta: Path, sites: list[Region], out: Path, caller: Caller | None = None
) -> list[Path]:
    """Draw each candidate near some sites to ``out``/CONTIG_POS_REF_ALT.png; returns the files.

    Raises ``InputError`` where nothing is near a site.
    """
    out.mkdir(parents=True, exist_ok=True)
    drawn = []
    for site in sites:
        contig, inside = contig_within(fasta, site)
        around = inside._replace(start=max(1, inside.start - NEAR), end=min(contig.length, inside.end + NEAR))
        reference = read_reference(fasta, around, AROUND)
        stretch = stretch_of(file, reference, around.start - 1, around.end)
        found = list(_of_stretch(stretch, around, caller))
        if not found:
            raise InputError(
                f"{file.path.name}: no candidate within {NEAR} bases of {site}: give another site"
            )
        for name, lines, tensor in found:
            path = out / f"{contig.name}_{name}.png"
            with written_whole(path) as unfinished:
                picture(tensor, lines).save(unfinished, format="PNG")
            drawn.append(path)
    return drawn


def _of_stretch(
    stretch: Stretch, around: Region, caller: Caller | None
) -> list[tuple[str, list[str], UInt8]]:
    """Names, explanations and tensors of the candidates of a stretch."""
    found = []
    seen = stretch.reads, stretch.candidates, stretch.reference, stretch.chances
    for window in stretch.windows:
        weighed = weigh(window, stretch, 2)
        evidence = evidence_of(window, *seen, weighed, LAYOUTS[SHOWN])
        own = evidence if caller is None else evidence_of(window, *seen, weighed, caller.shape)
        judged = None if caller is None else caller.log_chances(own)
        for i in range(window.span.first, window.span.last):
            row = i - window.span.first
            pos, ref, alt = (
                int(stretch.candidates.pos[i]) + 1, stretch.candidates.ref[i], stretch.candidates.alt[i],
            )  # fmt: skip
            if around.start <= pos <= around.end:
                lines = explained(
                    evidence, row, f"{pos} {ref}>{alt}", None if judged is None else judged[row]
                )
                found.append((f"{pos}_{ref[:20]}_{alt[:20]}", lines, evidence.tensors[row]))
    return found


def explained(evidence: Evidence, row: int, name: str, judged: NDArray[np.float64] | None) -> list[str]:
    """What is said of a candidate, in lines. judged: float64[3], as by ``Caller``."""
    said = np.maximum(evidence.log_chances[row], LEAST_LOG)
    values = dict(zip(NAMES, evidence.features[row].tolist(), strict=True))
    for key in ("reads_ref", "reads_this", "reads_other", "reads_unclear", "repeat"):
        values[key] = float(np.expm1(values[key]))
    lines = [name, _chances("haplotypes", said)]
    if judged is not None:
        lines.append(_chances("caller", judged))
    return [*lines, "  ".join(f"{key} {values[key]:.2g}" for key in TOLD)]


def _chances(who: str, logs: NDArray[np.float64]) -> str:
    chances = np.exp(logs - np.logaddexp.reduce(logs))
    return f"{who}: " + ", ".join(f"{copies} copies {chance:.4f}" for copies, chance in enumerate(chances))


def picture(tensor: UInt8, lines: list[str]) -> Image.Image:
    """A tensor's channels side by side, below some lines of text. tensor: uint8[channels, rows, columns]."""
    channels, rows, columns = tensor.shape
    wide, high = columns * SCALE + GAP, rows * SCALE + GAP + LINE
    down = -(-channels // ACROSS)
    top = LINE * (len(lines) + 1)
    image = Image.new("L", (ACROSS * wide + GAP, top + down * high), 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((GAP, number * LINE + 2), line, fill=0)
    for channel in range(channels):
        left, upper = GAP + channel % ACROSS * wide, top + channel // ACROSS * high
        draw.text((left, upper), CHANNELS[channel], fill=0)
        enlarged = np.kron(tensor[channel], np.ones((SCALE, SCALE), np.uint8))
        image.paste(Image.fromarray(enlarged), (left, upper + LINE))
    return image
