import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen.data.layouts.manifest import Record, read_manifest, select
from sitegen.data.tensors import cache
from sitegen.data.tensors.cache import cached_tensors, image_tensors, settings_key, usable_tensors
from sitegen.errors import DataError
from sitegen.phantom import write_phantom
from sitegen.resources import runtime_source
from sitegen_runtime.bundle.model import NetworkInput

INPUTS = {
    "classifier": NetworkInput("image", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,)),
    "gate": NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,)),
}
HEADER = "file,set,label,split,patient_id,notes\n"


def write_manifest(folder: Path, rows: str) -> None:
    (folder / "manifest.csv").write_text(HEADER + rows, encoding="utf-8")


def test_a_manifest_is_read_in_order(tmp_path: Path) -> None:
    write_manifest(tmp_path, "train/a.png,nih,NORMAL,train,p1,\nb.png,kermany,PNEUMONIA,valid,p2,odd\n")
    first, second = read_manifest(tmp_path)
    assert first == Record(tmp_path / "train/a.png", "p1", {"NORMAL": 1.0, "PNEUMONIA": 0.0}, "train", "nih")
    assert second.label == "PNEUMONIA"
    assert select([first, second], "valid") == [second]
    assert select([first, second], "valid", "nih") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no manifest.csv"),
        ("file,set,label,split\n", "patient_id"),
        (HEADER + "a.png,s,NORMAL,train,p1,\nb.png,s,NORMAL,test,p1,\n", "'p1' in two splits"),
    ],
)
def test_a_bad_data_set_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "manifest.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path)


def test_tensors_are_area_averages_of_the_centred_square(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "wide.png")
    tensors = image_tensors((tmp_path / "wide.png").read_bytes(), INPUTS)
    square = grey[:, 16:80].astype(np.float64) / 255
    expected = square.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert tensors["gate"][0, 0] == pytest.approx(expected, abs=1e-7)
    assert tensors["classifier"][0, 0] == pytest.approx(
        2 * square.reshape(32, 2, 32, 2).mean(axis=(1, 3)) - 1, abs=1e-7
    )


def test_16_bits_and_orientations_count(tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (64, 64), dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    tensors = image_tensors((tmp_path / "deep.png").read_bytes(), INPUTS)
    expected = (deep / 65535).reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert tensors["gate"][0, 0] == pytest.approx(expected, abs=1e-7)
    exif = Image.Exif()
    exif[0x0112] = 3  # to be turned by 180 degrees
    grey = Image.fromarray((deep >> 8).astype(np.uint8))
    grey.save(tmp_path / "plain.jpg", quality=95)
    grey.save(tmp_path / "turned.jpg", quality=95, exif=exif)
    plain, turned = (image_tensors((tmp_path / name).read_bytes(), INPUTS) for name in ("plain.jpg", "turned.jpg"))
    assert np.array_equal(turned["gate"], plain["gate"][:, :, ::-1, ::-1])


@pytest.mark.parametrize("content", [None, b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_an_image_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png.*sitegen data audit"):
        cached_tensors([tmp_path / "a.png"], INPUTS, tmp_path / "cache", workers=1)


def test_bad_images_do_not_stop_the_others(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(9)]
    for seed in (1, 8):
        write_phantom(paths[seed], seed, 48)
    paths[4].write_bytes(paths[1].read_bytes()[:-20])
    usable = usable_tensors(paths, INPUTS, tmp_path / "cache", workers=1)
    assert usable.kept == [1, 8]
    alone = cached_tensors([paths[8]], INPUTS, tmp_path / "other", workers=1)
    assert np.array_equal(usable.tensors["gate"][1:], alone["gate"])
    assert [path for path, _ in usable.problems] == [paths[number] for number in (0, 2, 3, 4, 5, 6, 7)]
    assert usable.problems[0][1] == "cannot be read: No such file or directory. Check the path and its permissions."
    assert usable.problems[3][1].startswith("The file ends before its image data is complete.")
    with pytest.raises(DataError, match=r"^7 of 9 images cannot be used\. .*0\.png: cannot .*… and 2 more\.") as caught:
        cached_tensors(paths, INPUTS, tmp_path / "cache", workers=1)
    assert "7.png" not in str(caught.value)


def test_an_image_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{seed}.png" for seed in range(3)]
    for seed, path in enumerate(paths):
        write_phantom(path, seed, 48)
    first = cached_tensors(paths, INPUTS, tmp_path / "cache", workers=2)
    assert first["classifier"].shape == (3, 1, 32, 32)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npz")}
    again = cached_tensors(paths[::-1], INPUTS, tmp_path / "cache", workers=1)
    assert np.array_equal(again["gate"], first["gate"][::-1])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npz")} == files


def test_a_change_of_the_settings_or_of_the_runtime_is_another_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    other = INPUTS | {"gate": NetworkInput("image", (1, 1, 16, 16), "grey", 0.9, (0.0, 1.0), (0.0,), (1.0,))}
    assert settings_key(other) != settings_key(INPUTS)
    before = settings_key(INPUTS)
    monkeypatch.setattr(cache, "_runtime_hash", lambda: "changed")
    assert settings_key(INPUTS) != before


@pytest.mark.parametrize("module", ["pixels/area_average.py", "pixels/luma.py", "formats/png/chunks.py"])
def test_the_key_follows_the_runtimes_pixel_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    source = shutil.copytree(runtime_source(), tmp_path / "runtime")
    monkeypatch.setattr(cache, "runtime_source", lambda: source)
    monkeypatch.setattr(cache, "_runtime_hash", cache._runtime_hash.__wrapped__)
    before = settings_key(INPUTS)
    (source / "wording" / "results.py").write_text("", "utf-8")
    assert settings_key(INPUTS) == before
    with (source / module).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert settings_key(INPUTS) != before
