"""Folders of timm: `config.json` names the architecture and how images are prepared, `model.safetensors` has weights.

timm makes the network and prepares images; nothing else in the folder is looked at, and nothing is fetched.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from sitegen.bundle import Label
from sitegen.errors import ModelError
from sitegen.importing.checkpoint.folder_files import folder_origin, read_json, weights_file
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.checkpoint.safe_checkpoint import read_safetensors
from sitegen.importing.checkpoint.weights import fit_weights
from sitegen.importing.origin import names_of
from sitegen.importing.proof.value_check import check_form, check_values
from sitegen.importing.settings import ImportSettings, OutputKind, as_label, image_of
from sitegen.importing.source import Images, ImportedClassifier
from sitegen.importing.sources.torch_classifier import TorchSource, as_remarks, torch_classifier
from sitegen.settings.reading import read_settings
from sitegen.settings.recipe import ImageSettings, network_input

_PLAIN = (bool, int, float, str, type(None))
# What timm's function takes beside an architecture's own settings: where to load or fetch weights from, and the like.
_NOT_OF_THE_NETWORK = {
    "model_name",
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "pretrained_strict",
    "checkpoint_path",
    "cache_dir",
    "scriptable",
    "exportable",
    "no_jit",
    "features_only",
    "out_indices",
    "feature_cfg",
    "num_classes",
    "in_chans",
}


def import_timm(folder: Path, settings: ImportSettings) -> ImportedClassifier:
    """Return the classifier in a folder that timm wrote.

    Raises ModelError where files are missing, damaged or do not fit each other; SettingsError without timm, or where
    the folder names no labels and the settings do not either.
    """
    config = read_json(folder)
    library = optional_library("timm", "Importing a folder of timm")
    usual = _data(library, config, folder)
    network = _network(library, config, int(usual["input_size"][0]), folder)
    weights = weights_file(folder)
    changes = fit_weights(network, read_safetensors(weights), weights)
    outputs = int(getattr(network, "num_classes", 0))
    kind: OutputKind = "softmax" if outputs > 1 else "logits"
    image, remarks = _image(usual, folder), _unread(config, folder)
    preparation = TimmPreparation(usual)
    check_form(preparation, network_input(image))
    if not {"range", "mean", "std"} <= settings.image.keys():
        check_values(preparation, network_input(image))
    source = TorchSource(
        names=names_of(settings, folder.resolve().name),
        image=image_of(settings, image),
        labels=_labels(config),
        usual=kind,
        preparation=preparation,
        provenance={
            "source": "timm",
            **folder_origin(folder),
            "architecture": config["architecture"],
            "timm": library.__version__,
            "changes": changes,
        },
        remarks=[*as_remarks(changes), *remarks, *([_SOFTMAX] if kind == "softmax" and not settings.output else [])],
    )
    return torch_classifier(network, source, settings)


_SOFTMAX = (
    "The folder does not say whether the labels exclude each other; it was taken that they do, as in most of timm's "
    'models. If each label stands for itself, say output = "logits".'
)


_FITS = {"center": "crop", "squash": "squash", "border": "pad"}  # timm's crop modes


class TimmPreparation:
    """timm's own transform for evaluation, with the folder's settings."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._transform = optional_library("timm.data", "Preparing images").create_transform(**data, is_training=False)
        self._mode = "RGB" if data["input_size"][0] == 3 else "L"
        steps = ", ".join(type(step).__name__ for step in self._transform.transforms)
        self.described = f"timm: {steps}; {data['interpolation']}, crop {data['crop_mode']} of {data['crop_pct']:g}."

    def tensor(self, content: bytes) -> Images:
        """Return float32 [channels, side, side] for an image file. Raises OSError or ValueError where it is none."""
        prepared = self._transform(Image.open(io.BytesIO(content)).convert(self._mode))
        return np.asarray(prepared.numpy(), np.float32)


def _data(library: ModuleType, config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return how images are prepared, in timm's terms, with its defaults."""
    given = config.get("pretrained_cfg", config)
    try:
        data: dict[str, Any] = library.data.resolve_data_config({}, pretrained_cfg=given)
        channels, _, _ = (int(size) for size in data["input_size"])
    except Exception as error:  # the settings are another's, and timm checks few of them
        raise ModelError(f"{folder / 'config.json'}: its pretrained_cfg is not timm's: {error}") from error
    if channels not in (1, 3):
        raise ModelError(
            f"{folder / 'config.json'}: the network takes {channels} channels; images have one channel or three."
        )
    return data


def _network(library: ModuleType, config: Mapping[str, Any], channels: int, folder: Path) -> nn.Module:
    name, arguments = config.get("architecture"), config.get("model_args") or {}
    where = folder / "config.json"
    if not isinstance(name, str) or not library.is_model(name):
        raise ModelError(
            f"{where}: timm {library.__version__} has no architecture {name!r}. Install the timm of the model."
        )
    if not isinstance(arguments, Mapping) or not all(_is_plain(value) for value in arguments.values()):
        raise ModelError(f"{where}: model_args has more than numbers, texts and lists of them.")
    barred = sorted(_NOT_OF_THE_NETWORK & arguments.keys() - {"num_classes", "in_chans"})
    if barred:
        raise ModelError(f"{where}: model_args has {', '.join(barred)}, which says nothing of the network; not read.")
    own = {str(key): value for key, value in arguments.items() if key not in _NOT_OF_THE_NETWORK}
    if config.get("global_pool") and "global_pool" not in own:
        own["global_pool"] = config["global_pool"]
    try:
        network: nn.Module = library.create_model(
            name, pretrained=False, num_classes=int(config["num_classes"]), in_chans=channels, **own
        )
    except Exception as error:  # an architecture checks its own settings in its own way
        raise ModelError(f"{where}: timm cannot make {name!r} with {own}: {error}") from error
    return network


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(each) for each in value)
    return isinstance(value, _PLAIN)


def _image(data: Mapping[str, Any], folder: Path) -> ImageSettings:
    """Return the same in sitegen's terms. Raises ModelError where it cannot be said in them."""
    channels, *grid = data["input_size"]
    # Cut of what is resized, which timm rounds down for rows and columns each.
    shares, mode = [side / int(np.floor(side / data["crop_pct"])) for side in grid], data["crop_mode"] or "center"
    if max(shares) > 1:
        raise ModelError(
            f"{folder / 'config.json'}: crop_pct is {data['crop_pct']}, so that timm pads images after it has resized "
            "them to less, and a bundle does not. Say 1 or less, and fit and fraction under [image]."
        )
    if mode not in _FITS:
        raise ModelError(f"{folder / 'config.json'}: the crop_mode is {mode!r}, and known are {', '.join(_FITS)}.")
    fields = {
        "side": grid[0] if grid[0] == grid[1] else grid,
        "colour": "rgb" if channels == 3 else "grey",
        "fraction": sum(shares) / len(shares),
        "fit": _FITS[mode],
        "range": (0.0, 1.0),
        "mean": tuple(data["mean"])[:channels],
        "std": tuple(data["std"])[:channels],
    }
    if mode == "border":  # as timm fills it: with the mean, rounded to the levels of a file
        fields["fill"] = tuple(round(255 * level) / 255 for level in data["mean"])[:channels]
    return read_settings(ImageSettings, fields)


# What timm reads of it to prepare images, and what says nothing of images.
_READ = {"crop_mode", "crop_pct", "input_size", "interpolation", "mean", "std"}
_HARMLESS = {"architecture", "architectures", "classifier", "custom_load", "file", "first_conv", "fixed_input_size"}
_HARMLESS |= {"global_pool", "has_weights", "hf_hub_filename", "hf_hub_id", "label_descriptions", "label_names"}
_HARMLESS |= {"license", "min_input_size", "model_args", "notes", "num_classes", "num_features", "origin_url"}
_HARMLESS |= {"paper_ids", "paper_name", "pool_size", "pretrained_cfg", "source", "state_dict", "tag", "task"}
_HARMLESS |= {"test_crop_pct", "test_input_size", "url", "weights", "library_name", "model_name", "vocab_size"}


def _unread(config: Mapping[str, Any], folder: Path) -> list[str]:
    """A sentence on settings that neither timm nor sitegen reads, where they say something."""
    given = config.get("pretrained_cfg")
    found = [*config, *(given if isinstance(given, Mapping) else ())]
    unread = sorted({str(key) for key in found} - _READ - _HARMLESS)
    if not unread:
        return []
    return [f"Of {folder.resolve().name}/config.json timm does not read {', '.join(unread)}; nor does sitegen."]


def _labels(config: Mapping[str, Any]) -> list[Label]:
    inner = config.get("pretrained_cfg")
    names = config.get("label_names") or (inner.get("label_names") if isinstance(inner, Mapping) else None)
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return []
    return [as_label(name) for name in names]
