"""Parts of an imputed VCF joined to the chromosome that is published."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby, zip_longest
from operator import add
from pathlib import Path
from typing import IO, TypeVar, cast

import numpy as np
import pysam.bcftools
from isal import igzip

from deepcohort.genome.bgzf import BgzfWriter
from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.vcf import make_index, require_whole_bgzf
from deepcohort.imputation.borders import LINE, Ligation, read_borders, set_confidence, turn_entries
from deepcohort.imputation.parts import LEFT_OUT, SUMS
from deepcohort.imputation.sums import DosageSums, LeftOutSums

SITE_COLUMNS = "chrom pos id ref alt typed raf af r2 er2"

Sums = TypeVar("Sums", DosageSums, LeftOutSums)

FIXED_COLUMNS = 9


def join_parts(
    parts: Sequence[Path], samples: Sequence[str], chrom: str, out: Path, out_sites: Path, threads: int
) -> None:
    """Join the parts of one chromosome, named ``<chunk>.<batch>.vcf.gz``: chunks one after the other,
    batches side by side, people as in ``samples``.

    Writes bgzipped VCF, or BCF where ``out`` ends so, with its index, and a table of the sites.
    Raises ``InputError`` where parts are missing or do not fit each other.
    """
    by_chunk = [list(group) for _, group in groupby(sorted(parts, key=lambda p: p.name), key=_chunk_of)]
    text = out if out.name.endswith(".vcf.gz") else out.with_name(f"{out.name}.vcf.gz")
    with (
        written_whole(text) as unfinished,
        BgzfWriter(unfinished, threads) as vcf,
        written_whole(out_sites) as unfinished_sites,
        BgzfWriter(unfinished_sites) as sites,
    ):
        sites.write((SITE_COLUMNS.replace(" ", "\t") + "\n").encode())
        ligation = Ligation(np.zeros(len(samples), bool))
        for number, batches in enumerate(by_chunk):
            header, lines = _side_by_side(batches, samples, ligation)
            if number == 0:
                vcf.write(header)
            for columns, entries in lines:
                vcf.write(b"\t".join([*columns, *entries]))
                sites.write(_site_row(columns, chrom))
    if out != text:
        _write_bcf(text, out, threads)
        text.unlink()
    make_index(out, out.with_name(f"{out.name}{'.tbi' if out == text else '.csi'}"), threads=threads)


def _write_bcf(vcf: Path, bcf: Path, threads: int) -> None:
    with written_whole(bcf) as unfinished:
        options = ["--no-version", "--threads", str(threads), "-Ob", "-o", str(unfinished)]
        pysam.bcftools.view(*options, str(vcf), catch_stdout=False)


def _chunk_of(part: Path) -> str:
    """Name of a part's chunk: the name without ``.<batch>.vcf.gz``."""
    match = re.fullmatch(r"(.+)\.batch_\d+\.vcf\.gz", part.name)
    if not match:
        raise InputError(f"{part}: not the name of a part (chunk.batch_0001.vcf.gz)")
    return match[1]


def _side_by_side(
    batches: Sequence[Path], samples: Sequence[str], ligation: Ligation
) -> tuple[bytes, Iterator[tuple[list[bytes], list[bytes]]]]:
    """Header of the joined file, and for each site its fixed columns and the batches' entries.

    Haplotypes of people who were put in phase lie as in the chunk before, by ``ligation``.
    """
    for part in batches:
        require_whole_bgzf(part)
    streams = [cast(IO[bytes], igzip.open(str(part))) for part in batches]  # type: ignore[no-untyped-call]
    headers = [_read_header(stream) for stream in streams]
    found = [name for _, names in headers for name in names]
    if found != list(samples):
        raise InputError(
            f"{batches[0]} and {len(batches) - 1} more hold {len(found)} people where {len(samples)} were "
            "expected in this order: give all batches of the cohort"
        )
    *above, columns_line, _ = headers[0][0].split("\n")
    columns = columns_line.split("\t")[:FIXED_COLUMNS]
    above = [line for line in above if not line.startswith(LINE)]
    header = "\n".join([*above, "\t".join([*columns, *samples])]) + "\n"
    borders = [line for text, _ in headers for line in text.split("\n") if line.startswith(LINE)]
    if borders:
        ligation.enter(map(read_borders, borders))
    sizes = [len(names) for _, names in headers]

    def lines() -> Iterator[tuple[list[bytes], list[bytes]]]:
        for rows in zip_longest(*streams, fillvalue=b"its end"):
            split = [row.split(b"\t", FIXED_COLUMNS) for row in rows]
            columns = split[0][:FIXED_COLUMNS]
            for part, row in zip(batches, split, strict=True):
                if row[:5] != columns[:5]:
                    ours, first = (b":".join(place[:2]).decode() for place in (row, columns))
                    raise InputError(
                        f"{part} is at {ours} where {batches[0].name} is at {first}: impute all batches alike"
                    )
            columns[7] = _joined_info([row[7] for row in split])
            entries = [row[FIXED_COLUMNS] for row in split]
            if borders:
                entries = _in_phase(columns, entries, sizes, ligation)
            yield columns, [entry.rstrip(b"\n") for entry in entries[:-1]] + entries[-1:]
        for stream in streams:
            stream.close()

    return header.encode(), lines()


def _in_phase(
    columns: Sequence[bytes], entries: Sequence[bytes], sizes: Sequence[int], ligation: Ligation
) -> list[bytes]:
    """One site's entries with the haplotypes as in the chunk before; ``sizes``: people of each batch."""
    fields = columns[8].split(b":")
    hds = fields.index(b"HDS") if b"HDS" in fields else -1
    sure = ligation.confidence.get(b":".join([columns[1], *columns[3:5]]).decode(), {})
    changed, first = [], 0
    for batch, size in zip(entries, sizes, strict=True):
        turned = ligation.turned[first : first + size]
        one = turn_entries(batch, turned, hds) if turned.any() else batch
        known = {person - first: value for person, value in sure.items() if first <= person < first + size}
        changed.append(set_confidence(one, known, fields.index(b"PC")) if known else one)
        first += size
    return changed


def _read_header(stream: IO[bytes]) -> tuple[str, list[str]]:
    """Read the header's text and the sample names, leaving the stream at the first record."""
    lines: list[str] = []
    while not lines or lines[-1].startswith("##"):
        lines.append(stream.readline().decode())
    return "".join(lines), lines[-1].rstrip("\n").split("\t")[FIXED_COLUMNS:]


def _joined_info(infos: Sequence[bytes]) -> bytes:
    """INFO of the joined site: frequency, R2 and, where it was typed, ER2 over all batches."""
    fields = [info.decode().split(";") for info in infos]
    total = _added(DosageSums, SUMS, fields)
    assert total is not None
    joined = [f"AF={total.frequency:.6g}", f"R2={total.r2:.4g}"]
    left_out = _added(LeftOutSums, LEFT_OUT, fields)
    if left_out is not None and left_out.r2 is not None:
        joined.append(f"ER2={left_out.r2:.4g}")
    return ";".join(joined + [one for one in fields[0] if not one.startswith((SUMS, LEFT_OUT))]).encode()


def _added(kind: type[Sums], key: str, fields: Sequence[Sequence[str]]) -> Sums | None:
    """Sums of all batches under a key of INFO; None where no batch has it."""
    found = [kind.parse(one.removeprefix(key)) for row in fields for one in row if one.startswith(key)]
    return reduce(add, found) if found else None


def _site_row(columns: Sequence[bytes], chrom: str) -> bytes:
    """Row of the sites' table."""
    info = dict(item.partition("=")[::2] for item in columns[7].decode().split(";"))
    _, pos, ident, ref, alt = (column.decode() for column in columns[:5])
    typed = "1" if "TYPED" in info else "0"
    row = [chrom, pos, ident, ref, alt, typed, info["RAF"], info["AF"], info["R2"], info.get("ER2", "NA")]
    return ("\t".join(row) + "\n").encode()
