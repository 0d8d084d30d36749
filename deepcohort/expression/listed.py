"""Effects of listed variants, such as those of a disease, on genes around them, without genotypes."""

import csv
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcohort.expression.edits import Edit
from deepcohort.expression.effects import By, effects
from deepcohort.expression.genes import Gene, open_text
from deepcohort.expression.people import Reference
from deepcohort.expression.predict import effect_table
from deepcohort.expression.views import Averaged
from deepcohort.genome.errors import InputError
from deepcohort.genome.fasta import open_fasta
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import chrom_key
from deepcohort.genome.tables import write_table
from deepcohort.genome.vcf import contig_of, open_vcf

log = logging.getLogger(__name__)

NEEDED = ("chrom", "pos", "ref", "alt")
MOST_WRONG = 0.5
"""Share of the list whose REF may differ from the reference: with more it is of another build."""


def read_list(path: Path) -> dict[str, list[Edit]]:
    """Variants by chromosome (``chrom_key``) from a VCF or BCF, or a TSV with columns chrom, pos, ref, alt.

    Raises ``InputError`` for rows that cannot be read and for a list without variants.
    """
    vcf = path.name.endswith((".vcf", ".vcf.gz", ".bcf"))
    found: dict[str, list[Edit]] = defaultdict(list)
    for chrom, edit in _from_vcf(path) if vcf else _from_table(path):
        if edit not in found[chrom]:
            found[chrom].append(edit)
    if not found:
        raise InputError(f"{path.name}: no variant in it: give a VCF, or a table of chrom, pos, ref and alt")
    return {chrom: sorted(edits) for chrom, edits in found.items()}


def _from_vcf(path: Path) -> Iterator[tuple[str, Edit]]:
    skipped = 0
    for record in open_vcf(path, samples=[]):
        for alt in record.ALT:
            if set(alt.upper()) <= set("ACGTN"):
                edit = Edit(record.POS - 1, record.REF.upper().encode(), alt.upper().encode())
                yield chrom_key(record.CHROM), edit
            else:
                skipped += 1
    if skipped:
        log.warning("%s: %d symbolic alleles were left out", path.name, skipped)


def _from_table(path: Path) -> Iterator[tuple[str, Edit]]:
    rows = csv.DictReader((line.removeprefix("#") for line in open_text(path)), delimiter="\t")
    columns = {name.lower(): name for name in rows.fieldnames or ()}
    if not set(NEEDED) <= set(columns):
        raise InputError(f"{path.name}: the first row must name the columns chrom, pos, ref and alt, by tabs")
    for number, row in enumerate(rows, 2):
        chrom, pos, ref, alt = (row[columns[name]] or "" for name in NEEDED)
        if not (
            pos.isdecimal() and int(pos) > 0 and set((ref + alt).upper()) <= set("ACGTN") and ref and alt
        ):
            raise InputError(
                f"{path.name}: row {number}: '{chrom} {pos} {ref} {alt}' is no variant: write the place from "
                "1 on, and letters of both alleles"
            )
        yield chrom_key(chrom), Edit(int(pos) - 1, ref.upper().encode(), alt.upper().encode())


def fitting(name: str, found: dict[str, list[Edit]], fasta: Path) -> tuple[dict[str, list[Edit]], list[str]]:
    """Variants by chromosome whose REF is the reference's, and sentences on the others.

    Raises ``InputError`` where REF is mostly not the reference's, and where none of the chromosomes is.
    """
    opened = open_fasta(fasta)
    contigs = {key: contig_of(list(opened.references), key) for key in found}
    wrong = {key: _wrong(opened, contig, found[key]) for key, contig in contigs.items() if contig}
    total, bad = sum(len(found[key]) for key in wrong), sum(map(len, wrong.values()))
    if not total:
        raise InputError(f"{name}: {fasta.name} has none of its chromosomes: give the reference of the list")
    if bad > MOST_WRONG * total:
        raise InputError(
            f"{name}: REF of {bad:,} of {total:,} variants is not what {fasta.name} has: give the list by "
            "places of this reference"
        )
    notes = [
        f"{len(left):,} variants of {name} on chromosome {chrom} have another REF than the reference: "
        "left out."
        for chrom, left in wrong.items()
        if left
    ]
    if strange := sum(map(len, found.values())) - total:
        notes.append(
            f"{strange:,} variants of {name} are on chromosomes that the reference has not: left out."
        )
    return {key: [edit for edit in found[key] if edit not in left] for key, left in wrong.items()}, notes


def write_list(path: Path, kept: Mapping[str, Sequence[Edit]]) -> None:
    """Write variants by chromosome as a table that ``read_list`` reads."""
    rows = (
        dict(zip(NEEDED, (chrom, str(edit.start + 1), edit.ref.decode(), edit.alt.decode()), strict=True))
        for chrom, edits in kept.items()
        for edit in edits
    )
    write_table(path, rows, NEEDED)


def _wrong(opened: Any, contig: str, edits: Sequence[Edit]) -> set[Edit]:
    """Variants whose REF is not there, N fitting everything."""
    met = ((edit, opened.fetch(contig, edit.start, edit.start + len(edit.ref))) for edit in edits)
    return {edit for edit, there in met if not _alike(edit.ref, there.upper().encode())}


def _alike(ref: bytes, there: bytes) -> bool:
    return len(ref) == len(there) and all(a == b for a, b in zip(ref, there, strict=True) if b in b"ACGT")


def listed_effects(
    cohort: str, genes: Sequence[Gene], edits: Sequence[Edit], reference: Reference, model: Averaged, by: By
) -> Iterator[pd.DataFrame]:
    """A table for each gene (``EFFECT_COLUMNS``) of the variants, sorted by place, in its window."""
    met: set[Edit] = set()
    with progress("genes", len(genes)) as bar:
        for gene in genes:
            stretch = reference.stretch(gene, model.before, model.after, stranded=model.stranded)
            if stretch is not None:
                low, high = gene.tss - stretch.left, gene.tss + stretch.right
                near = [edit for edit in edits if low <= edit.start <= high]
                met |= set(near)
                if near:
                    model.aim_at(gene)
                    told = effects(model, stretch, near, by)
                    yield effect_table(cohort, stretch, near, np.zeros(len(near), np.int64), 0, told, model)
            bar.update()
    log.info("%d of %d variants are in the window of a gene", len(met), len(edits))
