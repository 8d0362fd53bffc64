"""Folders that a hub of models hands out: a `config.json`, and `model.safetensors` beside it."""

import json
from pathlib import Path
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.origin import file_origin

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_LARGEST = 16 << 20  # bytes of a configuration


def read_json(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """Return the object in a JSON file of a folder. Raises ModelError where there is none."""
    path = folder / name
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"{path} has {path.stat().st_size} bytes, which no configuration has.")
        document: object = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror}. Name the folder that has the model's files."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not valid JSON: {error}. Get the folder again.") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path} holds a {type(document).__name__}, not an object of settings. Get the folder again.")
    return document


def weights_file(folder: Path) -> Path:
    """Return a folder's file of weights. Raises ModelError where it has none in safetensors."""
    path = folder / WEIGHTS
    if path.is_file():
        return path
    others = sorted(entry.name for entry in folder.glob("*") if entry.suffix in (".bin", ".pt", ".pth", ".safetensors"))
    there = f"; there are {', '.join(others[:4])}" if others else ""
    raise ModelError(
        f"{folder} has no {WEIGHTS}{there}. Pickles (.bin) are not read here, nor weights in several files: save the "
        "model again with its library, which writes safetensors."
    )


def folder_origin(folder: Path) -> dict[str, Any]:
    """Return the folder's name, and name, bytes and SHA-256 of its two files."""
    return {
        "folder": folder.resolve().name,
        "file": file_origin(folder / WEIGHTS),
        "config": file_origin(folder / CONFIG),
    }
