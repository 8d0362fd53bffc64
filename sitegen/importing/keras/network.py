"""What a model of Keras is once it is read: steps, each on the results of earlier ones, with its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from sitegen.errors import ModelError

Values = NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """A layer as its model has it: a class of Keras 3 whatever version wrote it, and the keys of its configuration.

    `place` is the names of the models around it and its own, from the outermost on.
    """

    kind: str
    place: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return its name in messages: "model/layer"."""
        return "/".join(self.place)

    def unsupported(self, reason: str) -> ModelError:
        """Return the error that this layer cannot be taken over."""
        return ModelError(
            f"The layer {self.name!r} ({self.kind}): {reason}. Convert the model to ONNX with tf2onnx, and import that."
        )

    def pair(self, key: str, default: int | None = 1) -> tuple[int, int]:
        """Return two whole numbers above 0, of rows and columns; one number stands for both. Raises ModelError."""
        found = self.config.get(key)
        found = default if found is None else found
        numbers: list[Any] = list(found) if isinstance(found, (list, tuple)) else [found, found]
        if len(numbers) != 2 or not all(is_whole(number) and 0 < number < _FAR for number in numbers):
            raise self.unsupported(f"{key} is {found!r}, not one or two whole numbers above 0")
        return int(numbers[0]), int(numbers[1])

    def number(self, key: str, default: float) -> float:
        """Return a number; in some files it is {"value": number}. Raises ModelError."""
        found = self.config.get(key)
        found = found.get("value", found) if isinstance(found, dict) else found
        return as_number(self, key, default if found is None else found)

    def flag(self, key: str, default: bool) -> bool:
        """Return a truth value."""
        found = self.config.get(key)
        return default if found is None else bool(found)

    def text(self, key: str, default: str) -> str:
        """Return a text. Raises ModelError where there is something else."""
        found = self.config.get(key)
        if not isinstance(found, str | None):
            raise self.unsupported(f"{key} is {found!r}, not a name")
        return default if found is None else found


_FAR = 1 << 20
_LARGEST = 1e30


def is_whole(value: object) -> bool:
    """Whether a value of JSON is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(layer: Layer, key: str, found: object) -> float:
    """Return a value of JSON as a number that float32 can hold. Raises ModelError."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) < _LARGEST:
        raise layer.unsupported(f"{key} is {found!r}, not a number")
    return float(found)


@dataclass(frozen=True)
class Step:
    """One call of a layer: the names of what it reads, and its weights by their roles.

    `name` is the name of its result. An activation that a layer has as an argument is a step of its own.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    weights: Mapping[str, Values] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return the class of its layer."""
        return self.layer.kind


@dataclass(frozen=True)
class Network:
    """A model: its steps in an order in which they can be computed, its one input, and its outputs by name.

    `shape` is that of the input, [batch, rows, columns, channels], None where it is open. `version` is that of the
    Keras which wrote the file, as far as it tells.
    """

    steps: Sequence[Step]
    image: str
    shape: tuple[int | None, ...]
    outputs: Sequence[str]
    version: int
