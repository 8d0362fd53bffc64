"""The paper's Table 3 on digits: python -m tests.studies.digit_concepts FOLDER [--json FILE]

A two-layer CNN learns the digits that scikit-learn ships (1,797 of 8 x 8 cells), half of them; it becomes a bundle as
any imported network does, and `sitegen train concepts` looks into both of its layers on the other half. The writer of
a digit is not known, so each image counts by itself.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

import sitegen
from sitegen.evaluation.concepts.document import as_tables
from sitegen.evaluation.concepts.settings import ConceptSettings
from sitegen.evaluation.concepts.study import Study, study

LABELS = tuple(f"digit {number}" for number in range(10))
SIDE, ENLARGED = 8, 4  # a file has so many pixels for a cell: smaller files are refused
LAYERS = 2


def network() -> nn.Sequential:
    """Two convolutional layers and one linear one."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, 10),
    )


def trained(images: Tensor, digits: Tensor, epochs: int = 40) -> nn.Sequential:
    """A network that tells each digit from all others; labels do not exclude each other in a bundle."""
    torch.manual_seed(0)
    made = network()
    optimiser = torch.optim.Adam(made.parameters(), 1e-3)
    targets = nn.functional.one_hot(digits, 10).float()
    for _ in range(epochs):
        for part in torch.randperm(len(images)).split(100):
            loss = nn.functional.binary_cross_entropy_with_logits(made(images[part]), targets[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return made.eval()


def write_images(cells: np.ndarray, folder: Path) -> None:
    """Write digits as pictures, whose area averages are their cells."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(cells):
        enlarged = np.kron(each, np.ones((ENLARGED, ENLARGED), np.uint8))
        Image.fromarray(enlarged).save(folder / f"{number:04}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    digits = load_digits()
    cells = np.rint(digits.images * 255 / 16).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(cells))
    learnt, unseen = order[: len(cells) // 2], order[len(cells) // 2 :]
    images = torch.from_numpy(cells.astype(np.float32) / 255)[:, None]
    targets = torch.from_numpy(digits.target)
    made = trained(images[learnt], targets[learnt])
    right = (made(images[unseen]).argmax(1) == targets[unseen]).float().mean().item()
    print(f"right on {100 * right:.1f} % of {len(unseen)} unseen digits")
    write_images(cells[unseen], asked.folder / "images")
    image = {"side": SIDE, "colour": "grey", "range": (0, 1), "mean": (0,), "std": (1,), "fraction": 1}
    place = asked.folder / "bundle"
    sitegen.import_network(made, place, labels=LABELS, image=image, replace=True)
    settings = ConceptSettings(
        ("images",), "all", "all", 300, 200, codes=8, hidden=16, epochs=20, batch=50, rate=3e-3, masks=8
    )
    documents = []
    for layer in layers(place)[:LAYERS]:
        document = study(Study(place, layer, settings, asked.folder, force=True)).document
        documents.append(document)
        for part in as_tables(document):
            sitegen_print(part)
    if asked.json:
        asked.json.write_text(json.dumps({"right": right, "layers": documents}, indent=1), "utf-8")


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
