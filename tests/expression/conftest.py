"""A tiny Enformer, made once."""

import os

import pytest
import torch


@pytest.fixture(scope="session")
def network():
    """As the package makes it, with all weights moved from where it starts, some of which are zero."""
    os.environ["USE_TF"] = "0"
    from enformer_pytorch import Enformer

    torch.manual_seed(4)
    made = Enformer.from_hparams(
        dim=96, depth=2, heads=4, output_heads={"human": 8, "mouse": 3}, target_length=-1, attn_dim_key=16,
        dim_divisible_by=16,
    )  # fmt: skip
    with torch.no_grad():
        for name, values in made.named_parameters():
            if values.ndim == 1:
                values.add_(torch.randn_like(values) * 0.1)
            elif "attn_logits" not in name:
                torch.nn.init.xavier_uniform_(values, gain=0.2 if "_heads" in name else 1)
        for name, values in made.named_buffers():
            if values.is_floating_point():
                values.copy_((torch.rand_like(values) + ("var" in name)) * 0.2)
    return made.eval()


@pytest.fixture(scope="session")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.bin"
    torch.save(network.state_dict(), path)
    return path
