"""The proof sees what a wrong translation does: its original knows nothing of the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import ExportError
from sitegen.importing.graphs import write_gradient_graphs
from sitegen.importing.keras import rules
from sitegen.importing.keras.network import Step
from sitegen.importing.proof.proof import Proof, prove
from sitegen.importing.sources.keras_model import import_keras
from tests.helpers.importing.keras_models import LABELS, SIDE, save_tfjs, weights
from tests.helpers.importing.onnx_models import settings

IMAGES = np.random.default_rng(3).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
Patch = Callable[[pytest.MonkeyPatch], None]


def proved(folder: Path) -> Proof:
    model = import_keras(save_tfjs(folder / "in", weights()), settings(LABELS))
    model.write(folder)
    return prove(folder, model.original, IMAGES, write_gradient_graphs(folder).feature_map)


def padded_before(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "padding", lambda layer: {"auto_pad": "SAME_LOWER"})


def another_epsilon(patch: pytest.MonkeyPatch) -> None:
    true = rules.KerasWriter.write

    def write(writer: Any, operator: str, inputs: Any, result: str | None = None, **attributes: Any) -> str:
        changed = {key: 2 * value if key == "epsilon" else value for key, value in attributes.items()}
        return true(writer, operator, inputs, result, **changed)

    patch.setattr(rules.KerasWriter, "write", write)


def kernel_turned_round(patch: pytest.MonkeyPatch) -> None:
    true = rules.KerasWriter.weight

    def turned(writer: Any, step: Step, role: str, values: Any = None) -> str:
        found = step.weights[role] if values is None else values
        return true(writer, step, role, found[..., ::-1] if role == "depthwise_kernel" else found)

    patch.setattr(rules.KerasWriter, "weight", turned)


def bias_left_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "_bias", lambda writer, step, count: [])


def test_the_translation_is_proved(tmp_path: Path) -> None:
    proof = proved(tmp_path)
    assert max(proof.logits.values()) < 1e-5
    assert set(proof.logits) >= {"classifier.onnx", "gradient.onnx"}


@pytest.mark.parametrize("patch", [padded_before, another_epsilon, kernel_turned_round, bias_left_out])
def test_a_wrong_translation_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch: Patch) -> None:
    patch(monkeypatch)
    with pytest.raises(ExportError, match="translated wrongly"):
        proved(tmp_path)
