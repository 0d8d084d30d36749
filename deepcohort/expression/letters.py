"""Letters of sequences as shares of the four bases."""

import numpy as np
from numpy.typing import NDArray


def _one_hot_table() -> NDArray[np.float32]:
    table = np.zeros((256, 4), np.float32)
    pairs = {"M": "AC", "R": "AG", "W": "AT", "S": "CG", "Y": "CT", "K": "GT"}
    for letter, bases in ({base: base for base in "ACGT"} | pairs).items():
        for base in bases:
            table[ord(letter), "ACGT".index(base)] = 1 / len(bases)
    return table


ONE_HOT = _one_hot_table()
"""Shares of A, C, G and T for each letter: a letter for two bases is half of each, N is none of them."""

OTHER_STRAND = np.arange(256, dtype=np.uint8)
OTHER_STRAND[np.frombuffer(b"ACGTMRWSYK", np.uint8)] = np.frombuffer(b"TGCAKYWSRM", np.uint8)
"""For each letter the one opposite."""


def turned(letters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The other strand of letters uint8[..., length], read from its own 5' end."""
    return OTHER_STRAND[letters[..., ::-1]]
