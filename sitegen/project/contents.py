"""The files that a project's settings name, read and checked: every error names the key."""

import base64
from collections.abc import Iterator
from pathlib import Path

from sitegen.errors import SettingsError
from sitegen.prediction.reading import read_image_file
from sitegen.project.colours import colour_style
from sitegen.project.drawings import is_drawing
from sitegen.project.settings import LogoSettings, Project
from sitegen.project.teaching import read_cases
from sitegen.site.options import ExampleImage, Logo, SiteOptions, TeachingCase
from sitegen.site.python.extra_wheels import ExtraWheel, read_wheel
from sitegen_runtime.errors import AnalysisError, ImageError
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.sniff import DICOM

LARGEST_LOGO = 256 * 1024  # it stands in the page itself, which is never cached


def site_options(project: Project) -> SiteOptions:
    """Return what a project's site has beside its bundles.

    Raises SettingsError where a file is missing or not what it has to be, or a colour is illegible.
    """
    settings = project.settings
    try:
        return SiteOptions(
            title=settings.title,
            language=settings.languages[0],
            intro=settings.intro,
            contact=settings.contact,
            colours=colour_style(settings.colours),
            logo=_logo(project, settings.logo) if settings.logo else None,
            examples=tuple(_examples(project)),
            wheels=tuple(_wheel(project.path(name)) for name in settings.wheels),
            service_worker=settings.service_worker,
            keep_list=settings.keep_list,
            teaching=_cases(project),
        )
    except SettingsError as error:
        raise SettingsError(f"{project.file}: {error}") from None


def _content(path: Path, key: str) -> bytes:
    try:
        return read_image_file(path)
    except AnalysisError as error:
        raise SettingsError(f"{key}: {error} Name a file beside sitegen.toml.") from None


def _media_type(content: bytes, path: Path, key: str) -> str:
    """Return the media type of an image file that is whole."""
    try:
        return inspect_image(content).media_type
    except ImageError as error:
        raise SettingsError(f"{key}: {path}: {error}") from None


def _cases(project: Project) -> tuple[TeachingCase, ...] | None:
    teaching = project.settings.teaching
    if teaching is None:
        return None
    return read_cases(project.path(teaching.cases)) if teaching.cases else ()


def _wheel(path: Path) -> ExtraWheel:
    try:
        return read_wheel(path)
    except SettingsError as error:
        raise SettingsError(f"wheels: {error}") from None


def _logo(project: Project, logo: LogoSettings) -> Logo:
    path = project.path(logo.image)
    content = _content(path, "logo.image")
    if len(content) > LARGEST_LOGO:
        raise SettingsError(
            f"logo.image: {path} has {len(content)} bytes, and the page would carry them all; make it smaller than "
            f"{LARGEST_LOGO}."
        )
    if is_drawing(content):
        media_type = "image/svg+xml"
    else:
        media_type = _media_type(content, path, "logo.image (not an SVG drawing either)")
    if media_type == DICOM:
        raise SettingsError(f"logo.image: {path} is a DICOM file, which browsers do not draw. Save it as PNG.")
    return Logo(f"data:{media_type};base64,{base64.b64encode(content).decode()}", logo.alt)


def _examples(project: Project) -> Iterator[ExampleImage]:
    for number, example in enumerate(project.settings.examples):
        path, key = project.path(example.image), f"examples.{number}.image"
        content = _content(path, key)
        _media_type(content, path, key)
        yield ExampleImage(path.name, example.caption, content)
