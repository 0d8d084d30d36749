"""Names that a user chooses from."""

from enum import StrEnum


class Name(StrEnum):
    """Who judges candidates: the haplotypes alone, the network, trees, or all three trained ones."""

    haplotypes = "haplotypes"
    cnn = "cnn"
    rf = "rf"
    gbm = "gbm"
    ensemble = "ensemble"


class Gaps(StrEnum):
    """How likely reads have gaps: as short reads, as is learnt from the reads, or that if they are long."""

    auto = "auto"
    short = "short"
    learnt = "learnt"


class Layout(StrEnum):
    """Layouts of tensors, see ``tensors.LAYOUTS``."""

    base7 = "base7"
    full = "full"
    compact = "compact"
