"""The study of docs/anomaly-study.md, projections: python docs/projection_study.py DATA TRAINING GENERATOR OUT

DATA is as `anomaly_study.py` has it; TRAINING is the folder of images that the generator learned from. With
`--ali FILE` (a `gate.pt` of the preset `ali`) that network's reconstructions stand beside. Every network is given the
same square pictures of the generator's size. OUT gets, for each reconstruction, a folder with tables of distances, and
`study.json`: how close reconstructions of radiographs are, what tells anomalies, whether that is more than the gate's
autoencoder does, where the worst patch lies, and the processor's seconds that an image takes.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anomaly_study import OBJECTS, PATCH, SETS, link, plant  # type: ignore[import-not-found]  # they lie beside this
from generator_study import nearest, pixels  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.layouts.class_folders import images_below
from sitegen.data.tensors.cache import image_tensors
from sitegen.evaluation.anomaly.detection import Detection, detect
from sitegen.evaluation.anomaly.sets import read_set
from sitegen.evaluation.gate.resampling import draws_by_patient
from sitegen.networks.trained_gate import load_gate
from sitegen.prediction.reading import read_image_file

BASELINE, AUTOENCODER, ALI = "nih", "autoencoder", "ali"
SPACES = ("w", "w+")
SAME = 0.95  # a test image that correlates more than this with a training image is left out
Values = NDArray[np.float64]


def sitegen(*arguments: object) -> float:
    """Run a verb, and return the processor's seconds that it took. Exit code 1 is an image that could not be used."""
    print("\n$ sitegen", *arguments, flush=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-m", "sitegen.cli", *map(str, arguments)]
    if (done := subprocess.run(command, check=False, stdout=subprocess.DEVNULL)).returncode > 1:
        raise SystemExit(done.returncode)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def lay_out(data: Path, out: Path, most: int, objects: int) -> list[str]:
    """Make a folder of images for each set: test radiographs, other images, objects drawn into the radiographs."""
    nih = [path for path in images_below(data / "cxr" / "test") if path.name.startswith("nih_")]
    link(nih, out / "sets" / BASELINE)
    for name, patterns in SETS.items():
        folders = [folder for pattern in patterns for folder in sorted((data / "ood").glob(pattern))]
        paths = sorted(path for folder in folders for path in images_below(folder))
        chosen = np.random.default_rng(0).permutation(len(paths))[:most]
        link([paths[at] for at in sorted(chosen)], out / "sets" / name)
    for name in OBJECTS:
        plant(nih[:objects], name, out / "sets")
    return [BASELINE, *SETS, *OBJECTS]


def square(out: Path, names: Sequence[str], side: int) -> None:
    """Bring all images to the generator's size: the centred square, by area, as a gate would see them."""
    for name in names:
        folder = out / "squares" / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((out / "sets" / name).iterdir()):
            with Image.open(path) as image:
                grey = image.convert("L")
            least = min(grey.size)
            left, top = ((each - least) // 2 for each in grey.size)
            box = (left, top, left + least, top + least)
            filtered = Image.Resampling.BOX if least > side else Image.Resampling.BILINEAR
            grey.resize((side, side), filtered, box=box).save(folder / f"{path.stem}.png")


def leave_out(out: Path, training: Path, names: Sequence[str]) -> dict[str, Any]:
    """Take away test radiographs that are nearly a training image's, with the copies that have an object."""
    paths = sorted((out / "squares" / BASELINE).iterdir())
    known = pixels(sorted(path for path in training.iterdir() if path.suffix in (".jpeg", ".jpg", ".png")))
    alike = nearest(pixels(paths), known)[1][:, 0]
    gone = [path.stem for path, value in zip(paths, alike, strict=True) if value > SAME]
    for name in (BASELINE, *OBJECTS):
        for stem in gone:
            (out / "squares" / name / f"{stem}.png").unlink(missing_ok=True)
    counts = {name: len(list((out / "squares" / name).iterdir())) for name in names}
    return {"left out": len(gone), "median and largest correlation": np.quantile(alike, (0.5, 1)).tolist(), **counts}


def rebuild(gate: Path, images: Path, out: Path) -> None:
    """Write a trained gate's reconstructions of all images below a folder."""
    trained = load_gate(gate)
    for path in sorted(images.rglob("*.png")):
        tensor = image_tensors(read_image_file(path), {"gate": trained.image})["gate"]
        with torch.inference_mode():
            made = trained.network(torch.from_numpy(tensor))[0].numpy()[0, 0]
        place = out / path.relative_to(images)
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(255 * np.clip(made, 0, 1)).astype(np.uint8)).save(place)


def measure(given: argparse.Namespace) -> dict[str, float]:
    """Write OUT/KIND/distances.csv of every reconstruction; return the seconds for an image, by kind."""
    out, squares = given.out, given.out / "squares"
    seconds = {}
    how: tuple[object, ...]
    for space in given.spaces:
        how = ("--steps", given.steps, "--space", space, "--batch", given.batch, "--patch", PATCH)
        seconds[space] = sitegen("project", squares, "--generator", given.generator, "-o", out / space, *how)
    for kind in (AUTOENCODER, *([ALI] if given.ali else [])):
        (out / kind).mkdir(parents=True, exist_ok=True)
        made: tuple[object, ...] = ("--bundle", given.bundle)
        if kind == ALI:
            rebuild(given.ali, squares, out / kind / "reconstructions")
            made = ("--reconstructions", out / kind / "reconstructions")
        how = ("--patch", PATCH, "--workers", 1, "-o", out / kind / "distances.csv")
        seconds[kind] = sitegen("evaluate", "reconstructions", "--images", squares, *made, *how)
    images = len(list(squares.rglob("*.png")))
    return {kind: total / images for kind, total in seconds.items()}


def divide(out: Path, kind: str, names: Sequence[str]) -> None:
    """Write OUT/KIND/NAME.csv of each set, out of the table of all."""
    with (out / kind / "distances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in names:
        own = [row | {"image": row["image"].split("/")[1]} for row in rows if row["image"].startswith(f"{name}/")]
        with (out / kind / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(own)


def detect_sets(out: Path, kind: str, names: Sequence[str]) -> dict[str, Values]:
    """Tell sets from the radiographs; return the mean AUROC of every draw by distance, the first of all images.

    All reconstructions are of the same images in the same order, and so have the same draws.
    """
    tables = [out / kind / f"{name}.csv" for name in names]
    found = detect(Detection(out / kind / f"{BASELINE}.csv", tables)).bootstrap
    parts: dict[str, list[Values]] = {}
    for column, draws in found.items():
        parts.setdefault(column.rpartition(" ")[2], []).append(draws)
    return {distance: np.mean(each, axis=0) for distance, each in parts.items()}


def interval(draws: Values) -> list[float]:
    """The value, and the 95 % interval of the draws behind it."""
    return [float(draws[0]), *(float(each) for each in np.quantile(draws[1:], (0.025, 0.975)))]


def detections(out: Path, kinds: Sequence[str]) -> dict[str, Any]:
    """AUROC of each reconstruction by group and distance, and how much more it is than the autoencoder's."""
    document: dict[str, Any] = {}
    for group, names in (("sets", list(SETS)), *((name, [name]) for name in OBJECTS)):
        means = {kind: detect_sets(out, kind, names) for kind in kinds}
        document[group] = {
            distance: {
                kind: {"auroc": interval(means[kind][distance]), "more": interval(means[kind][distance] - reference)}
                for kind in kinds
            }
            for distance, reference in means[AUTOENCODER].items()
        }
    return document


def similarity(out: Path, kinds: Sequence[str]) -> dict[str, Any]:
    """Mean SSIM of the radiographs' reconstructions, and its difference from the autoencoder's, by patient."""
    given = {kind: read_set(out / kind / f"{BASELINE}.csv", kind) for kind in kinds}
    patients = given[AUTOENCODER].patients
    draws = draws_by_patient(patients, ["all"] * len(patients), 1000, 0)
    ssim = {kind: -each.distances["ssim"] for kind, each in given.items()}
    document: dict[str, Any] = {"images": len(patients), "patients": len(set(patients))}
    for kind, values in ssim.items():
        means = {"ssim": values, "more": values - ssim[AUTOENCODER]}
        document[kind] = {name: interval((draws * each).sum(1) / draws.sum(1)) for name, each in means.items()}
        document[kind]["images with more"] = float((values > ssim[AUTOENCODER]).mean())
    return document


def places(out: Path, kinds: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Whether the worst patch lies on the object."""
    document = {}
    for kind in kinds:
        for name in OBJECTS:
            path = out / kind / f"{name}-places.json"
            masks = ("--masks", out / "sets" / f"{name}-masks", "--json", path)
            sitegen("evaluate", "localisation", "--distances", out / kind / f"{name}.csv", *masks)
            document[f"{kind} {name}"] = json.loads(path.read_text("utf-8"))["localised"]
    return document


def main() -> None:
    """Lay out the images, reconstruct and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "training", "generator", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("models/chest-radiograph"))
    parser.add_argument("--ali", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--most", type=int, default=12, help="images of each set of other images")
    parser.add_argument("--objects", type=int, default=48, help="radiographs that objects are drawn into")
    parser.add_argument("--side", type=int, default=64, help="of what the generator draws")
    parser.add_argument("--space", dest="spaces", action="append", choices=SPACES)
    given = parser.parse_args()
    given.spaces = given.spaces or list(SPACES)
    names = lay_out(given.data, given.out, given.most, given.objects)
    square(given.out, names, given.side)
    document: dict[str, Any] = {"images": leave_out(given.out, given.training, names)}
    document["seconds for an image"] = measure(given)
    kinds = list(document["seconds for an image"])
    for kind in kinds:
        divide(given.out, kind, names)
    document["similarity"] = similarity(given.out, kinds)
    document["detected"], document["places"] = detections(given.out, kinds), places(given.out, kinds)
    (given.out / "study.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
