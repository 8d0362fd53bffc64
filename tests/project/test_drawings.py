"""Drawings are told by their beginning, in time that grows with their length alone."""

import pytest

from sitegen.project.drawings import is_drawing


@pytest.mark.parametrize(
    "content",
    [
        b"<svg/>",
        b"<svg>",
        b'\xef\xbb\xbf <svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<?xml version="1.0"?><!-- a --><!DOCTYPE svg PUBLIC "a" "b">\n<!-- > b -->\n<svg\n/>',
        b"<?xml version='1.0'?><?xml-stylesheet href='a'?><svg />",
    ],
)
def test_drawings(content: bytes) -> None:
    assert is_drawing(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"<svgs>", b"a<svg>", b"<html><svg></html>", b"<!-- <svg> ", b"<?xml <svg>", b"\x89PNG\r\n<svg>"],
)
def test_others(content: bytes) -> None:
    assert not is_drawing(content)


@pytest.mark.parametrize("repeated", [b"<!---->", b"<!-- a -->\n", b"<!DOCTYPE a>", b"<?a?>", b"\n", b"<!--"])
def test_what_takes_a_pattern_for_ever(repeated: bytes) -> None:
    many = repeated * (256 * 1024 // len(repeated))
    assert not is_drawing(many + b"<html>")
    assert is_drawing(many + b"<svg>") == (repeated != b"<!--")
