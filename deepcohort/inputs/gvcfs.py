"""One person's gVCF that comes from elsewhere: checked, and under the sheet's name."""

import logging
from pathlib import Path

import pysam.bcftools

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import (
    ANY_ALLELE,
    Order,
    index_beside,
    open_vcf,
    read_header,
    records,
    require_whole_bgzf,
)

log = logging.getLogger(__name__)


def check_gvcf(path: Path, name: str, out: Path) -> None:
    """Write a gVCF with the person's name ``name`` to ``out`` (.g.vcf.gz), and its index.

    Raises ``InputError`` for a file that is damaged, not sorted, of several people, or no gVCF.
    """
    require_whole_bgzf(path)
    header = read_header(path)
    if len(header.samples) != 1:
        raise InputError(
            f"{path.name}: holds {len(header.samples)} people: give a gVCF for each person (bcftools view -s)"
        )
    if header.samples != [name]:
        log.info("%s calls the sample %s; the sheet's name %s is used", path.name, header.samples[0], name)
    order, any_allele = Order(path), False
    for record in records(path, open_vcf(path, samples=[])):
        order.check(record.CHROM, record.POS)
        any_allele = any_allele or not set(ANY_ALLELE).isdisjoint(record.ALT)
    if not any_allele:
        raise InputError(
            f"{path.name}: no gVCF, as no record has the allele {' or '.join(ANY_ALLELE)}: give what the "
            "caller writes as gVCF, or the reads"
        )
    with written_whole(out) as unfinished:
        names = out.with_name(f".{out.name}.samples.txt")
        names.write_text(f"{name}\n", encoding="utf-8")
        pysam.bcftools.reheader("-s", str(names), "-o", str(unfinished), str(path), catch_stdout=False)
        names.unlink()
    index_beside(out, max((length or 0 for length in header.contigs.values()), default=0))
