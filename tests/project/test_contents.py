"""What a project's settings name: files that are read, checked, and refused with the key that named them."""

import base64
from pathlib import Path

import pytest
from PIL import Image

from sitegen.data.drawn_dicom import as_dicom
from sitegen.errors import SettingsError
from sitegen.phantom import phantom
from sitegen.project.contents import LARGEST_LOGO, site_options
from sitegen.project.settings import Project, read_project
from sitegen.site.options import SiteOptions
from tests.helpers.wheels import make_wheel

SVG = '<?xml version="1.0"?>\n<!-- ours -->\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'


def project(folder: Path, text: str) -> Project:
    (folder / "sitegen.toml").write_text(text, encoding="utf-8")
    return read_project(folder / "sitegen.toml", strict=True)


def test_a_project_that_says_nothing(tmp_path: Path) -> None:
    assert site_options(project(tmp_path, "")) == SiteOptions()


def test_texts_colours_and_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels")
    text = 'title = "T"\nintro = "I"\ncontact = "C"\nwheels = ["wheels/our_package-1.0-py3-none-any.whl"]\n'
    options = site_options(project(tmp_path, text + '[colours.light]\naccent = "#004080"\n'))
    assert (options.title, options.intro, options.contact, options.language) == ("T", "I", "C", "en")
    assert "--accent: #004080;" in options.colours
    assert [wheel.name for wheel in options.wheels] == ["our-package"]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.svg", "image/svg+xml")]
)
def test_a_logo_becomes_part_of_the_page(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if name.endswith("svg"):
        path.write_text(SVG)
    else:
        Image.new("RGB", (64, 64), (10, 90, 160)).save(path)
    logo = site_options(project(tmp_path, f'[logo]\nimage = "{name}"\nalt = "Us"')).logo
    assert logo is not None
    assert logo.address == f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    assert logo.alt == "Us"


def test_examples_keep_their_bytes(tmp_path: Path) -> None:
    Image.fromarray(phantom(0, 64)).save(tmp_path / "a.png")
    (example,) = site_options(project(tmp_path, '[[examples]]\nimage = "a.png"\ncaption = "Try"')).examples
    assert (example.name, example.caption) == ("a.png", "Try")
    assert example.content == (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[logo]\nimage = "none.png"\nalt = "x"',
            r"sitegen\.toml: logo\.image: .*none\.png cannot be read: No such file",
        ),
        ('[logo]\nimage = "text.svg"\nalt = "x"', r"logo\.image \(not an SVG drawing either\): .*text\.svg: "),
        (
            '[logo]\nimage = "drawn.dcm"\nalt = "x"',
            r"logo\.image: .*drawn\.dcm is a DICOM file, which browsers do not draw",
        ),
        ('[logo]\nimage = "large.svg"\nalt = "x"', r"logo\.image: .*large\.svg has \d+ bytes, and the page would"),
        ('[[examples]]\nimage = "cut.png"\ncaption = "x"', r"examples\.0\.image: .*cut\.png: The file ends before"),
        ('[[examples]]\nimage = "."\ncaption = "x"', r"examples\.0\.image: .* is a folder, not a file"),
        ('wheels = ["none-1-py3-none-any.whl"]', r"wheels: .*none-1-py3-none-any\.whl cannot be read as a wheel"),
        ('[colours.dark]\naccent = "#222222"', r"sitegen\.toml: colours\.dark\.accent: #222222 beside paper"),
    ],
)
def test_what_does_not_fit_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "text.svg").write_text("This is no drawing: <svg")
    (tmp_path / "drawn.dcm").write_bytes(as_dicom(phantom(0, 64)))
    (tmp_path / "large.svg").write_text(SVG + " " * LARGEST_LOGO)
    Image.fromarray(phantom(0, 64)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-40])
    with pytest.raises(SettingsError, match=message):
        site_options(project(tmp_path, text))
