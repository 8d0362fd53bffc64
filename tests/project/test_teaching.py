"""The cases of a page that teaches: read from a folder with a CSV, each mistake named."""

from pathlib import Path

import pytest

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.project.contents import site_options
from sitegen.project.settings import read_project
from sitegen.project.teaching import read_cases
from sitegen.site.options import Box, TeachingCase
from sitegen.site.teaching import case_assets, page_cases
from tests.helpers.browser.support import encoded, written


def folder_of(tmp_path: Path, manifest: str) -> Path:
    written(tmp_path, "one.png", encoded(seed=1))
    written(tmp_path, "two.png", encoded(seed=2))
    (tmp_path / "cases.csv").write_text(manifest, "utf-8-sig")
    return tmp_path


def test_cases_have_labels_captions_and_boxes(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, 'file,labels,caption,boxes\none.png,Mass; Nodule,"A cough, and fever",Mass: 1 2 30 40.5\ntwo.png,,,\n'
    )
    assert read_cases(folder) == (
        TeachingCase(encoded(seed=1), ("Mass", "Nodule"), "A cough, and fever", (Box("Mass", (1, 2, 30, 40.5)),)),
        TeachingCase(encoded(seed=2), ()),
    )


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("file,labels\none.png,Mass\n", "lacks the columns caption"),
        ("file,labels,caption\n", "names no case"),
        ("file,labels,caption\nthree.png,,\n", "line 2: .*three.png cannot be read"),
        ("file,labels,caption\n../one.png,,\n", "line 2: '../one.png' is no file in the folder"),
        ("file,labels,caption\none.png,,\ncases.csv,,\n", "line 3: .*cases.csv: "),
        ("file,labels,caption,boxes\none.png,Mass,,Mass 1 2 3\n", 'is not "finding: left top width height"'),
        ("file,labels,caption,boxes\none.png,Mass,,Nodule: 1 2 3 4\n", "a box of 'Nodule'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, manifest: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_cases(folder_of(tmp_path, manifest))


def test_a_folder_without_a_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cases\.csv cannot be read"):
        read_cases(tmp_path)


def test_the_page_knows_captions_and_labels_and_no_file_names(bundle: Bundle) -> None:
    first, *others = (label.name for label in bundle.description.labels)
    cases = (TeachingCase(b"1", (first,), "A", (Box(first, (1, 2, 3, 4)),)), TeachingCase(b"2", ()))
    assert [asset.name for asset in case_assets(cases)] == ["cases/1", "cases/2"]
    assert page_cases(cases, bundle) == [
        {
            "asset": "cases/1",
            "caption": "A",
            "labels": {first: True} | dict.fromkeys(others, False),
            "boxes": [{"label": first, "square": [1, 2, 3, 4]}],
        },
        {"asset": "cases/2", "caption": "", "labels": dict.fromkeys([first, *others], False), "boxes": []},
    ]
    assert page_cases(None, bundle) is None
    with pytest.raises(SettingsError, match="case 1 has the label 'Measles', which the model"):
        page_cases((TeachingCase(b"", ("Measles",)),), bundle)


def test_a_project_teaches_with_cases_or_without(tmp_path: Path) -> None:
    settings = tmp_path / "sitegen.toml"
    folder_of(tmp_path, "file,labels,caption\none.png,Mass,First\n")
    for text, cases in (("", None), ("[teaching]\n", 0), ('[teaching]\ncases = "."\n', 1)):
        settings.write_text(text, "utf-8")
        teaching = site_options(read_project(settings, strict=True)).teaching
        assert (teaching if teaching is None else len(teaching)) == cases
