"""The study of docs/generator.md: python docs/generator_study.py IMAGES GENERATOR OUT [--bundle DIR] [--count N]

IMAGES is the folder of images that the generator learned from, all of one square size. OUT gets `grid.png`, the first
drawings as they come; `drawn`, so many more; `nearest.png`, the drawings that are most like a training image, between
the two training images that are nearest by pixels and by features (they are pictures of patients: not to be
published); and `study.json` with every figure: Fréchet distances of drawings, of other real images, and of those with
noise or blurred, all of as many images from the same real ones; and how near drawings and real images come to the
nearest other real one.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.evaluation.frechet.distances import frechet_distance
from sitegen.evaluation.frechet.features import of_folder
from sitegen.evaluation.frechet.neighbours import neighbours
from sitegen.evaluation.frechet.networks import FeatureNetwork, of_bundle

Values = NDArray[np.float64]
Places = NDArray[np.int64]
NOISE, BLUR = (0.02, 0.05, 0.1), (0.5, 1.0, 2.0)  # shares of the range; pixels
DRAWS = 100
SHOWN, COLUMNS = 48, 12
CANDIDATES = 20  # training images nearest by pixels, of which the nearest by features is looked for


def sitegen(*arguments: object) -> None:
    """Run a verb."""
    subprocess.run([sys.executable, "-m", "sitegen.cli", *map(str, arguments)], check=True)


def link(paths: Sequence[Path], folder: Path) -> Path:
    """Make a folder of links to images, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.resolve())
    return folder


def distance(real: Values, other: Values) -> dict[str, float]:
    """The Fréchet distance, and its deviation by the delete-half jackknife (Shao and Wu 1989).

    Of random halves of both sides the distances deviate as that of the wholes does, whatever their bias.
    """
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(DRAWS):
        chosen = [rng.choice(len(each), len(each) // 2, replace=False) for each in (real, other)]
        parts.append(frechet_distance(real[chosen[0]], other[chosen[1]]))
    return {"frechet": frechet_distance(real, other), "deviation": float(np.std(parts, ddof=1))}


def unit(values: Values) -> Values:
    """Rows with mean 0 and length 1, whose products are correlations."""
    centred = values - values.mean(1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


def pixels(paths: Sequence[Path]) -> Values:
    """Grey values [N, pixels]."""
    rows = []
    for path in paths:
        with Image.open(path) as image:
            rows.append(np.asarray(image.convert("L"), np.float64).ravel())
    return np.stack(rows)


def nearest(first: Values, second: Values, own: Places | None = None) -> tuple[Places, Values]:
    """For each row of the first the CANDIDATES rows of the second that correlate most, and how much, the most first.

    `own` rows, one for each, are left out.
    """
    alike = unit(first) @ unit(second).T
    if own is not None:
        alike[np.arange(len(first)), own] = -1
    places = np.argsort(-alike, axis=1)[:, :CANDIDATES]
    return places, np.take_along_axis(alike, places, 1)


def told(drawn: Values, real: Values) -> dict[str, object]:
    """Quantiles of how much drawings and real images correlate with the nearest other real one, and how many drawings
    do more than 99 in a hundred real ones."""
    limit = float(np.quantile(real, 0.99))
    rows = {name: np.quantile(values, (0.5, 0.95, 1)).tolist() for name, values in (("drawn", drawn), ("real", real))}
    return {"median, 95 %, largest": rows, "limit": limit, "drawn beyond": int((drawn > limit).sum())}


def frechets(out: Path, network: FeatureNetwork, real: Values, other: Values, drawn: Values) -> dict[str, object]:
    """The table of distances; `other` are features of the images in OUT/other."""
    found: dict[str, object] = {"drawn": distance(real, drawn), "other real": distance(real, other)}
    for kind, levels in (("noise", NOISE), ("blur", BLUR)):
        for level in levels:
            noise, blur = (level, 0.0) if kind == "noise" else (0.0, level)
            how = replace(network.preparation, noise=noise, blur=blur)
            altered = of_folder(out / "other", network.prepared(how), out / "cache", 1)
            found[f"{kind} {level}"] = distance(real, altered.values)
    return found


def by_features(
    out: Path, name: str, network: FeatureNetwork, given: Values, training: Sequence[Path], places: Places
) -> tuple[Places, Values]:
    """For each row of features which training image is nearest, of the candidates at `places`, and how near."""
    wanted = np.unique(places)
    folder = link([training[at] for at in wanted], out / f"candidates-{name}")
    known = unit(of_folder(folder, network, out / "cache", 1).values)
    alike = np.einsum("nd,nkd->nk", unit(given), known[np.searchsorted(wanted, places)])
    best = alike.argmax(1)
    rows = np.arange(len(given))
    return places[rows, best], alike[rows, best]


def main() -> None:
    """Draw, compare, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("generator", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("models/chest-radiograph"))
    parser.add_argument("--count", type=int, default=500)
    given = parser.parse_args()
    out, count = given.out, given.count
    out.mkdir(parents=True, exist_ok=True)
    network = of_bundle(given.bundle)
    training = sorted(path for path in given.images.iterdir() if path.suffix in (".jpeg", ".jpg", ".png"))
    order = np.random.default_rng(0).permutation(len(training))
    first, second = np.sort(order[:count]), np.sort(order[count : 2 * count])
    real, other = (
        of_folder(link([training[at] for at in places], out / name), network, out / "cache", 1).values
        for name, places in (("real", first), ("other", second))
    )
    generate = ("generate", "--generator", given.generator)
    sitegen(*generate, "--seeds", f"0-{SHOWN - 1}", "-o", out / "grid.png", "--grid", "--columns", COLUMNS)
    sitegen(*generate, "--seeds", f"0-{count - 1}", "-o", out / "drawn")
    paths = sorted((out / "drawn").iterdir())
    drawn = of_folder(out / "drawn", network, out / "cache", 1).values
    document: dict[str, object] = {"count": count, "training": len(training), "features": drawn.shape[1]}
    document["frechet"] = frechets(out, network, real, other, drawn)
    document["neighbours"] = {
        name: asdict(neighbours(real, each)) for name, each in (("drawn", drawn), ("other real", other))
    }
    planes = pixels(training)
    of_drawn, of_real = nearest(pixels(paths), planes), nearest(planes[first], planes, first)
    shown = slice(SHOWN)
    features = by_features(out, "drawn", network, drawn[shown], training, of_drawn[0][shown])
    of_features = features[1], by_features(out, "real", network, real[shown], training, of_real[0][shown])[1]
    document["nearest"] = {
        "pixels": told(of_drawn[1][:, 0], of_real[1][:, 0]),
        "pixels of the grid": told(of_drawn[1][shown, 0], of_real[1][shown, 0]),
        "features of the grid": told(*of_features),
    }
    rows = []
    for at in np.argsort(-features[1]):
        three = training[of_drawn[0][at, 0]], paths[at], training[features[0][at]]
        rows.append(np.concatenate(pixels(three).reshape(3, *[int(planes.shape[1] ** 0.5)] * 2), 1))
    columns = [np.concatenate(rows[at : at + 12]) for at in range(0, SHOWN, 12)]
    Image.fromarray(np.concatenate(columns, 1).astype(np.uint8)).save(out / "nearest.png")
    (out / "study.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
