"""Compiled gradients in a real browser: ONNX Runtime Web on WebAssembly, and on WebGPU without help from the CPU.

Numbers are compared with native ONNX Runtime's, which other tests compare with torch.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from sitegen import gradient
from sitegen.browser.chromium import chromium
from sitegen.gradient.rules import RULES
from tests.helpers.browser.engine_page import SOFTWARE_ADAPTER, EnginePage, engine_page
from tests.helpers.gradient.exported import exported
from tests.helpers.gradient.networks_table import INPUT, NETWORKS
from tests.helpers.gradient.operator_samples import FIRST_OPSET, sample
from tests.helpers.gradient.proof import Arrays, run, values

pytestmark = pytest.mark.browser

# ONNX Runtime Web has no kernel for these, in any form; it takes them out where they are not the output.
NOT_ON_WEBASSEMBLY = {"Dropout"}
# For these, ONNX Runtime Web's WebGPU build lacks the forward operator itself.
FORWARD_NOT_ON_WEBGPU = {"Celu", "Dropout", "GroupNormalization", "LogSoftmax", "Mean", "Round", "Selu", "Sign"} | {
    "Softsign", "SpaceToDepth", "Sum"
}  # fmt: skip
# Of these, a part of the backward half (GlobalMaxPool, ReduceL1), or half precision on the software adapter (Cast).
GRADIENT_NOT_ON_WEBGPU = {"Cast", "GlobalMaxPool", "ReduceL1"}
ROUGH_ON_WEBGPU = {"Cos", "Sin"}  # graphics cards compute them to about 1e-4


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnginePage]:
    with chromium(SOFTWARE_ADAPTER) as driver, engine_page(driver, tmp_path_factory.mktemp("engine")) as page:
        yield page


def prepared(operator: str, opset: int) -> tuple[onnx.ModelProto, Arrays, np.ndarray[Any, Any]]:
    """A compiled sample, what to feed it, and the gradient that native ONNX Runtime gives."""
    model, feeds = sample(operator, max(opset, FIRST_OPSET.get(operator, 0)))
    compiled = gradient.compile(model, wrt="x")
    y = run(model, feeds)["y"]
    seeded = {**feeds, "seed": values(*y.shape, seed=3).astype(y.dtype)}
    return compiled, seeded, run(compiled, seeded)["grad_x"]


def error(actual: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    assert actual.shape == expected.shape
    return float(np.linalg.norm(actual - expected) / (np.linalg.norm(expected) or 1))


@pytest.mark.parametrize("opset", [gradient.OPSETS[0], gradient.OPSETS[-1]])
def test_every_operator_on_webassembly(engine: EnginePage, opset: int) -> None:
    errors = {}
    for operator in sorted(RULES.keys() - NOT_ON_WEBASSEMBLY):
        if operator == "Swish" and opset > 24:
            continue  # native ONNX Runtime, the measure here, has no kernel for it
        compiled, feeds, expected = prepared(operator, opset)
        errors[operator] = error(engine.run(compiled, feeds)["grad_x"], expected)
    assert {operator: value for operator, value in errors.items() if value > 1e-5} == {}


def test_operators_on_webgpu_stay_there(engine: EnginePage) -> None:
    assert engine.has_adapter
    errors = {}
    for operator in sorted(RULES.keys() - FORWARD_NOT_ON_WEBGPU - GRADIENT_NOT_ON_WEBGPU):
        compiled, feeds, expected = prepared(operator, 17)
        errors[operator] = error(engine.run(compiled, feeds, "webgpu")["grad_x"], expected)
    limits = {operator: 1e-3 if operator in ROUGH_ON_WEBGPU else 1e-5 for operator in errors}
    assert {operator: value for operator, value in errors.items() if value > limits[operator]} == {}


def test_what_leaves_the_card_is_documented() -> None:
    page = " ".join((Path(__file__).parents[3] / "docs" / "gradients.md").read_text("utf-8").split())
    assert f"itself: {', '.join(sorted(FORWARD_NOT_ON_WEBGPU))}." in page
    assert sorted(re.findall(r"[A-Z]\w+", page.split("part of the gradient: ")[1].split(". ")[0])) == sorted(
        GRADIENT_NOT_ON_WEBGPU
    )


def test_the_page_refuses_to_leave_an_operator_to_the_cpu(engine: EnginePage) -> None:
    model, feeds = sample("Sign", 17)
    with pytest.raises(AssertionError, match="assigned to the default CPU EP"):
        engine.run(model, feeds, "webgpu")


def network(name: str) -> tuple[onnx.ModelProto, Arrays]:
    """A network's gradient graph, and a random image and seed."""
    model, entry = exported(name), NETWORKS[name]
    images = {INPUT: entry.images(5).numpy()}
    return gradient.compile(model, wrt=INPUT, of=entry.of), {
        **images,
        "seed": values(*run(model, images)[entry.of].shape, seed=6),
    }


# At full size some rectifier always sits at a rounding error from zero; benchmarks/ run that network.
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "densenet-121"])
def test_networks_on_webassembly(engine: EnginePage, name: str) -> None:
    compiled, feeds = network(name)
    expected, found = run(compiled, feeds), engine.run(compiled, feeds)
    assert found.keys() == expected.keys()
    for output, value in expected.items():
        # A Relu whose input is all but 0 may switch between two engines; on these images none does.
        assert error(found[output], value) <= 2e-5, output


@pytest.mark.parametrize("name", ["densenet", "resnet-basic", "autoencoder"])
def test_networks_on_webgpu(engine: EnginePage, name: str) -> None:
    compiled, feeds = network(name)
    expected, found = run(compiled, feeds), engine.run(compiled, feeds, "webgpu")
    for output, value in expected.items():
        assert error(found[output], value) <= 2e-5, output


def test_a_switch_in_the_browser(engine: EnginePage) -> None:
    model, entry = exported("densenet"), NETWORKS["densenet"]
    images = {INPUT: entry.images(5).numpy()}
    seed = values(*run(model, images)["logits"].shape, seed=6)
    compiled = gradient.compile(model, wrt=INPUT, switch="explain")
    plain = run(gradient.compile(model, wrt=INPUT), {**images, "seed": seed})
    on = engine.run(compiled, {**images, "seed": seed, "explain": np.array(True)})
    off = engine.run(compiled, {**images, "seed": seed, "explain": np.array(False)})
    assert error(on[f"grad_{INPUT}"], plain[f"grad_{INPUT}"]) <= 2e-5
    assert off[f"grad_{INPUT}"].size == 0
    assert error(off["logits"], plain["logits"]) <= 1e-5
