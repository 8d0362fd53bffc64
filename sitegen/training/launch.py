"""One process or many: where a training runs, and with what precision.

    make_fabric("auto")    a `lightning_fabric.Fabric`, launched

Started as it is, a training uses one process: the first graphics card if there is one, else the CPU. Under `torchrun`
it is one of the processes that torchrun started, on its own card or with a share of the CPU, over NCCL or gloo.
"""

import os
from datetime import timedelta
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from sitegen.training.presets import Precision

PATIENCE = timedelta(days=1)
"""For which processes wait for the first one, which makes all tensors before the others read them."""
_Mode = Literal["32-true", "bf16-mixed", "16-mixed"]


def make_fabric(precision: Precision = "32") -> Fabric:
    """Return the processes of this training, this one among them; all have met when it returns."""
    under_torchrun = "LOCAL_WORLD_SIZE" in os.environ
    here = int(os.environ["LOCAL_WORLD_SIZE"]) if under_torchrun else 1
    world = int(os.environ["WORLD_SIZE"]) if under_torchrun else 1
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        strategy=DDPStrategy(timeout=PATIENCE) if world > 1 else "auto",
        devices=here,
        num_nodes=world // here,
        precision=mixed_precision(precision),
    )
    fabric.launch()
    return fabric


def mixed_precision(precision: Precision) -> _Mode:
    """Return Fabric's name of a precision; "auto" depends on the graphics card."""
    if precision != "auto":
        return cast(_Mode, "32-true" if precision == "32" else f"{precision}-mixed")
    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
