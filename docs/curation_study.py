"""The study of docs/curation-study.md: python docs/curation_study.py DATA VALID ROWS [--rate 0.02]

VALID and ROWS are folders that `sitegen curate --distances` wrote of DATA's cxr/valid and nih14/valid, and of cxr/test,
nih14/test, ood and cxr_external in this order. Of `ood` the half counts that did not serve to develop the gate.
"""

import argparse
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sitegen.curation.table import read_table
from sitegen.evaluation.gate.images import HALVES

RADIOGRAPH, OTHER, EXTERNAL = "radiograph", "other", "external"
SETS = {0: RADIOGRAPH, 1: RADIOGRAPH, 2: OTHER, 3: EXTERNAL}
DISTANCES = ("mse", "wasserstein", "ssim", "patch_mse", "patch_wasserstein", "patch_ssim")
SHARE = 0.05  # of other images in the repository that the second precision is of
Flags = NDArray[np.bool_]
Ways = Mapping[str, Flags]


@dataclass(frozen=True)
class Images:
    """The images of a table: which set, whose, and what each way drops."""

    sets: NDArray[np.str_]
    patients: NDArray[np.str_]
    ways: Ways


def main() -> None:
    """Print the tables of the study in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--rate", type=float, help="the share of validation radiographs that distances are to drop")
    parser.add_argument("--resamples", type=int, default=1000)
    asked = parser.parse_args()
    valid, table = _readable(read_table(asked.valid)), _readable(read_table(asked.rows))
    refused = ~_column(valid, "accepted").astype(bool)
    rate = asked.rate or max(float(refused.mean()), 1 / len(valid))
    print(f"The gate refuses {refused.sum()} of {len(valid)} validation radiographs; distances are to drop {rate:.2%}.")
    limits = {name: float(np.quantile(unlike(valid, name), 1 - rate)) for name in DISTANCES}
    found = images(table, limits, patients_of(asked.data))
    print({kind: int((found.sets == kind).sum()) for kind in (RADIOGRAPH, OTHER, EXTERNAL)}, "images\n")
    print("| dropped by | precision | precision, 5 % other | recall | radiographs dropped | external films dropped |")
    print("|---|---|---|---|---|---|")
    for way in found.ways:
        print(f"| {way} | {' | '.join(told(found, way, asked.resamples))} |")


def _readable(table: pa.Table) -> pa.Table:
    return table.filter(pa.array(table["error"].is_null().to_numpy()))


def _column(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)


def unlike(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a distance, turned so that larger is less alike."""
    return _column(table, name) * (-1 if name.endswith("ssim") else 1)


def patients_of(data: Path) -> dict[str, str]:
    """Return whose each file is, by its name, as the manifests say."""
    found = {}
    for folder, key in (("cxr", "patient_id"), ("nih14", "patient_id"), ("cxr_external", "patient")):
        with (data / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            found.update({Path(row["file"]).name: row[key] for row in csv.DictReader(file)})
    return found


def images(table: pa.Table, limits: Mapping[str, float], patients: Mapping[str, str]) -> Images:
    """Return the images that count, and what each way drops of them."""
    sets = np.array([SETS[root] for root in table["root"].to_pylist()])
    hashes = table["sha256"].to_pylist()
    counts = np.array([kind != OTHER or digest[0] in HALVES["test"] for kind, digest in zip(sets, hashes, strict=True)])
    table, sets = table.filter(pa.array(counts)), sets[counts]
    whose = [patients.get(Path(path).name, path) for path in table["path"].to_pylist()]
    gate = ~_column(table, "accepted").astype(bool)
    far = {name: unlike(table, name) > limit for name, limit in limits.items()}
    ways = {"gate": gate, **far}
    ways |= {f"gate or {name}": gate | far[name] for name in ("mse", "patch_wasserstein", "patch_ssim")}
    return Images(sets, np.array(whose), ways)


def told(found: Images, way: str, resamples: int) -> list[str]:
    """Return the figures of one way with 95 % intervals of a bootstrap by patient, drawn within each set."""
    random = np.random.default_rng(0)
    drawn = np.array([figures(found, way, weights) for weights in _weights(found, resamples, random)])
    low, high = np.nanquantile(drawn[1:], [0.025, 0.975], axis=0)
    return [f"{value:.3f} ({a:.3f}–{b:.3f})" for value, a, b in zip(drawn[0], low, high, strict=True)]


def _weights(found: Images, resamples: int, random: np.random.Generator) -> list[NDArray[np.float64]]:
    weights = [np.ones(len(found.sets))]
    for _ in range(resamples):
        drawn = np.zeros(len(found.sets))
        for kind in (RADIOGRAPH, OTHER, EXTERNAL):
            members = found.sets == kind
            names, of = np.unique(found.patients[members], return_inverse=True)
            times = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
            drawn[members] = times[of]
        weights.append(drawn)
    return weights


def figures(found: Images, way: str, weights: NDArray[np.float64]) -> list[float]:
    """Return precision, precision where SHARE are other images, recall, and the shares of films that are dropped."""
    share = {
        kind: float(np.average(found.ways[way][found.sets == kind], weights=weights[found.sets == kind]))
        for kind in (RADIOGRAPH, OTHER, EXTERNAL)
    }
    right, wrong = (weights[found.sets == kind].sum() * share[kind] for kind in (OTHER, RADIOGRAPH))
    few = SHARE * share[OTHER], (1 - SHARE) * share[RADIOGRAPH]
    return [right / (right + wrong), few[0] / sum(few), share[OTHER], share[RADIOGRAPH], share[EXTERNAL]]


if __name__ == "__main__":
    main()
