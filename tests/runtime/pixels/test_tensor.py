"""Sums to float32: literal bytes, and rounding once."""

import struct
import sys
from array import array
from hashlib import sha256

import numpy as np
import pytest

from sitegen_runtime.pixels.tensor import little_endian, tensor_hash, to_tensor
from tests.helpers.runtime.models import network_input


def test_literal_values_in_the_range_of_the_input() -> None:
    entry = network_input(2, low=-1024.0, high=1024.0)
    assert to_tensor([[0, 255, 510, 1020]], 1020, entry).tolist() == [-1024.0, -512.0, 0.0, 1024.0]


def test_literal_values_after_normalisation() -> None:
    entry = network_input(1, "rgb", mean=(0.5, 0.25, 0.0), std=(0.25, 0.5, 2.0))
    assert to_tensor([[100], [100], [100]], 100, entry).tolist() == [2.0, 1.5, 0.5]


def test_channels_come_one_after_the_other() -> None:
    entry = network_input(2, "rgb")
    planes = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert to_tensor(planes, 1, entry).tolist() == [float(value) for value in range(12)]


def test_rounded_to_float32_once_from_float64() -> None:
    sums = list(range(0, 65535 * 49, 9973))
    entry = network_input(1, low=-1.0, high=1.0, mean=(0.449,), std=(0.226,))
    shares = np.array(sums, dtype=np.float64) / (65535 * 49)
    expected = ((-1.0 + 2.0 * shares - 0.449) / 0.226).astype(np.float32)
    assert to_tensor([sums], 65535 * 49, entry).tobytes() == expected.tobytes()


def test_literal_bytes_and_hash() -> None:
    values = array("f", [0.0, 1.0, -2.5, 1 / 3])
    assert little_endian(values) == bytes.fromhex("00000000 0000803f 000020c0 abaaaa3e")
    assert tensor_hash(values) == "e678983492910a5667b50b4c90f3083f5869d5f2f429157bc18f6e3e7b43bdfa"


def test_the_hash_is_that_of_little_endian_floats() -> None:
    values = [0.1, -7.25, 3e30, 1e-40]
    assert tensor_hash(array("f", values)) == sha256(struct.pack("<4f", *values)).hexdigest()


def test_machines_of_the_other_byte_order_hash_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    values = array("f", [1.0, -2.5])
    stored = values.tobytes()
    monkeypatch.setattr("sitegen_runtime.pixels.tensor.sys.byteorder", "big" if sys.byteorder == "little" else "little")
    swapped = b"".join(stored[start : start + 4][::-1] for start in (0, 4))
    assert little_endian(values) == (swapped if sys.byteorder == "big" else stored)
    assert values.tobytes() == stored
