"""Folders of timm, with networks that timm itself made and wrote; skipped without timm, or without its torchvision."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from PIL import Image

from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import ModelError, SettingsError
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.sources.timm_folder import import_timm
from sitegen.phantom import phantom
from tests.helpers.importing.checkpoints import apart, graph_logits, installed, noise, randomised, sigmoid

NAMES = ["Effusion", "Mass", "Nodule"]


def write(folder: Path, architecture: str = "vit_tiny_patch16_224", **arguments: Any) -> Any:
    """A small network as timm writes it; returns the network."""
    library = installed("timm")
    given = arguments or {"img_size": 64, "embed_dim": 24, "depth": 2, "num_heads": 2}
    network = randomised(library.create_model(architecture, pretrained=False, num_classes=3, **given))
    library.models.save_for_hf(
        network, folder, model_config={"label_names": NAMES}, model_args=given, safe_serialization=True
    )
    return network


def changed(folder: Path, **entries: Any) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | entries), encoding="utf-8")
    return folder


def own(network: Any, images: Any) -> Any:
    with torch.inference_mode():
        return network(torch.from_numpy(images)).double()


def test_a_folder_gives_the_softmaxs_probabilities(tmp_path: Path) -> None:
    network = write(tmp_path / "my-vit")
    model = import_timm(tmp_path / "my-vit", ImportSettings())
    assert (model.name, [label.name for label in model.labels]) == ("my-vit", NAMES)
    assert model.image.shape == (1, 3, 64, 64)
    assert (model.image.mean, model.image.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert model.image.fraction == 64 / 71  # a crop of 0.9: the shorter side becomes 71
    images = noise(model)
    made = graph_logits(model, tmp_path / "bundle", images)
    assert model.original is not None
    assert apart(model.original.logits(images), made) <= 1e-5
    assert_allclose(
        sigmoid(made), torch.softmax(own(network, images), 1).numpy(), atol=3e-6
    )  # a quarter of 1e-5, rounded
    assert model.provenance["architecture"] == "vit_tiny_patch16_224"
    assert any("labels exclude each other" in remark for remark in model.remarks)


def test_labels_that_stand_for_themselves_are_said(tmp_path: Path) -> None:
    network = write(tmp_path / "net", "mobilenetv3_small_050", in_chans=1)
    model = import_timm(tmp_path / "net", ImportSettings(output="logits", image={"side": 64}))
    assert model.image.shape == (1, 1, 64, 64)
    images = noise(model)
    assert model.original is not None
    assert_allclose(model.original.logits(images), own(network, images).numpy(), rtol=1e-5, atol=1e-5)


def test_its_preparation_is_timms_own(tmp_path: Path) -> None:
    write(tmp_path / "net")
    preparation = import_timm(tmp_path / "net", ImportSettings()).preparation
    assert preparation is not None
    picture = Image.fromarray(phantom(1, 200))
    content = io.BytesIO()
    picture.save(content, "PNG")
    made = preparation.tensor(content.getvalue())
    small = picture.convert("RGB").resize((71, 71), Image.Resampling.BICUBIC).crop((4, 4, 68, 68))
    assert_allclose(made, (np.asarray(small).transpose(2, 0, 1) / 255 - 0.5) / 0.5, atol=1e-5)
    assert "bicubic" in preparation.described


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(200, 140), (140, 200)])
@pytest.mark.parametrize("grid", [(64, 64), (48, 96), (96, 48)])
def test_its_crop_modes_are_followed(tmp_path: Path, mode: str, size: tuple[int, int], grid: tuple[int, int]) -> None:
    write(tmp_path / "net", img_size=list(grid), embed_dim=24, depth=1, num_heads=2)
    config = json.loads((tmp_path / "net" / "config.json").read_text("utf-8"))
    prepared = {**config["pretrained_cfg"], "crop_mode": mode, "crop_pct": 0.8, "mean": [0.5, 0.4, 0.3]}
    prepared["input_size"] = [3, *grid]
    model = import_timm(changed(tmp_path / "net", pretrained_cfg=prepared), ImportSettings())
    assert model.preparation is not None
    assert model.image.grid == grid
    assert model.image.fit == {"center": "crop", "squash": "squash", "border": "pad"}[mode]
    content = io.BytesIO()
    smooth = Image.fromarray(phantom(1, 40)).resize((200, 200), Image.Resampling.BICUBIC)
    smooth.crop((0, 0, *size)).save(content, "PNG")
    ours = image_tensors(content.getvalue(), {"classifier": model.image})["classifier"][0]
    apart = np.abs(ours - model.preparation.tensor(content.getvalue())) * np.reshape(model.image.std, (3, 1, 1))
    assert apart.mean() < 0.01  # of the way from black to white: the resampling alone
    if mode == "border":
        wide = size[0] * grid[0] > size[1] * grid[1]  # in proportion, wider than the input
        edge = np.s_[:, :4] if wide else np.s_[:, :, :4]
        assert apart[edge].max() < 1e-6  # the fill is timm's


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"architecture": "of-nobody"}, "has no architecture 'of-nobody'"),
        ({"architecture": "hf-hub:someone/model"}, "has no architecture 'hf-hub:someone/model'"),
        ({"architecture": "local-dir:/etc"}, "has no architecture 'local-dir:/etc'"),
        ({"model_args": {"checkpoint_path": "evil.pth"}}, "model_args has checkpoint_path, which says nothing"),
        ({"model_args": {"pretrained": True}}, "model_args has pretrained"),
        ({"model_args": {"img_size": {"a": 1}}}, "model_args has more than numbers"),
        ({"model_args": {"depth": 3, "img_size": 64, "embed_dim": 24, "num_heads": 2}}, "weights are missing"),
        ({"num_classes": 4}, r"other shapes than the network: head\.weight \[3, 24\] for \[4, 24\]"),
    ],
)
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    write(tmp_path / "net")
    with pytest.raises(ModelError, match=message):
        import_timm(changed(tmp_path / "net", **entries), ImportSettings())


def test_weights_in_a_pickle_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "net")
    (tmp_path / "net" / "model.safetensors").rename(tmp_path / "net" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model\.safetensors; there are pytorch_model\.bin"):
        import_timm(tmp_path / "net", ImportSettings())


def test_labels_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "net")
    with pytest.raises(SettingsError, match=r"3 output\(s\), and there are 1 label\(s\)"):
        import_timm(tmp_path / "net", ImportSettings(labels=(LabelSettings("one"),)))


def test_without_timm_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SettingsError, match="needs the package timm, which is not installed: pip install timm"):
        import_timm(tmp_path, ImportSettings())
