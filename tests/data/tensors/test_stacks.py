"""Arrays of many images: in memory and mapped alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.data.tensors import stacks
from sitegen.data.tensors.stacks import stacked

SHAPES = {"classifier": (1, 4, 4), "gate": (1, 2, 2)}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    written = []
    for number in range(3):
        tensors: dict[str, Any] = {role: np.full((1, *shape), number, np.float32) for role, shape in SHAPES.items()}
        np.savez(tmp_path / f"{number}.npz", **tensors)
        written.append(tmp_path / f"{number}.npz")
    return written


def test_arrays_are_in_the_order_of_the_files(files: list[Path], tmp_path: Path) -> None:
    arrays = stacked([files[2], files[0]], SHAPES, tmp_path)
    assert {role: array.shape for role, array in arrays.items()} == {"classifier": (2, 1, 4, 4), "gate": (2, 1, 2, 2)}
    assert arrays["gate"][:, 0, 0, 0].tolist() == [2, 0]
    assert stacked([], SHAPES, tmp_path)["gate"].shape == (0, 1, 2, 2)


def test_large_arrays_are_mapped_from_a_file(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = stacked(files, SHAPES, tmp_path)
    assert not isinstance(expected["gate"], np.memmap)
    monkeypatch.setattr(stacks, "IN_MEMORY", 3 * 4 * (16 + 4) - 1)  # one byte less than they take
    mapped = stacked(files, SHAPES, tmp_path)
    assert all(isinstance(array, np.memmap) for array in mapped.values())
    assert all(np.array_equal(mapped[role], expected[role]) for role in SHAPES)
    assert sorted(path.suffix for path in tmp_path.iterdir() if path not in files) == [".npy", ".npy"]
    mapped["gate"][:] = 7
    assert np.array_equal(stacked(files, SHAPES, tmp_path)["gate"], expected["gate"])


def test_a_mapped_file_is_written_once_for_each_list(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "IN_MEMORY", 0)
    stacked(files, SHAPES, tmp_path)
    first = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")}
    stacked(files, SHAPES, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")} == first
    turned = stacked(files[::-1], SHAPES, tmp_path)
    assert turned["classifier"][:, 0, 0, 0].tolist() == [2, 1, 0]
    assert len(list(tmp_path.glob("*.npy"))) == 4


def test_an_interrupted_mapping_is_not_taken_for_whole(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "IN_MEMORY", 0)
    files[1].rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        stacked(files, SHAPES, tmp_path)
    assert not list(tmp_path.glob("*.npy")) + list(tmp_path.glob("*.tmp"))
    (tmp_path / "away").rename(files[1])
    assert stacked(files, SHAPES, tmp_path)["gate"][:, 0, 0, 0].tolist() == [0, 1, 2]
