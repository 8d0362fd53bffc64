"""What a file leaves open is asked, and answers become settings; none of it needs the training install."""

import subprocess
import sys
from pathlib import Path

import pytest

from sitegen.errors import SettingsError
from sitegen.importing.questions import answered, open_questions
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.sources.onnx_model import import_onnx, questions
from tests.helpers.importing.onnx_models import small, written


def test_answers_become_settings(tmp_path: Path) -> None:
    file = written(small(), tmp_path / "net.onnx")
    settings = ImportSettings(name="mine", folder=str(tmp_path))
    answers = {
        "labels": " Effusion, Mass ,Nodule,",
        "image.range": "0, 255",
        "image.mean": "127.5",
        "image.std": "64",
        "output": "logits",
    }
    said = answered(settings, answers)
    assert said.labels == (LabelSettings("Effusion"), LabelSettings("Mass"), LabelSettings("Nodule"))
    assert said.image == {"range": [0.0, 255.0], "mean": [127.5], "std": [64.0]}
    assert (said.output, said.name, said.folder) == ("logits", "mine", str(tmp_path))
    assert open_questions(questions(file), said) == []
    model = import_onnx(file, said)
    assert [label.name for label in model.labels] == ["Effusion", "Mass", "Nodule"]
    assert (model.image.range, model.image.mean, model.image.std) == ((0, 255), (127.5,), (64.0,))
    assert (model.name, model.title) == ("mine", "mine")


def test_numbers_may_stand_with_commas_or_spaces() -> None:
    said = answered(ImportSettings(), {"image.mean": "0.485 0.456,0.406", "image.side": "320", "image.colour": "rgb"})
    assert said.image == {"mean": [0.485, 0.456, 0.406], "side": 320, "colour": "rgb"}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"image.side": "large"}, "'large' is no number"),
        ({"image.range": "black, white"}, r"image\.range: 'black, white' is no number"),
        ({"output": "numbers"}, "output"),
    ],
)
def test_answers_that_do_not_fit(answers: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        answered(ImportSettings(), answers)


def test_every_question_has_an_answer_that_fits(tmp_path: Path) -> None:
    opened = small()
    for dim in opened.graph.input[0].type.tensor_type.shape.dim:
        dim.dim_param = "any"
    settings = ImportSettings()
    for question in questions(written(opened, tmp_path / "net.onnx")):
        settings = answered(settings, {question.key: question.example})
        assert question.asks.endswith(("?", "."))
    assert import_onnx(tmp_path / "net.onnx", settings).image.shape == (1, 1, 224, 224)


@pytest.mark.parametrize("module", ["sources.onnx_model", "sources.tfjs_model", "tfjs.graph", "graph.final_layer"])
def test_the_core_install_is_enough(module: str) -> None:
    program = f"import sys, sitegen.importing.{module}; print({{'torch', 'onnxscript', 'scipy'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
