"""How a sequence model is asked of everybody."""

from dataclasses import dataclass
from enum import StrEnum

SAMPLE = 64
"""Haplotypes of a gene of which the model itself is asked, to measure the error of a linear prediction."""


class Mode(StrEnum):
    """``exact`` asks the model of each unique sequence; the others add up effects of variants.

    Effects are found by a pass of the model for each (``ism``), by its gradient (``grad``), or by the
    gradient and then passes for the variants that matter most (``hybrid``). ``auto`` chooses for each gene.
    """

    auto = "auto"
    exact = "exact"
    ism = "ism"
    grad = "grad"
    hybrid = "hybrid"


@dataclass(frozen=True)
class How:
    """How to predict. fallback: ask the model of everything where a linear prediction is too far from it.

    effects: tell what each allele changes where predictions do not need it too.
    """

    mode: Mode = Mode.exact
    fallback: bool = True
    effects: bool = False
    sample: int = SAMPLE
    seed: int = 1
