"""A source of models that is none of those that sitegen knows: a small network of random weights, run by PyTorch."""

import io
from collections.abc import Callable, Sequence
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from sitegen.bundle import Label
from sitegen.export.onnx_export import export_onnx
from sitegen.importing.settings import as_label
from sitegen.importing.source import ImportedClassifier
from sitegen_runtime.bundle.model import NetworkInput

SIDE = 32
LABELS = ("Effusion", "Mass", "Nodule")
WIDTH = 24


class Small(nn.Module):
    """Convolutions with a normalisation, an average over the image, one linear layer; `end` comes before the last."""

    def __init__(
        self, channels: int = 1, labels: int = len(LABELS), end: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, WIDTH, 5, 2, 2)
        self.norm = nn.BatchNorm2d(WIDTH)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, 2, 1)
        self.last = nn.Linear(WIDTH, labels)
        self.end = end

    def forward(self, image: Tensor) -> Tensor:
        maps = torch.relu(self.second(torch.relu(self.norm(self.first(image)))))
        pooled = maps.mean((2, 3)) if self.end is None else self.end(maps)
        return self.last(pooled)


def random_network(seed: int = 3, **options: Any) -> nn.Module:
    """The network with seeded weights, a normalisation that does something, and logits on both sides of 0."""
    torch.manual_seed(seed)
    network = Small(**options)
    with torch.no_grad():
        assert network.norm.running_mean is not None and network.norm.running_var is not None
        network.norm.running_mean.normal_(0, 0.2)
        network.norm.running_var.uniform_(0.5, 2)
        network.last.weight.mul_(12)
    return network.eval()


def with_half_weights(network: nn.Module) -> nn.Module:
    """The network with the weights that an import stores rounded to 16 bits by NumPy: those of both convolutions."""
    return _with_kernels(network, lambda values: values.astype(np.float16).astype(np.float32))


def with_byte_weights(network: nn.Module) -> nn.Module:
    """The same with 8 bits and a scale for each channel, in float64; the scale has 17 significant bits."""

    def rounded(values: np.ndarray) -> np.ndarray:
        largest = np.abs(values.astype(np.float64)).reshape(len(values), -1).max(axis=1) / 127
        unit = 2.0 ** (np.floor(np.log2(largest)) - 16)
        scales = (np.round(largest / unit) * unit)[:, None, None, None]
        return np.asarray((np.round(values / scales) * scales).astype(np.float32))

    return _with_kernels(network, rounded)


def _with_kernels(network: nn.Module, rounded: Callable[[np.ndarray], np.ndarray]) -> nn.Module:
    """The exporter multiplies the normalisation into the convolution before it: that product is what is rounded."""
    norm: Any = network.norm
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps))[:, None, None, None]
    with torch.no_grad():
        for layer, factor in ((network.first, scale), (network.second, torch.ones(1))):
            kernel: Any = layer.weight
            kernel.copy_(torch.from_numpy(rounded((kernel * factor).numpy())) / factor)
    return network


class TorchOriginal:
    """The network as PyTorch runs it; `shift` is added to the logits, for an original that the graph is not."""

    library = f"PyTorch {torch.__version__}"

    def __init__(self, network: nn.Module, shift: float = 0.0) -> None:
        self.network, self.shift = network, shift

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        with torch.inference_mode():
            made = [self.network(torch.from_numpy(image[np.newaxis])) for image in images]
        return torch.cat(made).double().numpy() + self.shift

    def in_both(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        wide = deepcopy(self.network).double()
        with torch.inference_mode():
            exact = torch.cat([wide(torch.from_numpy(image[np.newaxis]).double()) for image in images]).numpy()
        return self.logits(images), exact + self.shift

    def gradients(self, images: NDArray[np.float32], label: int) -> NDArray[np.float32]:
        given = torch.from_numpy(images).requires_grad_()
        self.network(given)[:, label].sum().backward()
        assert given.grad is not None
        return given.grad.numpy()


class PillowPreparation:
    """The shorter side to `resized`, and of that the middle: what `fraction` = SIDE / resized comes close to."""

    def __init__(self, resized: int = SIDE, side: int = SIDE) -> None:
        self.resized, self.side = resized, side
        self.described = f"Pillow: shorter side to {resized} by bilinear interpolation, the middle {side} of it."

    def tensor(self, content: bytes) -> NDArray[np.float32]:
        image = Image.open(io.BytesIO(content)).convert("L")
        scale = self.resized / min(image.size)
        small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
        left, top = (small.width - self.side) // 2, (small.height - self.side) // 2
        part = small.crop((left, top, left + self.side, top + self.side))
        return np.asarray(part, np.float32)[np.newaxis] / np.float32(255)


def fake_model(
    network: nn.Module | None = None,
    *,
    labels: Sequence[Label] = (as_label(LABELS[0], 0.3), as_label(LABELS[1]), as_label(LABELS[2])),
    original: Any = True,
    shift: float = 0.0,
    resized: int | None = SIDE,
    **fields: Any,
) -> ImportedClassifier:
    """The model as a source gives it; `original` may be another one or None, with `resized` None it has no way of its
    own to prepare images.
    """
    network = network or random_network()
    image = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    given: dict[str, Any] = {
        "name": "fake-model",
        "title": "A fake model",
        "labels": labels,
        "image": image,
        "write": lambda folder: _write(network, folder),
        "original": TorchOriginal(network, shift) if original is True else original,
        "preparation": PillowPreparation(resized) if resized else None,
        "provenance": {"source": "fake", "file": {"name": "fake.pt", "sha256": "0" * 64}},
        "remarks": ("One thing was renamed.",),
    }
    return ImportedClassifier(**given | fields)


_written: dict[str, dict[str, bytes]] = {}


def _write(network: nn.Module, folder: Path) -> None:
    """Export a network; what was exported before is written again, for exporting takes seconds."""
    weights = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
    key = repr(network) + sha256(weights).hexdigest()
    if key not in _written:
        export_onnx(network, (1, 1, SIDE, SIDE), "logits", folder / "classifier.onnx")
        _written[key] = {path.name: path.read_bytes() for path in folder.glob("classifier.*")}
    for name, content in _written[key].items():
        (folder / name).write_bytes(content)
