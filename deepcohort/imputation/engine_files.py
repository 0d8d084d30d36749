"""What outside imputation programs read: panel, target and genetic map of a chunk, in the panel's alleles.

Their files name people by number and sites by their index in the chunk (the column ID), so that no name
or duplicated site can trouble them and each line of their output finds its way back.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.files import written_whole
from deepcohort.genome.maps import ASSUMED_RATE, GeneticMap, write_plink_map
from deepcohort.genome.vcf import make_index
from deepcohort.imputation.panel import BLOCK, PanelChunk
from deepcohort.imputation.targets import TargetChunk

UInt8 = NDArray[np.uint8]

HEADER = """##fileformat=VCFv4.2
##contig=<ID={contig}{length}>
{alts}##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}
"""

BAR, SLASH, TAB, ZERO = b"|/\t0"


def write_panel(path: Path, panel: PanelChunk, threads: int) -> None:
    """Write all sites of the chunk with its overlap, two haplotypes a column.

    Haplotypes of haploid people are paired like all others, so that everybody has the same ploidy; the last
    of an odd number stands alone.
    """
    names = [f"P{number}" for number in range(1, (panel.n_haplotypes + 1) // 2 + 1)]
    _write(path, panel, names, range(panel.n_sites), _haplotypes(panel), threads)


def _haplotypes(panel: PanelChunk) -> Iterator[UInt8]:
    for first in range(0, panel.n_sites, BLOCK):
        alleles = panel.alleles(np.arange(first, min(first + BLOCK, panel.n_sites)))
        text = np.full((len(alleles), panel.n_haplotypes, 2), BAR, np.uint8)
        text[:, :, 0] = alleles + ZERO
        text[:, 1::2, 1] = TAB
        yield from text.reshape(len(alleles), -1)


def write_target(path: Path, panel: PanelChunk, target: TargetChunk, companion: bool, threads: int) -> None:
    """Write the typed sites, and the index beside the file.

    Haploid people are homozygous. A ``companion`` is a complete person before all others: the panel's first
    two haplotypes.
    """
    names = [f"T{number}" for number in range(1, len(target.samples) + 1)]
    first = panel.alleles(target.typed)[:, :2].astype(np.int8)
    genotypes = np.where(target.haploid[:, None], target.genotypes[:, :, :1], target.genotypes)
    phased = target.phased
    if companion:
        names = ["companion", *names]
        genotypes = np.concatenate([first[:, None, [0, -1]], genotypes], axis=1)
        phased = np.append(True, phased)
    _write(path, panel, names, target.typed.tolist(), _genotypes(genotypes, phased), threads)
    make_index(path, path.with_name(f"{path.name}.tbi"))


def _genotypes(genotypes: NDArray[np.int8], phased: NDArray[np.bool_]) -> Iterator[UInt8]:
    for row in genotypes:
        text = np.full((len(row), 4), TAB, np.uint8)
        text[:, [0, 2]] = np.where(row < 0, ord("."), row + ZERO)
        text[:, 1] = np.where(phased, BAR, SLASH)
        yield text.ravel()


def _write(
    path: Path,
    panel: PanelChunk,
    samples: list[str],
    sites: Iterable[int],
    entries: Iterator[UInt8],
    threads: int,
) -> None:
    """Write a VCF; each of ``entries`` is a site's text with one character too many at its end."""
    alts = _distinct_alts(panel)
    header = HEADER.format(
        contig=panel.contig,
        length=f",length={panel.length}" if panel.length else "",
        alts=panel.header + "\n" if panel.header else "",
        samples="\t".join(samples),
    )
    with written_whole(path) as unfinished, BgzfWriter(unfinished, threads) as out:
        out.write(header.encode())
        for site, entry in zip(sites, entries, strict=True):
            fixed = [panel.contig, str(panel.pos[site]), str(site), panel.ref[site], alts[site]]
            out.write("\t".join([*fixed, ".", "PASS", ".", "GT", ""]).encode())
            out.write(entry[:-1].tobytes() + b"\n")


def _distinct_alts(panel: PanelChunk) -> list[str]:
    """ALT of each site; one that the panel holds twice gets a name of its own, as engines refuse twins."""
    seen: set[tuple[int, str, str]] = set()
    alts: list[str] = []
    for site, key in enumerate(zip(panel.pos.tolist(), panel.ref, panel.alt, strict=True)):
        alts.append(f"<TWIN{site}>" if key in seen else panel.alt[site])
        seen.add(key)
    return alts


def write_map(path: Path, panel: PanelChunk) -> None:
    """Write the genetic map at the panel's sites in PLINK's layout, from 0 cM, and one point beyond them."""
    pos, first = np.unique(panel.pos, return_index=True)
    cm = panel.cm[first] - panel.cm[0]
    beyond = int(pos[-1]) + 1_000_000
    write_plink_map(
        GeneticMap(np.append(pos, beyond), np.append(cm, cm[-1] + ASSUMED_RATE)), path, panel.contig
    )
