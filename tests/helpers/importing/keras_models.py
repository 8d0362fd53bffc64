"""Models of Keras written by hand, in every form that its versions have had, and what PyTorch makes of their weights.

One network for all: a strided convolution, batch normalisation, a depthwise convolution, a model within it, a sum, an
average over the image, a linear layer and a softmax.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as PyTorch's own documents call it
from numpy.typing import NDArray

SIDE, LABELS = 11, 3
Weights = dict[str, NDArray[np.float32]]
_NORMALISED = ("gamma", "beta", "moving_mean", "moving_variance")
ROLES: Mapping[str, tuple[str, ...]] = {
    "conv": ("kernel", "bias"),
    "norm": _NORMALISED,
    "deep": ("depthwise_kernel", "bias"),
    "point": ("kernel",),
    "inner_norm": _NORMALISED,
    "dense": ("kernel", "bias"),
}
_SHAPES: Mapping[str, list[tuple[int, ...]]] = {
    "conv": [(3, 3, 3, 4), (4,)],
    "norm": [(4,)] * 4,
    "deep": [(3, 3, 4, 1), (4,)],
    "point": [(1, 1, 4, 4)],
    "inner_norm": [(4,)] * 4,
    "dense": [(4, LABELS), (LABELS,)],
}


def weights() -> Weights:
    """Return random weights by "layer/role"."""
    random = np.random.default_rng(7)
    made = {
        f"{layer}/{role}": random.normal(size=shape).astype(np.float32)
        for layer, roles in ROLES.items()
        for role, shape in zip(roles, _SHAPES[layer], strict=True)
    }
    return {name: abs(value) + 0.5 if name.endswith("variance") else value for name, value in made.items()}


def expected(given: Weights, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logits [N, labels] of images [N, 3, side, side], by PyTorch in float64."""
    w = {name: torch.from_numpy(value).double() for name, value in given.items()}

    def norm(x: torch.Tensor, layer: str, epsilon: float) -> torch.Tensor:
        gamma, beta, mean, variance = (w[f"{layer}/{role}"] for role in _NORMALISED)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=epsilon)

    x = torch.from_numpy(images).double()
    # 11 pixels in steps of 2 make 6: "same" pads one before and one after. The kernel reaches 13 = 11 + 2.
    x = F.conv2d(x, w["conv/kernel"].permute(3, 2, 0, 1), w["conv/bias"], stride=2, padding=1)
    x = norm(F.relu(x), "norm", 0.01)
    # 6 pixels in steps of 2 make 3: the last window reaches 7, so that the one is padded behind.
    deep = F.conv2d(
        F.pad(x, (0, 1, 0, 1)), w["deep/depthwise_kernel"].permute(2, 3, 0, 1), w["deep/bias"], stride=2, groups=4
    )
    x = F.relu6(deep)
    inner = norm(F.conv2d(x, w["point/kernel"].permute(3, 2, 0, 1)), "inner_norm", 0.001)
    pooled = (x + inner).mean(dim=(2, 3))
    return (pooled @ w["dense/kernel"] + w["dense/bias"]).numpy()


_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}


def _tensor(layer: str) -> dict[str, Any]:
    """What a layer gives, as Keras 3 writes it."""
    sizes = {"given": [SIDE, SIDE, 3], "conv": [6, 6, 4], "norm": [6, 6, 4], "average": [4]}.get(layer, [3, 3, 4])
    shape = {"shape": [None, *sizes], "dtype": "float32"}
    return {"class_name": "__keras_tensor__", "config": {**shape, "keras_history": [layer, 0, 0]}}


def _layer(kind: str, name: str, keras: int, reads: list[str] | None = None, **config: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"class_name": kind, "config": {"name": name, "trainable": True, **config}}
    if keras == 3:
        made |= {"module": _MODULES.get(kind, "keras.layers"), "registered_name": None}
    if reads is None:
        return made
    made["name"] = name
    if keras == 2:
        made["inbound_nodes"] = [[[each, 0, 0, {}] for each in reads]] if reads else []
        return made
    tensors = [_tensor(each) for each in reads]
    args: list[Any] = [tensors] if kind == "Add" else tensors
    made["inbound_nodes"] = [{"args": args, "kwargs": {"mask": None} if kind == "Sequential" else {}}] if reads else []
    return made


def configuration(keras: int = 3) -> dict[str, Any]:
    """Return the model as version 2 or 3 of Keras writes it."""
    shape: dict[str, Any] = {"batch_shape" if keras == 3 else "batch_input_shape": [None, SIDE, SIDE, 3]}
    within: dict[str, Any] = {"batch_shape" if keras == 3 else "batch_input_shape": [None, 3, 3, 4]}
    inner = [
        _layer("InputLayer", "inner_input", keras, **within),
        _layer("Conv2D", "point", keras, filters=4, kernel_size=[1, 1], use_bias=False, activation="linear"),
        _layer("BatchNormalization", "inner_norm", keras, axis=-1 if keras == 3 else [3], epsilon=0.001),
        _layer("Dropout", "drop", keras, rate=0.5),
    ]
    spaced: dict[str, Any] = {
        "kernel_size": [3, 3],
        "strides": [2, 2],
        "padding": "same",
        "data_format": "channels_last",
    }
    layers = [
        _layer("InputLayer", "given", keras, [], **shape),
        _layer("Conv2D", "conv", keras, ["given"], filters=4, activation="relu", **spaced),
        _layer("BatchNormalization", "norm", keras, ["conv"], axis=-1 if keras == 3 else [3], epsilon=0.01),
        _layer("DepthwiseConv2D", "deep", keras, ["norm"], depth_multiplier=1, **spaced),
        _layer("ReLU", "six", keras, ["deep"], max_value=6.0, negative_slope=0.0, threshold=0.0),
        _layer("Sequential", "inner", keras, ["six"], layers=inner),
        _layer("Add", "sum", keras, ["six", "inner"]),
        _layer("GlobalAveragePooling2D", "average", keras, ["sum"], data_format="channels_last"),
        _layer("Dense", "dense", keras, ["average"], units=LABELS, activation="softmax"),
    ]
    ends: dict[str, Any] = {"input_layers": [["given", 0, 0]], "output_layers": [["dense", 0, 0]]}
    return _layer("Functional" if keras == 3 else "Model", "net", keras, layers=layers, **ends)


_PLACES = {
    "conv": "layers/conv2d",
    "norm": "layers/batch_normalization",
    "deep": "layers/depthwise_conv2d",
    "point": "layers/sequential/layers/conv2d",
    "inner_norm": "layers/sequential/layers/batch_normalization",
    "dense": "layers/dense",
}


def write_places(file: Any, given: Weights) -> None:
    """Write weights into an open HDF5 file as Keras 3 does."""
    for layer, roles in ROLES.items():
        for at, role in enumerate(roles):
            file[f"{_PLACES[layer]}/vars/{at}"] = given[f"{layer}/{role}"]


def write_lists(group: Any, given: Weights, suffix: str = "") -> None:
    """Write weights into an open HDF5 file as Keras 2 does: of a model within, what is trained comes first.

    With a `suffix`, names within have another layer's than the model has.
    """
    tops = ["given", "conv", "norm", "deep", "six", "inner", "sum", "average", "dense"]
    group.attrs["layer_names"] = [name.encode() for name in tops]
    group.attrs["keras_version"] = b"2.4.0"
    for name in tops:
        kept = [f"{name}/{role}" for role in ROLES.get(name, ())]
        if name == "inner":
            kept = ["point/kernel", *(f"inner_norm/{role}" for role in _NORMALISED)]
        stored = {f"{layer}{suffix if name == 'inner' else ''}/{role}:0": given[f"{layer}/{role}"]
                  for layer, role in (each.split("/") for each in kept)}  # fmt: skip
        made = group.create_group(name)
        made.attrs["weight_names"] = [each.encode() for each in stored]
        for each, values in stored.items():
            made[each] = values


def save_archive(path: Path, given: Weights, document: Any = None) -> Path:
    """Write a `.keras`."""
    import h5py

    buffer = BytesIO()
    with h5py.File(buffer, "w") as file:
        write_places(file, given)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", json.dumps(document or configuration(3)))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path


def save_hdf5(path: Path, given: Weights, document: Any = None, suffix: str = "") -> Path:
    """Write a whole model in HDF5, as Keras 2 does."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(document or configuration(2))
        file.attrs["keras_version"] = b"2.4.0"
        write_lists(file.create_group("model_weights"), given, suffix)
    return path


def save_tfjs(folder: Path, given: Weights, stored: str = "float32", document: Any = None) -> Path:
    """Write a layers model of TensorFlow.js in two shards; `stored` as "uint8" quantises."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, raw = zip(*_stored(given, stored), strict=True)
    content = b"".join(raw)
    (folder / "a.bin").write_bytes(content[: len(content) // 2])
    (folder / "b.bin").write_bytes(content[len(content) // 2 :])
    topology = {"keras_version": "2.4.0", "backend": "tensorflow", "model_config": document or configuration(2)}
    manifest = [{"paths": ["a.bin", "b.bin"], "weights": entries}]
    text = json.dumps({"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest})
    (folder / "model.json").write_text(text)
    return folder / "model.json"


def _stored(given: Weights, stored: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for name, values in given.items():
        entry: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if stored == "float32":
            yield entry, values.astype("<f4").tobytes()
            continue
        least, scale = float(values.min()), float(np.ptp(values)) / 255 or 1.0
        yield (
            {**entry, "quantization": {"dtype": "uint8", "scale": scale, "min": least}},
            np.round((values - least) / scale).astype(np.uint8).tobytes(),
        )


def quantised(given: Weights) -> Weights:
    """Return the numbers that 8 bits for each weight leave."""
    made = {}
    for name, values in given.items():
        least, scale = float(values.min()), float(np.ptp(values)) / 255 or 1.0
        levels = np.round((values - least) / scale).astype(np.uint8)
        made[name] = (levels.astype(np.float64) * scale + least).astype(np.float32)
    return made
