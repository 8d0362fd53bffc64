"""Maps for the page: what a session gives for drawing, what is kept between an analysis and its maps, other looks."""

from typing import Any

import numpy as np
import pytest

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.analysis import Seen
from sitegen_runtime.errors import BadExplanation
from sitegen_runtime.maps.heat_map import Look, legend, picture
from sitegen_runtime.page_maps import KEPT_IMAGES, KeptImages, read_look
from tests.helpers.runtime.images import saved
from tests.runtime.test_browser_session import NOISE, SMOOTH, Worker, same_apart_from_the_machine

WANTED: dict[str, Any] = {"finding": "Effusion", "method": "grad-cam"}
DATA = saved(SMOOTH, "PNG")


def asked(worker: Worker) -> list[str]:
    return [kind for kind in worker.kinds if kind != "progress"]


def test_a_map_equals_that_of_the_predictor(gradient_bundle: Bundle) -> None:
    worker = Worker(gradient_bundle)
    end, content = worker.run(worker.session(DATA, "a name", kind="explain", **WANTED))
    expected = Predictor(gradient_bundle).explain(DATA, [WANTED], name="a name")
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected.document)
    (found,) = expected.maps
    assert end["map"] == {"shape": list(found.shape)}
    assert end["picture"] == {"width": 32, "height": 32}  # the map has 4 x 4 cells
    assert end["square"] == [15, 0, 90, 90]
    drawn = picture(found.values, found.shape, (32, 32))
    assert content == found.values.tobytes() + drawn + legend()
    assert end["wording"]["title"] == "Grad-CAM for Effusion"


def test_what_an_analysis_saw_is_not_seen_again(gradient_bundle: Bundle) -> None:
    first = Worker(gradient_bundle)
    first.run(first.session(DATA, keep="kept-1"))
    second = Worker(gradient_bundle)
    end, content = second.run(second.session(DATA, kind="explain", keep="kept-1", **WANTED))
    assert asked(second) == ["load", "run"]
    other = Worker(gradient_bundle)
    again, same = other.run(other.session(DATA, kind="explain", keep="never kept", **WANTED))
    assert asked(other) == ["open", "pixels", "sums", "run", "run", "load", "run"]
    assert content == same
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(again["document"])
    third = Worker(gradient_bundle)  # what the long way has seen is kept, too
    third.run(third.session(DATA, kind="explain", keep="never kept", finding="all", method="saliency"))
    assert asked(third) == ["load", "run"]


def test_another_look_needs_nothing_but_the_values(gradient_bundle: Bundle) -> None:
    (found,) = Predictor(gradient_bundle).explain(DATA, [WANTED]).maps
    look = {"opacity": 40, "threshold": 25, "colour_map": "cividis"}
    worker = Worker(gradient_bundle)
    session = worker.session(found.values.tobytes(), kind="draw", shape=list(found.shape), look=look)
    end, content = worker.run(session)
    assert worker.kinds == []
    expected = Look(opacity=0.4, threshold=0.25, colour_map="cividis")
    assert end == {"picture": {"width": 32, "height": 32}}
    assert content == picture(found.values, found.shape, (32, 32), expected) + legend(expected)


def test_refused_images_and_failures_have_words_and_no_bytes(gradient_bundle: Bundle) -> None:
    worker = Worker(gradient_bundle)
    end, content = worker.run(worker.session(saved(NOISE, "PNG"), kind="explain", **WANTED))
    assert content is None
    assert end["wording"] == {"headline": "No map: the gate refused this image", "details": []}
    end, content = worker.run(worker.session(DATA, kind="explain", finding="Effusion", method="cam"))
    assert (content, "map" in end) == (None, False)
    assert end["wording"]["headline"] == "This map could not be made"
    assert end["wording"]["details"] == [end["document"]["explanations"][0]["error"]["message"]]
    end, content = worker.run(worker.session(b"no image", kind="explain", **WANTED))
    assert content is None
    assert end["wording"]["details"] == [end["document"]["error"]["message"]]


def test_a_cancelled_map_says_so(gradient_bundle: Bundle) -> None:
    session = Worker(gradient_bundle).session(DATA, kind="explain", **WANTED)
    assert session.begin()[0] == "progress"
    kind, text, content = session.fail("cancelled", "The analysis was cancelled.")
    assert (kind, content) == ("end", None)
    assert '"headline": "Cancelled"' in text


def test_explanations_of_an_analysis(gradient_bundle: Bundle) -> None:
    wanted = [WANTED, {"finding": "all", "method": "cam"}]
    worker = Worker(gradient_bundle)
    end, _ = worker.run(worker.session(DATA, "a name", explain=wanted, values=True))
    expected = Predictor(gradient_bundle).explain(DATA, wanted, values=True, name="a name")
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected.document)
    first, second = end["document"]["explanations"]
    assert len(first["values"]) == np.prod(first["shape"])
    assert second["error"]["code"] == "undefined-method"
    assert end["overlay"] == 16  # all that an analysis has beside


def test_the_oldest_images_are_forgotten_and_files_are_not_kept(gradient_bundle: Bundle) -> None:
    seen = Predictor(gradient_bundle).analyse(DATA, "image").seen
    assert seen is not None
    assert seen.draft.image is not None
    assert seen.draft.image.payload
    kept = KeptImages()
    for number in range(KEPT_IMAGES + 1):
        kept.put(f"image {number}", seen)
    assert kept.get("image 0") is None
    again = kept.get(f"image {KEPT_IMAGES}")
    assert isinstance(again, Seen)
    assert again.image is seen.image
    assert again.draft.image is not None
    assert again.draft.image.payload == b""
    kept.put(None, seen)
    kept.put("nothing", None)
    assert kept.get(None) is None
    assert kept.get("nothing") is None


@pytest.mark.parametrize("percents", [{"opacity": 0}, {"threshold": 100}, {"colour_map": "jet"}, {"shine": 1}])
def test_looks_out_of_range(percents: dict[str, object]) -> None:
    with pytest.raises(BadExplanation):
        read_look(percents)


def test_percents_become_shares() -> None:
    assert read_look(None) == Look()
    assert read_look({"opacity": 50, "threshold": 0, "colour_map": "inferno"}) == Look(0.5, "inferno", 0.0)
