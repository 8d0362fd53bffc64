"""TensorFlow.js graph models with random weights, written as its converter writes them, without TensorFlow."""

import base64
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

NHWC_TO_NCHW, NCHW_TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


class Model:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[dict[str, Any]] = []
        self.weights: dict[str, np.ndarray] = {}
        self.quantised: dict[str, str] = {}

    def node(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append({"name": name, "op": operator, "input": list(inputs), "attr": attributes})
        return name

    def image(self, *shape: int) -> str:
        sizes = [{"size": str(size)} for size in shape]
        return self.node("Placeholder", name="input", dtype={"type": "DT_FLOAT"}, shape={"shape": {"dim": sizes}})

    def constant(self, values: Any, kind: str = "float32") -> str:
        name = self.node("Const", dtype={"type": "DT_FLOAT" if kind == "float32" else "DT_INT32"})
        self.weights[name] = np.asarray(values, kind)
        return name

    def integers(self, *values: int) -> str:
        return self.constant(list(values), "int32")

    def normal(self, *shape: int, scale: float | None = None, mean: float = 0.0) -> str:
        spread = scale if scale is not None else 1.4 / np.sqrt(max(math.prod(shape[:-1]), 1))
        return self.constant(self.random.normal(mean, spread, shape))

    def transpose(self, name: str, permutation: Sequence[int]) -> str:
        return self.node("Transpose", name, self.integers(*permutation))

    def save(self, folder: Path, outputs: Sequence[str] = (), *, shard: int = 1 << 16, **changes: Any) -> Path:
        """Write model.json and shards of at most so many bytes; `changes` replace parts of the document."""
        folder.mkdir(parents=True, exist_ok=True)
        stored = [self._stored(name, values) for name, values in self.weights.items()]
        entries, whole = [entry for entry, _ in stored], b"".join(raw for _, raw in stored)
        parts = [whole[start : start + shard] for start in range(0, len(whole), shard)]
        paths = [f"group1-shard{index + 1}of{len(parts)}.bin" for index in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            (folder / path).write_bytes(part)
        document = {
            "format": "graph-model",
            "generatedBy": "2.15.0",
            "convertedBy": "TensorFlow.js Converter v4.0.0",
            "modelTopology": {"node": self.nodes, "library": {}, "versions": {"producer": 1482}},
            "weightsManifest": [{"paths": paths, "weights": entries}],
            **changes,
        }
        if outputs:
            document["signature"] = {"outputs": {name: {"name": f"{name}:0", "dtype": "DT_FLOAT"} for name in outputs}}
        (folder / "model.json").write_text(json.dumps(document))
        return folder / "model.json"

    def _stored(self, name: str, values: np.ndarray) -> tuple[dict[str, Any], bytes]:
        entry: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": str(values.dtype)}
        kind = self.quantised.get(name)
        if kind == "float16":
            entry["quantization"] = {"dtype": kind, "original_dtype": "float32"}
            return entry, values.astype("<f2").tobytes()
        if kind:
            least, most = float(values.min()), float(values.max())
            scale = (most - least) / np.iinfo(kind).max
            entry["quantization"] = {"dtype": kind, "min": least, "scale": scale, "original_dtype": "float32"}
            return entry, np.round((values - least) / scale).astype(kind).tobytes()
        return entry, values.tobytes()


class ChannelsFirst(Model):
    """What comes of PyTorch by way of ONNX: images with channels first, and every convolution between transposes."""

    def convolution(self, name: str, channels: tuple[int, int], kernel: int, stride: int = 1) -> str:
        if padding := kernel // 2:
            pads = self.constant([[0, 0], [0, 0], [padding, padding], [padding, padding]], "int32")
            name = self.node("Pad", name, pads)
        made = self.node(
            "Conv2D",
            self.transpose(name, NCHW_TO_NHWC),
            self.normal(kernel, kernel, *channels),
            strides=numbers(1, stride, stride, 1),
            dilations=numbers(1, 1, 1, 1),
            padding=text("VALID"),
            data_format=text("NHWC"),
        )
        return self.transpose(made, NHWC_TO_NCHW)

    def upwards(self, name: str, channels: tuple[int, int], size: int, padding: str = "SAME") -> str:
        made = self.node(
            "Conv2DBackpropInput",
            self.integers(1, size, size, channels[1]),
            self.normal(4, 4, channels[1], channels[0]),
            self.transpose(name, NCHW_TO_NHWC),
            strides=numbers(1, 2, 2, 1),
            padding=text(padding),
            data_format=text("NHWC"),
        )
        return self.transpose(made, NHWC_TO_NCHW)

    def normalised(self, name: str, channels: int) -> str:
        scaled = self.node("Mul", name, self.normal(1, channels, 1, 1, scale=0.2, mean=1.0))
        return self.node("Relu", self.node("Add", scaled, self.normal(1, channels, 1, 1, scale=0.2)))

    def pool(self, operator: str, name: str, size: int, stride: int, padding: str) -> str:
        made = self.node(
            operator,
            self.transpose(name, NCHW_TO_NHWC),
            ksize=numbers(1, size, size, 1),
            strides=numbers(1, stride, stride, 1),
            padding=text(padding),
            data_format=text("NHWC"),
        )
        return self.transpose(made, NHWC_TO_NCHW)


def dense_classifier(
    labels: int = 18, growth: int = 6, blocks: Sequence[int] = (2, 2), width: int = 8, side: int = 32
) -> ChannelsFirst:
    """A DenseNet, with the operators of Chester's classifiers; the usual one has two dense blocks of two layers."""
    model = ChannelsFirst(1)
    maps = model.normalised(model.convolution(model.image(-1, 1, side, side), (1, width), 7, 2), width)
    maps = model.pool("MaxPool", maps, 3, 2, "SAME")
    for block, layers in enumerate(blocks):
        for _ in range(layers):
            new = model.convolution(model.normalised(maps, width), (width, 4 * growth), 1)
            new = model.convolution(model.normalised(new, 4 * growth), (4 * growth, growth), 3)
            maps = model.node("ConcatV2", maps, new, model.constant(1, "int32"))
            width += growth
        if block < len(blocks) - 1:
            maps = model.convolution(model.normalised(maps, width), (width, width // 2), 1)
            maps, width = model.pool("AvgPool", maps, 2, 2, "VALID"), width // 2
    pooled = model.node(
        "Mean", model.normalised(maps, width), model.integers(2, 3), keep_dims={"b": True}, name="pooled"
    )
    flat = model.node("Reshape", pooled, model.integers(-1, width))
    product = model.node("MatMul", flat, model.normal(labels, width, scale=1.5), transpose_b={"b": True})
    scores = model.node("AddV2", product, model.normal(labels, scale=1.0))
    model.node("Sigmoid", scores, name="probabilities")
    return model


def autoencoder(side: int = 16) -> ChannelsFirst:
    """Down to a vector and up again, with the operators of Chester's."""
    model = ChannelsFirst(2)
    maps = model.image(1, 1, side, side)
    for channels in ((1, 6), (6, 10)):
        maps = model.node("LeakyRelu", model.convolution(maps, channels, 3, 2), alpha={"f": 0.1})
    cells = side // 4
    flat = model.node("Reshape", maps, model.integers(1, 10 * cells * cells))
    code = model.node("MatMul", flat, model.normal(10 * cells * cells, 12), name="code")
    wide = model.node("MatMul", code, model.normal(12, 10 * cells * cells))
    maps = model.node("Reshape", wide, model.integers(1, 10, cells, cells))
    maps = model.node("Relu", model.upwards(maps, (10, 6), side // 2))
    model.node("Tanh", model.upwards(maps, (6, 1), side), name="drawn")
    return model


def mobile_classifier() -> Model:
    """What comes of Keras: channels last, convolutions fused with bias and activation, a softmax at the end."""
    model = Model(3)
    same: dict[str, Any] = {"padding": text("SAME"), "data_format": text("NHWC"), "dilations": numbers(1, 1, 1, 1)}
    fused: dict[str, Any] = {
        "fused_ops": {"list": {"s": [text("BiasAdd")["s"], text("Relu6")["s"]]}},
        "num_args": {"i": "1"},
    }
    maps = model.node(
        "_FusedConv2D",
        *(model.image(-1, -1, -1, 3), model.normal(3, 3, 3, 8), model.normal(8, scale=0.1)),
        **{**same, **fused, "strides": numbers(1, 2, 2, 1)},
    )
    for stride in (1, 2):
        deep = model.node(
            "DepthwiseConv2dNative", maps, model.normal(3, 3, 8, 2), strides=numbers(1, *[stride] * 2, 1), **same
        )
        deep = model.node("Relu6", model.node("BiasAdd", deep, model.normal(16, scale=0.1), data_format=text("NHWC")))
        narrow = model.node("Conv2D", deep, model.normal(1, 1, 16, 8), strides=numbers(1, 1, 1, 1), **same)
        statistics = [model.normal(8, scale=0.1, mean=mean) for mean in (1.0, 0.0, 0.0)]
        variance = model.constant(model.random.uniform(0.5, 2, 8))
        narrow = model.node("FusedBatchNormV3", narrow, *statistics, variance, epsilon={"f": 0.001}, **same)
        maps = model.node("AddV2", maps, narrow) if stride == 1 else narrow
    pooled = model.node("Mean", maps, model.integers(1, 2), keep_dims={"b": True})
    flat = model.node("Squeeze", pooled, squeeze_dims=numbers(1, 2))
    bias: dict[str, Any] = {"fused_ops": {"list": {"s": [text("BiasAdd")["s"]]}}, "num_args": {"i": "1"}}
    scores = model.node("_FusedMatMul", flat, model.normal(8, 4, scale=3.0), model.normal(4), **bias)
    model.node("Softmax", scores, name="shares")
    return model
