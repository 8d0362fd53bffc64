"""What a site may have beside its bundles: all of it read and checked, nothing left to look up."""

from dataclasses import dataclass

from sitegen.site.python.extra_wheels import ExtraWheel


@dataclass(frozen=True)
class Logo:
    """A picture at the head of the page.

    `address` is a data URL, so that nothing has to be fetched; `alt` is read aloud in its place.
    """

    address: str
    alt: str


@dataclass(frozen=True)
class ExampleImage:
    """An image file that the page offers to try: the name on its card, the words on its button, its bytes."""

    name: str
    caption: str
    content: bytes


@dataclass(frozen=True)
class Box:
    """Where a finding is: left, top, width and height in pixels of the upright image."""

    label: str
    place: tuple[float, float, float, float]


@dataclass(frozen=True)
class TeachingCase:
    """An image with what is there: its bytes, the findings, what it is called, and boxes of findings."""

    content: bytes
    labels: tuple[str, ...]
    caption: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class SiteOptions:
    """How a site differs from one that is built from a bundle alone.

    `title` is the first bundle's where there is none; `language` is the one of the page's fixed texts; `intro` and
    `contact` are Markdown; `colours` is CSS that comes after the page's own; `service_worker` is whether the site, once
    served, goes on without its server, `keep_list` whether it offers to keep the list of images; `teaching` are the
    cases of a page that teaches, None where it does not.
    """

    title: str | None = None
    language: str = "en"
    intro: str = ""
    contact: str = ""
    colours: str = ""
    logo: Logo | None = None
    examples: tuple[ExampleImage, ...] = ()
    wheels: tuple[ExtraWheel, ...] = ()
    service_worker: bool = True
    keep_list: bool = True
    teaching: tuple[TeachingCase, ...] | None = None
