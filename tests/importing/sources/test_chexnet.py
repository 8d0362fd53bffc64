"""CheXNet's checkpoint: a true DenseNet-121 with its names; smaller ones for the rest."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.chexnet import LABELS, import_chexnet
from sitegen.networks.densenet import DenseNetSettings
from sitegen.phantom import phantom
from tests.helpers.importing.checkpoints import (
    SIDE,
    SMALL,
    apart,
    chexnet_checkpoint,
    dense_logits,
    dense_weights,
    graph_logits,
    noise,
    sigmoid,
)

TRUE = DenseNetSettings(growth=32, blocks=(6, 12, 24, 16), stem=64, channels=3, labels=14)
LITTLE = replace(SMALL, channels=3, labels=14)
SETTINGS = ImportSettings(image={"side": SIDE})


@pytest.fixture(scope="module")
def true_weights() -> dict[str, torch.Tensor]:
    return dense_weights(TRUE)


@pytest.fixture(scope="module")
def true_model(true_weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> ImportedClassifier:
    """As it was saved in 2017: in PyTorch's old format."""
    file = tmp_path_factory.mktemp("chexnet") / "model.pth.tar"
    torch.save(chexnet_checkpoint(true_weights), file, _use_new_zipfile_serialization=False)
    return import_chexnet(file, ImportSettings())


def little(tmp_path: Path, settings: ImportSettings = SETTINGS) -> ImportedClassifier:
    file = tmp_path / "model.pth.tar"
    torch.save(chexnet_checkpoint(dense_weights(LITTLE)), file)
    return import_chexnet(file, settings)


@pytest.mark.slow
def test_a_densenet121_with_chexnets_names_gives_its_logits(
    true_weights: dict[str, torch.Tensor], true_model: ImportedClassifier
) -> None:
    images = noise(true_model)
    assert images.shape == (2, 3, 224, 224)
    expected = dense_logits(true_weights, images)
    assert expected.shape == (2, 14)
    assert np.ptp(expected) > 0.5
    assert true_model.original is not None
    assert apart(true_model.original.logits(images), expected) <= 1e-5


def test_the_graph_gives_the_logits_of_a_smaller_one(tmp_path: Path) -> None:
    model = little(tmp_path)
    images = noise(model)
    expected = dense_logits(dense_weights(LITTLE), images)
    made = graph_logits(model, tmp_path, images)
    assert made.shape == (2, 14)
    assert np.ptp(expected) > 0.5
    assert apart(made, expected) <= 1e-5
    # The network itself ends with the sigmoid.
    assert_allclose(sigmoid(made), torch.sigmoid(torch.from_numpy(expected)).numpy(), atol=1e-5)


def test_what_the_file_does_not_say_is_chexnets(true_model: ImportedClassifier) -> None:
    assert [label.name for label in true_model.labels] == list(LABELS)
    assert LABELS[:3] == ("Atelectasis", "Cardiomegaly", "Effusion")
    assert LABELS[-2:] == ("Pleural_Thickening", "Hernia")
    assert {(label.operating_point, label.calibration) for label in true_model.labels} == {(0.5, None)}
    image = true_model.image
    assert image.shape == (1, 3, 224, 224)
    assert (image.colour, image.fraction, image.range) == ("rgb", 0.875, (0.0, 1.0))
    assert (image.mean, image.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert true_model.name == "chexnet"
    assert true_model.provenance["file"]["name"] == "model.pth.tar"
    assert len(true_model.provenance["file"]["sha256"]) == 64
    assert true_model.provenance["parameters"] == 6_968_206  # of a DenseNet-121 with 14 labels
    assert any("sigmoid, was left out" in remark for remark in true_model.remarks)


def test_gradients_are_those_of_the_logit(tmp_path: Path) -> None:
    model, weights = little(tmp_path), dense_weights(LITTLE)
    assert model.original is not None
    image, step = noise(model, 1), 1e-3
    gradient = model.original.gradients(image, 2)
    assert gradient is not None
    assert gradient.shape == image.shape
    # Along the gradient itself the logit rises by its squared length.
    direction = (gradient / np.linalg.norm(gradient)).astype(np.float32)
    there, back = (dense_logits(weights, image + sign * step * direction)[0, 2] for sign in (1, -1))
    assert_allclose((there - back) / (2 * step), np.linalg.norm(gradient), rtol=1e-2)


def test_its_own_preparation_is_pillows(tmp_path: Path) -> None:
    preparation = little(tmp_path).preparation
    assert preparation is not None
    content = io.BytesIO()
    picture = Image.fromarray(phantom(1, 400)[:, :300])
    picture.save(content, "PNG")
    made = preparation.tensor(content.getvalue())
    # 300 x 400: the shorter side becomes 256, the longer 341; 16 and 58 (of 58.5, to even) pixels are cut off.
    small = picture.convert("RGB").resize((256, 341), Image.Resampling.BILINEAR).crop((16, 58, 240, 282))
    values = np.asarray(small).transpose(2, 0, 1) / 255
    mean, std = np.reshape([0.485, 0.456, 0.406], (3, 1, 1)), np.reshape([0.229, 0.224, 0.225], (3, 1, 1))
    assert_allclose(made, (values - mean) / std, atol=1e-6)
    assert made.dtype == np.float32
    assert "256" in preparation.described
    assert "ten crops" in preparation.described


def test_a_file_that_is_no_image_is_refused_by_its_preparation(tmp_path: Path) -> None:
    preparation = little(tmp_path).preparation
    assert preparation is not None
    with pytest.raises(OSError, match="cannot identify image"):
        preparation.tensor(b"nothing of the kind")


def test_new_names_and_old_ones_give_the_same(tmp_path: Path) -> None:
    weights = dense_weights(LITTLE)
    torch.save({f"densenet121.{name}": value for name, value in weights.items()}, tmp_path / "new.pt")
    new, old = import_chexnet(tmp_path / "new.pt", SETTINGS), little(tmp_path)
    assert new.original is not None
    assert old.original is not None
    images = noise(new)
    assert_array_equal(new.original.logits(images), old.original.logits(images))
    assert old.provenance["changes"] == [
        "the weights lay under 'state_dict'",
        "'module.' was removed from the names of the weights",
        "old names of layers were joined, norm.1 to norm1",
        "'densenet121.' was removed from the names of the weights",
        "'classifier.0.' in the names became 'classifier.'",
    ]


def test_settings_come_first(tmp_path: Path) -> None:
    names = [LabelSettings(f"finding {number}", 0.1) for number in range(14)]
    given = ImportSettings(name="mine", title="Mine", image={"side": SIDE, "fraction": 1.0}, labels=tuple(names))
    model = little(tmp_path, given)
    assert (model.name, model.title) == ("mine", "Mine")
    assert model.image.fraction == 1.0
    assert model.labels[3].operating_point == 0.1
    assert model.labels[3].calibration is not None


def test_labels_are_counted(tmp_path: Path) -> None:
    given = ImportSettings(image={"side": SIDE}, labels=(LabelSettings("one"), LabelSettings("two")))
    with pytest.raises(SettingsError, match=r"14 output\(s\), and there are 2 label\(s\): one, two"):
        little(tmp_path, given)


def test_another_network_is_named(tmp_path: Path) -> None:
    torch.save({"state_dict": {"module.conv1.weight": torch.zeros(4, 3, 7, 7)}}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"has not the weights of a DenseNet.*begins with conv1\.weight"):
        import_chexnet(tmp_path / "other.pth", SETTINGS)
