"""Names of the models that impute."""

from enum import StrEnum


class Imputer(StrEnum):
    """Models by name."""

    copying = "copying"
    adaptive_copying = "adaptive-copying"
    naive = "naive"
    knn = "knn"
    svd = "svd"
