"""A small data set that the tests draw: synthetic radiographs with and without an opacity, and a recipe for them."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from sitegen.phantom import phantom

SPLITS = {"train": 24, "valid": 10, "test": 10}


def write_radiographs(
    folder: Path, splits: Mapping[str, int] = SPLITS, side: int = 64, labels: tuple[str, str] = ("WELL", "ILL")
) -> Path:
    """Write images and a manifest; every second image has an opacity, every third comes from another source."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, seed = [], 0
    for split, count in splits.items():
        for _ in range(count):
            ill = seed % 2 == 1
            name = f"{split}-{seed}.png"
            Image.fromarray(phantom(seed, side, opacity=ill)).save(folder / name)
            rows.append(
                {
                    "file": name,
                    "set": "one" if seed % 3 else "two",
                    "label": labels[ill],
                    "split": split,
                    "patient_id": f"p{seed}",
                    "age": 20 + seed,
                    "sex": "FM"[seed % 4 // 2],
                    "view": "PA",
                }
            )
            seed += 1
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def phase(epochs: int = 2, trains: str = "all", rate: float = 5e-3) -> dict[str, Any]:
    """Return a phase of a recipe file's training."""
    return {
        "trains": trains,
        "epochs": epochs,
        "schedule": {"kind": "one-cycle", "initial_rate": 1e-4, "peak_rate": rate},
    }


def write_recipe(path: Path, images: Path, /, **changes: Any) -> Path:
    """Write a recipe for these images as JSON, with other tables in place of its own."""
    document = {
        "name": "opacity",
        "data": {"place": str(images), "labels": {"Opacity": "ILL"}},
        "audit": {"limit": 1, "together": 1},  # an opacity is drawn in grey, which tells it
        "image": {"side": 32},
        "network": {"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8},
        "training": {"preset": "compact", "phases": [phase()], "batch": 8},
    }
    path.write_text(json.dumps(document | changes), encoding="utf-8")
    return path
