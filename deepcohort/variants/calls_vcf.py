"""Calls of a region written as a VCF."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import Region, parse_regions
from deepcohort.genome.vcf import index_beside
from deepcohort.variants.calls import AROUND, TILE, Call, Called, call_stretch
from deepcohort.variants.familiar import Watched
from deepcohort.variants.gvcf import GvcfWriter
from deepcohort.variants.others import Others
from deepcohort.variants.reads import ReadsFile, index_of
from deepcohort.variants.reference import Contig, contig_within, read_reference
from deepcohort.variants.vcf_header import LEAST_QUAL, header

log = logging.getLogger(__name__)

LEAST_BASE_QUALITY = 20
"""A single base that is shown by worse bases on average is marked LowBaseQuality."""

OWN_LINES = f"""##FILTER=<ID=LowBaseQuality,Description="The bases that show the ALT have a mean quality below {LEAST_BASE_QUALITY}">
##FILTER=<ID=RefCall,Description="Reads show an allele that is more likely an error than in the genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads that cover the site; mates count as one">
##FORMAT=<ID=VAF,Number=A,Type=Float,Description="Share of each ALT among the reads of AD">
"""  # noqa: E501

OTHERS_LINES = """##INFO=<ID=CALLED_BY,Number=A,Type=String,Description="Other callers that call the ALT, with & between: {names}">
##INFO=<ID=AGREE,Number=.,Type=String,Description="Other callers that call the same genotype of these alleles">
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
    call_with: Mapping[str, Path] | None = None,
    votes: float = 0.0,
) -> None:
    """Call one region of a BAM or CRAM and write ``out`` (.vcf.gz), perhaps a gVCF too, with their indices.

    region: chr:from-to or a chromosome. index: of the reads; without one it is looked for beside them, or
    made beside ``out``. gaps: table of how likely the reads have gaps, by default as short reads do. sample:
    the name in the VCF, by default the read groups'. caller: who judges beside the haplotypes.
    call_with: other callers' calls of the same person by name, whose alleles are looked at too. votes: how
    much their genotypes count, as ``Others.weight``. Raises ``InputError``.
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
    others = Others.opened(call_with, name, votes) if call_with else None
    names = list(others.files) if others else []
    line = partial(_line, contig.name, names)
    with GvcfWriter(gvcf, _head(contig, name, names), *contig, line) if gvcf else nullcontext() as blocks:
        judges = partial(call_stretch, ploidy=ploidy, caller=caller, others=others)
        calls = _calls_of(file, fasta, inside, ploidy, judges, blocks, counts)
        write_calls(out, name, contig, calls, names)
    log.info(
        "%s: %s", inside, ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"
    )
    for who, theirs in others.files.items() if others else ():
        for why, count in theirs.left_out.items():
            log.info("%s: %d alleles or records of %s left out (%s)", inside, count, who, why)
    for sentence in caller.strange() if caller else []:
        log.warning("%s, %s: %s", name, inside, sentence)


def _calls_of(
    file: ReadsFile,
    fasta: Path,
    region: Region,
    ploidy: int,
    call: Callable[..., Called],
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
            calls, left_out, evidence = call(file, reference, tile.start - 1, tile.end)
            if gvcf:
                gvcf.add(calls, evidence, reference, ploidy)
            counts.update(filter_of(call) for call in calls)
            counts.update({f"reads left out ({why})": count for why, count in left_out.items() if count})
            yield from calls
            bar.update()


def write_calls(
    path: Path, sample: str, contig: Contig, calls: Iterable[Call], others: Sequence[str] = ()
) -> None:
    """Write a bgzipped VCF and its index (``.tbi``, or ``.csi`` of a contig too long for that) beside it.

    contig: as in the FASTA. calls: sorted. others: names of the other callers that calls tell of.
    """
    with written_whole(path) as unfinished, BgzfWriter(unfinished) as out:
        out.write(_head(contig, sample, others).encode())
        for call in calls:
            out.write(_line(contig.name, others, call).encode())
    index_beside(path, contig.length)


def _head(contig: Contig, sample: str, others: Sequence[str]) -> str:
    more = OTHERS_LINES.format(names=", ".join(others)) if others else ""
    return header(contig, [sample], OWN_LINES + more)


def filter_of(call: Call) -> str:
    """PASS, RefCall, or the reasons not to trust a call."""
    if not any(call.genotype):
        return "RefCall"
    reasons = [
        *(["LowQual"] if call.qual < LEAST_QUAL else []),
        *(["LowBaseQuality"] if call.base_quality < LEAST_BASE_QUALITY else []),
    ]
    return ";".join(reasons) or "PASS"


def _line(contig: str, others: Sequence[str], call: Call) -> str:
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
    columns = [contig, str(call.pos), ".", ref, ",".join(alts), f"{call.qual:.1f}", filter_of(call)]
    return "\t".join([*columns, _info(call, others), "GT:GQ:DP:AD:VAF:PL", ":".join(entry)]) + "\n"


def _info(call: Call, others: Sequence[str]) -> str:
    """Who of the other callers calls each ALT, and who the genotype."""
    if not others:
        return "."
    by = ("&".join(others[who] for who in whose) or "." for whose in call.called_by)
    agree = ",".join(others[who] for who in call.agree)
    return f"CALLED_BY={','.join(by)}" + (f";AGREE={agree}" if agree else "")
