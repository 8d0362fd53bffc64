"""The proof of an import itself: what float32 cannot give is let pass, and what is wrong is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from torch import Tensor, nn

from sitegen.errors import ExportError
from sitegen.export.onnx_export import export_onnx
from sitegen.importing.graphs import write_gradient_graphs
from sitegen.importing.proof.gradients import GradientDefect
from sitegen.importing.proof.proof import Proof, prove
from sitegen.importing.proof.yardstick import CAP, FACTOR, Yardstick
from tests.helpers.importing.fake_source import SIDE, TorchOriginal, random_network

LARGE = 4096.0


class Rounding(nn.Module):
    """A network that loses digits: the same large number is added to its maps and taken off."""

    def __init__(self, large: float = LARGE) -> None:
        super().__init__()
        self.inner, self.large = random_network(), large

    def forward(self, image: Tensor) -> Tensor:
        return self.inner((image * 3.7 + self.large) / 1.7 - self.large / 1.7)


class InAnotherOrder(Rounding):
    """The same function, rounded otherwise, as another engine does."""

    def forward(self, image: Tensor) -> Tensor:
        return self.inner((image * 3.7 + self.large - self.large) / 1.7)


def shown(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).random((count, 1, SIDE, SIDE), np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, network in (("rounding", InAnotherOrder()), ("plain", random_network())):
        made[name] = tmp_path_factory.mktemp(name)
        export_onnx(network, (1, 1, SIDE, SIDE), "logits", made[name] / "classifier.onnx")
        write_gradient_graphs(made[name])
    return made


def test_what_float32_cannot_give_is_let_pass(folders: dict[str, Path]) -> None:
    proof = prove(folders["rounding"], TorchOriginal(Rounding()), shown(), None)
    assert proof.float32 is not None
    assert 1e-5 < proof.largest <= proof.tolerance == min(CAP, FACTOR * proof.float32)


def test_an_exact_original_allows_no_more_than_before(folders: dict[str, Path]) -> None:
    assert prove(folders["plain"], TorchOriginal(random_network()), shown(), None).tolerance == 1e-5
    with pytest.raises(ExportError, match=r"at most 1e-05 is allowed \(its own float32 is off by"):
        prove(folders["plain"], TorchOriginal(random_network(), shift=3e-5), shown(), None)


class Changed(nn.Module):
    """A network that sees or says something else than it should."""

    def __init__(
        self, network: nn.Module, before: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, image: Tensor) -> Tensor:
        return self.after(self.network(self.before(image)))


def same(values: Tensor) -> Tensor:
    return values


MUTATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "axis": (lambda image: image.transpose(2, 3), same),
    "mirrored": (lambda image: image.flip(3), same),
    "scale of the image": (lambda image: image * 1.01, same),
    "scale of the logits": (same, lambda z: z * 1.005),
    "order of the labels": (same, lambda z: z.flip(1)),
    "a shift": (same, lambda z: z + 0.003),
}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("network", ["plain", "rounding"])
def test_what_is_wrong_is_caught(folders: dict[str, Path], network: str, name: str) -> None:
    inner = Rounding() if network == "rounding" else random_network()
    with pytest.raises(ExportError, match="differ by"):
        prove(folders[network], TorchOriginal(Changed(inner, *MUTATIONS[name])), shown(), None)


@pytest.mark.parametrize("network", ["plain", "rounding"])
def test_training_instead_of_evaluation_is_caught(folders: dict[str, Path], network: str) -> None:
    inner: Any = Rounding() if network == "rounding" else random_network()
    module = inner.inner if network == "rounding" else inner
    module.norm.train()
    module.norm.momentum = 0.0
    with pytest.raises(ExportError, match="differ by"):
        prove(folders[network], TorchOriginal(inner), shown(), None)


def test_no_rounding_allows_more_than_the_cap() -> None:
    expected = np.zeros((2, 1))
    noisy = Yardstick(expected, "it", lambda places: (expected[places] + 0.1, expected[places]))
    with pytest.raises(ExportError, match=r"at most 0\.002 is allowed\. Its own float32 is off by 0\.1"):
        noisy.check("a graph", expected + 0.01)
    assert Yardstick(expected, "it", lambda places: (expected[places] + 1e-4, expected[places])).check(
        "a graph", expected + 4e-4
    ) == pytest.approx(4e-4)


def wrong_gradient(folder: Path, into: Path, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    """The same bundle's graphs, with the gradient multiplied by something at the end."""
    into.mkdir()
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    model = onnx.load(str(into / "gradient.onnx"), load_external_data=False)
    name = "grad_image"
    for node in model.graph.node:
        node.output[:] = ["right" if output == name else output for output in node.output]
        node.input[:] = ["right" if entry == name else entry for entry in node.input]
    factor = change(np.ones((1, 1, SIDE, SIDE), np.float32)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(factor, "factor"))
    model.graph.node.append(onnx.helper.make_node("Mul", ["right", "factor"], [name]))
    (into / "gradient.onnx").write_bytes(model.SerializeToString())
    return into


def half_of_it(ones: np.ndarray) -> np.ndarray:
    ones[..., : SIDE // 2] = 0
    return ones


DEFECTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": lambda ones: -ones,
    "scale": lambda ones: 2 * ones,
    "nothing": lambda ones: 0 * ones,
    "a half": half_of_it,
}


class WithoutGradients(TorchOriginal):
    def gradients(self, images: np.ndarray, label: int) -> Any:
        return None


@pytest.mark.parametrize("name", DEFECTS)
@pytest.mark.parametrize("original", [TorchOriginal, WithoutGradients])
def test_a_wrong_gradient_is_caught(
    folders: dict[str, Path], tmp_path: Path, original: type[TorchOriginal], name: str
) -> None:
    folder = wrong_gradient(folders["plain"], tmp_path / "wrong", DEFECTS[name])
    with pytest.raises(GradientDefect, match="differentiated wrongly"):
        prove(folder, original(random_network()), shown(), None)


@pytest.mark.parametrize("images", [shown(), np.zeros((2, 1, SIDE, SIDE), np.float32)])
def test_a_right_one_is_not(folders: dict[str, Path], images: np.ndarray) -> None:
    for original in (TorchOriginal, WithoutGradients):
        for name, network in (("plain", random_network()), ("rounding", Rounding())):
            assert isinstance(prove(folders[name], original(network), images, None), Proof)


def test_a_rectifier_on_its_kink_is_told_and_let_pass(folders: dict[str, Path]) -> None:
    class OnTheKink(TorchOriginal):
        """Another engine, in which units are on that are off here, at these very images."""

        def gradients(self, images: np.ndarray, label: int) -> np.ndarray:
            made = super().gradients(images, label)
            return np.where(np.ptp(images) == 0, 1.5 * made, made)

    flat = np.full((2, 1, SIDE, SIDE), 0.5, np.float32)
    proof = prove(folders["plain"], OnTheKink(random_network()), flat, None)
    assert proof.gradients is not None
    assert proof.gradients.largest == pytest.approx(1 / 3, abs=1e-3)
