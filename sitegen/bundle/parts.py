"""The parts of `bundle.json`: what a bundle says of its graphs, labels, files and licence.

Readers ignore unknown keys, so later versions can add some.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from sitegen.bundle.calibration import Calibration

CropMode = Literal["centre-square", "centre", "squash", "pad"]
Share = Annotated[float, Field(ge=0, le=1)]
Shape = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]


class Part(BaseModel):
    """Base of all parts of a bundle: unknown keys are ignored, non-finite numbers refused."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)


class Licence(Part):
    """Under which terms the weights, and the data they were trained on, may be used."""

    weights: str
    data: str


class Crop(Part):
    """Which part of the image a network sees, and how that becomes its input: see `sitegen_runtime.pixels.views`.

    `fill` is of padded images alone: the cells beside them, by channel, as shares of the way from black to white.
    """

    mode: CropMode = "centre-square"
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    fill: Annotated[list[Share], Field(exclude_if=lambda fill: not fill)] = []


class GraphInput(Part):
    """One input of a graph, and how pixels become its values: (low + (high - low) * share - mean) / std.

    `colour` is None for an input that is no image (a seed, a latent): only name and shape apply to it.
    """

    name: str
    shape: Shape
    colour: Literal["grey", "rgb"] | None = "grey"
    crop: Crop = Crop()
    range: tuple[float, float] = (0.0, 1.0)
    mean: list[float] = [0.0]
    std: list[Annotated[float, Field(gt=0)]] = [1.0]

    @model_validator(mode="after")
    def _consistent(self) -> "GraphInput":
        if self.colour is None:
            return self
        channels = 1 if self.colour == "grey" else 3
        if len(self.shape) != 4 or self.shape[0] != 1 or self.shape[1] != channels:
            raise ValueError(
                f"shape of a {self.colour} image input must be [1, {channels}, rows, columns], not {self.shape}"
            )
        if self.crop.mode == "centre-square" and not self.is_square:
            raise ValueError(f'an input of {self.shape} is no square; its crop is "centre" and not "centre-square"')
        if len(self.mean) != channels or len(self.std) != channels:
            raise ValueError(f"mean and std of a {self.colour} input need {channels} value(s) each")
        if len(self.crop.fill) != (channels if self.crop.mode == "pad" else 0):
            raise ValueError(
                f"crop of a {self.colour} input that is padded needs {channels} value(s) of fill, and others none"
            )
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must rise from black to white, not {list(self.range)}")
        return self

    @property
    def is_square(self) -> bool:
        """Whether an image input has as many rows as columns."""
        return self.shape[-1] == self.shape[-2]

    @model_serializer(mode="wrap")
    def _what_applies(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialise(self)
        return fields if self.colour else {key: fields[key] for key in ("name", "shape", "colour")}


class GraphOutput(Part):
    """One output of a graph: its name there, what it means ("logits", "reconstruction", …), and its shape if stated."""

    name: str
    role: str
    shape: Shape | None = None


class Graph(Part):
    """A network: an ONNX file, whose weights may lie in external files of the bundle."""

    file: str
    inputs: Annotated[list[GraphInput], Field(min_length=1)]
    outputs: Annotated[list[GraphOutput], Field(min_length=1)]

    @property
    def images(self) -> list[GraphInput]:
        """The inputs that are images."""
        return [entry for entry in self.inputs if entry.colour is not None]

    def output(self, role: str) -> GraphOutput | None:
        """Return the output with a role, or None."""
        return next((output for output in self.outputs if output.role == role), None)


class Label(Part):
    """One finding. The operating point is the probability at which it is reported.

    `weak` says in words how badly the model tells it, where it does so hardly better than chance; the page shows that.
    """

    name: Annotated[str, Field(min_length=1)]
    operating_point: Annotated[float, Field(gt=0, lt=1)]
    calibration: Calibration | None = None
    weak: str | None = None


class Golden(Part):
    """A synthetic image that the gate accepts, and what it gives with native ONNX Runtime."""

    image: str
    tensors: dict[str, str]
    gate: float | None
    logits: dict[str, float]


class FileEntry(Part):
    """Size and SHA-256 of one file."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
