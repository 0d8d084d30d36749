"""Names of what imputes: our models, and programs of others."""

from enum import StrEnum


class Imputer(StrEnum):
    """Models by name."""

    copying = "copying"
    adaptive_copying = "adaptive-copying"
    naive = "naive"
    knn = "knn"
    svd = "svd"


class Engine(StrEnum):
    """Outside programs by name; they run in processes of their own."""

    beagle = "beagle"
    minimac4 = "minimac4"
