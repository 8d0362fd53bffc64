"""What a training run needs to go on after an interruption, kept in one file and replaced as a whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sitegen.errors import CheckpointError


@dataclass
class Run:
    """A training run: everything that changes while it goes on. `losses` has the mean loss of each finished epoch."""

    network: nn.Module
    optimiser: Optimizer
    schedule: LRScheduler
    losses: list[float]

    def save(self, path: Path, settings: str) -> None:
        """Write the run to `path`; `settings` says what it must be resumed with."""
        state = {
            "settings": settings,
            "losses": self.losses,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def resume(self, path: Path, settings: str) -> None:
        """Take the state at `path`, if there is one.

        Raises CheckpointError where it was made with other settings.
        """
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["settings"] != settings:
            raise CheckpointError(
                f"{path} was made with other settings ({state['settings']}) than asked for ({settings}). "
                "Delete it, or name another work folder."
            )
        self.losses = state["losses"]
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
