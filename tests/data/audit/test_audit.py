import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from rich.console import Console

from sitegen.data.audit.audit import age_group, audit, look
from sitegen.data.audit.document_types import AuditDocument
from sitegen.data.audit.tables import as_tables, problem_count
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.nih import FINDINGS
from sitegen.data.records import Record

HEADER = "file,set,label,split,patient_id,age,sex,view\n"


def write_image(path: Path, seed: int, size: tuple[int, ...] = (40, 30), **options: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)


def sound(folder: Path) -> Path:
    for name, seed in (("a", 0), ("b", 1), ("c", 2)):
        write_image(folder / f"{name}.png", seed, (64, 64) if name == "c" else (40, 30))
    rows = "a.png,nih,SICK,train,p1,30,F,PA\nb.png,nih,WELL,train,p1,31,F,AP\nc.png,ker,WELL,test,p2,,,\n"
    (folder / "manifest.csv").write_text(HEADER + rows, encoding="utf-8")
    return folder


def spoilt(folder: Path) -> Path:
    """Each problem once: a cut file, a missing one, a copy with a comment, a patient on both sides, an age."""
    sound(folder)
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "a copy")
    write_image(folder / "copy.png", 0, pnginfo=comment)
    (folder / "cut.png").write_bytes((folder / "b.png").read_bytes()[:-30])
    rows = (
        "copy.png,nih,WELL,test,p3,32,F,PA\ncut.png,nih,WELL,train,p4,33,M,PA\n"
        "gone.png,nih,WELL,train,p5,414,M,PA\nc.png,ker,WELL,train,p2,,,\n"
    )
    with (folder / "manifest.csv").open("a", encoding="utf-8") as out:
        out.write(rows)
    return folder


def test_a_sound_data_set(tmp_path: Path) -> None:
    report = audit(read_dataset(sound(tmp_path)), workers=1)
    assert json.loads(json.dumps(report)) == report
    assert report["clean"] is True
    assert problem_count(report) == 0
    assert (report["schema"], report["images"], report["patients"]) == ("sitegen.data-audit/1", 3, 2)
    assert report["images_of_a_patient"] == {"least": 1, "median": 1.5, "most": 2}
    assert report["sizes"] == {
        "different": 2,
        "width": {"least": 40, "median": 40, "most": 64},
        "height": {"least": 30, "median": 30, "most": 64},
        "aspect": {"least": 1.0, "median": 1.3333, "most": 1.3333},
        "most": [{"width": 40, "height": 30, "images": 2}, {"width": 64, "height": 64, "images": 1}],
    }
    assert report["prevalence"]["split"]["train"] == {
        "images": 2,
        "patients": 1,
        "labels": {"SICK": {"present": 1, "absent": 1}, "WELL": {"present": 1, "absent": 1}},
    }
    groups = {name: list(of) for name, of in report["prevalence"].items()}
    assert groups == {
        "split": ["test", "train"],
        "source": ["ker", "nih"],
        "age": ["18–39", "not said"],
        "sex": ["F", "not said"],
        "view": ["AP", "PA", "not said"],
        "body_part": ["not said"],
    }


def test_every_problem_is_found(tmp_path: Path) -> None:
    report = audit(read_dataset(spoilt(tmp_path)), workers=2)
    problems = report["problems"]
    assert [(Path(entry["file"]).name, entry["problem"][:21]) for entry in problems["unreadable"]] == [
        ("cut.png", "The file ends before "),
        ("gone.png", "cannot be read: No su"),
    ]
    flags = [(*map(bool, list(entry.values())[1:]),) for entry in problems["duplicates"]]
    names = [[Path(file).name for file in entry["files"]] for entry in problems["duplicates"]]
    # The same pixels under two patients, splits and labels; one row that is there twice.
    assert dict(zip(map(tuple, names), flags, strict=True)) == {
        ("a.png", "copy.png"): (True, True, True),
        ("c.png", "c.png"): (True, False, False),
    }
    assert problems["patients_in_several_splits"] == {"p2": ["test", "train"]}
    assert [entry["age"] for entry in problems["impossible_ages"]] == [414.0]
    assert report["clean"] is False
    assert problem_count(report) == 6


def test_several_findings_an_image_and_the_publishers_split(tmp_path: Path) -> None:
    """A copy of ChestX-ray14 with one of each problem, as it may be found after a download."""
    rows = (
        "00000001_000.png,Effusion|Mass,1,58,M,PA\n00000001_001.png,Effusion,1,059Y,M,AP\n"
        "00000002_000.png,No Finding,2,70,F,PA\n00000003_000.png,Mass,3,411,F,PA\n"
        "00000004_000.png,No Finding,4,30,F,PA\n"
    )
    header = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Sex,View Position\n"
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(header + rows, encoding="utf-8")
    (tmp_path / "train_val_list.txt").write_text("00000001_000.png\n00000002_000.png\n00000003_000.png\n")
    (tmp_path / "test_list.txt").write_text("00000001_001.png\n")
    images = tmp_path / "images"
    for number, name in enumerate(("00000001_000", "00000001_001", "00000002_000")):
        write_image(images / f"{name}.png", number)
    write_image(images / "00000003_000.png", 0)
    report = audit(read_dataset(tmp_path), workers=1)
    problems = report["problems"]
    assert [Path(entry["file"]).name for entry in problems["unreadable"]] == ["00000004_000.png"]
    assert [(entry["several_splits"], entry["labels_differ"]) for entry in problems["duplicates"]] == [(False, True)]
    assert problems["patients_in_several_splits"] == {"nih:00000001": ["train_val", "test"]}
    assert [entry["age"] for entry in problems["impossible_ages"]] == [411]
    assert report["labels"] == list(FINDINGS)
    by_split = report["prevalence"]["split"]
    assert {name: (group["images"], group["labels"]["Effusion"]) for name, group in by_split.items()} == {
        "not said": (1, {"present": 0, "absent": 1}),
        "test": (1, {"present": 1, "absent": 0}),
        "train_val": (3, {"present": 1, "absent": 2}),
    }
    assert {name: group["labels"]["Mass"]["present"] for name, group in report["prevalence"]["view"].items()} == {
        "AP": 0,
        "PA": 2,
    }
    assert {name: group["patients"] for name, group in report["prevalence"]["sex"].items()} == {"F": 3, "M": 1}
    assert list(report["prevalence"]["age"]) == ["18–39", "40–59", "60–79", "not said"]
    assert report["sizes"]["width"] == {"least": 40, "median": 40, "most": 40}


def test_what_is_not_known_counts_with_neither(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,Mass,Nodule\na.png,1,\nb.png,,\nc.png,0,1\n", encoding="utf-8")
    report = audit(read_dataset(tmp_path / "t.csv"), workers=1)
    counts = report["prevalence"]["split"]["not said"]["labels"]
    assert counts == {"Mass": {"present": 1, "absent": 1}, "Nodule": {"present": 1, "absent": 0}}
    assert report["sizes"] == {"different": 0, "width": None, "height": None, "aspect": None, "most": []}


def test_turned_images_are_not_duplicates(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    write_image(tmp_path / "a.jpg", 0)
    write_image(tmp_path / "b.jpg", 0, exif=exif)
    first, second = look(tmp_path / "a.jpg"), look(tmp_path / "b.jpg")
    assert first.content != second.content
    assert (first.problem, first.width, first.height) == ("", 40, 30)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert look(tmp_path).problem == "is a folder, not a file. Name a file with an image in it."


@pytest.mark.parametrize(
    ("age", "expected"), [(0.0, "00–17"), (17.9, "00–17"), (18.0, "18–39"), (120.0, "80–120"), (121.0, ""), (None, "")]
)
def test_age_groups(age: float | None, expected: str) -> None:
    assert age_group(Record(Path("a"), "a", {}, age=age)) == expected


def printed(report: AuditDocument) -> str:
    text = io.StringIO()
    console = Console(file=text, width=200, markup=False)
    for table in as_tables(report):
        console.print(table)
    return text.getvalue()


def test_tables_for_people(tmp_path: Path) -> None:
    text = printed(audit(read_dataset(spoilt(tmp_path)), workers=1))
    for part in (
        "7 images of 5 patients",
        "copy.png",
        "in several splits, under several patients, with different labels",
        "test, train",
        "414 years",
        "By sex: ",
        "66.7 %",
    ):
        assert part in text, part
    assert "By body part" not in text


def test_long_lists_are_cut_in_tables_alone(tmp_path: Path) -> None:
    records = [Record(tmp_path / f"{number}.png", str(number), {}) for number in range(25)]
    report = audit(records, workers=1)
    assert len(report["problems"]["unreadable"]) == 25
    text = printed(report)
    assert "… and 15 more" in text
    assert "9.png" in text
    assert "10.png" not in text


def test_of_many_groups_the_tables_show_the_largest(tmp_path: Path) -> None:
    views = [f"view{number:02d}" for number in range(12) for _ in range(number + 1)]
    report = audit([Record(tmp_path / "a.png", "a", {}, view=view) for view in views], workers=1)
    assert len(report["prevalence"]["view"]) == 12
    text = printed(report)
    assert "The 8 largest of 12" in text
    assert "view04" in text
    assert "view03" not in text


def test_nothing_at_all() -> None:
    report = audit([], workers=1)
    assert (report["images"], report["clean"], report["images_of_a_patient"]) == (0, True, {})
    assert "0 images of 0 patients" in printed(report)
