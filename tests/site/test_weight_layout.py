"""Weights laid out for packing, and what the page's script makes of them: the same bits."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from sitegen import resources
from sitegen.graphs.byte_weights import rounded
from sitegen.graphs.signature import StoredTensor
from sitegen.site.engines.node import find_node
from sitegen.site.weight_layout import BYTES, HALVES, PLAIN, PLANES, lay_out, layout_of

SCRIPT = resources.templates() / "worker" / "weights.js"
RESTORE = """
const {{ readFileSync, writeFileSync }} = require("node:fs");
const unpackedLength = (packed) => packed.length;
const eachPiece = async (packed, take) => {{
  for (let start = 0; start < packed.length; start += {size}) take(packed.subarray(start, start + {size}), start);
}};
eval(readFileSync({script}, "utf8") + ";globalThis.unpackWeights = unpackWeights");
unpackWeights({{ [{name}]: readFileSync({source}) }}, {name}).then((weights) => writeFileSync({target}, weights));
"""


def packed_as(weights: bytes) -> tuple[str, bytes]:
    layout = layout_of(weights)
    return layout, lay_out(weights, layout)


EVERY_HALF = np.arange(2**16, dtype="<u2").view("<f2")
RANDOM = np.random.default_rng(3)


def restored(folder: Path, suffix: str, packed: bytes, size: int = 1000) -> bytes:
    """What the worker's script makes of packed weights that come in pieces of that size, run by Node.js."""
    source, target = folder / "packed", folder / "weights"
    source.write_bytes(packed)
    names = {
        "script": str(SCRIPT),
        "name": f"bundles/a/a.weights{suffix}",
        "source": str(source),
        "target": str(target),
    }
    text = RESTORE.format(**{name: json.dumps(value) for name, value in names.items()}, size=size)
    find_node().run(["--eval", text], folder=folder, what="Laying weights out")
    return target.read_bytes()


def test_bytes_of_float32_by_hand() -> None:
    weights = np.array([1.0000001, -2], "<f4").tobytes()  # 0x3f800001, 0xc0000000
    assert packed_as(weights) == (PLANES, bytes.fromhex("0100 0000 8000 3fc0"))


def test_bytes_of_float16_by_hand() -> None:
    weights = np.array([1, -2, 0.00146484375], "<f4").tobytes()  # 0x3c00, 0xc000, 0x1600 as float16
    assert packed_as(weights) == (HALVES, bytes.fromhex("000000 3cc016"))


def test_every_finite_float16_comes_back(tmp_path: Path) -> None:
    weights = EVERY_HALF[np.isfinite(EVERY_HALF)].astype("<f4").tobytes()
    suffix, packed = packed_as(weights)
    assert (suffix, len(packed)) == (HALVES, len(weights) // 2)
    assert restored(tmp_path, suffix, packed) == weights


@pytest.mark.parametrize(
    "weights",
    [
        RANDOM.integers(0, 256, 4000, dtype=np.uint8).tobytes(),  # any bits, those of NaN among them
        np.array([1, 70000], "<f4").tobytes(),
        np.array([np.inf, 1], "<f4").tobytes(),
        np.arange(300, dtype="<i8").tobytes(),
        np.array([1e-8, 6e-8], "<f4").tobytes(),
    ],
    ids=["noise", "too large", "infinite", "whole numbers", "too small"],
)
def test_anything_else_comes_back_from_planes(weights: bytes, tmp_path: Path) -> None:
    suffix, packed = packed_as(weights)
    assert (suffix, len(packed)) == (PLANES, len(weights))
    assert restored(tmp_path, suffix, packed) == weights


@pytest.mark.parametrize("weights", [b"abc", b"12345"])
def test_what_is_no_float32_stays(weights: bytes, tmp_path: Path) -> None:
    suffix, packed = packed_as(weights)
    assert (suffix, packed) == (PLAIN, weights)
    assert restored(tmp_path, suffix, packed) == weights


@pytest.mark.parametrize("size", [1, 3, 7, 24])
@pytest.mark.parametrize("weights", [np.arange(-6, 6), RANDOM.normal(size=12)], ids=[HALVES, PLANES])
def test_pieces_may_end_anywhere(weights: np.ndarray, size: int, tmp_path: Path) -> None:
    content = weights.astype("<f4").tobytes()
    assert restored(tmp_path, *packed_as(content), size=size) == content


def test_it_is_worth_it() -> None:
    weights = RANDOM.normal(0, 0.05, 50_000).astype("<f4")
    rounded = weights.astype("<f2").astype("<f4").tobytes()
    sizes = [len(gzip.compress(packed)) for packed in (rounded, packed_as(rounded)[1], packed_as(weights.tobytes())[1])]
    assert sizes[1] < 0.8 * sizes[0]
    assert sizes[2] < len(gzip.compress(weights.tobytes()))


def test_whole_numbers_times_scales_come_back(tmp_path: Path) -> None:
    kernel = rounded(RANDOM.normal(size=(40, 3, 3, 3)).astype(np.float32), 0, "kernel")
    matrix = rounded(RANDOM.normal(size=(30, 20)).astype(np.float32), 1, "matrix")
    bias = RANDOM.normal(size=50).astype(np.float32)
    parts = [bias, kernel, bias, matrix]
    weights = b"".join(part.astype("<f4").tobytes() for part in parts)
    starts = [4 * sum(part.size for part in parts[:at]) for at in range(4)]
    tensors = [StoredTensor("a", start, part.shape, True) for start, part in zip(starts, parts, strict=True)]
    layout = layout_of(weights, tensors)
    packed = lay_out(weights, layout, tensors)
    # Four runs: 50 numbers as they are, 40 channels of 27, 50 as they are, 20 columns of 30.
    assert (layout, len(packed)) == (BYTES, 4 + 4 * 12 + 4 * (40 + 20) + 2 * 200 + 40 * 27 + 20 * 30)
    for size in (1000, 7):
        assert restored(tmp_path, layout, packed, size=size) == weights


def test_bytes_by_hand() -> None:
    weights = np.array([[127, -2, *[0] * 126], [0.5 * 127, 0.5, *[0] * 126]], "<f4").tobytes()
    packed = lay_out(weights, BYTES, [StoredTensor("a", 0, (2, 128), True)])
    head = "01000000 00010000 80000000 02000000 0000803f 0000003f"
    assert packed == bytes.fromhex(head) + bytes([127, 254, *[0] * 126, 127, 1, *[0] * 126])
