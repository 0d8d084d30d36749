"""Genotypes of children that their parents' genotypes cannot have given."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Inside, parse_regions
from deepcohort.genome.samples import read_pedigree
from deepcohort.genome.vcf import open_vcf, read_header, records

COLUMNS = ("child", "father", "mother", "type", "records", "errors", "error_rate", "incomplete")
"""``records``: with an alternative allele in the trio and all three genotypes; ``incomplete``: one lacks."""

TYPES = ("snp", "indel")


class Trio(NamedTuple):
    """A child with both parents."""

    child: str
    father: str
    mother: str


def read_trios(path: Path, samples: list[str]) -> list[Trio]:
    """Read the trios of a PED file whose three people are among ``samples``.

    Raises ``InputError`` for a row of fewer than four columns and where no trio is complete.
    """
    trios = [Trio(*row[1:]) for row in read_pedigree(path) if set(row[1:]) <= set(samples)]
    if not trios:
        raise InputError(
            f"{path.name}: of no child are both parents among the genotypes: give the calls of whole trios"
        )
    return trios


def mendelian_errors(calls: Path, pedigree: Path, bed: Path | None) -> list[dict[str, str]]:
    """Rows of ``COLUMNS`` for each trio and type; records that a filter refused do not count.

    calls: genotypes of several people, called together. A genotype of one allele (of a man on X) may come
    from either parent.
    """
    samples = read_header(calls).samples
    trios = read_trios(pedigree, samples)
    vcf = open_vcf(calls)
    inside = None if bed is None else Inside(parse_regions(str(bed)))
    counts: dict[tuple[Trio, str], Counter[str]] = defaultdict(Counter)
    columns = {trio: [vcf.samples.index(person) for person in trio] for trio in trios}
    for record in records(calls, vcf):
        if record.FILTER is not None or not record.ALT:
            continue
        if inside is not None and not inside(record.CHROM, record.POS, record.POS):
            continue
        if "GT" not in record.FORMAT:
            raise InputError(f"{calls.name}: {record.CHROM}:{record.POS} has no GT: give genotypes")
        kind = TYPES[any(len(alt) != len(record.REF) for alt in record.ALT)]
        alleles = record.genotype.array()[:, :-1]
        for trio, own in columns.items():
            counts[trio, kind][_verdict(alleles[own])] += 1
    rows = []
    for trio in trios:
        for kind in TYPES:
            found = counts[trio, kind]
            whole = found["right"] + found["error"]
            values = (
                *trio, kind, str(whole), str(found["error"]),
                f"{found['error'] / whole:.5f}" if whole else "NA", str(found["incomplete"]),
            )  # fmt: skip
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def _verdict(alleles: NDArray[np.int16]) -> str:
    """Judge genotypes int16[3, ploidy] of child, father, mother; -1 is missing, -2 no allele."""
    child, father, mother = ([int(a) for a in own if a != -2] for own in alleles)
    if any(a < 0 for a in (*child, *father, *mother)):
        return "incomplete"
    if not any((*child, *father, *mother)):
        return "without variant"
    if len(child) == 1:
        return "right" if child[0] in (*father, *mother) else "error"
    first, second = child[0], child[-1]
    fits = (first in father and second in mother) or (first in mother and second in father)
    return "right" if fits else "error"
