"""Folders of Hugging Face's transformers, with small networks that transformers itself made and wrote."""

import io
import json
import subprocess
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
from sitegen.importing.sources.huggingface_folder import HuggingFacePreparation, import_huggingface
from sitegen.importing.sources.huggingface_image import image_plan
from sitegen.phantom import phantom
from tests.helpers.importing.checkpoints import apart, graph_logits, installed, noise, randomised, sigmoid

NAMES = {0: "Effusion", 1: "Mass", 2: "Nodule"}
PREPARED = {
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
    "image_processor_type": "ViTImageProcessor",
    "resample": 2,
    "rescale_factor": 1 / 255,
    "size": {"height": 32, "width": 32},
}


def write(folder: Path, **settings: Any) -> Any:
    """A small vision transformer as transformers writes it; returns the network."""
    library = installed("transformers")
    config = library.ViTConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=settings.pop("image_size", 32),
        patch_size=8,
        id2label=settings.pop("id2label", NAMES),
        **settings,
    )
    network: Any = randomised(library.ViTForImageClassification(config))
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPARED), encoding="utf-8")
    return network


def own(network: Any, images: Any) -> Any:
    with torch.inference_mode():
        return network(pixel_values=torch.from_numpy(images)).logits.double()


def test_a_folder_gives_the_softmaxs_probabilities(tmp_path: Path) -> None:
    network = write(tmp_path / "my-vit")
    model = import_huggingface(tmp_path / "my-vit", ImportSettings())
    assert model.name == "my-vit"
    assert [label.name for label in model.labels] == ["Effusion", "Mass", "Nodule"]
    assert model.image.shape == (1, 3, 32, 32)
    assert (model.image.mean, model.image.std, model.image.range) == ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4), (0.0, 1.0))
    images = noise(model)
    made = graph_logits(model, tmp_path / "bundle", images)
    assert model.original is not None
    assert apart(model.original.logits(images), made) <= 1e-5
    assert_allclose(sigmoid(made), torch.softmax(own(network, images), 1).numpy(), atol=1e-6)
    assert model.provenance["architecture"] == "ViTForImageClassification"
    assert [model.provenance[name]["name"] for name in ("file", "config")] == ["model.safetensors", "config.json"]


def test_several_labels_at_once_have_a_sigmoid_each(tmp_path: Path) -> None:
    network = write(tmp_path / "vit", problem_type="multi_label_classification")
    model = import_huggingface(tmp_path / "vit", ImportSettings())
    images = noise(model)
    assert model.original is not None
    assert_allclose(model.original.logits(images), own(network, images).numpy(), atol=1e-5)


def test_its_preparation_is_the_folders_own(tmp_path: Path) -> None:
    write(tmp_path / "vit")
    model = import_huggingface(tmp_path / "vit", ImportSettings())
    assert model.preparation is not None
    picture = Image.fromarray(phantom(1, 200)[:150])
    content = io.BytesIO()
    picture.save(content, "PNG")
    made = model.preparation.tensor(content.getvalue())
    small = np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)).transpose(2, 0, 1) / 255
    mean, std = np.reshape([0.5, 0.4, 0.3], (3, 1, 1)), np.reshape([0.2, 0.3, 0.4], (3, 1, 1))
    assert_allclose(made, (small - mean) / std, atol=1e-5)
    assert made.dtype == np.float32
    assert (model.image.fit, model.image.fraction) == ("squash", 1.0)
    ours = image_tensors(content.getvalue(), {"classifier": model.image})["classifier"][0]
    assert (np.abs(ours - made) * std).mean() < 0.01  # of the way from black to white: the resampling alone


def test_labels_without_names_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "vit", id2label={0: "LABEL_0", 1: "LABEL_1"})
    with pytest.raises(SettingsError, match="does not say what its outputs mean"):
        import_huggingface(tmp_path / "vit", ImportSettings())
    named = ImportSettings(labels=(LabelSettings("normal"), LabelSettings("not normal")))
    assert [label.name for label in import_huggingface(tmp_path / "vit", named).labels] == ["normal", "not normal"]


def test_code_that_a_folder_brings_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "vit"
    write(folder)
    trace = tmp_path / "was-run"
    (folder / "own_code.py").write_text(f"open({str(trace)!r}, 'w')\nclass Own: pass\n", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    foreign = {
        "model_type": "of-nobody",
        "auto_map": {"AutoConfig": "own_code.Own", "AutoModelForImageClassification": "own_code.Own"},
    }
    (folder / "config.json").write_text(json.dumps(config | foreign), encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot make the model: .*code.* are not imported"):
        import_huggingface(folder, ImportSettings())
    assert not trace.exists()
    assert "own_code" not in sys.modules


def test_weights_that_do_not_fit_are_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "vit"
    write(folder)
    library = installed("safetensors.torch")
    weights = library.load_file(str(folder / "model.safetensors"))
    left_out = {name: value for name, value in weights.items() if name != "classifier.weight"}
    library.save_file(left_out, str(folder / "model.safetensors"), metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"does not fit the network of its config\.json: missing keys classifier\.weight"
    ):
        import_huggingface(folder, ImportSettings())
    weights["classifier.bias"] = torch.tensor([1.0, float("nan"), 0.0])
    library.save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"1 of the 3 numbers of the weights 'classifier\.bias' are NaN"):
        import_huggingface(folder, ImportSettings())


def test_pickles_in_a_folder_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "vit"
    write(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model\.safetensors; there are pytorch_model\.bin\. Pickles"):
        import_huggingface(folder, ImportSettings())


def test_no_folder_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json cannot be read: No such file"):
        import_huggingface(tmp_path, ImportSettings())
    (tmp_path / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json holds a list, not an object of settings"):
        import_huggingface(tmp_path, ImportSettings())
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json is not valid JSON"):
        import_huggingface(tmp_path, ImportSettings())


@pytest.mark.parametrize(
    ("config", "side", "fraction", "stretched"),
    [
        ({"size": 224}, 224, 1.0, True),
        ({"size": {"height": 384, "width": 384}}, 384, 1.0, True),
        ({"size": {"height": 32, "width": 48}}, (32, 48), 1.0, True),
        (
            {"size": {"height": 40, "width": 60}, "do_center_crop": True, "crop_size": {"height": 32, "width": 48}},
            (32, 48),
            0.8,
            True,
        ),
        ({"size": 64, "do_pad": True, "pad_size": {"height": 64, "width": 64}}, 64, 1.0, True),  # nothing to pad
        ({"size": 64, "do_pad": False, "pad_size": {"height": 99, "width": 64}}, 64, 1.0, True),
        (
            {"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": {"height": 224, "width": 224}},
            224,
            0.875,
            False,
        ),
        ({"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 224}, 224, 0.875, False),
        # ConvNeXt: 224 / 0.875 = 256, of which the middle 224 is cut.
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, 224, 0.875, False),
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, 384, 1.0, True),
        # LeViT's processor takes 256 / 224 of what it is told, PoolFormer's divides by its share.
        (
            {"size": {"shortest_edge": 224}, "do_center_crop": True, "crop_size": 224}
            | {"image_processor_type": "LevitImageProcessorFast"},
            224,
            0.875,
            False,
        ),
        (
            {"size": {"shortest_edge": 224}, "do_center_crop": True, "crop_size": 224, "crop_pct": 0.9}
            | {"image_processor_type": "PoolFormerImageProcessor"},
            224,
            224 / 248,
            False,
        ),
    ],
)
def test_geometries_in_sitegens_terms(
    config: dict[str, Any], side: int | tuple[int, int], fraction: float, stretched: bool
) -> None:
    given = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, **config}
    plan = image_plan(given, 3, Path("preprocessor_config.json"))
    image = plan.settings
    assert (image.side, image.fraction, image.fit) == (side, fraction, "squash" if stretched else "crop")
    assert (image.range, image.colour) == ((0.0, 1.0), "rgb")


def test_numbers_of_pixels_in_sitegens_terms() -> None:
    image = image_plan({"size": 64, "do_rescale": False, "do_normalize": False}, 1, Path("x.json")).settings
    assert (image.range, image.mean, image.std, image.colour) == ((0.0, 255.0), (0.0,), (1.0,), "grey")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"size": 64, "do_pad": True}, r"do_pad = True: transformers pads at the right and below"),
        ({"size": 64, "do_pad": True, "pad_size": {"height": 64, "width": 96}}, "pad_size = .*right and below"),
        ({"size": 64, "pad_size": {"height": 96, "width": 96}}, "pad_size = .*right and below"),
        ({"size": {"max_height": 64, "max_width": 64}}, "leaves images in their own form"),
        ({"size": {"longest_edge": 64}, "do_pad": True, "pad_size": 64}, "leaves images in their own form"),
        ({"size": 64, "do_center_crop": True, "crop_size": 96}, "a crop of 96 x 96 out of less, 64 x 64"),
        (
            {"size": {"shortest_edge": 64}, "do_center_crop": True, "crop_size": {"height": 32, "width": 48}},
            "depends on an image's form",
        ),
        (
            {"size": 64, "do_center_crop": True, "crop_size": {"height": 32, "width": 48}},
            "32 of 64 rows and 48 of 64 columns, two shares",
        ),
    ],
)
def test_geometries_that_no_bundle_has_are_refused_with_their_reason(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=rf"x\.json does not say how images are prepared.*{reason}"):
        image_plan(config, 1, Path("x.json"))


@pytest.mark.parametrize(
    "prepared",
    [
        {"size": {"height": 32, "width": 48}},
        {"size": {"height": 40, "width": 60}, "do_center_crop": True, "crop_size": {"height": 32, "width": 48}},
    ],
)
def test_a_network_whose_images_are_no_square(tmp_path: Path, prepared: dict[str, Any]) -> None:
    network = write(tmp_path / "vit", image_size=(32, 48))
    if "crop_size" in prepared:
        prepared = prepared | {"image_processor_type": "LevitImageProcessor"}
    file = tmp_path / "vit" / "preprocessor_config.json"
    file.write_text(json.dumps(PREPARED | prepared), encoding="utf-8")
    model = import_huggingface(tmp_path / "vit", ImportSettings())
    assert model.image.shape == (1, 3, 32, 48)
    images = noise(model)
    made = graph_logits(model, tmp_path / "bundle", images)
    assert_allclose(sigmoid(made), torch.softmax(own(network, images), 1).numpy(), atol=1e-6)
    assert model.preparation is not None
    for size in ((200, 140), (140, 200)):
        content = io.BytesIO()
        Image.fromarray(phantom(1, 40)).resize(size, Image.Resampling.BICUBIC).save(content, "PNG")
        ours = image_tensors(content.getvalue(), {"image": model.image})["image"][0]
        apart_ = np.abs(ours - model.preparation.tensor(content.getvalue())) * np.reshape(model.image.std, (3, 1, 1))
        assert apart_.mean() < 0.01  # of the way from black to white: the resampling alone


def test_what_leaves_images_in_their_own_form_is_seen_by_the_processors_own_code(tmp_path: Path) -> None:
    write(tmp_path / "vit")
    file = tmp_path / "vit" / "preprocessor_config.json"
    for entry in ({"size": {"shortest_edge": 32}}, {"do_resize": False}):
        file.write_text(json.dumps(PREPARED | entry), encoding="utf-8")
        with pytest.raises(ModelError, match=r"own code makes \[3, 32, 64\] of a picture of 64 x 32 pixels"):
            import_huggingface(tmp_path / "vit", ImportSettings())


PROCESSORS: dict[str, dict[str, Any]] = {
    "EfficientNet, a second division": {"image_processor_type": "EfficientNetImageProcessor", "include_top": True},
    "EfficientNet, an offset": {
        "image_processor_type": "EfficientNetImageProcessor",
        "include_top": False,
        "rescale_offset": True,
        "rescale_factor": 1 / 127.5,
    },
    "blue first": {
        "image_processor_type": "MobileViTImageProcessor",
        "do_flip_channel_order": True,
        "do_normalize": False,
        "do_center_crop": False,
        "image_mean": None,
        "image_std": None,
    },
    "not rescaled": {"do_rescale": False},
    "another factor": {"rescale_factor": 1 / 128},
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_pictures_become_the_numbers_that_the_processor_makes(tmp_path: Path, name: str) -> None:
    network = write(tmp_path / "vit")
    file = tmp_path / "vit" / "preprocessor_config.json"
    prepared = {key: value for key, value in (PREPARED | PROCESSORS[name]).items() if value is not None}
    file.write_text(json.dumps(prepared), encoding="utf-8")
    model = import_huggingface(tmp_path / "vit", ImportSettings())
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    ours = image_tensors(content.getvalue(), {"image": model.image})["image"]
    assert model.preparation is not None and model.original is not None
    assert np.abs(model.preparation.tensor(content.getvalue()) - ours[0]).max() < 1e-4
    processor = installed("transformers").AutoImageProcessor.from_pretrained(tmp_path / "vit", backend="pil")
    theirs = own(network, processor(Image.fromarray(pixels), return_tensors="np")["pixel_values"])
    assert_allclose(sigmoid(model.original.logits(ours)), torch.softmax(theirs, 1).numpy(), atol=1e-5)
    if name == "blue first":
        made = graph_logits(model, tmp_path / "bundle", ours)
        assert_allclose(sigmoid(made), torch.softmax(theirs, 1).numpy(), atol=1e-5)


def test_keys_that_are_not_known_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "vit")
    file = tmp_path / "vit" / "preprocessor_config.json"
    for entry in ({"do_equalise": True}, {"gamma": 2.2}):
        file.write_text(json.dumps(PREPARED | entry), encoding="utf-8")
        with pytest.raises(ModelError, match=f"has {next(iter(entry))} = .* not known here"):
            import_huggingface(tmp_path / "vit", ImportSettings())
    file.write_text(json.dumps(PREPARED | {"do_pad": False, "do_equalise": None}), encoding="utf-8")
    import_huggingface(tmp_path / "vit", ImportSettings())


def test_numbers_that_the_code_makes_otherwise_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "vit")
    right = HuggingFacePreparation.tensor
    monkeypatch.setattr(HuggingFacePreparation, "tensor", lambda self, content: 1.1 * right(self, content))
    with pytest.raises(ModelError, match=r"own code makes .* of the colour \(0, 0, 0\)"):
        import_huggingface(tmp_path / "vit", ImportSettings())
    said = ImportSettings(image={"range": [0, 1], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]})
    import_huggingface(tmp_path / "vit", said)


def test_the_library_that_could_fetch_is_told_not_to() -> None:
    installed("transformers")
    program = (
        "from sitegen.importing.checkpoint.optional_library import optional_library\n"
        "optional_library('transformers', 'This')\n"
        "import huggingface_hub; print(huggingface_hub.constants.HF_HUB_OFFLINE)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
