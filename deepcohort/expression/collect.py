"""Everything of all shards and cohorts as one file each, shard by shard, so that memory does not grow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcohort.expression import evaluate, loci, notes, predictdb, summary
from deepcohort.expression.browser import draw
from deepcohort.expression.fit import EXPORTED, KEYS
from deepcohort.expression.matrices import write_h5ad
from deepcohort.expression.predict import LINEAR_COLUMNS
from deepcohort.expression.study import Kind
from deepcohort.genome.files import written_whole
from deepcohort.genome.tables import write_table

COUNT_COLUMNS = ("cohort", "what", "count")
SHOWN_COLUMNS = ("cohort", "gene", "name", "person", "predicted", "elastic_net", "measured")
SHOWN_GENES, SHOWN_PEOPLE = 40, 100
"""What the report's pictures show at most of a cohort: more would only hide each other."""


@dataclass(frozen=True)
class Parts:
    """Files of shards, in the genome's order."""

    predictions: Sequence[Path]
    counts: Sequence[Path]
    tracks: Sequence[Path] = ()
    effects: Sequence[Path] = ()
    modes: Sequence[Path] = ()
    notes: Sequence[Path] = ()
    heldout: Sequence[Path] = ()
    weights: Sequence[Path] = ()
    covariances: Sequence[Path] = ()
    evaluations: Sequence[Path] = ()


@dataclass
class _Axes:
    """People of each cohort, and genes, as they are met."""

    people: dict[tuple[str, str], int] = field(default_factory=dict)
    genes: dict[str, int] = field(default_factory=dict)


def collect(parts: Parts, model: str, out: Path, seed: int, index: Path | None = None) -> None:
    """Write tables, matrices and weights of all cohorts into the folder ``out``.

    index: of the reference (.fai); without it effects are not drawn along the genome.
    """
    out.mkdir(parents=True, exist_ok=True)
    join_parquet(parts.predictions, out / "predictions.parquet")
    for some, name in ((parts.tracks, "tracks.parquet"), (parts.effects, "variant_effects.parquet")):
        if some:
            join_parquet(some, out / name)
    if parts.effects and index:
        draw(parts.effects, index, out)
    if parts.modes:
        _texts(parts.modes, out / "modes.tsv", LINEAR_COLUMNS)
    _counts(parts.counts, out / "counts.tsv")
    _texts(parts.notes, out / "notes.tsv", notes.COLUMNS)
    _matrices(parts, model, out / "cohort.h5ad")
    if parts.evaluations:
        table = _evaluations(parts.evaluations, model, out, seed)
        _weights(parts, table, out)
        _shown(parts, table, out / "shown.tsv")
        rows = loci.locus_rows(table, model, parts.effects, _by_cohort(parts.weights))
        write_table(out / "loci.tsv", rows, loci.COLUMNS)


def join_parquet(parts: Sequence[Path], out: Path) -> None:
    """Join Parquet files in the order given, a group of rows each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = next((p for p in parts if pq.read_metadata(p).num_rows), parts[0])
    schema = pq.read_schema(wanted).remove_metadata()
    with written_whole(out) as unfinished, pq.ParquetWriter(unfinished, schema) as writer:
        for part in parts:
            table = pq.read_table(part)
            if table.num_rows:
                writer.write_table(pa.table(table.columns, schema.names).cast(schema))


def _counts(parts: Sequence[Path], out: Path) -> None:
    """Add up what was counted in all shards of each cohort."""
    table = pd.concat([pd.read_csv(part, sep="\t", dtype={"cohort": str, "chrom": str}) for part in parts])
    sums = table.groupby(["cohort", "what"], sort=False)["count"].sum().reset_index()
    rows = [dict(zip(COUNT_COLUMNS, map(str, row), strict=True)) for row in sums.itertuples(index=False)]
    write_table(out, rows, COUNT_COLUMNS)


def _texts(parts: Sequence[Path], out: Path, columns: Sequence[str]) -> None:
    rows = [row for part in parts for row in _text_table(part).to_dict("records")]
    write_table(out, rows, columns)


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


def _evaluations(parts: Sequence[Path], model: str, out: Path, seed: int) -> pd.DataFrame:
    """Join tables of genes, and write means over genes."""
    table = pd.concat([_text_table(part) for part in parts], ignore_index=True)
    names = evaluate.COLUMNS
    write_table(
        out / "evaluation.tsv",
        [dict(zip(names, row, strict=True)) for row in table.itertuples(index=False)],
        names,
    )
    write_table(out / "evaluation_summary.tsv", summary.summarise(table, model, seed), summary.COLUMNS)
    return table


def _matrices(parts: Parts, model: str, out: Path) -> None:
    axes, methods = _Axes(), list[str]()
    for part in parts.predictions:
        _meet(axes, pd.read_parquet(part, columns=["cohort", "gene", "person"]))
    for part in parts.heldout:
        table = pd.read_parquet(part)
        methods += [name for name in table.columns if name not in (*KEYS, *methods)]
        _meet(axes, table)
    several = len({cohort for cohort, _ in axes.people}) > 1
    index = [f"{cohort}:{person}" if several else person for cohort, person in axes.people]
    people = pd.DataFrame(list(axes.people), columns=["cohort", "person"], index=index)
    genes = pd.DataFrame(index=list(axes.genes))
    layers = [model, "haplotype1", "haplotype2", *(["measured", *methods] if parts.heldout else [])]
    write_h5ad(out, people, genes, layers, _columns(parts, model, methods, axes))


def _meet(axes: _Axes, table: pd.DataFrame) -> None:
    for gene in table["gene"].unique():
        axes.genes.setdefault(str(gene), len(axes.genes))
    for pair in table[["cohort", "person"]].drop_duplicates().itertuples(index=False):
        axes.people.setdefault((str(pair[0]), str(pair[1])), len(axes.people))


def _columns(
    parts: Parts, model: str, methods: Sequence[str], axes: _Axes
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    asked = {model: "mean", "haplotype1": "haplotype1", "haplotype2": "haplotype2"}
    for part in parts.predictions:
        yield from _of_genes(pd.read_parquet(part), asked, axes)
    for part in parts.heldout:
        table = pd.read_parquet(part)
        held = table[table["kind"] == Kind.people]
        known = [name for name in methods if name in held]
        yield from _of_genes(held, {name: name for name in ("measured", *known)}, axes)


def _of_genes(
    table: pd.DataFrame, asked: dict[str, str], axes: _Axes
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    order = pd.MultiIndex.from_tuples(list(axes.people))
    numbers = order.get_indexer(pd.MultiIndex.from_frame(table[["cohort", "person"]]))
    values = {layer: table[column].to_numpy(np.float32) for layer, column in asked.items()}
    for gene, places in table.groupby("gene", sort=False).indices.items():
        for layer, column in values.items():
            yield layer, axes.genes[str(gene)], {"rows": numbers[places], "values": column[places]}


def _weights(parts: Parts, table: pd.DataFrame, out: Path) -> None:
    """Weights learnt from everybody of each cohort, as PredictDB, with covariances beside them."""
    whole = evaluate.of_everybody(table)
    scores = whole.assign(
        r=pd.to_numeric(whole["r"], errors="coerce"), p=pd.to_numeric(whole["p"], errors="coerce")
    )
    weights, covariances = _by_cohort(parts.weights), _by_cohort(parts.covariances)
    for cohort, paths in weights.items():
        rows = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
        for method in EXPORTED:
            own = rows[rows["method"] == method]
            if own.empty and method != EXPORTED[0]:
                continue
            judged = scores[(scores["cohort"] == cohort) & (scores["method"] == method)]
            predictdb.write_weights(out / f"{cohort}.{method}.db", own, judged)
            tables = (pd.read_parquet(path) for path in covariances[cohort])
            predictdb.write_covariances(
                out / f"{cohort}.{method}.covariances.txt.gz",
                [one[one["method"] == method] for one in tables],
            )


def _by_cohort(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Files ``<cohort>.<shard>.<kind>.parquet`` by cohort."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.name.rsplit(".", 3)[0], []).append(path)
    return found


def _shown(parts: Parts, table: pd.DataFrame, out: Path) -> None:
    """Values of some people and genes for the report: the genes whose predictions differ most."""
    names = dict(zip(table["gene"], table["name"], strict=True))
    of_shard = {path.name.rsplit(".", 2)[0]: path for path in parts.predictions}
    spreads: dict[str, list[tuple[float, str, pd.DataFrame]]] = {}
    for part in parts.heldout:
        held = pd.read_parquet(part)
        held = held[held["kind"] == Kind.people]
        predicted = pd.read_parquet(of_shard[part.name.rsplit(".", 2)[0]])
        both = held.merge(predicted[["gene", "person", "mean"]], on=["gene", "person"])
        both = both.rename(columns={"mean": "predicted"})
        for (cohort, gene), some in both.groupby(["cohort", "gene"], sort=False):
            rows = spreads.setdefault(str(cohort), [])
            rows.append((float(some["predicted"].std()), str(gene), some))
            rows.sort(key=lambda row: -row[0])
            del rows[SHOWN_GENES:]
    cells = []
    for cohort, rows in spreads.items():
        for _, gene, some in rows:
            step = -(-len(some) // SHOWN_PEOPLE)
            for one in some.iloc[::step].itertuples(index=False):
                values = (f"{value:.4f}" for value in (one.predicted, one.elastic_net, one.measured))
                cells.append((cohort, gene, names[gene], one.person, *values))
    write_table(out, [dict(zip(SHOWN_COLUMNS, row, strict=True)) for row in cells], SHOWN_COLUMNS)
