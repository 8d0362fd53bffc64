"""The imposition of decisions itself: on functions small enough to see through."""

import numpy as np
import pytest
import torch
from onnx import helper
from torch import Tensor, nn

from tests.helpers.gradient.exported import exported
from tests.helpers.gradient.exported import network as exported_network
from tests.helpers.gradient.imposed import KINKS, imposed, kink_tensors, torch_gradients
from tests.helpers.gradient.networks_table import NETWORKS
from tests.helpers.rounding import relative_error


def slopes(module: nn.Module, x: list[float], seen: list[float]) -> list[float]:
    """The derivatives of the module's outputs, summed, at `x`, where `seen` was computed elsewhere."""
    values = torch.tensor([[x]], dtype=torch.float64, requires_grad=True)
    given = np.array([[seen]], np.float32)
    with imposed(module, {KINKS[type(module)].operator: [given]}):
        module(values).sum().backward()
    assert values.grad is not None
    return [float(value) for value in values.grad.flatten()]


@pytest.mark.parametrize(
    ("module", "x", "seen", "expected"),
    [
        (nn.ReLU(), [1e-7, -1e-7, 2.0, -2.0], [0.0, 1e-7, 2.0, 0.0], [0.0, 1.0, 1.0, 0.0]),
        (nn.ReLU6(), [1e-7, -1e-7, 6.00001, 5.99999, 2.0], [0.0, 1e-7, 5.99999, 6.0, 2.0], [0.0, 1.0, 1.0, 0.0, 1.0]),
        (nn.LeakyReLU(0.25), [1e-7, -1e-7, 2.0, -2.0], [-1e-8, 1e-7, 2.0, -0.5], [0.25, 1.0, 1.0, 0.25]),
        (nn.Hardsigmoid(), [3.00001, 2.99999, 0.0, -3.00001], [0.999998, 1.0, 0.5, 1e-6], [1 / 6, 0.0, 1 / 6, 1 / 6]),
        (nn.Hardswish(), [2.99999, 0.0, -3.00001, -5.0], [3.0, 0.0, -2.99999, -5.0], [1.0, 0.5, -0.50000333, 0.0]),
    ],
)
def test_what_was_seen_decides(module: nn.Module, x: list[float], seen: list[float], expected: list[float]) -> None:
    assert slopes(module, x, seen) == pytest.approx(expected, abs=1e-7)


def test_a_maximum_is_taken_where_it_was_seen() -> None:
    module = nn.MaxPool2d((1, 2))
    assert slopes(module, [1.00001, 1.0, 3.0, 2.0], [1.0, 1.00001, 3.0, 2.0]) == [0.0, 1.0, 1.0, 0.0]


def test_guided_rectifiers_let_positive_gradients_back() -> None:
    x = torch.tensor([1.0, 2.0, -3.0, 9.0], requires_grad=True)
    module = nn.ReLU6()
    with imposed(module, {"Clip": [np.array([1, 2, 0, 6], np.float32)]}, guided=True):
        module(x).backward(torch.tensor([5.0, -7.0, 11.0, 13.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [5, 0, 0, 0]


def test_a_mismatch_is_noticed() -> None:
    with pytest.raises(AssertionError, match="Relu"):
        slopes(nn.ReLU(), [1.0, 2.0], [2.0, 1.0])
    with pytest.raises(AssertionError, match="fewer kinks"), imposed(nn.ReLU(), {"Relu": [np.zeros(1, np.float32)]}):
        pass


def test_hooks_are_removed() -> None:
    module = nn.ReLU()
    with imposed(module, {"Relu": [np.ones(1, np.float32)]}):
        module(torch.ones(1))
    assert module(torch.tensor([-1.0])).tolist() == [0.0]


def test_a_kink_without_a_rule_is_refused() -> None:
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "test", [], [])
    with pytest.raises(ValueError, match=r"\['Abs'\]"):
        kink_tensors(graph)


@pytest.mark.parametrize("name", ["mobilenet-v2", "mobilenet-v3", "unet-transposed"])
def test_own_decisions_change_nothing(name: str) -> None:
    network = exported_network(name, torch.float64)
    seen: dict[str, list[np.ndarray]] = {kink.operator: [] for kink in KINKS.values()}

    def record(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        kink = KINKS[type(module)]
        seen[kink.operator].append((output if kink.reads_output else inputs[0]).detach().numpy())

    images = NETWORKS[name].images(1).numpy()
    hooks = [module.register_forward_hook(record) for module in network.modules() if type(module) in KINKS]
    seed = np.random.default_rng(1).standard_normal(network(torch.from_numpy(images).double())[0].shape)
    for hook in hooks:
        hook.remove()
    in_graph = kink_tensors(exported(name).graph)
    assert {operator: len(arrays) for operator, arrays in seen.items()} == {
        operator: len(names) for operator, names in in_graph.items()
    }
    plain, given = torch_gradients(network, images, seed), torch_gradients(network, images, seed, seen=seen)
    for left, right in zip(plain, given, strict=True):
        assert relative_error(right, left) <= 1e-8  # torch's Hardsigmoid multiplies by 1/6 in single precision, always
