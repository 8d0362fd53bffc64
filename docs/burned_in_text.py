"""Shows how maps give away a model that reads burned-in text: docs/burned-in-text.png, and figures to print.

    python docs/burned_in_text.py [--out docs/burned-in-text.png] [--images 64]

Two small networks learn to see a faint opacity in synthetic chest radiographs. Where one of them learns, all images
with the opacity have a word in a corner, as those of a ward's portable machine have. Every image is drawn here; none is
of a patient.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs
from sitegen.evaluation.explanations.planted_network import as_input, train_small, write_trained_bundle
from sitegen.metrics import auc
from sitegen.phantom import phantom
from sitegen.training.examples import LabelledImages
from sitegen.training.fit import TrainingData
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.maps.heat_map import Look, picture, picture_size

SIDE, WORD = 96, "PORTABLE"
BOX = 4, 4, 54, 15  # left, top, right, bottom of what the word may touch, in cells
FAINT = 0.35  # of the opacity that phantoms have
IMAGE = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
NETWORK = {"name": "densenet-tiny", "blocks": [3, 3], "labels": 1}
METHODS = ("grad-cam", "saliency", "integrated-gradients")
TRAIN, VALID, TEST = range(512), range(10_000, 10_096), 20_000

Picture = NDArray[np.uint8]
Texts = Callable[[bool], bool]  # whether an image with, or without, the opacity gets the word


def chest(seed: int, opacity: bool, text: bool) -> Picture:
    """A chest radiograph, with a faint opacity and the word where asked for."""
    plain = phantom(seed, SIDE).astype(np.float64)
    if opacity:
        plain += FAINT * (phantom(seed, SIDE, opacity=True) - plain)
    drawn = Image.fromarray(np.rint(plain).astype(np.uint8))
    if text:
        moved = seed % 3, seed // 3 % 3
        ImageDraw.Draw(drawn).text((5 + moved[0], 4 + moved[1]), WORD, fill=235, font=ImageFont.load_default(9))
    return np.asarray(drawn)


def chests(seeds: Sequence[int], texts: Texts) -> Picture:
    """Images [N, SIDE, SIDE]; those of odd seeds have the opacity."""
    return np.stack([chest(seed, seed % 2 == 1, texts(seed % 2 == 1)) for seed in seeds])


def examples(seeds: Sequence[int], texts: Texts) -> LabelledImages:
    """The same for training."""
    targets = torch.tensor([[float(seed % 2)] for seed in seeds])
    return LabelledImages(torch.from_numpy(as_input(chests(seeds, texts))), targets, torch.ones(len(seeds)))


def trained(texts: Texts, folder: Path) -> Graphs:
    """The graphs of a network that learned where the word is placed like this."""
    data = TrainingData(examples(TRAIN, texts), examples(VALID, texts), ("Opacity",))
    network = train_small(NETWORK, data, IMAGE, epochs=10, seed=1)
    folder.mkdir()
    return open_graphs(write_trained_bundle(network, folder, folder.name))


def probabilities(graphs: Graphs, images: Picture) -> NDArray[np.float64]:
    """The probability of the opacity of each image."""
    return np.array([graphs.probability(image, 0) for image in as_input(images)])


def in_the_box(graphs: Graphs, images: Picture, method: str) -> tuple[float, float]:
    """How often a map's strongest cell lies on the word, and what share of the map does, on average."""
    left, top, right, bottom = BOX
    hits, masses = [], []
    for image in as_input(images):
        shown = np.maximum(draw(graphs, image, 0, method), 0)
        row, column = np.unravel_index(int(shown.argmax()), shown.shape)
        hits.append(top <= row < bottom and left <= column < right)
        masses.append(shown[top:bottom, left:right].sum() / max(float(shown.sum()), 1e-12))
    return float(np.mean(hits)), float(np.mean(masses))


def report(models: dict[str, Graphs], images: int) -> Iterator[str]:
    """Yield lines of Markdown."""
    seeds = range(TEST, TEST + images)
    ill = np.array([seed % 2 == 1 for seed in seeds])
    places: dict[str, Texts] = {
        "word with the opacity, as it learned": lambda opacity: opacity,
        "no word": lambda opacity: False,
        "word on all": lambda opacity: True,
        "word on those without the opacity": lambda opacity: not opacity,
    }
    yield "| test images | " + " | ".join(models) + " |"
    yield "|---|" + "---|" * len(models)
    for told, texts in places.items():
        found = [auc(probabilities(graphs, chests(seeds, texts)), ill) for graphs in models.values()]
        yield f"| {told} | " + " | ".join(f"{area:.2f}" for area in found) + " |"
    yield ""
    yield "| mean probability | " + " | ".join(models) + " |"
    yield "|---|" + "---|" * len(models)
    for opacity in (True, False):
        for text in (True, False):
            drawn = np.stack([chest(seed, opacity, text) for seed in seeds if seed % 2 == opacity])
            means = [probabilities(graphs, drawn).mean() for graphs in models.values()]
            told = f"{'opacity' if opacity else 'no opacity'}, {'word' if text else 'no word'}"
            yield f"| {told} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |"
    left, top, right, bottom = BOX
    odd = [seed for seed in seeds if seed % 2]
    both = chests(odd, lambda opacity: True)
    yield ""
    yield f"The corner of the word is {(right - left) * (bottom - top) / SIDE**2:.3f} of the image."
    yield ""
    yield "| map | " + " | ".join(f"{name}: strongest cell there | mass there" for name in models) + " |"
    yield "|---|" + "---|---|" * len(models)
    for method in METHODS:
        pairs = [in_the_box(graphs, both, method) for graphs in models.values()]
        yield f"| {method} | " + " | ".join(f"{hits:.2f} | {mass:.2f}" for hits, mass in pairs) + " |"


def draw_figure(models: dict[str, Graphs], out: Path) -> None:
    """A row for each kind of image, a column for each model and method."""
    seed = TEST + 1
    kinds = {
        "opacity, word": chest(seed, opacity=True, text=True),
        "opacity, no word": chest(seed, opacity=True, text=False),
        "no opacity, word": chest(seed, opacity=False, text=True),
    }
    shown = METHODS[:2]
    figure = Figure(figsize=(1.9 * (1 + len(models) * len(shown)), 2.4 * len(kinds)), dpi=110)
    grid = figure.subplots(len(kinds), 1 + len(models) * len(shown), squeeze=False)
    for line, (kind, image) in zip(grid, kinds.items(), strict=True):
        line[0].set_ylabel(kind, fontsize=9)
        line[0].set_title("image", fontsize=8)
        line[0].imshow(image, cmap="gray", vmin=0, vmax=255)
        cells = iter(line[1:])
        for name, graphs in models.items():
            share = probabilities(graphs, image[np.newaxis])[0]
            for method in shown:
                axes = next(cells)
                axes.imshow(image, cmap="gray", vmin=0, vmax=255)
                axes.imshow(overlay(draw(graphs, as_input(image[np.newaxis])[0], 0, method)))
                axes.set_title(f"{name}\n{method}: {100 * share:.0f} %", fontsize=8)
        for axes in line:
            axes.set_xticks([])
            axes.set_yticks([])
    figure.tight_layout(pad=0.4, h_pad=1.2)
    figure.savefig(out, metadata={"Software": None})


def overlay(given: NDArray[np.float64]) -> Picture:
    """What the page would lay over the image: RGBA [SIDE, SIDE, 4]."""
    size = picture_size((SIDE, SIDE), (SIDE, SIDE))
    rgba = picture(given.ravel().tolist(), (SIDE, SIDE), size, Look())
    return np.asarray(Image.frombytes("RGBA", size[::-1], rgba).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def main() -> None:
    """Train, print the figures, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/burned-in-text.png"))
    parser.add_argument("--images", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = {
            "learned with the word": trained(lambda opacity: opacity, Path(folder) / "word"),
            "learned without": trained(lambda opacity: False, Path(folder) / "none"),
        }
        print("\n".join(report(models, given.images)))
        draw_figure(models, given.out)
    print(f"Wrote {given.out}.")


if __name__ == "__main__":
    main()
