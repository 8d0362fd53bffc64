"""How much of an image was not seen, in words."""

from typing import Any

import pytest

from sitegen_runtime.wording.seen import describe_seen

SQUARE = [1, 2, 3, 3]


def told(share: float, **more: Any) -> Any:
    document: Any = {"seen": {"share": share, "square": SQUARE} | more}
    return describe_seen(document)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.66, "34 % of the image was not seen by the model."),
        (0.999, "Less than 1 % of the image was not seen by the model."),
        (0.005, "More than 99 % of the image was not seen by the model."),
        (0.5, "50 % of the image was not seen by the model."),
    ],
)
def test_what_was_not_seen(share: float, text: str) -> None:
    assert told(share) == {"text": text, "share": share, "square": SQUARE}


def test_nothing_is_said_where_all_was_seen_or_nothing_is_known() -> None:
    assert told(1.0) is None
    nothing: Any = {}
    assert describe_seen(nothing) is None


def test_of_a_refused_image_it_is_what_the_gate_saw() -> None:
    document: Any = {"seen": {"share": 0.4, "square": SQUARE, "gate": {"share": 0.75, "square": [0, 0, 9, 9]}}}
    words = describe_seen(document, refused=True)
    assert words == {"text": "25 % of the image was not seen by the gate.", "share": 0.75, "square": [0, 0, 9, 9]}
    same: Any = {"seen": {"share": 0.4, "square": SQUARE}}
    assert describe_seen(same, refused=True)["text"] == "60 % of the image was not seen by the gate."
