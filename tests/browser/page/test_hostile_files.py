"""Damaged and hostile files: no hang, no crash, page and Python agree on each, and the page works on afterwards."""

from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import Standing, data_folder, encoded
from tests.helpers.runtime.habits import refused, taken
from tests.helpers.runtime.mutated_images import mutated

pytestmark = pytest.mark.browser


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
    files = dict(mutated(20, 200))  # `python -m tests.studies.mutated_images` tries many more, in every engine
    assert len(files) == 200
    page = standing(site)
    comparison = compare(page, bundle, files)
    assert comparison.failures == []
    assert works_on(page)
    assert comparison.codes["damaged-image"] >= 60
    assert set(comparison.codes) <= {"damaged-image", "unsupported-type", "too-large", "too-small"}


def test_files_as_cameras_and_scanners_write_them(standing: Standing, site: Path, bundle: Bundle) -> None:
    files = {f"{name}.jpg": data for name, data in {**taken(), **refused()}.items()}
    page = standing(site)
    comparison = compare(page, bundle, files)
    assert comparison.failures == []
    assert comparison.tensors == {"image/jpeg": [len(taken())] * 2}  # the same to the bit
    assert comparison.codes.total() == len(refused())


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
