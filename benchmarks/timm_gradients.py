"""Why gradients of an imported network are further from PyTorch's than rounding: on which image, and whose they are.

    python benchmarks/timm_gradients.py FAMILY …

For families of timm_families.py and each image of the proof: how far (relative L2) the bundle's gradient and PyTorch's
in float32 are from PyTorch's in float64; and at how many places each of the two takes another side of a kink than
float64 does: rectifiers whose input has another sign, windows of maximum pooling with another greatest element. The
last number is the largest distance of such a place from its kink, as a share of the layer's mean. Rectifiers and
poolings are found where they are modules. Needs timm.
"""

import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from timm_families import LABELS, written
from torch import nn
from torch.nn import functional

from sitegen.export.gradient_graph import GRADIENT, SEED, export_gradient
from sitegen.gradient import gradient_name
from sitegen.graphs.files import INPUT
from sitegen.importing.proof.sample_images import sample_images
from sitegen.importing.settings import ImportSettings
from sitegen.importing.sources.timm_folder import import_timm
from sitegen.importing.sources.torch_original import TorchOriginal

Values = NDArray[Any]
COMPARED = 8
_HEAD = "| image | bundle | float32 | kinks: bundle | float32 | farthest |\n|---|---|---|---|---|---|"


def main() -> None:
    """Print a table for each family."""
    for family in sys.argv[1:]:
        print(f"\n{family}\n\n{_HEAD}")
        with TemporaryDirectory() as place:
            _family(family, Path(place))


def _family(family: str, place: Path) -> None:
    written(family, place / "model")
    read = import_timm(place / "model", ImportSettings())
    assert isinstance(read.original, TorchOriginal)
    read.write(place)
    export_gradient(place)
    narrow = read.original
    wide = TorchOriginal(deepcopy(narrow.network).double(), narrow.kind)
    session, kinks = _session(place)
    for at, image in enumerate(sample_images([], read.image).tensors[:COMPARED]):
        label = at % len(LABELS)
        seed = np.zeros((1, len(LABELS)), np.float32)
        seed[0, label] = 1
        made, *inputs = session.run([gradient_name(INPUT), *kinks], {INPUT: image[np.newaxis], SEED: seed})
        single, places = _watched(narrow, image, label)
        double, truth = _watched(wide, image.astype(np.float64), label)
        own, far = _kinks(_matched(inputs, truth), truth)
        theirs, their_far = _kinks([given for given, _ in places], truth)
        distances = [np.linalg.norm(each - double) / np.linalg.norm(double) for each in (made[0], single)]
        told = " | ".join(f"{each:.1e}" for each in distances)
        print(f"| {at} | {told} | {own} | {theirs} | {max(far, their_far):.0e} |", flush=True)


def _session(folder: Path) -> tuple[onnxruntime.InferenceSession, list[str]]:
    """The gradient graph, with what its rectifiers and poolings are given as outputs, too."""
    model = onnx.load(folder / GRADIENT)
    names = list(dict.fromkeys(node.input[0] for node in model.graph.node if node.op_type in ("Relu", "MaxPool")))
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    onnx.save(model, folder / "watched.onnx")
    return onnxruntime.InferenceSession(folder / "watched.onnx", providers=["CPUExecutionProvider"]), names


def _watched(original: TorchOriginal, image: Values, label: int) -> tuple[Values, list[tuple[Values, nn.Module]]]:
    """A gradient, and what each rectifier and pooling was given on the way, in the order in which they ran."""
    seen: list[tuple[Values, nn.Module]] = []

    def see(module: nn.Module, given: Any) -> None:
        seen.append((given[0].detach().clone().numpy(), module))

    kinds = (nn.ReLU, nn.MaxPool2d)
    hooks = [each.register_forward_pre_hook(see) for each in original.network.modules() if isinstance(each, kinds)]
    gradient = original.gradients(image[np.newaxis], label)
    for hook in hooks:
        hook.remove()
    assert gradient is not None
    return gradient[0], seen


def _matched(inputs: Sequence[Values], truth: Sequence[tuple[Values, nn.Module]]) -> list[Values | None]:
    """For each module that ran, the graph's input that has its numbers; None where the graph was written otherwise."""
    return [
        next((each for each in inputs if each.size == given.size and _near(each, given)), None) for given, _ in truth
    ]


def _near(made: Values, given: Values) -> bool:
    return bool(np.abs(made.reshape(-1) - given.reshape(-1)).max() <= 1e-3 * max(1.0, np.abs(given).max()))


def _kinks(made: Sequence[Values | None], truth: Sequence[tuple[Values, nn.Module]]) -> tuple[int, float]:
    """At how many places these inputs lie on another side than the truth's, and how far from the kink that is."""
    count, farthest = 0, 0.0
    for each, (given, module) in zip(made, truth, strict=True):
        if each is None:
            continue
        values = each.reshape(given.shape)
        if isinstance(module, nn.ReLU):
            off = np.abs(given[(values > 0) != (given > 0)])
        else:
            flat, (own, true) = given.reshape(-1), (_greatest(which, module) for which in (values, given))
            off = flat[true[own != true]] - flat[own[own != true]]
        count += off.size
        farthest = max(farthest, float(off.max(initial=0)) / float(np.abs(given).mean()))
    return count, farthest


def _greatest(values: Values, pool: nn.Module) -> Values:
    """For each window the place of its greatest element, in the flattened input."""
    assert isinstance(pool, nn.MaxPool2d)
    places = functional.max_pool2d(
        torch.from_numpy(values), pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.ceil_mode, True
    )[1].numpy()
    channels, area = values.shape[1], values.shape[2] * values.shape[3]
    return np.asarray(places + area * np.arange(channels)[:, np.newaxis, np.newaxis])


if __name__ == "__main__":
    main()
