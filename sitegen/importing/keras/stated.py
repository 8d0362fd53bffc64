"""What layers of Keras say of themselves in more forms than one: borders, numbers for each channel."""

from typing import Any

import numpy as np

from sitegen.importing.keras.network import Layer, Step, Values, as_number, is_whole


def borders(layer: Layer, key: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (top, bottom), (left, right) of a layer that pads or crops. Raises ModelError."""
    found: Any = layer.config.get(key, 1)
    found = [found, found] if is_whole(found) else found
    if isinstance(found, (list, tuple)) and len(found) == 2:
        (rows, columns) = ([each, each] if is_whole(each) else each for each in found)
        numbers = [*rows, *columns] if isinstance(rows, (list, tuple)) and isinstance(columns, (list, tuple)) else []
        if len(numbers) == 4 and len(rows) == 2 and all(is_whole(each) and 0 <= each < 1 << 16 for each in numbers):
            return (numbers[0], numbers[1]), (numbers[2], numbers[3])
    raise layer.unsupported(f"{key} is {found!r}")


def numbers(layer: Layer, key: str, usual: float) -> Values:
    """Return float32: a number, or a list of numbers along the last axis. Raises ModelError."""
    found = layer.config.get(key, usual)
    found = found.get("value", found) if isinstance(found, dict) else found
    flat: Any = found
    while isinstance(flat, list) and len(flat) == 1 and isinstance(flat[0], list):
        flat = flat[0]
    listed = flat if isinstance(flat, list) else [flat]
    if not 0 < len(listed) < 1 << 16:
        raise layer.unsupported(f"{key} is {str(found)[:80]}")
    made = np.array([as_number(layer, key, each) for each in listed], np.float32)
    return made if isinstance(flat, list) else made.reshape(())


def normalised_by(step: Step) -> tuple[Values, Values]:
    """Return mean and deviation, float64, of a Normalization; Keras keeps its deviation from 0. Raises ModelError."""
    if step.layer.flag("invert", False):
        raise step.layer.unsupported("it is inverted")
    found = (
        step.weights if "mean" in step.weights else {key: numbers(step.layer, key, 0.0) for key in ("mean", "variance")}
    )
    mean, variance = (np.asarray(found[key], np.float64).reshape(-1) for key in ("mean", "variance"))
    return mean, np.maximum(np.sqrt(variance), 1e-7)
