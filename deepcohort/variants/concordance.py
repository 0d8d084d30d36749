"""Calls beside those of another caller: what both say, what one alone says, and how much of each is true."""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from deepcohort.genome.vcf import read_header
from deepcohort.variants.evaluate import GENOTYPE, RIGHT, SIDES, Evaluation, Judged
from deepcohort.variants.strata import TYPES, types_of

COLUMNS = (
    "name", "other", "type", "truth",
    "shared", "genotype_differs", "alone",
    "other_shared", "other_genotype_differs", "other_alone", "concordance",
)  # fmt: skip
"""``truth`` is ``right`` or ``wrong`` by the truth set; ``shared`` and the next two count the alleles of
``name``, those with ``other_`` the other caller's; ``concordance``: the share of all these that is shared."""

Row = dict[str, str]


def person_of(path: Path, sample: str) -> str | None:
    """Whose genotypes of another caller's file count: the person's, where it holds several people."""
    return sample if sample in read_header(path).samples else None


def concordance(
    name: str, other: str, ours: Evaluation, theirs: Evaluation, between: Evaluation
) -> list[Row]:
    """Rows of ``COLUMNS``.

    ours, theirs: both callers judged by the truth. between: our calls judged by theirs as if they were true.
    """
    true = (_verdicts(theirs), _verdicts(ours))
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in between.judged:
        side = SIDES.index(one.side)
        right = "right" if true[side].get(_key(one)) == RIGHT else "wrong"
        what = {RIGHT: "shared", GENOTYPE: "genotype_differs"}.get(one.verdict, "alone")
        for kind in types_of(one.unit):
            counts[kind, right][what if side else f"other_{what}"] += 1
    rows = []
    for kind in TYPES:
        for right in ("right", "wrong"):
            own = counts[kind, right]
            both, every = own["shared"] + own["other_shared"], sum(own.values())
            row = dict(zip(COLUMNS, (name, other, kind, right), strict=False))
            row |= {column: str(own[column]) for column in COLUMNS[4:10]}
            rows.append(row | {"concordance": f"{both / every:.5f}" if every else "NA"})
    return rows


def read_rows(parts: Sequence[Path]) -> list[Row]:
    """Rows of ``COLUMNS`` of several tables."""
    rows: list[Row] = []
    for part in parts:
        with part.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file, delimiter="\t")
    return rows


def _verdicts(evaluation: Evaluation) -> dict[tuple[str, tuple[int, str, str], int], str]:
    return {_key(one): one.verdict for one in evaluation.judged if one.side == SIDES[1]}


def _key(one: Judged) -> tuple[str, tuple[int, str, str], int]:
    return one.contig, one.unit.key, one.unit.copies
