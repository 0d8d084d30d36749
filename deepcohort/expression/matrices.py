"""People by genes as AnnData keeps them (``.h5ad``), written gene by gene so that memory does not grow.

The layout is that of AnnData's own description of its files: ``obs`` of people, ``var`` of genes,
``layers`` of matrices float32[people, genes], NaN where a person has no value.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepcohort.genome.files import written_whole


def write_h5ad(
    path: Path, people: pd.DataFrame, genes: pd.DataFrame, layers: Sequence[str],
    columns: Iterable[tuple[str, int, Mapping[str, Any]]],
) -> None:  # fmt: skip
    """Write people (index: names) by genes (index: names).

    layers: names; ``X`` is the first of them as well. columns: layer, number of the gene, and values by the
    number of the person, as ``{"rows": int[n], "values": float[n]}``; each replaces what was there.
    """
    import h5py

    shape = (len(people), len(genes))
    with written_whole(path) as unfinished, h5py.File(unfinished, "w") as file:
        _encode(file, "anndata", "0.1.0")
        _frame(file, "obs", people)
        _frame(file, "var", genes)
        for name in ("obsm", "varm", "obsp", "varp", "uns", "layers"):
            _encode(file.create_group(name), "dict", "0.1.0")
        sets = {}
        chunk = (min(max(1, len(people)), 4096), 1)
        for name in layers:
            sets[name] = file["layers"].create_dataset(
                name, shape, "f4", fillvalue=np.nan, chunks=chunk, compression="gzip"
            )
            _encode(sets[name], "array", "0.2.0")
        file["X"] = sets[layers[0]]
        for name, gene, column in columns:
            values = sets[name][:, gene]
            values[column["rows"]] = column["values"]
            sets[name][:, gene] = values


def _encode(thing: Any, kind: str, version: str) -> None:
    thing.attrs["encoding-type"] = kind
    thing.attrs["encoding-version"] = version


def _frame(file: Any, name: str, table: pd.DataFrame) -> None:
    import h5py

    group = file.create_group(name)
    _encode(group, "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.array(list(table.columns), dtype=h5py.string_dtype())
    for key, values in [("_index", table.index), *table.items()]:
        text = not pd.api.types.is_numeric_dtype(values.dtype)
        made = group.create_dataset(
            str(key), data=np.array(values, dtype=object) if text else np.array(values),
            dtype=h5py.string_dtype() if text else None,
        )  # fmt: skip
        _encode(made, "string-array" if text else "array", "0.2.0")
