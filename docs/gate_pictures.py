"""Draws what gates make of images that are no chest radiographs: docs/gate-reconstructions.png.

    python docs/gate_pictures.py "autoencoder=GATE.pt" "adversarial=GATE.pt" [--out docs/gate-reconstructions.png]

Every image that goes in is drawn here; none is of a patient.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from sitegen.gate.training.fit import reconstructions
from sitegen.networks.trained_gate import load_gate
from sitegen.phantom import phantom

LARGE, SIDE = 512, 64
Picture = NDArray[np.float64]


def blurred(picture: Picture, sigma: float) -> Picture:
    """The picture under a Gaussian of so many pixels; what lies outside is what lies at the edge, mirrored."""
    found: Picture = gaussian_filter(picture, sigma)
    return found


def text() -> Picture:
    """A page of printed lines."""
    page = Image.new("L", (LARGE, LARGE), 235)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(26)
    for row in range(12):
        draw.text((40, 30 + 38 * row), "No image leaves this machine", fill=30, font=font)
    return np.asarray(page) / 255


def hand() -> Picture:
    """Five fingers of bright bones in softer tissue, as a hand lies on a detector."""
    tissue, bones = Image.new("L", (LARGE, LARGE)), Image.new("L", (LARGE, LARGE))
    soft, hard = ImageDraw.Draw(tissue), ImageDraw.Draw(bones)
    wrist = (256, 470)
    for x, y in ((95, 250), (170, 80), (255, 50), (335, 75), (415, 150)):
        soft.line([wrist, (x, y)], fill=255, width=86)
        for start in np.linspace(0.28, 0.85, 4):
            ends = [tuple(np.add(wrist, np.subtract((x, y), wrist) * share)) for share in (start, start + 0.13)]
            hard.line(ends, fill=255, width=26)
    soft.ellipse((140, 270, 370, 520), fill=255)
    return blurred(0.32 * np.asarray(tissue) / 255, 6) + blurred(0.5 * np.asarray(bones) / 255, 4)


def head() -> Picture:
    """A bright ring with folds in it, as a slice through a head."""
    y, x = np.mgrid[-1 : 1 : LARGE * 1j, -1 : 1 : LARGE * 1j]
    radius = np.hypot(x / 0.72, y / 0.88)
    folds = 0.45 + 0.12 * np.sin(14 * x + 4 * np.sin(9 * y)) * np.cos(12 * y)
    ring = np.exp(-(((radius - 1) / 0.05) ** 2))
    return blurred(np.where(radius < 1, folds, 0.02) + ring, 2).clip(0, 1)


def landscape() -> Picture:
    """Sky, a sun, hills."""
    y, x = np.mgrid[0 : 1 : LARGE * 1j, 0 : 1 : LARGE * 1j]
    scene = 0.9 - 0.4 * y + 0.3 * (np.hypot(x - 0.75, y - 0.22) < 0.09)
    for level, grey in ((0.55, 0.45), (0.7, 0.3), (0.85, 0.15)):
        scene = np.where(y > level + 0.07 * np.sin(9 * x + 20 * level), grey, scene)
    return np.asarray(scene).clip(0, 1)


def noise() -> Picture:
    """Even noise."""
    grain: Picture = gaussian_filter(np.random.default_rng(3).random((LARGE, LARGE)), 3, mode="wrap")
    return grain * 4 - 1.5


def radiograph(change: Callable[[Picture], Picture]) -> Picture:
    """A drawn chest radiograph, changed."""
    return change(phantom(4, LARGE) / 255)


SUBJECTS: dict[str, Callable[[], Picture]] = {
    "drawn chest": lambda: radiograph(lambda picture: picture),
    "sideways": lambda: radiograph(lambda picture: np.rot90(picture)),
    "upside down": lambda: radiograph(lambda picture: picture[::-1, ::-1]),
    "inverted": lambda: radiograph(lambda picture: 1 - picture),
    "hand": hand,
    "head": head,
    "text": text,
    "landscape": landscape,
    "noise": noise,
}


def small(picture: Picture) -> NDArray[np.float32]:
    """Return the picture as a gate sees it, [1, SIDE, SIDE], each cell the average of its pixels."""
    part = LARGE // SIDE
    cells: Picture = picture.clip(0, 1).reshape(SIDE, part, SIDE, part).mean((1, 3))
    return cells.astype(np.float32)[np.newaxis]


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gates", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, default=Path("docs/gate-reconstructions.png"))
    options = parser.parse_args()
    seen = torch.from_numpy(np.stack([small(make()) for make in SUBJECTS.values()]))
    rows = {"image": seen}
    for named in options.gates:
        name, _, file = named.partition("=")
        rows[name] = reconstructions(load_gate(Path(file)).network, seen)[0]
    figure = Figure(figsize=(1.15 * len(SUBJECTS), 1.2 * len(rows)), dpi=120)
    grid = figure.subplots(len(rows), len(SUBJECTS), squeeze=False)
    for line, (name, pictures) in zip(grid, rows.items(), strict=True):
        for axes, subject, picture in zip(line, SUBJECTS, pictures, strict=True):
            axes.imshow(picture[0], cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
            if name == "image":
                axes.set_title(subject, fontsize=9)
        line[0].set_ylabel(name, fontsize=9)
    figure.tight_layout(pad=0.4)
    figure.savefig(options.out, metadata={"Software": None})
    print(f"Wrote {options.out}.")


if __name__ == "__main__":
    main()
