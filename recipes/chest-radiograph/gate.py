"""The gate of the bundle that ships: trained, its threshold chosen, and measured on what is no chest radiograph.

    python recipes/chest-radiograph/gate.py --data DIR --work WORK --bundle BUNDLE    train, and put into a bundle
    python recipes/chest-radiograph/gate.py --refused OOD [--bundle BUNDLE]           what it refuses, as Markdown

DIR has images and a `manifest.csv`; OOD too, with a column `category`. BUNDLE is a bundle made without a gate, or with
another one. Interrupted, training goes on at the last finished epoch.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from sitegen.bundle import CARD, GateSettings, load_bundle
from sitegen.data.cache import cached_tensors
from sitegen.data.manifest import read_manifest, select
from sitegen.evaluation.refusals import refused_by_category
from sitegen.export.onnx_export import export_onnx
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.networks.autoencoder import Autoencoder, AutoencoderSettings
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen.training.examples import equal_weights
from sitegen.training.gate import GateFitSettings, fit_gate, gate_scores, reconstruct
from sitegen_runtime.model import NetworkInput

ENTRY = NetworkInput("image", (1, 1, 64, 64), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
NETWORK, FIT = AutoencoderSettings(), GateFitSettings()
SHARE = 0.95  # of validation images that the gate accepts
SEED = 1


def train(data: Path, work: Path) -> tuple[Autoencoder, GateSettings]:
    """Return the autoencoder, trained or read from its checkpoint, and the threshold that SHARE of `valid` reach."""
    torch.set_num_threads(2)
    records = read_manifest(data)
    tensors = {
        split: cached_tensors([each.path for each in select(records, split)], {"gate": ENTRY}, work / "tensors")["gate"]
        for split in ("train", "valid")
    }
    torch.manual_seed(SEED)
    network = Autoencoder(NETWORK)
    weights = equal_weights([record.source for record in select(records, "train")])
    fit_gate(network, torch.from_numpy(tensors["train"]), weights, FIT, work / "gate.pt")
    scores = gate_scores(tensors["valid"], reconstruct(network, torch.from_numpy(tensors["valid"])), 1.0)
    threshold = round(float(np.quantile(scores, 1 - SHARE)), 6)
    return network, GateSettings(metric="ssim", threshold=threshold, share=SHARE)


def put_into(folder: Path, network: Autoencoder, settings: GateSettings) -> None:
    """Write the gate into a bundle's folder, and describe the bundle anew; its card stays as it is."""
    old = load_bundle(folder).description
    export_onnx(network, ENTRY.shape, "reconstruction", folder / "gate.onnx")
    made = {"gate": {"network": asdict(NETWORK), "training": asdict(FIT), "seed": SEED}}
    draft = Draft(
        name=old.name,
        version=old.version,
        title=old.title,
        licence=old.licence,
        labels=old.labels,
        gate=settings,
        gradient="gradient" in old.graphs,
        feature_map=old.feature_map,
        provenance=old.provenance | made,
        metrics=old.metrics,
    )
    write_bundle(folder, draft, {"classifier": old.graphs["classifier"], "gate": ENTRY})
    print(f"Wrote the gate into {folder}, threshold {settings.threshold}. Read {folder / CARD} again.")


def refused(bundle: Path, others: Path) -> Iterator[str]:
    """Yield a table of the images that are no chest radiographs, and how many of them are refused."""
    with (others / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        files = [(row["category"], others / row["file"]) for row in csv.DictReader(lines)]
    yield "| kind | images | refused |"
    yield "|---|---|---|"
    for category, count in refused_by_category(Predictor(load_bundle(bundle)), files).items():
        yield f"| {category.replace('_', ' ')} | {count['images']} | {count['refused']} |"


def main() -> None:
    """Train, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/chest-radiograph"))
    parser.add_argument("--bundle", type=Path, default=default_bundle())
    parser.add_argument("--refused", type=Path, metavar="OOD")
    given = parser.parse_args()
    if given.refused:
        print("\n".join(refused(given.bundle, given.refused)))
    elif given.data:
        put_into(given.bundle, *train(given.data, given.work))
    else:
        parser.error("give --data DIR, or --refused OOD")


if __name__ == "__main__":
    main()
