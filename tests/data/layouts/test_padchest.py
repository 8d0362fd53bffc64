"""PadChest's table, as its publisher writes it, read under the NIH's names."""

import csv
import gzip
import io
from pathlib import Path

import pytest

from sitegen.data.layouts.padchest import listed, read_padchest
from sitegen.errors import DataError

COLUMNS = ["", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM",
           "ViewPosition_DICOM", "Projection", "Report", "Labels"]  # fmt: skip


def row(
    image: str,
    labels: str,
    birth: str = "1930.0",
    sex: str = "M",
    date: str = "20140912",
    projection: str = "PA",
    folder: str = "0",
) -> list[str]:
    return ["0", image, folder, date, "20140", "839860488694292331637988235681460987", birth, sex,
            "POSTEROANTERIOR", projection, "rx torax . sin hallazgos .", labels]  # fmt: skip


def publish(folder: Path, *rows: list[str], packed: bool = False) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    name = folder / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
    if packed:
        name.with_suffix(".csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
    else:
        name.write_text(text.getvalue(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_labels_are_matched_by_exact_name(tmp_path: Path, packed: bool) -> None:
    rows = (
        row("a.png", "['Cardiomegaly ', ' pleural effusion', 'pleural thickening']"),
        row("b.png", "['normal']", birth="", sex="F", projection="L"),
        row("c.png", "['apical pleural thickening', 'mass']", sex="O"),
    )
    first, second, third = read_padchest(publish(tmp_path, *rows, packed=packed))
    known = {"Cardiomegaly": 1.0, "Pleural_Thickening": 1.0, "Mass": 0.0}
    assert {name: value for name, value in first.labels.items() if value is not None} == known
    assert first.labels["Effusion"] is None  # PadChest has no finding of that very name
    assert {name for name, value in second.labels.items() if value == 0.0} == set(known)
    assert third.labels["Mass"] == 1.0
    assert third.labels["Pleural_Thickening"] == 0.0
    assert [each.age for each in (first, second, third)] == [84.0, None, 84.0]
    assert [each.sex for each in (first, second, third)] == ["M", "F", ""]
    assert [each.view for each in (first, second, third)] == ["PA", "L", "PA"]
    assert first.patient == "padchest:839860488694292331637988235681460987"
    assert (first.source, first.split) == ("padchest", "")


def test_aliases_add_to_the_names(tmp_path: Path) -> None:
    publish(tmp_path, row("a.png", "['pleural effusion']"), row("b.png", "['normal']"))
    records = read_padchest(tmp_path, ["Effusion"], {"Effusion": ["pleural effusion"]})
    assert [each.labels for each in records] == [{"Effusion": 1.0}, {"Effusion": 0.0}]


@pytest.mark.parametrize("cell", ["", "nan", "['exclude']", "['unchanged']", "['suboptimal study']"])
def test_a_report_that_does_not_tell_leaves_findings_unknown(tmp_path: Path, cell: str) -> None:
    publish(tmp_path, row("a.png", cell), row("b.png", "['mass']"))
    assert read_padchest(tmp_path, ["Mass"])[0].labels == {"Mass": None}


def test_a_finding_that_is_named_is_present_even_then(tmp_path: Path) -> None:
    publish(tmp_path, row("a.png", "['unchanged', 'mass']"), row("b.png", "['nodule']"))
    assert read_padchest(tmp_path, ["Mass", "Nodule"])[0].labels == {"Mass": 1.0, "Nodule": None}


def test_images_lie_in_numbered_folders_or_in_one(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"")
    publish(tmp_path, row("a.png", "[]", folder="7"), row("b.png", "[]", folder="7"))
    first, second = read_padchest(tmp_path)
    assert first.path == tmp_path / "images" / "a.png"
    assert second.path == tmp_path / "7" / "b.png"


@pytest.mark.parametrize("cell", ["__import__('os').getcwd()", "{'a': 1}", "[1, 2]", "['a'", "(" * 300])
def test_cells_are_read_and_never_run(cell: str) -> None:
    with pytest.raises(ValueError, match="is no list"):
        listed(cell)


def test_errors_name_the_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 2 after the header: 'mass' is no list"):
        read_padchest(publish(tmp_path, row("a.png", "[]"), row("b.png", "mass")))
    with pytest.raises(DataError, match=r"row 1 after the header: could not convert string to float: 'long ago'"):
        read_padchest(publish(tmp_path, row("a.png", "[]", birth="long ago")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"has no PADCHEST_\*\.csv"):
        read_padchest(tmp_path / "empty")
