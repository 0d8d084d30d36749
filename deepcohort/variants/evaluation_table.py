"""Tables of an evaluation: counts by block, figures with intervals, the curve by QUAL, every judged allele.

Precision is the share of called alleles that are right, recall the share of true alleles that were found, F1
their harmonic mean. Intervals are a percentile bootstrap over blocks of the genome (Efron 1979), as errors
come in clusters. Counts of several evaluations add up: of several people, chromosomes, or seeds.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.variants.evaluate import GENOTYPE, RIGHT, SIDES, VERDICTS, WRONG, Counts, Evaluation
from deepcohort.variants.strata import EVERYTHING, TYPES, Stratum, stratum_order, types_of

Row = dict[str, str]
Floats = NDArray[np.float64]

COUNT_COLUMNS = ("name", "contig", "block", "stratum", "bin", "type", *VERDICTS)
COLUMNS = (
    "name", "stratum", "bin", "type", "evaluations",
    "truth", "true_found", "false_negatives", "truth_genotype_errors",
    "calls", "true_calls", "false_positives", "call_genotype_errors",
    "precision", "precision_low", "precision_high",
    "recall", "recall_low", "recall_high",
    "f1", "f1_low", "f1_high", "genotype_concordance",
)  # fmt: skip
"""False negatives and false positives hold the genotype errors, which are told apart beside them.
``genotype_concordance``: share of the true alleles whose allele was found that have the right genotype."""

CURVE_COLUMNS = ("name", "type", "qual", "true_calls", "false_positives", "precision", "recall")
JUDGED_COLUMNS = (
    "name", "side", "contig", "pos", "ref", "alt", "copies", "verdict", "qual", "depth", "homopolymer",
)  # fmt: skip
LEFT_OUT_COLUMNS = ("name", "side", "what", "count")

REPLICATES = 1_000
INTERVAL = (2.5, 97.5)
MOST_BLOCKS = 2_000
"""More blocks than this are joined to longer ones for the bootstrap."""

CURVE_POINTS = 200
NOT_AVAILABLE = "NA"


def count_rows(name: str, counts: Counts) -> list[Row]:
    """Rows of ``COUNT_COLUMNS``, in order of the genome."""
    ordered = sorted(counts.items(), key=lambda item: (item[0][0], item[0][1], stratum_order(item[0][2])))
    return [
        dict(zip(COUNT_COLUMNS, (name, contig, str(block), *stratum), strict=False))
        | {verdict: str(own[verdict]) for verdict in VERDICTS}
        for (contig, block, stratum), own in ordered
    ]


@dataclass(frozen=True)
class CountsFile:
    """What ``count_rows`` made, read anew from its file each time: a genome's blocks are many."""

    path: Path

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; raises ``InputError`` for another table."""
        with self.path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if tuple(reader.fieldnames or ()) != COUNT_COLUMNS:
                raise InputError(
                    f"{self.path.name}: not a table of an evaluation's counts: make it with 'evaluate "
                    "--out-counts' of this version"
                )
            yield from reader


def figures(parts: Sequence[Iterable[Row]], seed: int) -> list[Row]:
    """Rows of ``COLUMNS`` from counts of one or more evaluations; those of one name are pooled.

    A block of several evaluations is one block of the bootstrap: seeds of one person are not independent.
    The parts are gone through twice, and not held.
    """
    blocks: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    evaluations: Counter[str] = Counter()
    for part in parts:
        names = set()
        for row in part:
            names.add(row["name"])
            blocks[row["name"]][row["contig"]].add(int(row["block"]))
        evaluations.update(names)
    groups = {name: _Groups.of(own) for name, own in blocks.items()}
    tables = _summed(parts, groups)
    rows = []
    for name, group in groups.items():
        weights = _weights(group.many, seed)
        for stratum in sorted(tables[name], key=stratum_order):
            key = dict(zip(COLUMNS, (name, *stratum, str(evaluations[name])), strict=False))
            rows.append(key | _figures(tables[name][stratum], weights))
    return rows


@dataclass(frozen=True)
class _Groups:
    """Neighbouring blocks that the bootstrap draws together: ``joined`` of them, ``MOST_BLOCKS`` groups at
    most. blocks: int64, sorted, by contig; before: how many blocks there are on the contigs before.
    """

    blocks: dict[str, NDArray[np.int64]]
    before: dict[str, int]
    joined: int
    many: int

    @classmethod
    def of(cls, seen: dict[str, set[int]]) -> "_Groups":
        blocks = {contig: np.array(sorted(seen[contig]), np.int64) for contig in sorted(seen)}
        ends = np.cumsum([len(own) for own in blocks.values()])
        before = dict(zip(blocks, [0, *ends[:-1].tolist()], strict=True))
        joined = -(-int(ends[-1]) // MOST_BLOCKS)
        return cls(blocks, before, joined, -(-int(ends[-1]) // joined))

    def number(self, contig: str, block: int) -> int:
        return (self.before[contig] + int(np.searchsorted(self.blocks[contig], block))) // self.joined


def _summed(parts: Sequence[Iterable[Row]], groups: dict[str, _Groups]) -> dict[str, dict[Stratum, Floats]]:
    """Counts by name and stratum, float64[groups, verdicts]."""
    tables: dict[str, dict[Stratum, Floats]] = {name: {} for name in groups}
    for part in parts:
        for row in part:
            group, own = groups[row["name"]], tables[row["name"]]
            stratum = (row["stratum"], row["bin"], row["type"])
            if stratum not in own:
                own[stratum] = np.zeros((group.many, len(VERDICTS)))
            number = group.number(row["contig"], int(row["block"]))
            own[stratum][number] += [int(row[verdict]) for verdict in VERDICTS]
    return tables


def _weights(blocks: int, seed: int) -> Floats:
    """How often each block is drawn in each replicate, float64[replicates, blocks]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks), REPLICATES).astype(np.float64)


def _figures(table: Floats, weights: Floats) -> Row:
    """The figures of one stratum; table: counts float64[blocks, verdicts]."""
    total = dict(zip(VERDICTS, table.sum(axis=0), strict=True))
    row: Row = {}
    for side, names in zip(
        SIDES,
        (
            ("truth", "true_found", "false_negatives", "truth_genotype_errors"),
            ("calls", "true_calls", "false_positives", "call_genotype_errors"),
        ),
        strict=True,
    ):
        right, wrong, genotype = (total[f"{side}_{verdict}"] for verdict in (RIGHT, WRONG, GENOTYPE))
        values = (right + wrong + genotype, right, wrong + genotype, genotype)
        row |= {name: f"{value:.0f}" for name, value in zip(names, values, strict=True)}
    own = _scores(table.sum(axis=0)[None])
    drawn = _scores(weights @ table)
    for name, value in own.items():
        row[name] = _text(value[0])
        if name != "genotype_concordance":
            for end, percent in zip(("low", "high"), INTERVAL, strict=True):
                kept = drawn[name][np.isfinite(drawn[name])]
                row[f"{name}_{end}"] = _text(np.percentile(kept, percent) if len(kept) else np.nan)
    return row


def _scores(sums: Floats) -> dict[str, Floats]:
    """Precision, recall, F1 and genotype concordance of counts float64[n, verdicts]; NaN where undefined."""
    truth_right, truth_wrong, truth_genotype, calls_right, calls_wrong, calls_genotype = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = calls_right / (calls_right + calls_wrong + calls_genotype)
        recall = truth_right / (truth_right + truth_wrong + truth_genotype)
        # Nothing right is F1 0, also where nothing was called.
        f1 = np.where(
            precision + recall > 0, 2 * precision * recall / (precision + recall), np.minimum(recall, 0.0)
        )
        f1 = np.where(np.isnan(f1) & (truth_wrong + truth_genotype > 0), 0.0, f1)
        concordance = truth_right / (truth_right + truth_genotype)
    return {"precision": precision, "recall": recall, "f1": f1, "genotype_concordance": concordance}


def curve(name: str, evaluation: Evaluation) -> list[Row]:
    """Precision and recall of the calls whose QUAL is no lower than each of the values met, by type."""
    rows = []
    for kind in TYPES:
        judged = [one for one in evaluation.judged if kind in types_of(one.unit)]
        n_truth = sum(one.side == SIDES[0] for one in judged)
        right_calls, wrong_calls, found = (
            np.sort([one.qual for one in judged if one.side == side and (one.verdict == RIGHT) == good])
            for side, good in ((SIDES[1], True), (SIDES[1], False), (SIDES[0], True))
        )
        met = np.unique(np.concatenate([right_calls, wrong_calls]))
        met = met[np.isfinite(met)]
        met = met[
            np.unique(np.linspace(0, max(0, len(met) - 1), CURVE_POINTS).round().astype(int))[: len(met)]
        ]
        for least in met:
            right, wrong, true = (int((one >= least).sum()) for one in (right_calls, wrong_calls, found))
            figure = (_text(right / (right + wrong)), _text(true / n_truth if n_truth else np.nan))
            values = (name, kind, f"{least:.6g}", str(right), str(wrong), *figure)
            rows.append(dict(zip(CURVE_COLUMNS, values, strict=True)))
    return rows


def judged_rows(name: str, evaluation: Evaluation) -> list[Row]:
    """One row for each judged allele, by its normalised position."""
    rows = []
    for one in evaluation.judged:
        pos, ref, alt = one.unit.key
        values = (
            name, one.side, one.contig, str(pos), ref, alt, str(one.unit.copies), one.verdict,
            NOT_AVAILABLE if np.isnan(one.qual) else f"{one.qual:.6g}",
            NOT_AVAILABLE if one.depth < 0 else str(one.depth), str(one.homopolymer),
        )  # fmt: skip
        rows.append(dict(zip(JUDGED_COLUMNS, values, strict=True)))
    return rows


def left_out_rows(name: str, evaluation: Evaluation) -> list[Row]:
    """What was not compared, by side."""
    return [
        dict(zip(LEFT_OUT_COLUMNS, (name, side, what, str(count)), strict=True))
        for side, counts in evaluation.left_out.items()
        for what, count in sorted(counts.items())
    ]


def overall(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """Of a table's rows those over everything, by name and type."""
    return {(row["name"], row["type"]): row for row in rows if row["stratum"] == EVERYTHING}


def _text(value: float) -> str:
    return NOT_AVAILABLE if np.isnan(value) else f"{value:.5f}"
