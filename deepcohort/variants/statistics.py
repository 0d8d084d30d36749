"""What a person's calls are, counted: for the report, where unusual people show."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from cyvcf2 import VCF

from deepcohort.genome.tables import write_table
from deepcohort.variants.strata import TRANSITIONS, type_of

COLUMNS = ("sample", "what", "bin", "count")

DEEPEST = 100
"""Depths beyond are counted here."""


def count_calls(calls: Path) -> Counter[tuple[str, str]]:
    """Count the records of one person's VCF by what and bin.

    ``filter``: records by FILTER. Of those that pass, each ALT in the genotype by ``type`` (snp, insertion,
    deletion), single bases by ``substitution`` (transition, transversion), sites by ``zygosity``
    (heterozygous, homozygous, haploid), by ``depth`` (DP) and ``gq``.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for record in VCF(str(calls)):
        passes = record.FILTER is None  # as cyvcf2 tells PASS
        counts["filter", "PASS" if passes else record.FILTER] += 1
        if not passes:
            continue
        copies = [allele for allele in record.genotypes[0][:-1] if allele >= 0]
        for allele in set(copies) - {0}:
            alt = record.ALT[allele - 1]
            counts.update(_of_allele(record.REF, alt))
        if len(copies) == 1:
            counts["zygosity", "haploid"] += 1
        else:
            counts["zygosity", "homozygous" if len(set(copies)) == 1 else "heterozygous"] += 1
        for what, field in (("depth", "DP"), ("gq", "GQ")):
            value = int(np.ravel(record.format(field))[0])
            counts[what, str(min(value, DEEPEST))] += 1
    return counts


def _of_allele(ref: str, alt: str) -> list[tuple[str, str]]:
    kind = type_of(ref, alt)
    if kind != "snp":
        return [("type", kind)]
    changed = [one + other for one, other in zip(ref, alt, strict=True) if one != other]
    changes = ("transition" if pair in TRANSITIONS else "transversion" for pair in changed)
    return [("type", kind), *(("substitution", change) for change in changes)]


def count_cohort(genotypes: Path) -> dict[str, Counter[tuple[str, str]]]:
    """Count the genotypes of everybody in a VCF, at sites that pass, as ``cohort``.

    ``reference``, ``variant`` and ``missing`` are genotypes; ``alone``: variants that nobody else has.
    """
    vcf = VCF(str(genotypes))
    bins = ("reference", "variant", "missing", "alone")
    totals = np.zeros((len(bins), len(vcf.samples)), np.int64)
    for record in vcf:
        if record.FILTER is not None:
            continue
        alleles = record.genotype.array()[:, :-1]
        missing, variant = (alleles == -1).any(axis=1), (alleles > 0).any(axis=1)
        totals += np.stack([~missing & ~variant, variant, missing, variant & (variant.sum() == 1)])
    return {
        sample: Counter({("cohort", name): int(count) for name, count in zip(bins, column, strict=True)})
        for sample, column in zip(vcf.samples, totals.T, strict=True)
    }


def write_counts(path: Path, people: Mapping[str, Counter[tuple[str, str]]]) -> None:
    """Write counts of people by name as a tidy table."""
    rows = (
        {"sample": sample, "what": what, "bin": bin_, "count": str(count)}
        for sample, counts in people.items()
        for (what, bin_), count in sorted(
            counts.items(), key=lambda item: (item[0][0], len(item[0][1]), item[0][1])
        )
    )
    write_table(path, rows, COLUMNS)
