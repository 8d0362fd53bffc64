"""No sentence of the page claims what the bundle does not know: for every kind of bundle that is made.

The sentences are those of the index and of results; what may be claimed is told from `bundle.json`, read anew here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from sitegen import resources
from sitegen.bundle import Bundle, load_bundle
from sitegen.importing.bundle import import_bundle
from sitegen.importing.settings import ImportSettings, as_label
from sitegen.prediction import Predictor
from sitegen.site.help import help_text
from sitegen.site.page import _bar_meaning, _gate_words
from sitegen_runtime.wording.results import describe
from tests.helpers.browser.support import noise
from tests.helpers.help_bundles import IMPORTED, METRICS, TRAINED, known, related
from tests.helpers.importing.fake_source import LABELS, fake_model

Fields = dict[str, Any]
GOLDEN = (resources.default_bundle() / "golden.png").read_bytes()
TABLE = {"table": [[0.0, 0.1], [1.0, 0.9]]}
CALIBRATIONS: dict[str, Fields] = {
    "temperature": {"temperature": 2.0},
    "platt": {"slope": 1.0, "intercept": 0.0},
    "beta": TABLE,
    "isotonic": TABLE,
    "piecewise-linear": {},
}
BORROWED = {"name": "chest", "version": "0.3", "sha256": "0" * 64}


def _imported(folder: Path, *, gate: Path | None = None, points: bool = False) -> Bundle:
    model = fake_model(labels=[as_label(name, 0.31) for name in LABELS]) if points else fake_model()
    made = import_bundle(model, folder, ImportSettings(), gate=gate, images=[], report=None)
    return made.bundle


def _label(**fields: Any) -> Fields:
    return {"labels": [{"name": "Pneumonia", "operating_point": 0.25} | fields]}


def _fitted(rule: Fields) -> Fields:
    return TRAINED | {"fitted": {"rule": rule, "labels": {"Pneumonia": {"images": 80, "positives": 30}}}}


def _calibrated(calibration: Fields, told: bool, folder: Path) -> Bundle:
    return known(folder, _label(calibration=calibration) | {"provenance": TRAINED if told else {}})


MAKERS: dict[str, Callable[[Path], Bundle]] = {
    "shipped": lambda folder: load_bundle(resources.default_bundle()),
    "nothing is known": known,
    "measured": lambda folder: known(folder, {"metrics": METRICS, "provenance": TRAINED}),
    "measured elsewhere": lambda folder: known(folder, {"metrics": related("", "elsewhere"), "provenance": TRAINED}),
    "on validation images alone": lambda folder: known(
        folder, {"metrics": {"valid": METRICS["test"]}, "provenance": TRAINED}
    ),
    "on training images alone": lambda folder: known(folder, {"metrics": {"train": METRICS["test"]}}),
    "figures in another form": lambda folder: known(folder, {"metrics": {"test": {"auc": 0.987}}}),
    "no gate": lambda folder: known(folder, {"metrics": METRICS, "provenance": TRAINED | {"gate": None}}, gate=False),
    "weak": lambda folder: known(
        folder, {"metrics": METRICS, "provenance": TRAINED} | _label(weak="AUC 0.660 (0.600–0.710) on there")
    ),
    "weak, and nothing else": lambda folder: known(folder, _label(weak="AUC 0.660 (0.600–0.710) on there")),
    "bounded false alarms": lambda folder: known(
        folder, {"metrics": METRICS, "provenance": _fitted({"kind": "false-alarms", "share": 0.3})}
    ),
    "a specificity": lambda folder: known(
        folder, {"metrics": METRICS, "provenance": _fitted({"kind": "specificity", "share": 0.9})}
    ),
    "exported with a borrowed gate": lambda folder: known(
        folder, {"metrics": METRICS, "provenance": TRAINED | {"gate": BORROWED}}
    ),
    "a borrowed gate that tells its images": lambda folder: known(
        folder, {"provenance": IMPORTED | {"gate": BORROWED | {"trained_on": ["Chest One", "Chest Two"]}}}
    ),
    "imported": _imported,
    "imported, with typed operating points": lambda folder: _imported(folder, points=True),
    "imported, with the shipped gate": lambda folder: _imported(folder, gate=resources.default_bundle()),
    **{
        f"calibrated by {method}, {'told' if told else 'untold'}": partial(
            _calibrated, {"method": method} | numbers, told
        )
        for method, numbers in CALIBRATIONS.items()
        for told in (True, False)
    },
}


def strings(value: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from strings(each)


def documents(bundle: Bundle) -> list[Any]:
    """Results: of an image that looks like a radiograph, of noise, and of noise by force."""
    predictor = Predictor(bundle)
    return [
        predictor.analyse(data, "a.png", force=force).document
        for data, force in ((GOLDEN, False), (noise(), False), (noise(), True))
    ]


def sentences(bundle: Bundle) -> list[str]:
    """What the page says of a model and of results, each text once."""
    said = [words for document in documents(bundle) for words in strings(describe(document, bundle.model))]
    index = [_gate_words(bundle.description), _bar_meaning(bundle.description)]
    return list(dict.fromkeys([*said, *index]))


def inside(fields: Any, *keys: str) -> Any:
    for key in keys:
        fields = fields.get(key) if isinstance(fields, Mapping) else None
    return fields


def parts(bundle: Fields) -> list[Fields]:
    """The figures of all groups that count, each with its split, by source where they are told so."""
    return [
        part | {"split": split}
        for split, fields in bundle["metrics"].items()
        if split not in ("train", "headline") and isinstance(fields, Mapping)
        for figures in fields.get("findings", {}).values()
        for part in (figures.get("by_source") or {"": figures}).values()
        if part.get("sensitivity") or part.get("specificity")
    ]


def tells_fits(bundle: Fields) -> bool:
    return bool(inside(bundle, "provenance", "fitted", "labels"))


def rule(bundle: Fields) -> Any:
    return inside(bundle, "provenance", "fitted", "rule", "kind")


def gate_of(bundle: Fields) -> Fields:
    made: Fields = inside(bundle, "provenance", "gate") or {}
    return made


# What may only be said where the bundle knows it: what the words look like, and what makes them true.
CLAIMS: dict[str, Callable[[Fields], bool]] = {
    r"it caught|flagged \d|was above for": lambda bundle: bool(parts(bundle)),
    r"Nobody has measured|nobody has measured": lambda bundle: (
        len({part["split"] for part in parts(bundle)} - {"valid"}) == 0
    ),
    r"\bhave it and\b|of those below": lambda bundle: any(
        part["sensitivity"] and part["specificity"] for part in parts(bundle)
    ),
    r"apart best": lambda bundle: tells_fits(bundle),
    r"\bbest\b(?<!apart best)": lambda bundle: False,
    r"flags at most": lambda bundle: rule(bundle) == "false-alarms",
    r"without it [\d.]+ stay below": lambda bundle: rule(bundle) == "specificity",
    r"with the model or in its import": lambda bundle: bool(inside(bundle, "provenance", "import")),
    r"by whoever made the model": lambda bundle: not tells_fits(bundle) and not inside(bundle, "provenance", "import"),
    r"calibrated on validation images": tells_fits,
    r"on which images is not told": lambda bundle: not tells_fits(bundle),
    r"its training images": lambda bundle: "network" in gate_of(bundle),
    r"taken over": lambda bundle: "network" not in gate_of(bundle) and "version" in gate_of(bundle),
    r"gate.*which was trained on": lambda bundle: bool(gate_of(bundle).get("trained_on")),
    r"no gate": lambda bundle: bundle["gate"] is None,
    r"[Tt]he gate (accepted|refused)|gate knows": lambda bundle: bundle["gate"] is not None,
    r"^Weak|Weak, told": lambda bundle: any(label.get("weak") for label in bundle["labels"]),
    r"not recorded": lambda bundle: (
        not any(inside(split, "sources") for split in bundle["metrics"].values() if isinstance(split, Mapping))
    ),
    r"from elsewhere\)": lambda bundle: '"elsewhere"' in json.dumps(bundle["metrics"]),
    r"the images the model was trained on|the model never saw|those the model was trained on": lambda bundle: False,
    r"a form that is not known": lambda bundle: not parts(bundle) and bool(bundle["metrics"]),
}


@pytest.fixture(scope="module", params=MAKERS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return MAKERS[request.param](tmp_path_factory.mktemp("facts") / "made")


def test_no_sentence_claims_what_the_bundle_does_not_know(made: Bundle) -> None:
    fields = json.loads((made.folder / "bundle.json").read_text("utf-8"))
    claimed = [
        (said, pattern)
        for said in sentences(made)
        for pattern, knows in CLAIMS.items()
        if re.search(pattern, said) and not knows(fields)
    ]
    assert claimed == []


def test_figures_are_those_of_the_bundle(made: Bundle) -> None:
    fields = json.loads((made.folder / "bundle.json").read_text("utf-8"))
    allowed = {numbers for part in parts(fields) for numbers in figures_of(part)}
    found = describe(documents(made)[2], made.model)["findings"]
    told = [
        (kind, *map(int, re.findall(r"\d+", rate)), int(of.replace(",", "")))
        for finding in found
        for said in finding["known"]
        for kind, rate, of in re.findall(
            r"(caught|flagged|above for|wrongly for) (\d+ % \(\d+–\d+\)) of the ([\d,]+)", said
        )
    ]
    assert [each for each in told if each not in allowed] == []
    assert bool(told) == bool(parts(fields))


def figures_of(part: Fields) -> Iterator[tuple[Any, ...]]:
    """How the rates of some images may be told: rounded against the model, with the number of images."""
    exact = {end: Fraction(str(value)) for end, value in (part["sensitivity"] or {}).items()}
    if exact:
        caught = [floor(100 * exact[end]) for end in ("value", "low", "high")]
        yield from ((kind, *caught, part["positives"]) for kind in ("caught", "above for"))
    spared = {end: Fraction(str(value)) for end, value in (part["specificity"] or {}).items()}
    if spared:
        flagged = [ceil(100 * (1 - spared[end])) for end in ("value", "high", "low")]
        yield from ((kind, *flagged, part["images"] - part["positives"]) for kind in ("flagged", "wrongly for"))


def test_every_sentence_of_a_finding_says_who_chose_its_threshold(made: Bundle) -> None:
    for finding in describe(documents(made)[2], made.model)["findings"]:
        assert sum(said.startswith("The threshold was chosen ") for said in finding["known"]) == 1
        assert (len(finding["predictive"]) == 10) == any("caught" in said for said in finding["known"])


def test_page_and_help_say_the_same_of_thresholds(made: Bundle) -> None:
    told = " ".join(help_text([made]).replace("\\", "").split())
    for finding in describe(documents(made)[2], made.model)["findings"]:
        (chosen,) = [said for said in finding["known"] if said.startswith("The threshold was chosen ")]
        assert chosen.removeprefix("The threshold was chosen ").removesuffix(".") in told


def test_the_table_of_claims_finds_what_is_wrong() -> None:
    """Words that another kind of bundle may say are claims here."""
    nothing: Fields = {"metrics": {}, "provenance": {}, "gate": None, "labels": [{"name": "Mass"}]}
    wrong = [
        "At this threshold, on 9 test images, it caught 98 % (96–99) of the 9 with it.",
        "Its gate refuses images that are unlike its training images.",
        "a probability calibrated on validation images (Platt scaling): of those",
        "The threshold is the best.",
        "Its gate was taken over from the model chest 0.3, which was trained on images of Chest One",
    ]
    for said in wrong:
        assert any(re.search(pattern, said) and not knows(nothing) for pattern, knows in CLAIMS.items())
