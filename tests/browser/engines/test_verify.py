"""`sitegen verify` passes on the shipped site, and fails where the page computes something else."""

import dataclasses
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sitegen.browser.verify import verify_site
from sitegen.bundle import Bundle
from sitegen.site import build_site
from tests.helpers.browser.support import encoded

pytestmark = pytest.mark.browser


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sitegen.cli", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_shipped_site_is_proved_over_both_transports(shipped_site: Path, tmp_path: Path) -> None:
    done = verify("--site", shipped_site, "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["schema"] == "sitegen.verify/1"
    assert set(report["transports"]) == {"file", "http"}
    for part in report["transports"].values():
        coded = 3 if find_spec("imagecodecs") else 0
        assert part["images"] == 31 + coded
        assert part["findings"]["Pneumonia"]["max"] <= 1e-5
        assert sum(part["findings"]["Pneumonia"]["histogram"]) == part["findings"]["Pneumonia"]["count"] == 25 + coded
        assert part["gate"]["max"] <= 1e-6
        assert part["effects"]["images"] == 2
        assert part["effects"]["what_if"]["count"] == 2 * 4 * len(part["findings"]) * 3  # before, after, effect
        assert part["effects"]["maps"]["count"] == 2 * 2 * 2  # images, methods; values and their errors
        assert part["effects"]["maps"]["max"] <= 1e-4
        assert part["errors"] == {"damaged-image": 4, "unsupported-type": 2}
        assert {kind: n["identical"] == n["total"] for kind, n in part["tensors"].items()} == {
            "application/dicom": True,
            "image/jpeg": True,
            "image/png": True,
            "image/webp": True,
        }
    assert "Chester" in done.stdout


def test_a_page_with_other_weights_is_found_out(bundle: Bundle, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(bundle.folder, tmp_path / "changed"))
    weights = np.fromfile(changed / "classifier.weights", np.float32)
    (weights * np.float32(1.01)).tofile(changed / "classifier.weights")
    # The description still has the old hashes: built without loading, as a damaged tool might.
    site = build_site(dataclasses.replace(bundle, folder=changed), tmp_path / "site").folder
    done = verify("--site", site, "--bundle", bundle.folder, "--transport", "file")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "Pneumonia differs by" in done.stdout
    assert "what if black: " in done.stdout
    assert "the map cem of " in done.stdout


def test_a_page_that_masks_and_fills_otherwise_is_found_out(
    site: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is Python that does, once the site was built: whatever else is computed is the same."""
    (tmp_path / "a.png").write_bytes(encoded(seed=4))
    monkeypatch.setattr("sitegen_runtime.maps.masked_runs.SEED", 2020)
    monkeypatch.setattr("sitegen_runtime.interventions.fillings._BLURRED", 4)
    report = verify_site(site, bundle, ["file"], "chromium", tmp_path)
    assert not report["passed"]
    assert {failure.split(",")[0].split(" of ")[0] for failure in report["failures"]} >= {"file: a.png: the map cem"}
    assert all("the map cem" in failure or "what if blur" in failure for failure in report["failures"])
    assert any("what if blur" in failure for failure in report["failures"])


def test_a_site_of_another_bundle_is_wrong_use(shipped_site: Path, bundle: Bundle) -> None:
    done = verify("--site", shipped_site, "--bundle", bundle.folder)
    assert done.returncode == 2
    assert "was built from the bundle chest-radiograph" in done.stderr


def test_a_folder_that_is_no_site_is_wrong_use(tmp_path: Path) -> None:
    done = verify("--site", tmp_path)
    assert done.returncode == 2
    assert "Run `sitegen build` first" in done.stderr


def test_webgpu_is_compared_within_its_own_tolerances(golden_site: Path, golden_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(seed=4))
    report = verify_site(golden_site, golden_bundle, ["file"], "chromium", tmp_path, "webgpu")
    assert report["failures"] == []
    assert report["transports"]["file"]["gate"]["max"] <= 1e-3


def test_a_page_that_leaves_webgpu_fails(site: Path, bundle: Bundle, tmp_path: Path) -> None:
    """This bundle has no golden image, without which nothing runs on a card."""
    (tmp_path / "a.png").write_bytes(encoded(seed=4))
    report = verify_site(site, bundle, ["file"], "chromium", tmp_path, "webgpu")
    (failure,) = report["failures"]
    assert failure.startswith("file: a.png: not analysed on WebGPU. WebGPU is not used: without a golden image")
