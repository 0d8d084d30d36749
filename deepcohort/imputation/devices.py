"""Where the copying model runs."""

import logging
from importlib.util import find_spec

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.imputation.copying import CopyModel, CpuCopyModel

log = logging.getLogger(__name__)


def copy_model(device: Device, threads: int) -> CopyModel:
    """Return the copying model for a device; ``auto`` takes a GPU where PyTorch sees one.

    Raises ``InputError`` where a GPU is asked for and there is none.
    """
    if device is not Device.cpu and find_spec("torch"):
        import torch

        from deepcohort.imputation.copying_torch import TorchCopyModel

        if torch.cuda.is_available():
            log.info("copying model on %s", torch.cuda.get_device_name())
            return TorchCopyModel("cuda")
    if device is Device.cuda:
        raise InputError(
            "--device cuda: PyTorch sees no GPU here: use --device cpu, or the GPU image on a node with one"
        )
    log.info("copying model on the CPU, %d threads", threads)
    return CpuCopyModel(threads)
