"""Images that a gate should refuse, as the tests draw them: altered radiographs, noise and stripes, with a manifest."""

import csv
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from sitegen.phantom import phantom

CATEGORIES = ("derived_upside_down", "derived_inverted", "noise", "stripes")


def write_outside(folder: Path, originals: list[str], each: int = 8, side: int = 48, manifest: bool = True) -> Path:
    """Write a folder for each category; the first images of the altered ones name `originals` as their sources."""
    rows = []
    for category in CATEGORIES:
        (folder / category).mkdir(parents=True)
        for at in range(each):
            path = folder / category / f"{at}.png"
            Image.fromarray(drawn(category, at, side)).save(path)
            near = category.startswith("derived") and at < len(originals)
            rows.append(
                {
                    "file": path.relative_to(folder).as_posix(),
                    "category": category,
                    "sha256": sha256(path.read_bytes()).hexdigest(),
                    "source_path": f"elsewhere/{at}.png via data/{originals[at]}" if near else "",
                }
            )
    if manifest:
        with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def drawn(category: str, seed: int, side: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if category == "noise":
        return random.integers(0, 256, (side, side), np.uint8)
    if category == "stripes":
        return np.tile(np.uint8(255 * (np.arange(side) % (seed + 2) < 1)), (side, 1))
    picture = phantom(1000 + seed, side)
    return 255 - picture if category == "derived_inverted" else np.ascontiguousarray(picture[::-1, ::-1])
