"""The header that the VCF of one person's calls and that of a cohort have in common."""

from collections.abc import Sequence

import deepcohort
from deepcohort.variants.reference import Contig

LEAST_QUAL = 10.0
"""A variant or a site that is less sure is marked LowQual."""

HEADER = """##fileformat=VCFv4.3
##source=DeepCohort {version}
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=LowQual,Description="QUAL below {least:g}">
##contig=<ID={contig.name},length={contig.length}>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Phred of the chance that the genotype is another one">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads that are clearly of each allele">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods of genotypes, phred, the best is 0">
{more}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}
"""


def header(contig: Contig, samples: Sequence[str], more: str) -> str:
    """The header of a VCF of one contig. more: lines about what this kind of VCF has besides."""
    return HEADER.format(
        version=deepcohort.__version__, least=LEAST_QUAL, contig=contig, more=more, samples="\t".join(samples)
    )
