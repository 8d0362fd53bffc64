"""The paper's Table 3 on digits: python -m tests.studies.digit_concepts FOLDER [--json FILE] [--unpacked DIR]

A two-layer CNN learns the digits that scikit-learn ships (1,797 of 8 x 8 cells), half of them; it becomes a bundle as
any imported network does, and `sitegen train concepts` looks into both of its layers on the other half. The writer of
a digit is not known, so each image counts by itself.

With --unpacked a folder of square grey images of one size, `train/CLASS/…` and `test/CLASS/…`, takes the digits' place:
what `sitegen data unpack` makes of Fashion-MNIST's or MNIST's files, or one's own. `train` is learnt, `test` unseen.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

import sitegen
from sitegen.evaluation.concepts.document import as_tables
from sitegen.evaluation.concepts.settings import ConceptSettings
from sitegen.evaluation.concepts.study import Study, study

SMALLEST = 32  # pixels along a file's side: smaller files are refused, so that cells become several pixels
LAYERS, EPOCHS = 2, 40
Cells = NDArray[np.uint8]


@dataclass(frozen=True)
class Images:
    """Grey images [N, side, side] of 0 to 255 with the number of each one's class, learnt and unseen."""

    labels: tuple[str, ...]
    learnt: tuple[Cells, NDArray[np.int64]]
    unseen: tuple[Cells, NDArray[np.int64]]


def digits() -> Images:
    """Half of scikit-learn's digits, drawn at random, and the other half."""
    found = load_digits()
    cells = np.rint(found.images * 255 / 16).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(cells))
    halves = [(cells[part], found.target[part].astype(np.int64)) for part in np.array_split(order, [len(cells) // 2])]
    return Images(tuple(f"digit {number}" for number in range(10)), halves[0], halves[1])


def unpacked(folder: Path) -> Images:
    """The images of `train/CLASS/…` and `test/CLASS/…`."""
    labels = tuple(sorted(each.name for each in (folder / "train").iterdir() if each.is_dir()))
    parts = []
    for split in ("train", "test"):
        files = [(path, at) for at, label in enumerate(labels) for path in sorted((folder / split / label).glob("*.*"))]
        cells = np.stack([np.asarray(Image.open(path).convert("L")) for path, _ in files])
        parts.append((cells, np.array([at for _, at in files], np.int64)))
    return Images(labels, parts[0], parts[1])


def network(side: int, labels: int) -> nn.Sequential:
    """Two convolutional layers and one linear one."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (-(-side // 2)) ** 2, labels),
    )


def trained(images: Tensor, numbers: Tensor, labels: int, epochs: int) -> nn.Sequential:
    """A network that tells each class from all others; labels do not exclude each other in a bundle."""
    torch.manual_seed(0)
    made = network(images.shape[-1], labels)
    optimiser = torch.optim.Adam(made.parameters(), 1e-3)
    targets = nn.functional.one_hot(numbers, labels).float()
    for _ in range(epochs):
        for part in torch.randperm(len(images)).split(100):
            loss = nn.functional.binary_cross_entropy_with_logits(made(images[part]), targets[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return made.eval()


def write_images(cells: Cells, folder: Path) -> None:
    """Write images as files, whose area averages are their cells."""
    folder.mkdir(parents=True, exist_ok=True)
    times = -(-SMALLEST // cells.shape[-1])
    for number, each in enumerate(cells):
        enlarged = np.kron(each, np.ones((times, times), np.uint8))
        Image.fromarray(enlarged).save(folder / f"{number:04}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--unpacked", type=Path, help="a folder with train/CLASS and test/CLASS instead of digits")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the network's training")
    parser.add_argument("--images", type=int, default=200, help="that effects are measured on")
    asked = parser.parse_args()
    given = unpacked(asked.unpacked) if asked.unpacked else digits()
    learnt, unseen = given.learnt, given.unseen
    made = trained(as_tensor(learnt[0]), torch.from_numpy(learnt[1]), len(given.labels), asked.epochs)
    with torch.inference_mode():
        right = float((made(as_tensor(unseen[0])).argmax(1).numpy() == unseen[1]).mean())
    print(f"right on {100 * right:.1f} % of {len(unseen[1])} unseen images")
    write_images(unseen[0][np.random.default_rng(0).permutation(len(unseen[0]))[:2000]], asked.folder / "images")
    side = unseen[0].shape[-1]
    image = {"side": side, "colour": "grey", "range": (0, 1), "mean": (0,), "std": (1,), "fraction": 1}
    place = asked.folder / "bundle"
    sitegen.import_network(made, place, labels=given.labels, image=image, replace=True)
    settings = ConceptSettings(
        ("images",), "all", "all", 300, asked.images, codes=8, hidden=16, epochs=20, batch=50, rate=3e-3, masks=8
    )
    documents = []
    for layer in layers(place)[:LAYERS]:
        document = study(Study(place, layer, settings, asked.folder, force=True)).document
        documents.append(document)
        for part in as_tables(document):
            sitegen_print(part)
    if asked.json:
        asked.json.write_text(json.dumps({"right": right, "layers": documents}, indent=1), "utf-8")


def as_tensor(cells: Cells) -> Tensor:
    """Images as the network takes them, float32 [N, 1, side, side] of 0 to 1."""
    return torch.from_numpy(cells.astype(np.float32) / 255)[:, None]


def layers(place: Path) -> list[str]:
    """The outputs of the two rectifiers."""
    import onnx

    model = onnx.load(str(sitegen.load_bundle(place).graph_path("classifier")))
    return [node.output[0] for node in model.graph.node if node.op_type == "Relu"]


def sitegen_print(part: object) -> None:
    from rich.console import Console

    Console(width=140).print(part)


if __name__ == "__main__":
    main()
