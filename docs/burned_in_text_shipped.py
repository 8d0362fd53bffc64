"""What words burned into drawn radiographs do to the model that ships: the last part of docs/burned-in-text.md.

    python docs/burned_in_text_shipped.py [--images 60] [--out docs/burned-in-text-shipped.png]

Every image is analysed without and with the word, as `sitegen predict --force` does it, and explained as `sitegen
explain` does it. Some two minutes on one processor.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sitegen.bundle import Bundle, load_bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.prediction.overlay import explained_image
from sitegen.resources import default_bundle
from sitegen_runtime.explanation import Explained
from sitegen_runtime.maps.heat_map import Look

SIDE, SEED = 512, 30_000
WORDS = {"A-P PORTABLE 14:35": (0.03, 0.03), "R": (0.03, 0.06)}  # and where, as shares of the side: left, top
METHODS = ("grad-cam", "saliency")

Picture = NDArray[np.uint8]


def with_word(image: Picture, word: str) -> tuple[Picture, tuple[int, int, int, int]]:
    """Return the image with the word, and its box of pixels: left, top, right, bottom."""
    drawn = Image.fromarray(image)
    pen = ImageDraw.Draw(drawn)
    x, y = WORDS[word]
    place = (round(x * SIDE), round(y * SIDE))
    font = ImageFont.load_default(SIDE // (12 if len(word) == 1 else 22))
    pen.text(place, word, fill=240, font=font)
    left, top, right, bottom = pen.textbbox(place, word, font=font)
    return np.asarray(drawn), (int(left), int(top), int(right) + 1, int(bottom) + 1)


def explained(predictor: Predictor, image: Picture, finding: str) -> Explained:
    """Analyse an image and explain its finding by METHODS."""
    wanted = [{"finding": finding, "method": method} for method in METHODS]
    return predictor.explain(png(image), wanted, name="drawn.png", force=True)


def png(image: Picture) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def mass_in(found: Explained, box: Sequence[int]) -> list[float]:
    """What share of each map, of what is above 0, lies in a box of the image."""
    left, top, right, bottom = box
    shares = []
    for drawn in found.maps:
        rows, columns = drawn.shape
        values = np.maximum(np.asarray(drawn.values, np.float64).reshape(rows, columns), 0)
        wide = values.repeat(SIDE // rows + 1, 0).repeat(SIDE // columns + 1, 1)
        chosen = np.linspace(0, wide.shape[0] - 1, SIDE).astype(int)  # the nearest cell of each pixel
        whole = wide[np.ix_(chosen, chosen)]
        shares.append(float(whole[top:bottom, left:right].sum() / max(whole.sum(), 1e-12)))
    return shares


def report(bundle: Bundle, images: int) -> Iterator[str]:
    """Yield lines of Markdown: a row for each word and kind of image."""
    predictor, label = Predictor(bundle), bundle.description.labels[0]
    yield "| word | images | probability without | with | change (points) | say the finding, without | with |"
    yield "|---|---|---|---|---|---|---|"
    masses: dict[str, list[list[float]]] = {}
    for word in WORDS:
        for opacity in (False, True):
            rows = []
            for seed in range(SEED, SEED + images):
                plain = phantom(seed, SIDE, opacity=opacity)
                changed, box = with_word(plain, word)
                before, after = explained(predictor, plain, label.name), explained(predictor, changed, label.name)
                rows.append([each.document["findings"][0]["probability"] for each in (before, after)])
                masses.setdefault(word, []).append([*mass_in(before, box), *mass_in(after, box)])
            without, with_it = np.array(rows).T
            change = 100 * (with_it - without)
            error = 1.96 * change.std(ddof=1) / len(change) ** 0.5
            said = [int((part >= label.operating_point).sum()) for part in (without, with_it)]
            kind = "opacity" if opacity else "no opacity"
            yield (
                f"| {word} | {len(rows)}, {kind} | {without.mean():.3f} | {with_it.mean():.3f} "
                f"| {change.mean():+.1f} ± {error:.1f} | {said[0]} | {said[1]} |"
            )
    yield ""
    yield "| word | the place's share of the image | " + " | ".join(f"of {m}, without | with" for m in METHODS) + " |"
    yield "|---|---|" + "---|---|" * len(METHODS)
    for word, shares in masses.items():
        _, (left, top, right, bottom) = with_word(phantom(SEED, SIDE), word)
        first, second, third, fourth = np.mean(shares, axis=0)
        area = (right - left) * (bottom - top) / SIDE**2
        yield f"| {word} | {area:.3f} | {first:.3f} | {third:.3f} | {second:.3f} | {fourth:.3f} |"


def draw_figure(bundle: Bundle, out: Path) -> None:
    """One drawn chest without and with the first word: the image, and the maps over it."""
    predictor, label, word = Predictor(bundle), bundle.description.labels[0].name, next(iter(WORDS))
    plain = phantom(SEED, SIDE)
    grid = predictor.model.graphs["classifier"].images[0].grid
    figure = Figure(figsize=(2.6 * (1 + len(METHODS)), 5.6), dpi=110)
    axes_of = figure.subplots(2, 1 + len(METHODS), squeeze=False)
    for line, image in zip(axes_of, (plain, with_word(plain, word)[0]), strict=True):
        found = explained(predictor, image, label)
        share = found.document["findings"][0]["probability"]
        line[0].imshow(image, cmap="gray", vmin=0, vmax=255)
        line[0].set_title(f"{label}: {100 * share:.0f} %", fontsize=9)
        for axes, drawn in zip(line[1:], found.maps, strict=True):
            axes.imshow(explained_image(png(image), found, drawn, grid, Look()))
            axes.set_title(drawn.method, fontsize=9)
        for axes in line:
            axes.set_axis_off()
    figure.tight_layout(pad=0.4)
    figure.savefig(out, metadata={"Software": None})


def main() -> None:
    """Print the figures, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/burned-in-text-shipped.png"))
    parser.add_argument("--images", type=int, default=60)
    given = parser.parse_args()
    bundle = load_bundle(default_bundle())
    print("\n".join(report(bundle, given.images)))
    draw_figure(bundle, given.out)
    print(f"Wrote {given.out}.")


if __name__ == "__main__":
    main()
