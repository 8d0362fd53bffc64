"""sitegen.toml: what is read, which mistakes are errors, which are warnings, and what they say."""

from pathlib import Path

import pytest

from sitegen.errors import SettingsError
from sitegen.project.settings import ProjectSettings, read_project

WHOLE = """
title = "Our page"
languages = ["en"]
bundles = ["a", "../b"]
intro = "What it is *for*."
contact = "Ask us."
wheels = ["x-1-py3-none-any.whl"]
[logo]
image = "logo.svg"
alt = "Us"
[[examples]]
image = "a.png"
caption = "One"
[[examples]]
image = "b.png"
caption = "Another"
[colours.light]
accent = "#004080"
[colours.dark]
accent_ink = "#000000"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sitegen.toml"


def test_every_key_is_read(file: Path) -> None:
    file.write_text(WHOLE)
    project = read_project(file, strict=True)
    settings = project.settings
    assert (settings.title, settings.languages, settings.bundles) == ("Our page", ("en",), ("a", "../b"))
    assert (settings.intro, settings.contact, settings.wheels) == (
        "What it is *for*.",
        "Ask us.",
        ("x-1-py3-none-any.whl",),
    )
    assert settings.logo is not None
    assert (settings.logo.image, settings.logo.alt) == ("logo.svg", "Us")
    assert [(each.image, each.caption) for each in settings.examples] == [("a.png", "One"), ("b.png", "Another")]
    assert (settings.colours.light.accent, settings.colours.light.ink) == ("#004080", None)
    assert settings.colours.dark.accent_ink == "#000000"
    assert project.path("../b") == file.parent / "../b"


def test_an_empty_file_is_a_project(file: Path) -> None:
    file.write_text("")
    assert read_project(file).settings == ProjectSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 3", r"sitegen\.toml: .*title: Input should be a valid string"),
        ('title = ""', "title: String should have at least 1 character"),
        ('bundles = "a"', "bundles: "),
        ("[logo]\nimage = 'a.svg'", "logo.alt: Field required"),
        (
            "[[examples]]\nimage = 'a.png'\ncaption = 'x'\n[[examples]]\nimage = 'b'",
            "examples.1.caption: Field required",
        ),
        ('[colours.light]\naccent = "blue"', "colours.light.accent: String should match pattern"),
        ('languages = ["de"]', r"languages: 'de' is not there. The page's texts are there in: en\."),
        ("languages = []", "languages: name at least one"),
        ("title = ", "is not TOML"),
    ],
)
def test_mistakes_name_the_key(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_project(file)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"sitegen\.toml cannot be read \(No such file.*`sitegen new DIR` makes one"
    ):
        read_project(file)
    file.write_bytes(b"title = '\xe9'")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read_project(file)


UNKNOWN = """
titel = "Our page"
bundels = ["a"]
nonsense = true
[logo]
image = "a.svg"
alt = "Us"
altt = "x"
[[examples]]
image = "a.png"
caption = "One"
captoin = "x"
[colours.lihgt]
accent = "#004080"
[colours.dark]
acent = "#000000"
"""


def test_unknown_keys_are_named_with_the_nearest(file: Path) -> None:
    file.write_text(UNKNOWN)
    project = read_project(file)
    sentences = [warning.removeprefix(f"{file}: ") for warning in project.warnings]
    keys = "title, languages, bundles, intro, contact, wheels, service_worker, keep_list, logo, examples, teaching"
    known = f"known here: {keys}, colours."
    assert sentences == [
        "titel is not a key; did you mean title?",
        "bundels is not a key; did you mean bundles?",
        f"nonsense is not a key; {known}",
        "logo.altt is not a key; did you mean logo.alt?",
        "examples.0.captoin is not a key; did you mean examples.0.caption?",
        "colours.lihgt is not a key; did you mean colours.light?",
        "colours.dark.acent is not a key; did you mean colours.dark.accent?",
    ]
    assert project.settings.title is None
    assert project.settings.logo is not None


def test_strict_makes_them_errors(file: Path) -> None:
    file.write_text(UNKNOWN)
    with pytest.raises(SettingsError) as caught:
        read_project(file, strict=True)
    assert str(caught.value).count("is not a key") == 7
    assert caught.value.exit_code == 2


def test_an_unknown_key_does_not_hide_a_wrong_value(file: Path) -> None:
    file.write_text("titel = 'a'\n[logo]\nimage = 3\nalt = 'x'")
    with pytest.raises(SettingsError, match=r"logo\.image: Input should be a valid string"):
        read_project(file)
