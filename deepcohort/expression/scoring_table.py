"""Weights of variants for genes as text: columns of the PGS Catalog's scoring files, and one of genes."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from deepcohort.genome.errors import InputError

NEEDED = ("gene", "effect_allele", "other_allele", "effect_weight")
PLACES = {"rsID": "hm_rsID", "chr_position": "hm_pos"}
"""Columns that say where a variant is, and the Catalog's own of the genome that it was carried over to."""


def scoring_rows(path: Path) -> Iterator[tuple[str, str, int, str, str, float]]:
    """Of each row gene, rsID or '', 0-based position or -1, other allele, effect allele, and weight.

    Lines that begin with # are left out; harmonised places (``hm_rsID``, ``hm_pos``) are taken before the
    original ones. Raises ``InputError`` where columns are missing or a weight is no number.
    """
    try:
        table = pd.read_csv(path, sep="\t", comment="#", dtype=str, keep_default_na=False)
    except (ValueError, OSError):
        table = pd.DataFrame()
    carried = {new: old for old, new in PLACES.items() if new in table}
    table = table.drop(columns=[old for old in carried.values() if old in table]).rename(columns=carried)
    lacking = [name for name in NEEDED if name not in table]
    if lacking or not {*PLACES} & {*table.columns}:
        raise InputError(
            f"{path.name}: neither weights of PredictDB (SQLite with a table weights) nor a scoring table: "
            f"this needs the columns {', '.join(NEEDED)} and {' or '.join(PLACES)}, separated by tabs"
        )
    weights = pd.to_numeric(table["effect_weight"], errors="coerce")
    if weights.isna().any():
        row = int(weights.isna().to_numpy().argmax()) + 1
        raise InputError(f"{path.name}: row {row} has an effect_weight that is no number")
    blank = [""] * len(table)
    places = [table.get(name, blank) for name in PLACES]
    columns = (table["gene"], *places, table["other_allele"], table["effect_allele"], weights)
    for gene, rsid, pos, other, effect, weight in zip(*columns, strict=True):
        yield gene, rsid, int(pos) - 1 if pos.isdecimal() else -1, other, effect, float(weight)
