"""A row says what `sitegen predict` says, and what is odd about a file."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.curation.addresses import listed, read_list
from sitegen.curation.columns import Options
from sitegen.curation.header import read_tags
from sitegen.curation.perceptual import perceptual_hash
from sitegen.curation.table import read_table
from sitegen.errors import DataError
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.dicom_files import as_bytes, radiograph

Curated = Callable[..., Path]


def rows_of(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in read_table(folder).to_pylist()}


def test_numbers_are_those_of_predict(small: Bundle, repository: Path, curated: Curated) -> None:
    rows = rows_of(curated(repository, options=Options(force=True)))
    assert len(rows) == 9
    predictor = Predictor(small)
    for path, row in rows.items():
        document = predictor.predict(repository / path, force=True)
        assert row["sha256"] == document["image"]["sha256"]
        assert row["error"] == (document["error"]["code"] if "error" in document else None)
        if "error" in document:
            continue
        assert row["gate_ssim"] == document["gate"]["score"]
        assert row["accepted"] == document["gate"]["accepted"]
        for finding in document["findings"]:
            assert row[f"probability_{finding['label'].lower()}"] == finding["probability"]
            assert row[f"calibrated_{finding['label'].lower()}"] == finding["calibrated"]


def test_bad_files_have_codes_and_copies_are_told(repository: Path, curated: Curated) -> None:
    rows = rows_of(curated(repository))
    codes = {path: row["error"] for path, row in rows.items() if row["error"]}
    assert codes == {
        "b/half.png": "damaged-image",
        "b/notes.txt": "unsupported-type",
        "b/empty.png": "damaged-image",
    }
    assert {path for path, row in rows.items() if row["copy_of"]} == {"b/copy.webp"}
    assert rows["b/copy.webp"]["copy_of"] == rows["a/1.png"]["id"]
    assert rows["b/copy.webp"]["alike"] == rows["a/1.png"]["alike"] == 0
    film = rows["b/film.dcm"]
    assert (film["modality"], film["body_part"], film["view"], film["bits"]) == ("OT", "CHEST", "PA", 12)
    assert film["missing"] == "Manufacturer StudyDate PatientOrientation BurnedInAnnotation PixelSpacing"
    assert film["tags_fit"] is True
    assert rows["a/0.png"]["tags_fit"] is None


def test_headers_give_words_of_tables_and_years_alone() -> None:
    pixels = phantom(0, 64).astype(np.uint16)
    told = {"Manufacturer": "SIEMENS Healthineers", "StudyDate": "20190713", "ViewPosition": "Doe^Jane"}
    tags = read_tags(as_bytes(radiograph(pixels, BurnedInAnnotation="YES", BodyPartExamined="HAND", **told)))
    assert (tags.manufacturer, tags.year, tags.view, tags.body_part) == ("Siemens", 2019, "other", "HAND")
    assert tags.burned_in is True
    assert tags.missing == ("Modality", "PatientOrientation", "PixelSpacing")
    names = {"GE MEDICAL SYSTEMS": "GE", "Gerda Doe": "other", "FUJIFILM Corp": "Fujifilm", "Doe": "other"}
    found = {name: read_tags(as_bytes(radiograph(pixels, Manufacturer=name))).manufacturer for name in names}
    assert found == names
    assert read_tags(b"no DICOM").missing == ()


def test_distances_are_those_of_evaluate_reconstructions(small: Bundle, repository: Path, curated: Curated) -> None:
    pytest.importorskip("scipy", reason="the reference needs SciPy")
    from sitegen.evaluation.reconstructions.measured import How, measure
    from sitegen.evaluation.reconstructions.of_bundle import rebuilder
    from sitegen.evaluation.reconstructions.patches import Patches

    rows = rows_of(curated(repository, options=Options(distances=True)))
    image, made, _ = rebuilder(small.folder)(repository / "a/2.png")
    cells = measure(image, made, How(("whole", "patch"), Patches(4))).cells
    assert {
        name: rows["a/2.png"][name] for name in ("mse", "wasserstein", "ssim", "patch_mse", "patch_wasserstein")
    } == {
        name: pytest.approx(cells[name], abs=1e-12)
        for name in ("mse", "wasserstein", "ssim", "patch_mse", "patch_wasserstein")
    }
    assert rows["b/half.png"]["mse"] is None


def test_a_perceptual_hash_survives_what_changes_no_picture() -> None:
    def hashed(plane: np.ndarray) -> int:
        found = perceptual_hash((plane / 255).astype(np.float32))
        assert found is not None
        return found

    pictures = [phantom(seed, 128) for seed in range(6)]
    for picture in pictures:
        brighter = np.clip(picture * 0.8 + 20, 0, 255)
        smaller = np.asarray(Image.fromarray(picture).resize((96, 96), Image.Resampling.BOX))
        assert (hashed(picture) ^ hashed(brighter)).bit_count() <= 1
        assert (hashed(picture) ^ hashed(smaller)).bit_count() <= 3
        assert (hashed(picture) ^ hashed(picture[:, ::-1])).bit_count() > 10
    assert perceptual_hash(np.full((64, 64), 0.3, np.float32)) is None


def test_addresses_are_folders_globs_files_lists_and_archives(repository: Path, tmp_path: Path) -> None:
    archive = tmp_path / "scans.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(repository.rglob("*.png")):
            file.write(path, path.relative_to(repository).as_posix())
    listing = tmp_path / "list.txt"
    listing.write_text(f"# two\n{repository / 'a/0.png'}\n\n{repository / 'b/film.dcm'}\n", "utf-8")

    def paths(*roots: str) -> list[str]:
        return [entry.path for entry in listed(roots)]

    assert paths(str(repository / "a")) == ["0.png", "1.png", "2.png", "3.png"]
    assert paths(f"{repository}/*/*.dcm") == ["b/film.dcm"]
    assert paths(*read_list(listing)) == ["0.png", "film.dcm"]
    assert paths(str(repository), str(repository)) == paths(str(repository))
    inside = list(listed([f"zip://::{archive}"]))
    assert [entry.path for entry in inside] == ["a/0.png", "a/1.png", "a/2.png", "a/3.png", "b/empty.png", "b/half.png"]
    with pytest.raises(DataError, match=r"nowhere (cannot be listed|has no files)"):
        paths(str(tmp_path / "nowhere"))


def test_images_in_an_archive_give_the_same_rows(repository: Path, tmp_path: Path, curated: Curated) -> None:
    archive = tmp_path / "scans.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((repository / "a").iterdir()):
            file.write(path, f"a/{path.name}")
    plain = rows_of(curated(repository / "a"))
    packed = rows_of(curated(f"zip://::{archive}", name="packed"))
    differs = {"id", "address", "path"}
    for name, row in plain.items():
        other = packed[f"a/{name}"]
        assert {key: row[key] for key in row.keys() - differs} == {key: other[key] for key in row.keys() - differs}
