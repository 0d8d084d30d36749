"""Names of what imputes: our models, and programs of others."""

from enum import StrEnum

from deepcohort.genome.errors import InputError


class Imputer(StrEnum):
    """Models by name."""

    copying = "copying"
    adaptive_copying = "adaptive-copying"
    neural_copying = "neural-copying"
    naive = "naive"
    knn = "knn"
    svd = "svd"
    lstm = "lstm"
    gpt = "gpt"
    ensemble = "ensemble"


PHASING = (Imputer.copying, Imputer.adaptive_copying, Imputer.neural_copying)
"""Models that tell how the genotypes of unphased people lie on their haplotypes."""


class Engine(StrEnum):
    """Outside programs by name; they run in processes of their own."""

    beagle = "beagle"
    minimac4 = "minimac4"


def members_of(text: str) -> tuple[Imputer, ...]:
    """Read the members of an ensemble, as in ``copying,lstm``; raises ``InputError`` on what is none."""
    possible = [str(imputer) for imputer in Imputer if imputer is not Imputer.ensemble]
    names = text.split(",")
    wrong = [name for name in names if name not in possible or names.count(name) > 1]
    if wrong:
        raise InputError(
            f"--members {text}: '{wrong[0]}' must be one of {', '.join(possible)}, and once: correct the list"
        )
    return tuple(Imputer(name) for name in names)
