"""A person's gVCF: calls, and blocks of positions where nothing is called.

Every record has the allele <NON_REF>, any that is not named: GATK reads no other name for it, and tools that
read <*> read this one too.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pysam

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.files import written_whole
from deepcohort.genome.likelihoods import genotypes_among
from deepcohort.genome.vcf import index_beside, read_header
from deepcohort.variants.calls import Call
from deepcohort.variants.genotypes import LARGEST_PL
from deepcohort.variants.reference import Reference
from deepcohort.variants.reference_blocks import (
    HALF,
    Block,
    ReferenceEvidence,
    kind_of,
    merged,
    quality_of,
    reference_blocks,
)

ANY = "<NON_REF>"

ERROR_COST = 30.0
"""What it costs (phred) that a read's allele is of no copy."""

HEADER_LINES = """##ALT=<ID=NON_REF,Description="Any allele that is not named">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of a block">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth of a block's positions, as is its DP">
"""

BLOCK_FORMAT = "GT:GQ:DP:MIN_DP:PL"


class GvcfWriter:
    """A gVCF that is written stretch by stretch, whole or not at all, with its index."""

    def __init__(
        self, path: Path, header: str, contig: str, length: int, line: Callable[[Call], str]
    ) -> None:
        """header: of the VCF with the same calls. contig, length: as in the FASTA. line: a call as text."""
        self._path, self._contig, self._length, self._line = path, contig, length, line
        self._stack = ExitStack()
        unfinished = self._stack.enter_context(written_whole(path))
        self._out = self._stack.enter_context(BgzfWriter(unfinished))
        columns = header.rindex("#CHROM")
        self._out.write((header[:columns] + HEADER_LINES + header[columns:]).encode())
        self._open: tuple[Block, str] | None = None

    def add(
        self, calls: Sequence[Call], evidence: ReferenceEvidence, reference: Reference, ploidy: int
    ) -> None:
        """Write the next stretch: all of its calls, and blocks of what ``evidence`` covers besides."""
        blocks = list(reference_blocks(evidence, calls, ploidy))
        records: list[tuple[int, Call | Block]] = [(block.first, block) for block in blocks]
        records += [(call.pos, call) for call in calls]
        for pos, one in sorted(records, key=lambda record: record[0]):
            if isinstance(one, Block):
                base = reference.text[pos - 1 - reference.start : pos - reference.start].decode()
                self._block(one, base)
            else:
                self._close_block()
                against = int(evidence.against[pos - 1 - evidence.start])
                self._out.write(self._line(with_any_allele(one, against)).encode())

    def _block(self, block: Block, base: str) -> None:
        together = self._open and merged(self._open[0], block)
        if self._open and together:
            self._open = (together, self._open[1])
        else:
            self._close_block()
            self._open = (block, base)

    def _close_block(self) -> None:
        if self._open:
            self._out.write(block_line(self._contig, *self._open).encode())
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._close_block()
        self._stack.__exit__(kind, error, trace)
        if error is None:
            index_beside(self._path, self._length)


def block_line(contig: str, block: Block, base: str) -> str:
    """A block as a line; base: the reference's at its first position."""
    known = kind_of(block) >= 0
    genotype = "/".join(["0" if known else "."] * (len(block.pl) - 1))
    entry = [genotype, quality_of(block.pl), block.depth, block.depth, ",".join(map(str, block.pl))]
    columns = [contig, block.first, ".", base, ANY, ".", ".", f"END={block.last}", BLOCK_FORMAT]
    return "\t".join(map(str, columns)) + "\t" + ":".join(map(str, entry)) + "\n"


def with_any_allele(call: Call, against: int) -> Call:
    """A call with the allele <NON_REF>; against: reads that show none of its alleles.

    Genotypes with this allele are weighed by counted reads: each costs ``ERROR_COST`` where its allele is not
    in the genotype, beside the call's likeliest genotype.
    """
    named = len(call.alleles)
    shown = [*call.ad, against]
    ploidy = 1 if len(call.pl) == named else 2
    costs = [_cost(genotype, shown) for genotype in genotypes_among(range(named + 1), ploidy)]
    best = call.pl.index(0)
    added = [max(0, round(cost - costs[best])) for cost in costs[len(call.pl) :]]
    return replace(
        call,
        alleles=[*call.alleles, ANY],
        ad=[*call.ad, 0],
        called_by=[*call.called_by, []],
        pl=[*call.pl, *(min(cost, LARGEST_PL) for cost in added)],
    )


def _cost(genotype: tuple[int, ...], shown: list[int]) -> float:
    within = sum(shown[allele] for allele in set(genotype))
    half = HALF if len(set(genotype)) == 2 else 0.0
    return half * within + ERROR_COST * (sum(shown) - within)


def join_gvcfs(parts: Sequence[Path], out: Path) -> None:
    """Write the records of all parts, in the order of their names, to ``out`` (.g.vcf.gz), and its index.

    Blocks that meet where the genome was cut become one again.
    """
    ordered = sorted(parts, key=lambda part: part.name)
    with written_whole(out) as unfinished, BgzfWriter(unfinished) as file:
        contigs: dict[str, int] = {}
        for part in ordered:
            contigs |= {name: length or 0 for name, length in read_header(part).contigs.items()}
        file.write(_joined_header(ordered[0], contigs).encode())
        held: tuple[str, Block, str] | None = None
        for line in (line for part in ordered for line in _lines(part)):
            contig, block, base = _parsed(line)
            if held and block and held[0] == contig and (together := merged(held[1], block)):
                held = (contig, together, held[2])
                continue
            if held:
                file.write(block_line(*held).encode())
            held = (contig, block, base) if block else None
            if block is None:
                file.write(f"{line}\n".encode())
        if held:
            file.write(block_line(*held).encode())
    index_beside(out, max(contigs.values()))


def _joined_header(part: Path, contigs: dict[str, int]) -> str:
    with pysam.BGZFile(str(part), "rb", None) as file:
        lines = []
        for raw in file:
            lines.append(raw.decode())
            if lines[-1].startswith("#CHROM"):
                break
    first = next(i for i, line in enumerate(lines) if line.startswith("##contig"))
    lines[first : first + 1] = [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    return "".join(f"{line}\n" for line in lines)


def _lines(part: Path) -> Iterator[str]:
    with pysam.BGZFile(str(part), "rb", None) as file:
        yield from (line for raw in file if not (line := raw.decode()).startswith("#"))


def _parsed(line: str) -> tuple[str, Block | None, str]:
    """Contig, block (None of a call) and the reference's first base of one of our lines."""
    contig, pos, _, base, alt, _, _, info, _, entry = line.split("\t")
    if alt != ANY:
        return contig, None, base
    *_, depth, pl = entry.split(":")
    likelihoods = tuple(map(int, pl.split(",")))
    return contig, Block(int(pos), int(info.removeprefix("END=")), int(depth), likelihoods), base
