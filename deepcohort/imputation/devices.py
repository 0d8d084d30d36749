"""Where models run."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.command import Device
from deepcohort.genome.devices import has_gpu
from deepcohort.imputation.copying import Copier, CopyModel, CpuCopyModel, Sites
from deepcohort.imputation.copying_selected import SelectedCopyModel
from deepcohort.imputation.panel import Carriers

log = logging.getLogger(__name__)

LARGEST_EXACT = 6_000
"""Haplotypes of a panel up to which copying from all of them takes about as long as choosing."""


@dataclass(frozen=True)
class CpuModelBySize:
    """The copying model on CPU threads: exact, or over selected states where the panel is large."""

    threads: int

    def prepare(
        self, typed: NDArray[np.uint8], cm: NDArray[np.float64], sites: Sites, carriers: Carriers
    ) -> Copier:
        """See ``CopyModel``."""
        exact = typed.shape[1] <= LARGEST_EXACT
        how = "from all" if exact else "from selected ones"
        log.info("panel of %d haplotypes: copying %s", typed.shape[1], how)
        model: CopyModel = CpuCopyModel(self.threads) if exact else SelectedCopyModel(self.threads)
        return model.prepare(typed, cm, sites, carriers)


def copy_model(device: Device, threads: int) -> CopyModel:
    """Return the copying model for a device; ``auto`` takes a GPU where PyTorch sees one.

    Raises ``InputError`` where a GPU is asked for and there is none.
    """
    if has_gpu(device):
        from deepcohort.imputation.copying_torch import TorchCopyModel

        return TorchCopyModel("cuda")
    log.info("copying model on the CPU, %d threads", threads)
    return CpuModelBySize(threads)
