"""What a model without convolutions achieves on the same images: principal components and logistic regression.

    python recipes/chest-radiograph/baseline.py --data DIR --work WORK [--split test]

Fitted on the training images of both sources, which weigh the same; the number of components is the best on the
validation images. Prints the AUC by source, with 95 % bootstrap intervals by patient.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sitegen.data.layouts.manifest import read_manifest, select
from sitegen.data.tensors.cache import cached_tensors
from sitegen.metrics import auc, interval_by_patient
from sitegen.metrics.roc import auc_of_draws
from sitegen_runtime.bundle.model import NetworkInput

SIDE = 64
COMPONENTS = (20, 50, 100, 200)
SOURCES = ("nih", "kermany")


def main() -> None:
    """Fit on train, choose on valid, print the figures of the split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/chest-radiograph"))
    parser.add_argument("--split", default="test")
    given = parser.parse_args()
    entry = NetworkInput("image", (1, 1, SIDE, SIDE), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    records = read_manifest(given.data)
    parts = {split: select(records, split) for split in ("train", "valid", given.split)}
    pixels = {
        split: cached_tensors([record.path for record in part], {"image": entry}, given.work / "tensors")["image"]
        for split, part in parts.items()
    }
    flat = {split: values.reshape(len(values), -1) for split, values in pixels.items()}
    targets = {split: np.array([record.label == "PNEUMONIA" for record in part]) for split, part in parts.items()}
    sources = {split: np.array([record.source for record in part]) for split, part in parts.items()}
    counts = {source: (sources["train"] == source).sum() for source in SOURCES}
    weights = np.array([1 / counts[source] for source in sources["train"]]) * len(flat["train"]) / len(SOURCES)

    def mean_auc(components: int) -> float:
        scores = scored(components, "valid")
        own = [sources["valid"] == source for source in SOURCES]
        return float(np.mean([auc(scores[members], targets["valid"][members]) for members in own]))

    def scored(components: int, split: str) -> np.ndarray:
        steps = make_pipeline(PCA(components, random_state=0), StandardScaler(), LogisticRegression(max_iter=5000))
        steps.fit(flat["train"], targets["train"], logisticregression__sample_weight=weights)
        scores: np.ndarray = steps.decision_function(flat[split])
        return scores

    best = max(COMPONENTS, key=mean_auc)
    print(f"{best} components")
    scores = scored(best, given.split)
    for source in SOURCES:
        own = sources[given.split] == source
        patients = [record.patient for record, kept in zip(parts[given.split], own, strict=True) if kept]
        seen, ill = scores[own], targets[given.split][own]
        area = interval_by_patient(partial(auc_of_draws, seen, ill), patients)
        print(f"{source}: AUC {area} on {own.sum()} images")


if __name__ == "__main__":
    main()
