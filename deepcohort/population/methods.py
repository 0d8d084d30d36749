"""Names of how people are assigned; in a module of its own, which commands import at no cost."""

from enum import StrEnum


class Method(StrEnum):
    """How people are assigned; ``auto`` takes what is best on the panel's held-out people."""

    auto = "auto"
    ensemble = "ensemble"
    cnn = "cnn"
    lda = "lda"
    svm = "svm"
    forest = "forest"
    discriminant = "discriminant"
    sharing = "sharing"
    painting = "painting"
    nested = "nested"
