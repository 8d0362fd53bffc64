"""Which images a step shows, and all that it draws by chance: from the seed and the step's number alone.

Nothing is carried over from step to step, so that a resumed training draws what an uninterrupted one does.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Generator, Tensor

from sitegen.networks.stylegan2.generator import one_hot
from sitegen.training.generator.images import TrainingImages


def seeded(device: torch.device, *numbers: int) -> Generator:
    """Return a generator of random numbers on a device: another stream for other numbers."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
    return Generator(device).manual_seed(seed)


@dataclass(frozen=True)
class Batch:
    """Real images [n, C, side, side] in -1..1 and their classes as rows [n, classes], None without classes."""

    images: Tensor
    label: Tensor | None


class Deck:
    """Deals images: all of the subset once, in random order, then again in another."""

    def __init__(self, images: TrainingImages, subset: int, seed: int, flip: bool, device: torch.device) -> None:
        chosen = np.random.default_rng(seed).permutation(len(images.pixels))
        self._chosen = np.sort(chosen[: subset or len(chosen)])
        self._images, self._seed, self._flip, self._device = images, seed, flip, device

    def __len__(self) -> int:
        return len(self._chosen)

    def deal(self, first: int, count: int, part: slice, source: Generator) -> Batch:
        """Return a process's `part` of the `count` images that come after the `first` ones."""
        numbers = np.arange(first, first + count)[part]
        at = [self._order(int(n) // len(self))[int(n) % len(self)] for n in numbers]
        pixels = torch.from_numpy(self._images.pixels[at]).to(self._device)
        images = pixels.float() / 127.5 - 1
        if self._flip:
            turned = torch.rand(len(at), generator=source, device=source.device) < 0.5
            images = torch.where(turned[:, None, None, None], images.flip(3), images)
        return Batch(images, self.label(torch.from_numpy(self._images.classes[at])))

    def classes(self, count: int, source: Generator) -> Tensor | None:
        """Return classes for made images, as often as they are in the deck; None without classes."""
        if not self._images.names:
            return None
        at = torch.randint(len(self), (count,), generator=source, device=source.device).cpu().numpy()
        return self.label(torch.from_numpy(self._images.classes[self._chosen[at]]))

    def label(self, classes: Tensor) -> Tensor | None:
        """Return classes [n] as rows on the device, None without classes."""
        names = self._images.names
        return one_hot(classes, len(names)).to(self._device) if names else None

    @lru_cache(maxsize=2)  # noqa: B019 - a training has one deck
    def _order(self, turn: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        order = np.random.default_rng([self._seed, turn]).permutation(len(self))
        return np.asarray(self._chosen[order], np.int64)
