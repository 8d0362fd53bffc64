"""The study of docs/anomaly-study.md: python docs/anomaly_study.py DATA OUT [--bundle DIR]

DATA has `cxr` (radiographs, split `test`), `ood` (other images, a folder a category), and `nih14` (radiographs, with
`boxes.csv`). OUT gets folders of links and of radiographs with something drawn into them, and then the tables that
`sitegen evaluate reconstructions`, `anomaly` and `localisation` write of them.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sitegen.data.layouts.class_folders import images_below

SETS = {
    "ct-and-mr": ("abdomen_ct_64px", "breast_mri_64px", "chest_ct_64px", "head_ct_64px", "b*_mri", "p*_mri", "body_ct"),
    "hands": ("hand_xray_64px",),
    "other-pictures": ("bone_*", "document_text", "leg_xray", "mammography", "natural_photo", "other_image"),
    "noise": ("blank_noise",),
    "inverted": ("derived_cxr_inverted",),
    "turned": ("derived_cxr_sideways", "derived_cxr_upside_down"),
    "photographed": ("derived_cxr_simulated_photo",),
    "small-crops": ("derived_cxr_small_crop",),
}
PATCH = 16  # of the 64 pixels that the gate sees
MAP_PATCH = 64  # of the 256 pixels that the classifier sees
Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator, int], None]


def needle(draw: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """A bright line, a third of the side long and a fiftieth wide."""
    x, y = rng.uniform(0.25, 0.6, 2) * side
    angle = rng.uniform(0, np.pi / 2)
    end = x + np.cos(angle) * side / 3, y + np.sin(angle) * side / 3
    draw.line((x, y, *end), fill=255, width=max(1, side // 50))


def device(draw: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """A bright ellipse as large as a pacemaker: a sixth of the side wide, an eighth high."""
    x, y = rng.uniform(0.2, 0.65, 2) * side
    draw.ellipse((x, y, x + side / 6, y + side / 8), fill=235)


OBJECTS: dict[str, Draw] = {"needles": needle, "devices": device}


def link(paths: Sequence[Path], folder: Path) -> None:
    """Make a folder of links to images."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.resolve())


def plant(paths: Sequence[Path], name: str, out: Path) -> None:
    """Draw an object into each image, at a random place, and write where it is as a mask."""
    for folder in (out / name, out / f"{name}-masks"):
        folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sorted(OBJECTS).index(name))
    for path in paths:
        with Image.open(path) as file:
            image = file.convert("L")
        mask = Image.new("L", image.size)
        state = rng.bit_generator.state
        for picture in (image, mask):
            rng.bit_generator.state = state  # the same place in both
            OBJECTS[name](ImageDraw.Draw(picture), rng, min(image.size))
        image.save(out / name / f"{path.stem}.png")
        mask.save(out / f"{name}-masks" / f"{path.stem}.png")


def sitegen(*arguments: object) -> None:
    """Run a verb; what it prints is the study."""
    print("\n$ sitegen", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "sitegen.cli", *map(str, arguments)], check=True)


def main() -> None:
    """Lay out the folders, measure distances, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("models/chest-radiograph"))
    given = parser.parse_args()
    data, out = given.data, given.out
    link(images_below(data / "cxr" / "test"), out / "baseline")
    for name, patterns in SETS.items():
        folders = [folder for pattern in patterns for folder in sorted((data / "ood").glob(pattern))]
        link([path for folder in folders for path in images_below(folder)], out / name)
    nih = [path for path in images_below(data / "cxr" / "test") if path.name.startswith("nih_")]
    for name in OBJECTS:
        plant(nih, name, out)
    link(nih, out / "nih")
    link(nih, out / "boxed")
    link(images_below(data / "nih14" / "test"), out / "boxed")
    for name in ("baseline", "nih", *SETS, *OBJECTS, "boxed"):
        how = ("--bundle", given.bundle, "--patch", PATCH, "-o", out / f"{name}.csv", "--workers", 1)
        sitegen("evaluate", "reconstructions", "--images", out / name, *how)
    for baseline, names in (("baseline", SETS), ("nih", OBJECTS)):  # objects beside the same images without
        sets = [part for name in names for part in ("--anomaly", out / f"{name}.csv")]
        wanted = ("--against", "mse", "-o", out / f"{baseline}.html", "--json", out / f"{baseline}.json")
        sitegen("evaluate", "anomaly", "--baseline", out / f"{baseline}.csv", *sets, *wanted)
    for name in OBJECTS:
        masks = ("--masks", out / f"{name}-masks", "--json", out / f"{name}.json")
        sitegen("evaluate", "localisation", "--distances", out / f"{name}.csv", *masks)
    boxes = ("--boxes", data / "nih14" / "boxes.csv", "--json", out / "boxes.json")
    sitegen("evaluate", "localisation", "--distances", out / "boxed.csv", *boxes)
    maps = ("--images", out / "boxed", "--bundle", given.bundle, "--method", "grad-cam", "--method", "cam")
    boxes = (*boxes[:2], "--json", out / "maps.json")
    sitegen("evaluate", "localisation", *maps, "--patch", MAP_PATCH, *boxes)  # as large a part of the picture


if __name__ == "__main__":
    main()
