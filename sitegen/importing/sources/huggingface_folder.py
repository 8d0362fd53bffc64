"""Folders of Hugging Face's transformers: image classifiers with `config.json` and `model.safetensors`, on disk.

transformers makes the network from its own classes, and prepares images. Code that a folder brings (`auto_map`) is
never run, and nothing is fetched.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from sitegen.bundle import Label
from sitegen.errors import ModelError
from sitegen.importing.checkpoint.folder_files import folder_origin, read_json, weights_file
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.checkpoint.safe_checkpoint import read_safetensors
from sitegen.importing.checkpoint.weights import check_finite
from sitegen.importing.origin import names_of
from sitegen.importing.proof.value_check import check_form, check_values
from sitegen.importing.settings import ImportSettings, OutputKind, as_label, image_of
from sitegen.importing.source import Images, ImportedClassifier
from sitegen.importing.sources.huggingface_image import image_plan
from sitegen.importing.sources.torch_classifier import TorchSource, torch_classifier
from sitegen.settings.recipe import network_input

PREPROCESSOR = "preprocessor_config.json"
_KINDS: dict[str, OutputKind] = {"multi_label_classification": "logits", "single_label_classification": "softmax"}


def import_huggingface(folder: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the image classifier in a folder that transformers wrote.

    Raises ModelError where files are missing, damaged or do not fit each other, or where the model needs code that
    transformers has not; SettingsError without transformers, or where nobody names the labels.
    """
    config = read_json(folder)
    library = optional_library("transformers", "Importing a folder of Hugging Face")
    prepared = read_json(folder, PREPROCESSOR)
    channels = int(config.get("num_channels", 3))
    plan = image_plan(prepared, channels, folder / PREPROCESSOR)
    preparation = HuggingFacePreparation(library, folder, prepared, channels, flipped=plan.flipped)
    check_form(preparation, network_input(plan.settings))
    if not {"range", "mean", "std"} <= settings.image.keys():
        check_values(preparation, network_input(plan.settings))
    network = _network(library, folder, flipped=plan.flipped)
    labels = _labels(config)
    kind = _kind(config, len(labels), folder)
    source = TorchSource(
        names=names_of(settings, folder.resolve().name),
        image=image_of(settings, plan.settings),
        labels=labels if not all(label.name.startswith("LABEL_") for label in labels) else (),
        usual=kind,
        preparation=preparation,
        provenance={
            "source": "Hugging Face",
            **folder_origin(folder),
            "architecture": type(network.model).__name__,
            "transformers": library.__version__,
        },
        remarks=plan.remarks,
    )
    return torch_classifier(network, source, settings)


class _Logits(nn.Module):
    """A model of transformers that takes images and gives logits, and nothing by name."""

    def __init__(self, model: nn.Module, *, flipped: bool) -> None:
        super().__init__()
        self.model, self.flipped = model, flipped

    def forward(self, images: Tensor) -> Tensor:
        """Return [N, labels] for images [N, channels, side, side]."""
        given = images.flip(1) if self.flipped else images
        logits: Tensor = self.model(pixel_values=given).logits
        return logits


class HuggingFacePreparation:
    """The folder's own image processor, as transformers runs it."""

    def __init__(
        self, library: ModuleType, folder: Path, settings: Mapping[str, Any], channels: int, *, flipped: bool = False
    ) -> None:
        """With `flipped`, the processor gives blue first; `tensor` gives red first all the same."""
        try:
            self._processor: Any = library.AutoImageProcessor.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, backend="pil"
            )
        except Exception as error:  # its settings are another's, or need code that is not run
            raise ModelError(f"{folder / PREPROCESSOR}: transformers cannot use it: {_reason(error)}") from error
        self._mode, self._flipped = "RGB" if channels == 3 else "L", flipped
        self.described = f"transformers: {type(self._processor).__name__} with {_in_words(settings)}."

    def tensor(self, content: bytes) -> Images:
        """Return float32 [channels, side, side] for an image file. Raises OSError or ValueError where it is none."""
        image = Image.open(io.BytesIO(content)).convert(self._mode)
        made = np.asarray(self._processor(image, return_tensors="np")["pixel_values"][0], np.float32)
        return np.ascontiguousarray(made[::-1]) if self._flipped else made


def _network(library: ModuleType, folder: Path, *, flipped: bool) -> _Logits:
    """Make the network and put the weights into it; all of them, and no others."""
    weights = weights_file(folder)
    for name, value in read_safetensors(weights).items():
        if value.is_floating_point():
            check_finite(name, value, weights)
    library.utils.logging.disable_progress_bar()
    try:
        model, found = library.AutoModelForImageClassification.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="float32",
            attn_implementation="eager",  # the exporter writes it with plain operators
            output_loading_info=True,
        )
    except Exception as error:  # the folder is another's
        raise ModelError(
            f"{folder}: transformers {library.__version__} cannot make the model: {_reason(error)}. Models that need "
            "code of their own are not imported: write such a model as ONNX where you trust it."
        ) from error
    wrong = {
        what: sorted(map(str, found.get(what) or ())) for what in ("missing_keys", "unexpected_keys", "mismatched_keys")
    }
    if any(wrong.values()):
        told = "; ".join(f"{what.replace('_', ' ')} {', '.join(names[:4])}" for what, names in wrong.items() if names)
        raise ModelError(f"{weights} does not fit the network of its config.json: {told}. Save the model again.")
    return _Logits(model.eval(), flipped=flipped)


def _labels(config: Mapping[str, Any]) -> list[Label]:
    """Return the labels in the order of the outputs."""
    names = config.get("id2label")
    if not isinstance(names, Mapping):
        return []
    try:
        return [as_label(str(names[key])) for key in sorted(names, key=int)]
    except (TypeError, ValueError):
        return []


def _kind(config: Mapping[str, Any], labels: int, folder: Path) -> OutputKind:
    problem = config.get("problem_type")
    if problem is None:
        return "softmax" if labels > 1 else "logits"
    if problem not in _KINDS:
        raise ModelError(
            f"{folder / 'config.json'}: the problem_type is {problem!r}, and sitegen takes classifiers only."
        )
    return _KINDS[problem] if labels != 1 else "logits"


def _in_words(settings: Mapping[str, Any]) -> str:
    told = ("size", "crop_size", "resample", "rescale_factor", "image_mean", "image_std")
    return ", ".join(f"{name} {settings[name]}" for name in told if name in settings)


def _reason(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__).rstrip(".")
