"""Effects of variants along the genome, as browsers draw them: bedGraph and bigWig by cohort and track."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from deepcohort.genome.fasta import contig_lengths
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import chrom_key, genome_order

NEEDED = ["cohort", "chrom", "pos", "track", "effect", "by"]


class Drawn:
    """A bedGraph and a bigWig of the same values."""

    def __init__(self, stack: ExitStack, stem: Path, contigs: Sequence[tuple[str, int]]) -> None:
        """Open both, which ``stack`` closes; contigs: names and lengths in the order of what is added."""
        import pyBigWig

        # Files are closed before they get their names.
        text, packed = (
            stack.enter_context(written_whole(stem.with_name(f"{stem.name}.{kind}")))
            for kind in ("bedgraph", "bw")
        )
        self.text = stack.enter_context(text.open("w", encoding="utf-8"))
        self.packed: Any = pyBigWig.open(str(packed), "w")
        stack.callback(self.packed.close)
        self.packed.addHeader(list(contigs))

    def add(self, contig: str, rows: pd.DataFrame) -> None:
        """Add single bases of one contig, sorted by place."""
        for pos, effect in zip(rows["pos"], rows["effect"], strict=True):
            self.text.write(f"{contig}\t{pos - 1}\t{pos}\t{effect:.6g}\n")
        starts = (rows["pos"] - 1).tolist()
        self.packed.addEntries(contig, starts, values=rows["effect"].astype(float).tolist(), span=1)


def draw(parts: Sequence[Path], index: Path, out: Path) -> None:
    """Write ``<cohort>.<track>.bedgraph`` and ``.bw`` into ``out`` from effects of shards.

    Contigs are named as in ``index`` (of the reference, .fai), in the genome's order. A variant stands at its
    first base. A base has one value there: of all alleles at it, and all genes that have it in their window,
    the effect that is largest in size.
    """
    lengths = contig_lengths(index)
    contigs = sorted(lengths.items(), key=lambda contig: genome_order(contig[0]))
    named = {chrom_key(name): name for name in reversed(lengths)}
    taken: set[str] = set()
    files: dict[tuple[str, str], Drawn] = {}
    with ExitStack() as stack:
        for table in _chromosomes(parts):
            known = table[table["by"] != "none"]
            for (cohort, track), rows in known.groupby(["cohort", "track"], sort=False):
                key = (str(cohort), str(track))
                if key not in files:
                    files[key] = Drawn(stack, out / _name(key, taken), contigs)
                files[key].add(named[rows["chrom"].iloc[0]], _largest(rows))


def _chromosomes(parts: Sequence[Path]) -> Iterator[pd.DataFrame]:
    """Effects of one chromosome of a cohort after the other: genes of neighbouring shards share variants."""
    of_one: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for part in parts:
        keys = pd.read_parquet(part, columns=NEEDED[:2])
        if len(keys):
            of_one[keys["cohort"].iloc[0], keys["chrom"].iloc[0]].append(part)
    for _, some in sorted(of_one.items(), key=lambda one: (one[0][0], genome_order(one[0][1]))):
        yield pd.concat([pd.read_parquet(part, columns=NEEDED) for part in some], ignore_index=True)


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each base, sorted by place."""
    order = rows["effect"].abs().sort_values(ascending=False, kind="stable").index
    return rows.loc[order].drop_duplicates("pos").sort_values("pos")


def _name(key: tuple[str, str], taken: set[str]) -> str:
    """A file's name, of letters, digits and ``._+-``, that is not taken; it is then."""
    name = stem = re.sub(r"[^\w.+-]+", "_", ".".join(key))
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}.{number}"
    taken.add(name)
    return name
