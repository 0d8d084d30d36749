"""Sites of several people as lines of a VCF."""

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.variants.calls import joined
from deepcohort.variants.joint_model import Genotypes
from deepcohort.variants.joint_sites import Site, SiteEvidence
from deepcohort.variants.vcf_header import LEAST_QUAL

Int64 = NDArray[np.int64]

OWN_LINES = """##INFO=<ID=AC,Number=A,Type=Integer,Description="Copies of each ALT in the genotypes">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Copies of all alleles in the genotypes">
##INFO=<ID=AF,Number=A,Type=Float,Description="Share of each ALT among them">
##INFO=<ID=F_MISSING,Number=1,Type=Float,Description="Share of people without a genotype">
##INFO=<ID=HWE,Number=A,Type=Float,Description="Exact test of Hardy-Weinberg proportions of each ALT: p, of people with two copies">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that cover the site; least of the block where nothing was called">
"""  # noqa: E501


def site_line(contig: str, site: Site, evidence: SiteEvidence, genotypes: Genotypes) -> str:
    """A site with everybody's genotype."""
    ref, *alts = joined([ref for _, ref, _ in site.alleles], [alt for _, _, alt in site.alleles])
    columns = [
        contig, str(site.pos), ".", ref, ",".join(alts), f"{genotypes.qual:.1f}",
        "PASS" if genotypes.qual >= LEAST_QUAL else "LowQual",
        _info(genotypes.alleles, len(alts)), "GT:GQ:DP:AD:PL",
    ]  # fmt: skip
    scaled = np.rint(evidence.pl).astype(np.int64)
    pl = scaled - scaled.min(axis=1, keepdims=True)
    rows = zip(
        genotypes.alleles.tolist(), genotypes.gq.tolist(), evidence.depth.tolist(), evidence.ad.tolist(),
        pl.tolist(), evidence.copies.tolist(), strict=True,
    )  # fmt: skip
    return "\t".join(columns + [_entry(*row) for row in rows]) + "\n"


def _entry(alleles: list[int], gq: int, depth: int, ad: list[int], pl: list[int], copies: int) -> str:
    known = alleles[0] >= 0
    cells = [
        "/".join(map(str, alleles[:copies])) if known else "/".join("." * copies),
        str(gq) if known else ".",
        "." if depth < 0 else str(depth),
        "." if ad[0] < 0 else ",".join(map(str, ad)),
        ",".join(map(str, pl if copies == 2 else pl[: len(ad)])),
    ]
    return ":".join(cells)


def _info(alleles: Int64, alts: int) -> str:
    called = alleles[alleles >= 0]
    counts = [int((called == number).sum()) for number in range(1, alts + 1)]
    missing = float((alleles[:, 0] < 0).mean())
    whole = alleles[(alleles >= 0).all(axis=1)]
    tests = []
    for number in range(1, alts + 1):
        copies = (whole == number).sum(axis=1)
        tests.append(hardy_weinberg(*(int((copies == count).sum()) for count in range(3))))
    shares = (f"{count / max(1, len(called)):.6g}" for count in counts)
    return (
        f"AC={','.join(map(str, counts))};AN={len(called)};AF={','.join(shares)};F_MISSING={missing:.4g};"
        f"HWE={','.join(f'{p:.4g}' for p in tests)}"
    )


@compiled
def hardy_weinberg(none: int, once: int, twice: int) -> float:
    """Chance of heterozygotes as unlikely as so many, or less (Wigginton et al. 2005, AJHG 76:887)."""
    people, rare = none + once + twice, once + 2 * min(none, twice)
    if people == 0 or rare == 0:
        return 1.0
    first = rare % 2
    size = (rare - first) // 2 + 1
    logs = np.zeros(size)
    for i in range(1, size):
        het = first + 2 * i
        few = (rare - het) // 2
        many = people - het - few
        logs[i] = logs[i - 1] + np.log(4.0 * (few + 1) * (many + 1) / (het * (het - 1.0)))
    chances = np.exp(logs - logs.max())
    seen = chances[(once - first) // 2]
    p: float = chances[chances <= seen * (1 + 1e-9)].sum() / chances.sum()
    return min(1.0, p)
