"""What reads a caller was trained on, and whether those that it is shown are like them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcohort.variants.evidence import Caller, Evidence
from deepcohort.variants.features import NAMES
from deepcohort.variants.tensors import Shape

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

READS = tuple(f"reads_{side}" for side in ("ref", "this", "other", "unclear"))
FEWEST = 50
"""Candidates that are enough to tell what reads are like."""

Ranges = Mapping[str, Sequence[float]]


def traits(features: Float32) -> dict[str, Float64]:
    """Depth, base quality, and differences of reads from the reference, of each candidate, float64[N]."""
    columns = {name: features[:, NAMES.index(name)].astype(np.float64) for name in NAMES}
    return {
        "depth": sum((np.expm1(columns[name]) for name in READS), np.zeros(len(features))),
        "base quality": columns["this_quality"],
        "differences from the reference": columns["ref_differences"],
    }


def ranges_of(files: Sequence[Float32]) -> dict[str, list[float]]:
    """Least and largest median of each trait over files of examples."""
    medians = [{name: _median(values) for name, values in traits(one).items()} for one in files]
    return {
        name: [min(one[name] for one in medians), max(one[name] for one in medians)] for name in medians[0]
    }


def _median(values: Float64) -> float:
    return round(float(np.median(values)), 3)


@dataclass
class Watched:
    """A caller that remembers what it was shown."""

    caller: Caller
    ranges: Ranges
    seen: list[Float32] = field(default_factory=list)

    @property
    def shape(self) -> Shape | None:
        """See ``Caller``."""
        return self.caller.shape

    def log_chances(self, evidence: Evidence) -> Float64:
        """See ``Caller``."""
        self.seen.append(evidence.features)
        return self.caller.log_chances(evidence)

    def strange(self) -> list[str]:
        """Sentences about traits whose median lies outside of what the caller was trained on."""
        features = np.concatenate(self.seen) if self.seen else np.zeros((0, len(NAMES)), np.float32)
        if len(features) < FEWEST:
            return []
        found = []
        for name, values in traits(features).items():
            (low, high), median = self.ranges[name], _median(values)
            if not low <= median <= high:
                found.append(
                    f"{name}: {median:.1f} (median of candidates) is outside of the {low:.1f} to {high:.1f} "
                    "that the caller was trained on: its qualities may mislead; train on reads like these"
                )
        return found
