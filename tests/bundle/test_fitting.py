"""What of an image a network sees, in words and as a share."""

from dataclasses import replace

import pytest

from sitegen.bundle.fitting import seen_share, seen_words
from sitegen_runtime.bundle.model import Fit
from tests.helpers.runtime.models import network_input


@pytest.mark.parametrize(
    ("fit", "fraction", "words", "share"),
    [
        ("crop", 1.0, "the centred square", 0.5),
        ("crop", 0.5, "the middle 50 % of the centred square", 0.125),
        ("squash", 1.0, "the whole image, squashed into a square", 1.0),
        ("squash", 0.5, "the middle 50 % of both sides, squashed into a square", 0.25),
        ("pad", 1.0, "the whole image, padded to a square (with 0.25, from 0 for black to 1 for white)", 1.0),
        (
            "pad",
            0.25,
            "the middle 25 % of the longer side, padded to a square (with 0.25, from 0 for black to 1 for white)",
            0.125,
        ),
    ],
)
def test_words_and_shares_of_an_image_twice_as_wide_as_high(
    fit: Fit, fraction: float, words: str, share: float
) -> None:
    entry = replace(network_input(8, fraction=fraction), fit=fit, fill=(0.25,) if fit == "pad" else ())
    assert seen_words(entry) == words
    assert seen_share(entry, 2.0) == seen_share(entry, 0.5) == share
