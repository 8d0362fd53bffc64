"""Damaged and hostile files: no hang, no crash, page and Python agree on each, and the page works on afterwards."""

import random
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import Standing, data_folder, encoded

pytestmark = pytest.mark.browser

GOOD = {
    "png": lambda seed: encoded("PNG", seed=seed, size=128),
    "jpg": lambda seed: encoded("JPEG", seed=seed, size=160, quality=85),
    "progressive.jpg": lambda seed: encoded("JPEG", seed=seed, size=160, progressive=True),
    "webp": lambda seed: encoded("WEBP", seed=seed, size=160),
    "lossless.webp": lambda seed: encoded("WEBP", seed=seed, size=64, lossless=True),
}
MUTATIONS = 40  # of each kind of file: 200 in all


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Cut, flip, overwrite, insert or leave out some bytes."""
    place = chance.randrange(len(data))
    length = chance.choice([1, 2, 4, 16, 200])
    match chance.randrange(6):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
        case 2:
            return data[:place] + chance.randbytes(length) + data[place + length :]
        case 3:
            return data[:place] + chance.randbytes(length) + data[place:]
        case 4:
            return data[:place] + data[place + length :]
        case _:
            return data[:place] + bytes(length) + data[place + length :]


def compare(page: Any, bundle: Bundle, files: dict[str, bytes]) -> Comparison:
    predictor, comparison = Predictor(bundle), Comparison(bundle.model.labels)
    for name, data in files.items():
        reference = predictor.analyse(data, name, force=True).document
        comparison.add(name, page.analyse(data, name, force=True), reference)
        assert reference.get("error", {}).get("code") != "internal-error", name
    return comparison


def works_on(page: Any) -> bool:
    return bool(page.analyse(encoded(), "afterwards.png")["findings"])


def test_two_hundred_mutations(standing: Standing, site: Path, bundle: Bundle) -> None:
    chance = random.Random(20)
    files = {
        f"{number}.{kind}": mutate(make(number % 3), chance)
        for kind, make in GOOD.items()
        for number in range(MUTATIONS)
    }
    assert len(files) == 200
    page = standing(site)
    comparison = compare(page, bundle, files)
    assert comparison.failures == []
    assert works_on(page)
    assert comparison.codes["damaged-image"] >= 60
    assert set(comparison.codes) <= {"damaged-image", "unsupported-type", "too-large", "too-small"}


def test_files_made_to_do_harm(standing: Standing, site: Path, bundle: Bundle) -> None:
    root = data_folder("odd")
    files = {path.name: path.read_bytes() for path in sorted(root.iterdir()) if path.name != "manifest.csv"}
    assert len(files) == 28
    page = standing(site)
    comparison = compare(page, bundle, files)
    assert comparison.failures == []
    assert works_on(page)


def test_real_images_of_every_kind(standing: Standing, site: Path, bundle: Bundle) -> None:
    files = {path.name: path.read_bytes() for path in sorted(data_folder("cxr_full").glob("*.[jp][pn]*g"))}
    page = standing(site)
    comparison = compare(page, bundle, files)
    assert comparison.failures == []
    assert all(same == total for same, total in comparison.tensors.values())
    assert comparison.images == 20
