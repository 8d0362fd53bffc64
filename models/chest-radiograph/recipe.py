"""Makes the bundle that lies beside this file.

    python models/chest-radiograph/recipe.py --data DIR --work WORK                     train, export, choose thresholds
    python models/chest-radiograph/recipe.py --data DIR --work WORK --ood OOD --final   also measure, for the card

    python models/chest-radiograph/recipe.py --data DIR --card                          write all but the weights again

DIR and OOD hold `manifest.csv` and images. Splits `train` and `valid` are used for fitting and choosing; `test` is read
by --final alone. Interrupted, training goes on at the last finished epoch.
"""

import argparse
import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from card import render_card

from sitegen.bundle import CARD, Bundle, Calibration, GateSettings, Label, Licence, load_bundle
from sitegen.data.cache import Tensors, cached_tensors
from sitegen.data.manifest import Record, read_manifest, select
from sitegen.evaluation.figures import figures, observe, refused_by_category
from sitegen.evaluation.metrics import operating_point
from sitegen.export.gradient_graph import export_gradient, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.export.write_bundle import GOLDEN, Draft, write_bundle
from sitegen.networks.autoencoder import Autoencoder, AutoencoderSettings
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from sitegen.training.classifier import (
    ClassifierSettings,
    LabelledImages,
    equal_weights,
    fit_classifier,
    predict_logits,
)
from sitegen.training.gate import GateFitSettings, fit_gate, gate_scores, reconstruct
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.model import NetworkInput

HERE = Path(__file__).parent
INPUTS = {
    "classifier": NetworkInput("image", (1, 1, 224, 224), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,)),
    "gate": NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,)),
}
POSITIVE = "PNEUMONIA"
CLASSIFIER = DenseNetSettings(growth=16, blocks=(3, 6, 8, 6), stem=24)
CLASSIFIER_FIT = ClassifierSettings()
AUTOENCODER = AutoencoderSettings()
GATE_FIT = GateFitSettings()
SHARE = 0.95  # of validation images that the gate accepts
SEED = 1
GOLDEN_SEED, GOLDEN_SIDE = 1, 768


def split_tensors(data: Path, work: Path, split: str) -> tuple[list[Record], Tensors]:
    """Return the records of a split and their tensors by role."""
    records = select(read_manifest(data), split)
    return records, cached_tensors([record.path for record in records], INPUTS, work / "tensors")


def train_classifier(records: list[Record], tensors: Tensors, work: Path, epochs_now: int | None = None) -> DenseNet:
    """Return the classifier, trained or read from its checkpoint."""
    torch.manual_seed(SEED)
    network = DenseNet(CLASSIFIER)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # quicker on a CPU
    data = LabelledImages(
        torch.from_numpy(tensors["classifier"]),
        torch.from_numpy(_targets(records)).float().unsqueeze(1),
        equal_weights([record.source for record in records]),
    )
    fit_classifier(network, data, CLASSIFIER_FIT, work / "classifier.pt", epochs_now)
    return network


def train_gate(records: list[Record], tensors: Tensors, work: Path, epochs_now: int | None = None) -> Autoencoder:
    """Return the autoencoder, trained or read from its checkpoint."""
    torch.manual_seed(SEED)
    network = Autoencoder(AUTOENCODER)
    weights = equal_weights([record.source for record in records])
    fit_gate(network, torch.from_numpy(tensors["gate"]), weights, GATE_FIT, work / "gate.pt", epochs_now)
    return network


def choose_label(network: DenseNet, records: list[Record], tensors: Tensors) -> Label:
    """Return the label with the operating point of the validation images, both sources weighted equally."""
    logits = predict_logits(network, torch.from_numpy(tensors["classifier"]))[:, 0]
    probabilities = np.array([sigmoid(logit) for logit in logits.tolist()])
    weights = equal_weights([record.source for record in records]).double().numpy()
    point = operating_point(probabilities, _targets(records), weights)
    return Label(
        name="Pneumonia", operating_point=round(point.threshold, 6), calibration=Calibration(method="piecewise-linear")
    )


def choose_gate(network: Autoencoder, tensors: Tensors) -> GateSettings:
    """Return the threshold that SHARE of the validation images reach."""
    scores = gate_scores(tensors["gate"], reconstruct(network, torch.from_numpy(tensors["gate"])), 1.0)
    return GateSettings(metric="ssim", threshold=round(float(np.quantile(scores, 1 - SHARE)), 6), share=SHARE)


def measure(bundle: Bundle, data: Path, ood: Path | None, splits: list[str]) -> dict[str, Any]:
    """Return figures by split and source, and the images refused by category of those that are no chest radiographs."""
    predictor = Predictor(bundle)
    records = read_manifest(data)
    point = bundle.description.labels[0].operating_point
    measured: dict[str, Any] = {
        split: {
            source: figures(observe(predictor, select(records, split, source), POSITIVE), point)
            for source in sorted({record.source for record in records})
        }
        for split in splits
    }
    if ood:
        with (ood / "manifest.csv").open(encoding="utf-8", newline="") as lines:
            files = [(row["category"], ood / row["file"]) for row in csv.DictReader(lines)]
        measured["refused"] = refused_by_category(predictor, files)
    return measured


def write(folder: Path, label: Label, gate: GateSettings, records: list[Record], metrics: dict[str, Any]) -> Bundle:
    """Write the gradient graph, the card and the description for classifier and gate in `folder`."""
    export_gradient(folder, last_feature_map(folder / "classifier.onnx"))
    recipe = {
        "classifier": asdict(CLASSIFIER) | {"training": asdict(CLASSIFIER_FIT)},
        "gate": asdict(AUTOENCODER) | {"training": asdict(GATE_FIT)},
        "seed": SEED,
        "weights": {"classifier": _weights(DenseNet(CLASSIFIER)), "gate": _weights(Autoencoder(AUTOENCODER))},
    }
    counts = {source: sum(record.source == source for record in records) for source in ("nih", "kermany")}
    (folder / CARD).write_text(render_card(recipe, label, gate, counts, metrics), encoding="utf-8")
    draft = Draft(
        name="chest-radiograph",
        version="0.1.0",
        title="Pneumonia on frontal chest radiographs",
        licence=Licence(
            weights="Apache-2.0", data="NIH ChestX-ray14: attribution requested; Kermany et al. 2018: CC BY 4.0"
        ),
        labels=[label],
        gate=gate,
        gradient=True,
        provenance={"recipe": "models/chest-radiograph/recipe.py", "torch": torch.__version__, "settings": recipe},
        metrics=metrics,
    )
    return write_bundle(folder, draft, INPUTS)


def _targets(records: list[Record]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([record.label == POSITIVE for record in records])


def _weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--work", type=Path, default=Path("build/chest-radiograph"), help="caches and checkpoints")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the bundle")
    parser.add_argument("--ood", type=Path, help="folder of images that are no chest radiographs")
    parser.add_argument("--final", action="store_true", help="open the test images and write their figures")
    parser.add_argument("--epochs-now", type=int, help="stop early, for a provisional bundle")
    parser.add_argument("--card", action="store_true", help="write all but the weights and figures again")
    return parser.parse_args()


def main() -> None:
    """Run the recipe."""
    given = _arguments()
    torch.set_num_threads(2)
    if given.card:
        known = load_bundle(given.out).description
        assert known.gate, "this recipe's bundle has a gate"  # noqa: S101
        write(given.out, known.labels[0], known.gate, read_manifest(given.data), known.metrics)
        return
    given.out.mkdir(parents=True, exist_ok=True)
    train, tensors = split_tensors(given.data, given.work, "train")
    classifier = train_classifier(train, tensors, given.work, given.epochs_now)
    autoencoder = train_gate(train, tensors, given.work, given.epochs_now)
    export_onnx(classifier, INPUTS["classifier"].shape, "logits", given.out / "classifier.onnx")
    export_onnx(autoencoder, INPUTS["gate"].shape, "reconstruction", given.out / "gate.onnx")
    valid, tensors = split_tensors(given.data, given.work, "valid")
    label, gate = choose_label(classifier, valid, tensors), choose_gate(autoencoder, tensors)
    write_phantom(given.out / GOLDEN, GOLDEN_SEED, GOLDEN_SIDE)
    records = read_manifest(given.data)
    bundle = write(given.out, label, gate, records, {})
    metrics = measure(bundle, given.data, given.ood, ["valid", "test"] if given.final else ["valid"])
    write(given.out, label, gate, records, metrics)


if __name__ == "__main__":
    main()
