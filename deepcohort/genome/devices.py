"""Where PyTorch runs."""

import logging
from importlib.util import find_spec

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError

log = logging.getLogger(__name__)


def torch_device(device: Device, threads: int) -> str:
    """Return PyTorch's name of a device, having told PyTorch the number of CPU threads.

    Raises ``InputError`` where a GPU is asked for and there is none, or PyTorch is not installed.
    """
    if not find_spec("torch"):
        raise InputError(
            "this model needs PyTorch, which is not installed here: use the image whose name ends with -torch"
        )
    import torch

    torch.set_num_threads(threads)
    return "cuda" if has_gpu(device) else "cpu"


def has_gpu(device: Device) -> bool:
    """Whether to use a GPU, which is logged; raises ``InputError`` where one is wanted and there is none."""
    if device is not Device.cpu and find_spec("torch"):
        import torch

        if torch.cuda.is_available():
            log.info("on %s", torch.cuda.get_device_name())
            return True
    if device is Device.cuda:
        raise InputError(
            "--device cuda: PyTorch sees no GPU here: use --device cpu, or the GPU image on a node with one"
        )
    return False
