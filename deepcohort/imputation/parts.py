"""The part of an imputed VCF that one task writes: one batch of people over one chunk."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import deepcohort
from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.compiled import compiled
from deepcohort.genome.files import written_whole
from deepcohort.genome.imputed_vcf import imputed_entries
from deepcohort.imputation.borders import borders_line
from deepcohort.imputation.chunk import Imputed
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.sums import DosageSums
from deepcohort.imputation.targets import TargetChunk

Float32 = NDArray[np.float32]

SUMS, LEFT_OUT = "SUMS=", "LOO="
"""INFO of parts that the join adds up: ``DosageSums``, and of typed sites ``LeftOutSums``."""

HEADER = """##fileformat=VCFv4.3
##source=DeepCohort {version}
##FILTER=<ID=PASS,Description="All filters passed">
##contig=<ID={contig}{length}>
{alts}##INFO=<ID=AF,Number=A,Type=Float,Description="Estimated frequency of ALT among the imputed people">
##INFO=<ID=R2,Number=1,Type=Float,Description="Estimated squared correlation of dosage and true genotype">
##INFO=<ID=ER2,Number=1,Type=Float,Description="Squared correlation of typed and left-out alleles">
##INFO=<ID=RAF,Number=A,Type=Float,Description="Frequency of ALT in the reference panel">
##INFO=<ID=IMP,Number=0,Type=Flag,Description="Imputed site">
##INFO=<ID=TYPED,Number=0,Type=Flag,Description="Site that the input holds; missing genotypes are imputed">
##INFO=<ID=BYFREQ,Number=0,Type=Flag,Description="Filled from the panel's frequency: no typed site in reach">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DS,Number=A,Type=Float,Description="Expected number of ALT alleles">
##FORMAT=<ID=GP,Number=G,Type=Float,Description="Posterior probability of each genotype">
{hds}{confidence}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}
"""

HDS = (
    '##FORMAT=<ID=HDS,Number=.,Type=Float,Description="Expected number of ALT alleles on each haplotype; '
    'missing where the phase is not known">\n'
)

CONFIDENCE = (
    '##FORMAT=<ID=PC,Number=1,Type=Float,Description="Probability that the phase of a heterozygous genotype '
    "whose input was not phased is right: of a genotype of the input relative to the heterozygous one of the "
    "input before it, of an imputed one relative to those around it; missing where nothing comes "
    'before">\n'
)


def dosage_sums(
    chances: NDArray[np.float32], phased: NDArray[np.bool_], haploid: NDArray[np.bool_]
) -> list[DosageSums]:
    """Sums of each site; ``chances`` as in ``Imputed``."""
    alleles, people = 2 * len(phased) - int(haploid.sum()), len(phased)
    return [DosageSums(alleles, people, *row) for row in _add_up(chances, phased, haploid).tolist()]


@compiled
def _add_up(
    chances: NDArray[np.float32], phased: NDArray[np.bool_], haploid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Sums of dosage, its square and the expected square of the number of ALT alleles, [U, 3]."""
    sums = np.zeros((chances.shape[0], 3))
    for site in range(chances.shape[0]):
        for person in range(len(phased)):
            first, second = chances[site, 2 * person], chances[site, 2 * person + 1]
            if haploid[person]:
                dosage = expected = first
            elif phased[person]:
                dosage = first + second
                expected = dosage + 2 * first * second
            else:
                dosage, expected = first + 2 * second, first + 4 * second
            sums[site, 0] += dosage
            sums[site, 1] += dosage * dosage
            sums[site, 2] += expected
    return sums


def write_part(
    path: Path,
    panel: PanelChunk,
    target: TargetChunk,
    imputed: Imputed,
    with_hds: bool,
    threads: int,
    with_phase: bool = False,
) -> None:
    """Write a batch's genotypes of the chunk's core as a VCF whose INFO holds ``SUMS`` for the join,
    and at typed sites ``LOO``.

    with_phase: people whose input is not phased are written in phase, and the header says for the join how
    they lie at the borders.
    """
    frequency = panel.alt_frequency()
    sums = dosage_sums(imputed.chances, target.phased, target.haploid)
    fields = ":".join(["GT:DS:GP", *(["HDS"] if with_hds else []), *(["PC"] if with_phase else [])])
    lies = _lies(imputed, len(target.samples)) if with_phase else None
    with written_whole(path) as unfinished, BgzfWriter(unfinished, threads) as out:
        out.write(_header(panel, target, imputed, with_hds, with_phase).encode())
        for row, site in enumerate(imputed.sites):
            kind = "TYPED" if imputed.typed[row] else "IMP;BYFREQ" if imputed.by_frequency else "IMP"
            left_out = f"{LEFT_OUT}{imputed.left_out[row]};" if row in imputed.left_out else ""
            info = f"RAF={frequency[site]:.6g};{SUMS}{sums[row]};{left_out}{kind}"
            columns = [target.contig, str(panel.pos[site]), panel.ids[site], panel.ref[site], panel.alt[site]]
            columns += [".", "PASS", info, fields]
            out.write("\t".join(columns).encode())
            row_lies = None if lies is None else (lies[0][row], lies[1][row])
            out.write(
                imputed_entries(imputed.chances[row], target.phased, target.haploid, with_hds, row_lies)
            )
            out.write(b"\n")


def _lies(imputed: Imputed, n_people: int) -> tuple[Float32, Float32]:
    """How each genotype lies and how sure that is, float32[U, n] each; half where nothing is known."""
    first = np.full((len(imputed.sites), n_people), 0.5, np.float32)
    confidence = first.copy()
    if imputed.phase is not None:
        first[:, imputed.phase.people] = imputed.phase.first
        confidence[:, imputed.phase.people] = imputed.phase.confidence
    return first, confidence


def _header(
    panel: PanelChunk, target: TargetChunk, imputed: Imputed, with_hds: bool, with_phase: bool
) -> str:
    borders = borders_line(panel, imputed.phase, len(target.samples)) if with_phase else ""
    return HEADER.format(
        version=deepcohort.__version__,
        contig=target.contig,
        length=f",length={panel.length}" if panel.length else "",
        alts=panel.header + "\n" if panel.header else "",
        hds=HDS if with_hds else "",
        confidence=(CONFIDENCE if with_phase else "") + borders,
        samples="\t".join(target.samples),
    )
