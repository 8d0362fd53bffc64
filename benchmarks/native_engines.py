"""The floor: the same network without a browser, on one thread."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from densenet_files import FloatArray
from torch import Tensor

from sitegen.graphs.session import open_session
from sitegen.networks.densenet import DenseNet


class NativeOnnxRuntime:
    """A session of one graph."""

    def __init__(self, graph: Path, feeds: Mapping[str, FloatArray]) -> None:
        self._session = open_session(graph)
        self._feeds = {entry.name: feeds[entry.name] for entry in self._session.get_inputs()}

    def time(self) -> float:
        """Run the graph; return milliseconds."""
        start = time.perf_counter()
        self._session.run(None, self._feeds)
        return 1000 * (time.perf_counter() - start)

    def results(self) -> dict[str, FloatArray]:
        """Return all outputs by name."""
        names = [entry.name for entry in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, self._feeds), strict=True))


class PyTorch:
    """The network itself; the gradient is that with respect to the image alone."""

    def __init__(self, network: DenseNet, feeds: Mapping[str, FloatArray], *, gradient: bool) -> None:
        torch.set_num_threads(1)
        self._network = network.requires_grad_(False)
        self._image, self._seed = (torch.from_numpy(feeds[name]) for name in ("image", "seed"))
        self._gradient = gradient

    def time(self) -> float:
        """Run the network; return milliseconds."""
        start = time.perf_counter()
        self._run()
        return 1000 * (time.perf_counter() - start)

    def results(self) -> dict[str, FloatArray]:
        """Return the logits, and the gradient where that was asked for."""
        names = ("logits", "grad_image")
        return {name: np.asarray(value.detach()) for name, value in zip(names, self._run(), strict=False)}

    def _run(self) -> tuple[Tensor, ...]:
        if not self._gradient:
            with torch.inference_mode():
                return (self._network(self._image),)
        image = self._image.clone().requires_grad_()
        logits = self._network(image)
        (slope,) = torch.autograd.grad((logits * self._seed).sum(), image)
        return logits, slope
