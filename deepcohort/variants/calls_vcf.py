"""Calls of a region written as a VCF."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Region, parse_regions
from deepcohort.genome.vcf import index_beside
from deepcohort.variants.calls import AROUND, TILE, Call, call_stretch
from deepcohort.variants.evidence import Caller
from deepcohort.variants.familiar import Watched
from deepcohort.variants.gvcf import GvcfWriter
from deepcohort.variants.reads import ReadsFile, index_of
from deepcohort.variants.reference import Contig, contig_within, read_reference
from deepcohort.variants.vcf_header import LEAST_QUAL, header

log = logging.getLogger(__name__)

OWN_LINES = """##FILTER=<ID=RefCall,Description="Reads show an allele that is more likely an error than in the genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that cover the site; mates count as one">
##FORMAT=<ID=VAF,Number=A,Type=Float,Description="Share of each ALT among the reads of AD">
"""  # noqa: E501


def call_region(
    reads: Path,
    fasta: Path,
    region: str,
    out: Path,
    *,
    index: Path | None = None,
    gaps: Path | None = None,
    sample: str | None = None,
    ploidy: int = 2,
    caller: Watched | None = None,
    gvcf: Path | None = None,
) -> None:
    """Call one region of a BAM or CRAM and write ``out`` (.vcf.gz), perhaps a gVCF too, with their indices.

    region: chr:from-to or a chromosome. index: of the reads; without one it is looked for beside them, or
    made beside ``out``. gaps: table of how likely the reads have gaps, by default as short reads do. sample:
    the name in the VCF, by default the read groups'. caller: who judges beside the haplotypes. Raises
    ``InputError``.
    """
    regions = parse_regions(region)
    if len(regions) != 1:
        raise InputError(f"--region {region}: {len(regions)} regions: give one")
    file = ReadsFile(reads, fasta, index or index_of(reads, out.parent), gaps)
    name = sample or file.sample
    if name is None:
        raise InputError(
            f"{reads.name}: the read groups name no sample: say whose reads these are (--sample)"
        )
    if file.sample not in (None, name):
        log.info("%s calls the sample %s; the name %s is used", reads.name, file.sample, name)
    counts: Counter[str] = Counter()
    contig, inside = contig_within(fasta, regions[0])
    head = header(contig, [name], OWN_LINES)
    line = partial(_line, contig.name)
    with GvcfWriter(gvcf, head, *contig, line) if gvcf else nullcontext() as blocks:
        calls = _calls_of(file, fasta, inside, ploidy, caller, blocks, counts)
        write_calls(out, name, contig, calls)
    log.info(
        "%s: %s", inside, ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"
    )
    for sentence in caller.strange() if caller else []:
        log.warning("%s, %s: %s", name, inside, sentence)


def _calls_of(
    file: ReadsFile,
    fasta: Path,
    region: Region,
    ploidy: int,
    caller: Caller | None,
    gvcf: GvcfWriter | None,
    counts: Counter[str],
) -> Iterator[Call]:
    """Calls of one tile after the other, which go to ``gvcf`` too; counts what is called, and how many reads
    are left out and why.
    """
    starts = range(region.start, region.end + 1, TILE)
    with progress("tiles", len(starts)) as bar:
        for first in starts:
            tile = region._replace(start=first, end=min(region.end, first + TILE - 1))
            reference = read_reference(fasta, tile, AROUND)
            calls, left_out, evidence = call_stretch(
                file, reference, tile.start - 1, tile.end, ploidy, caller
            )
            if gvcf:
                gvcf.add(calls, evidence, reference, ploidy)
            counts.update(filter_of(call) for call in calls)
            counts.update({f"reads left out ({why})": count for why, count in left_out.items() if count})
            yield from calls
            bar.update()


def write_calls(path: Path, sample: str, contig: Contig, calls: Iterable[Call]) -> None:
    """Write a bgzipped VCF and its index (``.tbi``, or ``.csi`` of a contig too long for that) beside it.

    contig: as in the FASTA. calls: sorted.
    """
    with written_whole(path) as unfinished, BgzfWriter(unfinished) as out:
        out.write(header(contig, [sample], OWN_LINES).encode())
        for call in calls:
            out.write(_line(contig.name, call).encode())
    index_beside(path, contig.length)


def filter_of(call: Call) -> str:
    """PASS, RefCall or LowQual."""
    if not any(call.genotype):
        return "RefCall"
    return "PASS" if call.qual >= LEAST_QUAL else "LowQual"


def _line(contig: str, call: Call) -> str:
    total = max(1, sum(call.ad))
    entry = [
        "/".join(map(str, call.genotype)),
        str(call.gq),
        str(call.dp),
        ",".join(map(str, call.ad)),
        ",".join(f"{reads / total:.3f}" for reads in call.ad[1:]),
        ",".join(map(str, call.pl)),
    ]
    ref, *alts = call.alleles
    columns = [contig, str(call.pos), ".", ref, ",".join(alts), f"{call.qual:.1f}", filter_of(call), "."]
    return "\t".join([*columns, "GT:GQ:DP:AD:VAF:PL", ":".join(entry)]) + "\n"
