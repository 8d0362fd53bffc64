"""How far a generator's training has come, the figures since the last snapshot, and the step that went wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from sitegen.settings.reading import settings_document
from sitegen.training.generator.images import TrainingImages
from sitegen.training.generator.settings import GeneratorFile

Row = dict[str, float]
"""The figures of a snapshot: "images", "seconds", means of losses, "probability", "sureness", and "frechet" if any."""
_LENGTHS = ("images",)  # of [training]: a longer training may go on from a shorter one


@dataclass
class Progress:
    """Counts finished `steps`; `best` is the row of the snapshot that was kept."""

    steps: int = 0
    history: list[Row] = field(default_factory=list)
    best: Row = field(default_factory=dict)
    seconds: float = 0.0  # of training since the last snapshot

    def note(self, row: Row) -> bool:
        """Take in a snapshot's row; return whether it is the best so far, or the last where no distance is measured."""
        self.history.append(row)
        if "frechet" in row and self.best and self.best.get("frechet", float("inf")) <= row["frechet"]:
            return False
        self.best = row
        return True


class Figures:
    """Sums of what steps report, kept on the device, so that nothing waits for it; and the first bad step."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._bad = torch.full((), -1, dtype=torch.int64, device=device)

    def add(self, step: int, figures: Mapping[str, Tensor]) -> None:
        """Take in a step's figures."""
        for name, value in figures.items():
            before = self._sums.get(name, torch.zeros((), dtype=torch.float64, device=self._device))
            self._sums[name] = before + value.double()
            self._counts[name] = self._counts.get(name, 0) + 1
        finite = torch.stack([value.float() for value in figures.values()]).isfinite().all()
        self._bad = torch.where((self._bad < 0) & ~finite, torch.full_like(self._bad, step), self._bad)

    def bad(self) -> int | None:
        """Return the first step whose figures were no numbers, None where all were."""
        step = int(self._bad)
        return step if step >= 0 else None

    def means(self) -> Row:
        """Return the mean of each figure, and begin anew."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return {name: value for name, value in means.items() if isfinite(value)}

    def state(self) -> dict[str, Any]:
        """Return what `load` goes on from."""
        return {"sums": {name: value.cpu() for name, value in self._sums.items()}, "counts": dict(self._counts)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was called."""
        self._sums = {name: value.to(self._device) for name, value in state["sums"].items()}
        self._counts = dict(state["counts"])


def made_with(file: GeneratorFile, images: TrainingImages, processes: int, begun_with: str) -> str:
    """Return what a checkpoint must agree with: settings but the training's length, images, number of processes."""
    settings = settings_document(file)
    kept = {name: settings[name] for name in ("network", "augment", "images")}
    kept["images"] = {name: value for name, value in kept["images"].items() if name != "places"}
    training = {name: value for name, value in settings["training"].items() if name not in _LENGTHS}
    return json.dumps(kept | {"training": training, "key": images.key, "processes": processes, "begun": begun_with})
