"""Calls beside those of another caller: what both say, what one alone says, and how much of each is true."""

from collections import Counter, defaultdict
from pathlib import Path

from deepcohort.genome.errors import InputError
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


def named_files(given: list[str]) -> dict[str, Path]:
    """Read ``name=file`` of each other caller; raises ``InputError`` for another form or a missing file."""
    files: dict[str, Path] = {}
    for one in given:
        name, _, path = one.partition("=")
        if not name or not path:
            raise InputError(f"--compare {one}: write a name and a file, as in freebayes=calls.vcf.gz")
        if name in files:
            raise InputError(f"--compare {one}: {name} is there twice: give each caller a name of its own")
        if not Path(path).is_file():
            raise InputError(f"--compare {one}: there is no file {path}: correct the path")
        files[name] = Path(path)
    return files


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


def _verdicts(evaluation: Evaluation) -> dict[tuple[str, tuple[int, str, str], int], str]:
    return {_key(one): one.verdict for one in evaluation.judged if one.side == SIDES[1]}


def _key(one: Judged) -> tuple[str, tuple[int, str, str], int]:
    return one.contig, one.unit.key, one.unit.copies
