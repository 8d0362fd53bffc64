from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from sitegen.export.onnx_export import export_onnx
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from tests.helpers.sparing.exports import anew


def lived_in(network: nn.Module) -> nn.Module:
    """Give batch normalisation statistics and weights that are not those of a new network."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_mean, module.weight.data, module.bias.data):
                values.add_(torch.randn(values.shape, generator=generator) * 0.2)
            module.running_var.mul_(1 + torch.rand(module.running_var.shape, generator=generator))
    return network.eval()


NETWORKS = [
    (lambda: DenseNet(DenseNetSettings(growth=8, blocks=(2, 2, 2), stem=16, labels=3)), (1, 1, 64, 64), "logits"),
    (lambda: nn.Conv2d(1, 1, 3, padding=1), (1, 1, 32, 32), "reconstruction"),
]


@pytest.mark.parametrize(("make", "shape", "output"), NETWORKS)
def test_onnx_runtime_gives_what_torch_gives(
    tmp_path: Path, make: Callable[..., nn.Module], shape: tuple[int, int, int, int], output: str
) -> None:
    torch.manual_seed(0)
    network = lived_in(make())
    export_onnx(network, shape, output, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    for seed in range(3):
        image = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        with torch.inference_mode():
            expected = network(image).numpy()
        (seen,) = session.run([output], {"image": image.numpy()})
        assert np.abs(seen - expected).max() < 1e-5


def test_the_same_network_gives_the_same_bytes_and_says_nothing_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(monkeypatch)
    torch.manual_seed(1)
    network = lived_in(NETWORKS[0][0]())
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (tmp_path / "second" / "net.onnx").write_bytes(b"older")
    (tmp_path / "second" / "net.weights").write_bytes(b"older, and longer" * 10_000)
    for name in ("first", "second"):
        export_onnx(network, (1, 1, 64, 64), "logits", tmp_path / name / "net.onnx")
    for name in ("net.onnx", "net.weights"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    raw = (tmp_path / "first" / "net.onnx").read_bytes()
    assert b".py" not in raw
    assert b"site-packages" not in raw
    assert str(tmp_path).encode() not in raw


def test_the_graph_has_fixed_shapes_and_keeps_its_weights_outside(tmp_path: Path) -> None:
    export_onnx(lived_in(NETWORKS[0][0]()), (1, 1, 64, 64), "logits", tmp_path / "net.onnx")
    model = onnx.load(str(tmp_path / "net.onnx"), load_external_data=False)
    (image,), (logits,) = model.graph.input, model.graph.output
    assert [dim.dim_value for dim in image.type.tensor_type.shape.dim] == [1, 1, 64, 64]
    assert [dim.dim_value for dim in logits.type.tensor_type.shape.dim] == [1, 3]
    assert model.opset_import[0].version == 18
    assert (tmp_path / "net.onnx").stat().st_size < (tmp_path / "net.weights").stat().st_size
