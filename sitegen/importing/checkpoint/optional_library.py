"""Libraries that only some sources need: imported when one of these is asked for, and never told to fetch anything."""

import os
from importlib import import_module
from types import ModuleType

from sitegen.errors import SettingsError

# What makes the libraries that can download models refuse to.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def optional_library(name: str, needed_for: str) -> ModuleType:
    """Return a library's module, e.g. "timm" or "safetensors.torch"; `needed_for` begins the error's sentence.

    Raises SettingsError where it is not installed, or cannot be imported.
    """
    os.environ.update(_OFFLINE)
    package = name.partition(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise SettingsError(
                f"{needed_for} needs the package {package}, and that needs {error.name}, which is not installed: "
                f"pip install {error.name.partition('.')[0]}"
            ) from error
        raise SettingsError(
            f"{needed_for} needs the package {package}, which is not installed: pip install {package}"
        ) from error
    except Exception as error:  # a package whose compiled parts do not fit raises whatever they do
        raise SettingsError(
            f"{needed_for} needs the package {package}, which is installed but cannot be imported: {error}. Install "
            "versions that fit each other; those of torch and torchvision come in pairs."
        ) from error
