"""One chunk of the people to be imputed: their typed genotypes, told in the panel's alleles."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cyvcf2 import VCF
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.harmonise import match_sites
from deepcohort.genome.likelihoods import by_copies, has_likelihoods_only, read_likelihoods
from deepcohort.genome.regions import chrom_key
from deepcohort.genome.vcf import contig_of, open_vcf, read_header, read_sites, records, require_whole_bgzf
from deepcohort.imputation.panel import PanelChunk

HAPLOID = -2
"""What cyvcf2 gives for the second allele of a haploid genotype."""


LEFT = 0.05
"""Share of the panel's sites that must be untyped, for a model to learn from how well it predicts them."""


@dataclass(frozen=True)
class TargetChunk:
    """Typed genotypes of n people at M sites of a panel chunk.

    contig: the target's name of the chromosome. typed: int64[M], sorted indices of panel sites.
    genotypes: int8[M, n, 2] copies of the panel's ALT, -1 where missing (and in a haploid person's second
    column). phased: bool[n], whether every heterozygous genotype of the person is phased.
    haploid: bool[n]. masked: int64 indices of typed sites hidden on purpose; None: it was not asked for.
    likelihoods: P(reads | 0, 1, 2 copies), float32[M, n, 3], where the file has these and no genotypes, which
    are then all missing; of a haploid person the first two count. All the same: nothing was seen.
    """

    samples: list[str]
    contig: str
    typed: NDArray[np.int64]
    genotypes: NDArray[np.int8]
    phased: NDArray[np.bool_]
    haploid: NDArray[np.bool_]
    masked: NDArray[np.int64] | None = None
    likelihoods: NDArray[np.float32] | None = None

    def masking(self, pos: NDArray[np.int64], fraction: float, seed: int) -> "TargetChunk":
        """Hide a share of typed sites; the choice hangs on seed and position alone, so chunks agree."""
        draws = [zlib.crc32(f"{seed}:{position}".encode()) / 2**32 for position in pos[self.typed]]
        hidden = np.array(draws) < fraction
        return TargetChunk(
            samples=self.samples,
            contig=self.contig,
            typed=self.typed[~hidden],
            genotypes=self.genotypes[~hidden],
            phased=self.phased,
            haploid=self.haploid,
            masked=self.typed[hidden],
        )


def read_target(target: Path, panel: PanelChunk, samples: list[str]) -> TargetChunk:
    """Read the genotypes of ``samples``, in that order, at the sites that target and panel share.

    Raises ``InputError`` where a sample or the chromosome is not in the file.
    """
    require_whole_bgzf(target)  # by a region, htslib reads up to a cut without a word
    known = set(read_header(target).samples)
    missing = [name for name in samples if name not in known]
    if missing:
        raise InputError(f"{target}: there is no sample {missing[0]}: give the samples that the file holds")
    vcf = open_vcf(target, samples=samples)
    contig = target_contig(vcf, target, panel.contig)
    columns = np.array([vcf.samples.index(name) for name in samples])
    region = f"{contig}:{panel.pos[0]}-{panel.pos[-1]}"
    if _has_likelihoods(target, vcf, contig):
        return _read_likelihoods(target, vcf, region, panel, samples, contig, columns)
    names, calls, phases = _read_calls(target, vcf, region, columns)
    pos = [position for position, _, _, _ in names]
    refs, alts = [ref for _, ref, _, _ in names], [alt for _, _, alt, _ in names]
    shared = match_sites(panel.pos, panel.ref, panel.alt, np.array(pos, np.int64), refs, alts)
    order = np.argsort(shared.panel_index, kind="stable")
    genotypes = np.full((len(order), len(samples), 2), -1, np.int8)
    calls_of = np.zeros((3, len(samples)), bool)
    for row, index in enumerate(order):
        _, _, _, number = names[shared.target_index[index]]
        alleles = calls[shared.target_index[index]]
        counted = 0 if shared.swapped[index] else number
        copies = np.where(alleles < 0, alleles, alleles == counted)
        genotypes[row] = copies
        het = (copies >= 0).all(axis=1) & (copies[:, 0] != copies[:, 1])
        called = (copies >= 0).any(axis=1) & (copies[:, 1] != HAPLOID)
        open_phase = ~phases[shared.target_index[index]] & called
        calls_of |= np.stack([het, het & open_phase, open_phase])
    if len(order):
        called_once, called_twice = ((genotypes[:, :, column] >= 0).any(axis=0) for column in (0, 1))
        marked_single = (genotypes[:, :, 1] == HAPLOID).any(axis=0)
        haploid = called_once & ~called_twice & marked_single
    else:
        haploid = _haploid_nearby(target, vcf, contig, int(panel.pos[0]), int(panel.pos[-1]), columns)
    return TargetChunk(
        samples=samples,
        contig=contig,
        typed=shared.panel_index[order],
        genotypes=np.maximum(genotypes, -1),
        phased=_phase_known(*calls_of),
        haploid=haploid,
    )


def _has_likelihoods(target: Path, vcf: VCF, contig: str) -> bool:
    """Say whether the file has likelihoods in place of genotypes, by the chromosome's first record."""
    first = next(records(target, vcf, contig), None)
    return first is not None and has_likelihoods_only(first)


def _read_likelihoods(
    target: Path,
    vcf: VCF,
    region: str,
    panel: PanelChunk,
    samples: list[str],
    contig: str,
    columns: NDArray[np.int64],
) -> TargetChunk:
    """Read likelihoods at the sites that target and panel share and of which somebody has reads."""
    names: list[tuple[int, str, str, int]] = []
    tables: list[tuple[NDArray[np.float32], NDArray[np.bool_], int]] = []
    for record in records(target, vcf, region):
        likelihoods, haploid = read_likelihoods(target, record)
        table = (likelihoods[columns], haploid[columns], 1 + len(record.ALT))
        for number, alt in enumerate(record.ALT, start=1):
            names.append((record.POS, record.REF, alt, number))
            tables.append(table)
    pos = np.array([position for position, _, _, _ in names], np.int64)
    refs, alts = [ref for _, ref, _, _ in names], [alt for _, _, alt, _ in names]
    shared = match_sites(panel.pos, panel.ref, panel.alt, pos, refs, alts)
    order = np.argsort(shared.panel_index, kind="stable")
    seen = np.ones((len(order), len(samples), 3), np.float32)
    diploid, single = np.zeros(len(samples), bool), np.zeros(len(samples), bool)
    for row, index in enumerate(order):
        number = shared.target_index[index]
        likelihoods, haploid, n_alleles = tables[number]
        counted = 0 if shared.swapped[index] else names[number][3]
        seen[row] = by_copies(likelihoods, haploid, n_alleles, counted)
        single |= haploid
        diploid |= ~haploid & (likelihoods < 1).any(axis=1)
    haploid = single & ~diploid
    informative = (seen[:, :, :2] < 1).any(axis=(1, 2)) | (seen[:, ~haploid] < 1).any(axis=(1, 2))
    # Where a man has no reads nothing is said of his one copy either.
    unseen = (seen == 1).all(axis=2) | (haploid & (seen[:, :, :2] == 1).all(axis=2))
    seen[unseen] = 1
    typed = shared.panel_index[order][informative]
    return TargetChunk(
        samples=samples,
        contig=contig,
        typed=typed,
        genotypes=np.full((len(typed), len(samples), 2), -1, np.int8),
        phased=np.zeros(len(samples), bool) if len(typed) else np.ones(len(samples), bool),
        haploid=haploid,
        likelihoods=seen[informative],
    )


def _haploid_nearby(
    target: Path, vcf: VCF, contig: str, start: int, end: int, columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Who is haploid, bool[n], at the nearest called genotype of each person around an untyped stretch."""
    known, haploid = np.zeros(len(columns), bool), np.zeros(len(columns), bool)
    reach = 2**17
    names: list[tuple[int, str, str, int]] = []
    while not names and reach < 2**30:
        reach *= 2
        names, calls, _ = _read_calls(target, vcf, f"{contig}:{max(1, start - reach)}-{end + reach}", columns)
    for number in sorted(range(len(names)), key=lambda i: max(start - names[i][0], names[i][0] - end)):
        alleles = calls[number]
        new = ~known & (alleles[:, 0] >= 0)
        haploid[new] = alleles[new, 1] == HAPLOID
        known |= new
    return haploid


def _phase_known(
    heterozygous: NDArray[np.bool_], open_heterozygous: NDArray[np.bool_], open_call: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whose phase is known, bool[n], from whether a person has such genotypes at all.

    Some programs write ``0/0`` beside ``0|1``; only without a heterozygous genotype do such calls count.
    """
    return ~open_heterozygous & (heterozygous | ~open_call)


def target_contig(vcf: VCF, path: Path, contig: str) -> str:
    """Find the target's name of the panel's chromosome."""
    found = contig_of(vcf.seqnames, contig)
    if found is None:
        raise InputError(f"{path}: chromosome {chrom_key(contig)} is not in this file")
    return found


def _read_calls(
    target: Path, vcf: VCF, region: str, columns: NDArray[np.int64]
) -> tuple[list[tuple[int, str, str, int]], list[NDArray[np.int16]], list[NDArray[np.bool_]]]:
    """Read sites, one entry per ALT (position, REF, ALT, its number), alleles [n, 2] and phases [n]."""
    names: list[tuple[int, str, str, int]] = []
    calls: list[NDArray[np.int16]] = []
    phases: list[NDArray[np.bool_]] = []
    for record in records(target, vcf, region):
        array = record.genotype.array()[columns]
        alleles = array[:, :-1]
        if alleles.shape[1] == 1:
            alleles = np.concatenate([alleles, np.full_like(alleles, HAPLOID)], axis=1)
        for number, alt in enumerate(record.ALT or ["."], start=1):
            names.append((record.POS, record.REF, alt, number))
            calls.append(alleles[:, :2])
            phases.append(array[:, -1].astype(bool))
    return names, calls, phases


def learnt_from(typed: NDArray[np.int64], n_sites: int) -> NDArray[np.int64]:
    """Typed sites to learn by, int64[M']: all, or every third where they leave too few others to predict.

    So it is with likelihoods at all sites of the panel.
    """
    return typed if n_sites - len(typed) > LEFT * n_sites else typed[::3]


def typed_sites(sites: Path, panel: PanelChunk) -> NDArray[np.int64]:
    """Indices of the panel sites that a target's sites-only file holds, int64[M], sorted."""
    contig = target_contig(open_vcf(sites), sites, panel.contig)
    found = read_sites(sites, contig, int(panel.pos[0]), int(panel.pos[-1]))
    shared = match_sites(panel.pos, panel.ref, panel.alt, found.pos, found.ref, found.alt)
    return np.sort(shared.panel_index)
