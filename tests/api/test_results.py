"""Results: what they hold is the document, what they say is the page's wording, and notebooks get no script."""

import json
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sitegen import DataError, ExplanationError, Predictor, Result
from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.wording.results import describe
from tests.helpers.bundles import LABELS, make_bundle
from tests.helpers.runtime.images import picture, saved

SCENE = picture(90, 60, seed=1, colour=0.05)
FILE = saved(SCENE, "PNG")
NOISE = np.random.default_rng(2).integers(0, 256, (64, 64), dtype=np.uint8)
MARKUP = '"><script>alert(1)</script>&amp;<img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "explained", explained=True)


@pytest.fixture(scope="module")
def predictor(explained: Bundle) -> Predictor:
    return Predictor(explained)


def without_times(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "timings"}


class Elements(HTMLParser):
    """The elements, attributes and texts of a piece of HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def drawn(shown: Any) -> Elements:
    """What a notebook gets: plain elements, no handler, nothing fetched, and what it is not for."""
    elements = Elements(shown._repr_html_())
    assert set(elements.tags) <= {"div", "span", "strong", "img"}
    assert {name for name, _ in elements.attributes} <= {"style", "title", "alt", "src", "aria-hidden"}
    assert all(value.startswith("data:image/png;") for name, value in elements.attributes if name == "src" and value)
    assert "Not for diagnostic use" in elements.text
    return elements


def test_a_document_is_the_command_lines(explained: Bundle, predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(FILE)
    done = CliRunner().invoke(app, ["predict", str(path), "--json", "--bundle", str(explained.folder)])
    assert without_times(predictor.predict(path).document) == without_times(json.loads(done.stdout))


def test_a_result_is_its_document(predictor: Predictor) -> None:
    result = predictor.predict(FILE, name="scene.png")
    document, words = result.document, describe(result.document, predictor.bundle.model)
    assert (result.name, result.accepted, result.error, result.forced) == ("scene.png", True, None, False)
    assert tuple(finding.label for finding in result.findings) == LABELS == predictor.labels
    for finding, entry, shown in zip(result.findings, document["findings"], words["findings"], strict=True):
        for key, value in entry.items():
            assert getattr(finding, key) == value
        assert finding.above is (finding.probability >= finding.operating_point)
        assert str(finding) == f"{finding.label}: {shown['percent']}, {shown['verdict']}"
    assert result["Pneumonia"] is result.findings[1]
    assert result.gate is not None
    assert (result.gate.score, result.gate.accepted) == (document["gate"]["score"], True)
    assert result.notes == tuple(document["notes"])
    with pytest.raises(KeyError, match="Fracture"):
        _ = result["Fracture"]


def test_a_result_prints_well(predictor: Predictor) -> None:
    result = predictor.predict(FILE, name="scene.png")
    lines = str(result).splitlines()
    assert lines[0] == "scene.png: Analysed"
    assert lines[1:4] == [f"  {finding}" for finding in result.findings]
    assert lines[4].startswith("The gate accepted the image: similarity 0.")
    assert lines[-1] == "Not for diagnostic use."
    assert repr(result).startswith("<Result scene.png: Analysed; Atelectasis: ")
    assert "\n" not in repr(result)


def test_what_the_gate_refuses(predictor: Predictor) -> None:
    refused, forced = predictor.predict(NOISE), predictor.predict(NOISE, force=True)
    assert (refused.accepted, refused.findings, refused.error, refused.forced) == (False, (), None, False)
    assert refused.gate is not None
    assert refused.gate.reason is not None
    assert str(refused.gate).startswith(refused.gate.reason)
    assert refused.gate.measures[0].startswith("Similarity to its reconstruction (SSIM): ")
    assert (forced.accepted, forced.forced, len(forced.findings)) == (False, True, 3)
    assert "Forced: the gate refused this image." in str(forced).splitlines()
    assert "Not analysed: this image is unlike those that the gate knows" in drawn(refused).text
    assert "Forced: the gate refused this image." in drawn(forced).text


def test_what_is_offered_is_said_as_an_argument(predictor: Predictor) -> None:
    offering = make_offer(predictor.predict(NOISE), predictor)
    assert "It lies on its side. Try correction='turn-90'." in str(offering).splitlines()
    assert "Try correction='turn-90'." in drawn(offering).text
    assert offering.gate is not None
    assert offering.gate.checks[0].correction == "turn-90"
    turned = predictor.predict(FILE, correction="turn-90")
    assert turned.document["correction"] == "turn-90"
    assert "turned by 90° clockwise" in str(turned)


def make_offer(result: Result, predictor: Predictor) -> Result:
    from sitegen.api.results import read_result
    from sitegen_runtime.bundle.gate import Gate

    check = {"check": "turned", "message": "It lies on its side.", "correction": "turn-90"}
    document: Any = result.document
    judged = {**document["gate"], "checks": [check]}
    offering: Any = {**document, "gate": judged}
    return read_result(offering, replace(predictor.bundle.model, gate=Gate("ssim", 0.5)))


def test_a_model_without_a_gate(tmp_path: Path) -> None:
    result = Predictor(make_bundle(tmp_path / "bundle", gate=False)).predict(FILE)
    assert (result.gate, result.accepted) == (None, True)
    assert "This model has no gate" in drawn(result).text


def test_what_cannot_be_read_is_an_error_in_the_result(predictor: Predictor, tmp_path: Path) -> None:
    for image, code in ((b"", "damaged-image"), (b"a text", "unsupported-type"), (tmp_path / "no", "unreadable-file")):
        result = predictor.predict(image)
        assert result.error is not None
        assert (result.error.code, result.accepted, result.findings, result.gate) == (code, False, (), None)
        assert result.error.message in str(result)
        assert str(result.error) in drawn(result).text


def test_every_text_is_escaped(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "bundle", explained=True, labels=(MARKUP, "B"))
    predictor = Predictor(made)
    for shown in (
        predictor.predict(FILE, name=MARKUP),
        predictor.predict(b"", name=MARKUP),
        predictor.explain(FILE, MARKUP, name=MARKUP),
        predictor.gradient(FILE, MARKUP, name=MARKUP),
    ):
        assert MARKUP.rpartition("/")[2] in drawn(shown).text


def test_several_images_keep_their_order_and_a_bad_one_its_place(predictor: Predictor, tmp_path: Path) -> None:
    for name, content in (("b.png", b"damaged"), ("a.png", FILE), ("c.png", FILE)):
        (tmp_path / name).write_bytes(content)
    results = predictor.predict_many(tmp_path)
    assert [Path(result.name).name for result in results] == ["a.png", "b.png", "c.png"]
    assert [result.error is None for result in results] == [True, False, True]
    assert predictor.predict_many(str(tmp_path))[0].name == results[0].name
    mixed = predictor.predict_many([FILE, str(tmp_path / "gone.png"), np.asarray(SCENE), SCENE])
    assert [result.name for result in mixed] == ["image 1", str(tmp_path / "gone.png"), "image 3", "image 4"]
    assert [result.error is None for result in mixed] == [True, False, True, True]
    assert [result.name for result in predictor.predict_many(iter([FILE, FILE]))] == ["image 1", "image 2"]
    assert predictor.predict_many([]) == []


@pytest.mark.parametrize("images", [FILE, np.asarray(SCENE), SCENE, 3, None])
def test_one_image_is_not_several(predictor: Predictor, images: Any) -> None:
    with pytest.raises(TypeError, match="Images are a folder, or a list"):
        predictor.predict_many(images)


def test_wrong_ones_among_several(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not NoneType") as raised:
        predictor.predict_many([FILE, None])  # type: ignore[list-item]
    assert raised.value.__notes__ == ["This is image 2 of those given."]
    with pytest.raises(DataError, match="is no folder of images"):
        predictor.predict_many(tmp_path / "none")


def test_an_explanation_is_the_documents_map(predictor: Predictor) -> None:
    for method in [name for name, row in METHODS.items() if row.runs == 1]:
        explanation = predictor.explain(FILE, "Pneumonia", method, name="scene.png")
        (entry,) = explanation.document["explanations"]
        assert explanation.map.dtype == np.float32
        assert list(explanation.map.shape) == entry["shape"]
        assert (float(explanation.map.min()), float(explanation.map.max())) == (entry["min"], entry["max"])
        assert (explanation.finding, explanation.method) == ("Pneumonia", method)
        assert explanation.result.findings == predictor.predict(FILE).findings
        assert str(explanation).splitlines()[-1] == "Not for diagnostic use."
        assert explanation.words["place"] in repr(explanation)
    assert predictor.explain(FILE).finding == "all"


def test_an_explanation_is_drawn_as_the_command_line_draws_it(
    explained: Bundle, predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(FILE)
    command = ["explain", str(path), "--finding", "Pneumonia", "-o", str(tmp_path / "theirs.png")]
    look = ["--opacity", "0.5", "--colour-map", "inferno"]
    done = CliRunner().invoke(app, [*command, "--bundle", str(explained.folder), *look])
    assert done.exit_code == 0, done.output
    explanation = predictor.explain(path, "Pneumonia")
    ours = explanation.save(tmp_path / "new" / "ours.png", opacity=0.5, colour_map="inferno")
    assert ours.read_bytes() == (tmp_path / "theirs.png").read_bytes()
    with Image.open(ours) as written:
        legended = explanation.image(opacity=0.5, colour_map="inferno", legend=True)
        assert np.array_equal(np.asarray(written), np.asarray(legended))
    plain = explanation.image()
    assert (plain.size, plain.mode) == ((90, 60), "RGB")
    elements = drawn(explanation)
    assert elements.tags.count("img") == 1
    assert explanation.words["alternative"] in [value for name, value in elements.attributes if name == "alt"]
    assert "little influence" in elements.text


@pytest.mark.parametrize("look", [{"opacity": 0}, {"colour_map": "jet"}, {"threshold": 1}, {"blur": 99}])
def test_looks_that_there_are_not(predictor: Predictor, look: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|There is no colour map"):
        predictor.explain(FILE).image(**look)
    assert Look.read({}) == Look()


def test_what_is_no_png(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not end in \.png"):
        predictor.explain(FILE).save(tmp_path / "a.jpg")


def test_where_there_is_no_map(predictor: Predictor, bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ExplanationError, match=r"The gate refused the image: .*force=True"):
        predictor.explain(NOISE)
    assert predictor.explain(NOISE, force=True).result.forced
    with pytest.raises(ExplanationError, match="empty"):
        predictor.explain(b"")
    with pytest.raises(ExplanationError, match="has no network of the role 'cam'"):
        Predictor(bundle).explain(FILE, force=True)
    with pytest.raises(ExplanationError, match="cannot be read"):
        predictor.gradient(tmp_path / "gone.png", "Pneumonia")
    with pytest.raises(ExplanationError, match="gives no gradients"):
        Predictor(bundle).gradient(FILE, "Pneumonia", force=True)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"finding": "Fracture"}, ValueError, "There is no finding 'Fracture'. There are 'Atelectasis', "),
        ({"method": "magic"}, ValueError, "There is no method 'magic'. There are 'saliency', "),
        ({"correction": "mirror"}, ValueError, "There is no correction 'mirror'. There are 'turn-90', "),
        ({"finding": 1}, TypeError, "A finding is a str, not int"),
        ({"method": None}, TypeError, "A method is a str, not NoneType"),
        ({"correction": ["invert"]}, TypeError, "A correction is a str, not list"),
    ],
)
def test_wrong_calls_are_raised_whatever_the_image(
    predictor: Predictor, arguments: Any, kind: type[Exception], words: str
) -> None:
    for image in (FILE, NOISE, b""):
        with pytest.raises(kind, match=words):
            predictor.explain(image, **arguments)
    if "correction" in arguments:
        with pytest.raises(kind, match=words):
            predictor.predict(FILE, **arguments)
        with pytest.raises(kind, match=words):
            predictor.predict_many([FILE], **arguments)
        with pytest.raises(kind, match=words):
            predictor.gradient(FILE, "Pneumonia", **arguments)


@pytest.mark.parametrize(
    ("seed", "kind", "words"),
    [
        (3, TypeError, "A seed is a label, or a mapping"),
        (["Pneumonia"], TypeError, "not list"),
        ("Fracture", ValueError, "'Fracture', which the model has not"),
        ({}, ValueError, "one label at least"),
        ({"Pneumonia": float("nan")}, ValueError, "finite number"),
        ({"Pneumonia": "1"}, ValueError, "finite number"),
    ],
)
def test_seeds_that_are_none(predictor: Predictor, seed: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        predictor.gradient(FILE, seed)


def test_a_gradient_has_the_shape_of_the_networks_input(predictor: Predictor) -> None:
    seed: dict[str, Any] = {"Pneumonia": 1, "Effusion": np.float32(-0.5)}
    found = predictor.gradient(FILE, seed, name="scene.png")
    assert (found.gradient.shape, found.gradient.dtype) == ((1, 1, 32, 32), np.float32)
    assert found.features is not None
    assert found.features_gradient is not None
    assert found.features.shape == found.features_gradient.shape == (1, 8, 14, 14)
    assert found.seed == {"Pneumonia": 1.0, "Effusion": -0.5}
    assert list(found.logits) == list(LABELS)
    first, second = (predictor.gradient(FILE, label).gradient for label in ("Pneumonia", "Effusion"))
    np.testing.assert_allclose(found.gradient, first - 0.5 * second, rtol=0, atol=1e-5 * np.abs(first).max())
    assert "1 x Pneumonia + -0.5 x Effusion" in str(found)
    assert repr(found) == "<GradientResult scene.png: of {'Pneumonia': 1.0, 'Effusion': -0.5}, 1 x 1 x 32 x 32>"
    assert "1 x 1 x 32 x 32, from" in drawn(found).text


def test_bundles_as_they_may_be_named(explained: Bundle) -> None:
    for named in (explained, explained.folder, str(explained.folder)):
        assert Predictor(named).bundle.model.sha256 == explained.model.sha256
    with pytest.raises(TypeError, match="A bundle is what load_bundle gives, or its folder's path, not int"):
        Predictor(3)  # type: ignore[arg-type]
    assert repr(Predictor(explained)) == "<Predictor test-model 1.0: Atelectasis, Pneumonia, Effusion>"
