"""How a sequence model is asked of everybody: the one place where a mode is chosen."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import pandas as pd

from deepcohort.expression.genes import Gene
from deepcohort.expression.models import Model
from deepcohort.expression.people import Sequences
from deepcohort.expression.predict import predict


class Mode(StrEnum):
    """Names of the modes."""

    exact = "exact"


MODES: dict[Mode, Callable[[str, Sequence[Gene], Sequences, Model], pd.DataFrame]] = {Mode.exact: predict}
"""Of the cohort's name, genes, sequences and model: the table of ``predict``."""
