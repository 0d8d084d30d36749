"""Whom to generate."""

import numpy as np
import pytest

from deepcohort.augmentation.asked import names_of, pairs_of, read_asked
from deepcohort.genome.errors import InputError

LABELS, PRESENT = ["AFR", "EAS", "EUR"], np.array([50, 20, 50])


def test_numbers_mixtures_and_balance():
    asked = read_asked("AFR=2, AFR+EUR=1,EAS=1", LABELS, PRESENT)
    assert asked == {(0, 0): 2, (0, 2): 1, (1, 1): 1}
    pairs = pairs_of(asked)
    assert names_of(pairs, LABELS) == ["SYN_AFR_0001", "SYN_AFR_0002", "SYN_AFR+EUR_0001", "SYN_EAS_0001"]
    assert read_asked("balance", LABELS, PRESENT) == {(1, 1): 30}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AFR=0", "'AFR=0' is not LABEL=number"),
        ("AFR", "'AFR' is not LABEL=number"),
        ("OCE=3", "the panel has no label OCE: it has AFR, EAS, EUR"),
        ("AFR+EAS+EUR=3", "mixes 3 labels"),
        ("AFR=3,AFR=4", "AFR is asked for twice"),
        (" , ", "is empty"),
    ],
)
def test_what_cannot_be_asked(text, said):
    with pytest.raises(InputError, match=said.replace("+", r"\+")):
        read_asked(text, LABELS, PRESENT)


def test_balance_of_equals_is_refused():
    with pytest.raises(InputError, match="all labels have 7 people already"):
        read_asked("balance", LABELS, np.array([7, 7, 7]))
