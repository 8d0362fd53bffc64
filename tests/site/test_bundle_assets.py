"""Several bundles in one site: each content once, names that cannot meet, and what is loaded when."""

import json
import re
import shutil
from pathlib import Path

import pytest

from sitegen.bundle import Bundle, load_bundle
from sitegen.errors import SiteError
from sitegen.site import build_site
from sitegen.site import bundle_assets as bundle_assets_module
from sitegen.site.bundle_assets import asset_names, bundle_assets
from sitegen.site.weight_layout import PLANES, lay_out


def renamed(bundle: Bundle, folder: Path, name: str, **changes: object) -> Bundle:
    """A copy of a bundle under another name."""
    shutil.copytree(bundle.folder, folder)
    fields = json.loads((folder / "bundle.json").read_text("utf-8"))
    (folder / "bundle.json").write_text(json.dumps(fields | {"name": name} | changes), "utf-8")
    return load_bundle(folder)


@pytest.fixture(scope="module")
def twin(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with the same networks as `bundle`, and another name and card."""
    return renamed(bundle, tmp_path_factory.mktemp("twin") / "twin", "twin", title="The twin")


def test_equal_files_are_packed_once(bundle: Bundle, twin: Bundle) -> None:
    names = asset_names([bundle, twin])
    assert names["test-model"]["classifier.onnx"] == "bundles/test-model/classifier.onnx"
    assert names["twin"] == names["test-model"] | {"bundle.json": "bundles/twin/bundle.json"}
    assets = [asset.name for asset in bundle_assets([bundle, twin], names)]
    files = ("bundle.json", "classifier.onnx", "classifier.weights.planes", "gate.onnx", "gate.weights.planes")
    assert assets == [*(f"bundles/test-model/{file}" for file in files), "bundles/twin/bundle.json"]


def test_files_of_one_name_and_other_content_are_both_there(
    bundle: Bundle, gradient_bundle: Bundle, tmp_path: Path
) -> None:
    other = renamed(gradient_bundle, tmp_path / "other", "other")
    names = asset_names([bundle, other])
    contents = {asset.name: asset.content for asset in bundle_assets([bundle, other], names)}
    for each in (bundle, other):
        for file, asset in names[each.description.name].items():
            content = (each.folder / file).read_bytes()
            assert contents[asset] == (lay_out(content, PLANES) if file.endswith(".weights") else content), file
    assert names["other"]["classifier.onnx"] == "bundles/other/classifier.onnx"


def test_weights_that_the_runtime_reads_too_stay_as_they_are(
    bundle: Bundle, twin: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another model's file of the same content is laid out."""
    read = {"test-model": [], "twin": ["classifier.weights"]}
    monkeypatch.setattr(bundle_assets_module, "_files_to_read", lambda each: read[each.description.name])
    names = asset_names([bundle, twin])
    contents = {asset.name: asset.content for asset in bundle_assets([bundle, twin], names)}
    content = (bundle.folder / "classifier.weights").read_bytes()
    assert contents["bundles/test-model/classifier.weights.planes"] == lay_out(content, PLANES) != content
    assert names["twin"]["classifier.weights"] == "bundles/twin/classifier.weights.plain"
    assert contents["bundles/twin/classifier.weights.plain"] == content


def test_names_must_differ(bundle: Bundle, gradient_bundle: Bundle) -> None:
    with pytest.raises(SiteError, match=r"Two of the bundles are called 'test-model' .*Give one of them another"):
        asset_names([bundle, gradient_bundle])


def test_a_site_of_two(bundle: Bundle, twin: Bundle, tmp_path: Path) -> None:
    (twin.folder / "card.md").write_text("# The twin's card\n", encoding="utf-8")
    built = build_site([twin, bundle], tmp_path / "dist")
    manifest = json.loads((built.folder / "manifest.json").read_text("utf-8"))
    assert [entry["name"] for entry in manifest["bundles"]] == ["twin", "test-model"]
    assert manifest["bundle"] == manifest["bundles"][0]
    assert "The twin's card" in (built.folder / "card.html").read_text("utf-8")
    assert "A test model" in (built.folder / "card.test-model.html").read_text("utf-8")
    index = (built.folder / "index.html").read_text("utf-8")
    found = re.search(r"const SITE = (\{.*\});\n", index)
    assert found
    first, second = json.loads(found[1])["bundles"]
    assert second["graphs"]["classifier"]["file"] == "bundles/twin/classifier.onnx"
    assert set(second["assets"]) - set(first["assets"]) == {"bundles/test-model/bundle.json"}
    licences = (built.folder / "licences" / "index.html").read_text("utf-8")
    assert "<td>Test model</td>" in licences
    assert "<td>The twin</td>" in licences


def test_no_bundle_makes_no_site(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="needs at least one bundle"):
        build_site([], tmp_path / "dist")
