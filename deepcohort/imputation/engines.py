"""Outside imputation programs: what they can take, and their answers in the shape of our own models'."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import open_vcf, records, require_whole_bgzf
from deepcohort.imputation.chunk import Imputed, completed, typed_positions
from deepcohort.imputation.engine_files import write_target
from deepcohort.imputation.imputers import Engine
from deepcohort.imputation.models import Float32, told_by_phase
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.targets import TargetChunk


@dataclass(frozen=True)
class Habits:
    """How an engine differs from others.

    rephases: it takes people without phase, and then phases everybody anew. fewest_typed: positions that it
    needs. companion: it stops at a missing genotype of the first person (minimac4 4.1.2 does, where it is
    built with its assertions), so somebody complete goes first. fields: FORMAT fields with the chance of
    ALT on the two haplotypes.
    """

    rephases: bool
    fewest_typed: int
    companion: bool
    fields: tuple[str, ...]


HABITS = {
    Engine.beagle: Habits(rephases=True, fewest_typed=2, companion=False, fields=("AP1", "AP2")),
    Engine.minimac4: Habits(rephases=False, fewest_typed=1, companion=True, fields=("HDS",)),
}


def write_input(
    path: Path, source: Path, engine: Engine, panel: PanelChunk, target: TargetChunk, threads: int
) -> None:
    """Write the engine's target; an empty file where it needs more typed sites than there are.

    source: where ``target`` was read from. Raises ``InputError`` where the engine cannot take the people.
    """
    if target.likelihoods is not None:
        raise InputError(
            f"{source}: likelihoods (PL or GL) and no GT, which {engine} does not impute from: call "
            f"genotypes first, or leave {engine} to cohorts that have them"
        )
    require_phase(source, engine, target)
    if typed_positions(panel, target) < HABITS[engine].fewest_typed:
        path.write_bytes(b"")
    else:
        write_target(path, panel, target, HABITS[engine].companion, threads)


def require_phase(path: Path, engine: Engine, target: TargetChunk) -> None:
    """Refuse people whose phase is not known where the engine would impute them as if it were."""
    unphased = np.flatnonzero(~target.phased)
    if len(unphased) and not HABITS[engine].rephases:
        raise InputError(
            f"{path}: {len(unphased)} of {len(target.samples)} people are not phased, the first is "
            f"{target.samples[unphased[0]]}, and {engine} imputes phased genotypes only: phase the file "
            f"first, or leave {engine} to phased cohorts"
        )


def read_imputed(path: Path, engine: Engine, panel: PanelChunk, target: TargetChunk) -> Imputed:
    """Read an engine's output for the files that ``engine_files`` wrote of ``panel`` and ``target``.

    Raises ``InputError`` where the file lacks people or sites of the chunk.
    """

    def chances(sites: NDArray[np.int64]) -> Float32:
        haplotypes = _read_haplotypes(path, engine, panel, target)
        if HABITS[engine].rephases:
            _turn_to_input(haplotypes, panel.cm, target)
        single = 2 * np.flatnonzero(target.haploid)
        haplotypes[:, single] = (haplotypes[:, single] + haplotypes[:, single + 1]) / 2
        return told_by_phase(haplotypes[sites], target)

    return completed(panel, target, chances, HABITS[engine].fewest_typed)


def _read_haplotypes(path: Path, engine: Engine, panel: PanelChunk, target: TargetChunk) -> Float32:
    """Chance of ALT on each haplotype at every site of the chunk, float32[S, 2n]."""
    habits = HABITS[engine]
    require_whole_bgzf(path)
    vcf = open_vcf(path)
    people = len(target.samples) + habits.companion
    if len(vcf.samples) != people:
        raise InputError(
            f"{path}: {engine} wrote {len(vcf.samples)} people where {people} were expected: give its "
            "output for this batch"
        )
    found = np.full((panel.n_sites, 2 * len(target.samples)), np.nan, np.float32)
    for record in records(path, vcf):
        if not set(habits.fields) <= set(record.FORMAT):
            raise InputError(
                f"{path}: {record.CHROM}:{record.POS} has no {' and '.join(habits.fields)}: let {engine} "
                "write them"
            )
        chances = np.concatenate([record.format(name) for name in habits.fields], axis=1)
        found[int(record.ID)] = chances[habits.companion :].ravel()
    missing = np.flatnonzero(np.isnan(found).any(axis=1))
    if len(missing):
        raise InputError(
            f"{path}: {engine} left out {len(missing)} of {panel.n_sites} sites, the first is "
            f"{panel.contig}:{panel.pos[missing[0]]}: run it on the whole chunk"
        )
    return found


def _turn_to_input(haplotypes: Float32, cm: NDArray[np.float64], target: TargetChunk) -> None:
    """Exchange people's haplotypes, in place, where the engine phased them otherwise than the input does.

    Each site goes with the typed heterozygous site that is nearest in centimorgans. Dosages stay as they are.
    """
    het = (target.genotypes >= 0).all(axis=2) & (target.genotypes[:, :, 0] != target.genotypes[:, :, 1])
    for person in np.flatnonzero(target.phased & ~target.haploid & het.any(axis=0)):
        rows = np.flatnonzero(het[:, person])
        pair = slice(2 * person, 2 * person + 2)
        told = haplotypes[target.typed[rows], pair]
        turned = (told[:, 0] > told[:, 1]) != (target.genotypes[rows, person, 0] == 1)
        at = cm[target.typed[rows]]
        turn = turned[np.searchsorted((at[1:] + at[:-1]) / 2, cm)]
        haplotypes[turn, pair] = haplotypes[turn, pair][:, ::-1]
