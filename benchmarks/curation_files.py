"""Files such as repositories have, drawn: the same for the same number of them."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from sitegen.data.drawn_dicom import as_dicom
from sitegen.phantom import phantom

_SIZES = (256, 384, 512, 768)
_DRAWN = 24
"""Pictures that are drawn; the others are these with other contrast and noise, as drawing takes longer than reading."""


def make_files(folder: Path, count: int) -> list[Path]:
    """Write so many files: of 20, 8 PNG, 4 JPEG, 2 WebP, 3 DICOM, 1 turned, 1 a copy, 1 cut short."""
    drawn = [phantom(number, _SIZES[number % len(_SIZES)]) for number in range(_DRAWN)]
    paths: list[Path] = []
    for number in range(count):
        random = np.random.default_rng(number)
        plane = drawn[number % _DRAWN] * random.uniform(0.8, 1.0) + random.normal(0, 4, drawn[number % _DRAWN].shape)
        path, data = _file(number, np.clip(plane, 0, 255).astype(np.uint8))
        if number % 20 == 18:
            data = paths[-1].read_bytes()
        if number % 20 == 19:
            data = data[: len(data) // 2]
        target = folder / f"{number // 1000:03d}" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        paths.append(target)
    return paths


def _file(number: int, plane: np.ndarray) -> tuple[str, bytes]:
    turn = number % 20
    if 14 <= turn < 17:
        return f"{number:07d}.dcm", as_dicom(plane)
    if turn == 17:
        plane = plane[:, ::-1].T
    kind = "JPEG" if 8 <= turn < 12 else "WEBP" if 12 <= turn < 14 else "PNG"
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(plane)).save(out, kind, quality=90)
    return f"{number:07d}.{kind.lower()}", out.getvalue()
