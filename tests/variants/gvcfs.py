"""Small gVCFs for tests, written as text."""

import pysam

from tests.genotypes import bgzip

HEAD = """##fileformat=VCFv4.3
##contig=<ID=chr20,length={length}>
##FILTER=<ID=RefCall,Description="x">
##INFO=<ID=END,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}
"""


def block(first, last, ref, entry="0/0:50:30:30:0,90,900", form="GT:GQ:DP:MIN_DP:PL", other="<NON_REF>"):
    return f"chr20\t{first}\t.\t{ref}\t{other}\t.\t.\tEND={last}\t{form}\t{entry}"


def record(pos, ref, alt, entry, form="GT:GQ:DP:AD:PL", state="PASS"):
    return f"chr20\t{pos}\t.\t{ref}\t{alt}\t50\t{state}\t.\t{form}\t{entry}"


def write_gvcf(folder, sample, lines, length=3_000, index=True):
    path = bgzip(
        folder / f"{sample}.g.vcf.gz",
        HEAD.format(sample=sample, length=length) + "".join(f"{line}\n" for line in lines),
    )
    if index:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path
