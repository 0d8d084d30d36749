"""Where models run."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.command import Device
from deepcohort.genome.devices import has_gpu
from deepcohort.imputation.copying import Copier, CopyModel, CpuCopyModel, Sites
from deepcohort.imputation.copying_selected import STAND_INS, STATES, SelectedCopyModel
from deepcohort.imputation.panel import Carriers

log = logging.getLogger(__name__)

LARGEST_EXACT = 6_000
"""Haplotypes of a panel up to which copying from all of them takes about as long as choosing."""


LEARNING_STATES, LEARNING_STAND_INS = 1000, 250
"""States of a haplotype of a large panel where rates are learnt: the same are found, in half the time."""


@dataclass(frozen=True)
class CpuModelBySize:
    """The copying model on CPU threads: exact, or over selected states where the panel is large."""

    threads: int
    selected: SelectedCopyModel

    def prepare(
        self, typed: NDArray[np.uint8], cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> Copier:
        """See ``CopyModel``."""
        exact = typed.shape[1] <= LARGEST_EXACT
        how = "from all" if exact else "from selected ones"
        log.info("panel of %d haplotypes: copying %s", typed.shape[1], how)
        model: CopyModel = CpuCopyModel(self.threads) if exact else self.selected
        return model.prepare(typed, cm, sites, carriers)


def copy_model(device: Device, threads: int, learning: bool = False) -> CopyModel:
    """Return the copying model for a device, to impute or (``learning``) to learn rates by.

    ``auto`` takes a GPU where PyTorch sees one. Raises ``InputError`` where one is asked for and there is
    none.
    """
    if has_gpu(device):
        from deepcohort.imputation.copying_torch import TorchCopyModel

        return TorchCopyModel("cuda")
    log.info("copying model on the CPU, %d threads", threads)
    states = (LEARNING_STATES, LEARNING_STAND_INS) if learning else (STATES, STAND_INS)
    return CpuModelBySize(threads, SelectedCopyModel(threads, *states))
