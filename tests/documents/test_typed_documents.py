"""Each kind of document has the keys of its type, the type those of its documentation, and the other way round."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen import resources
from sitegen.bundle import Bundle
from sitegen.data.audit.audit import audit
from sitegen.data.audit.document_types import AuditDocument
from sitegen.data.audit.shortcuts.report import ShortcutQuestion
from sitegen.data.prepare.document_types import PreparedDocument
from sitegen.data.records import Record
from sitegen.evaluation.adversarial.document_types import AdversarialDocument
from sitegen.evaluation.anomaly.document_types import (
    AnomalyDocument,
    DifferencesDocument,
    LocalisationStudyDocument,
)
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.document_types import EvaluationDocument
from sitegen.evaluation.concepts.document_types import ConceptsDocument, SecondLabelDocument
from sitegen.evaluation.effects.document_types import BoxEffectsDocument, EffectsDocument
from sitegen.evaluation.explanations.document_types import ExplanationStudyDocument
from sitegen.evaluation.frechet.document_types import FrechetDocument
from sitegen.evaluation.gate.document_types import GateStudyDocument
from sitegen.evaluation.robustness.document_types import RobustnessDocument
from sitegen.importing.report.document_types import ImportDocument
from sitegen.prediction import Predictor
from sitegen_runtime.document_types import GateDocument, GradientDocument, ProjectionDocument, ResultDocument
from sitegen_runtime.maps.methods import METHODS
from tests.helpers.browser.gate_bundle import make_gate_bundle
from tests.helpers.browser.support import noise
from tests.helpers.bundles import make_bundle
from tests.helpers.documents import read
from tests.helpers.help_bundles import known
from tests.helpers.scored_images import scored_images
from tests.helpers.shortcut_images import write_images
from tests.helpers.typed_documents import all_keys, documented_keys, hold, types_of, used_keys, words_in_code

GOLDEN = (resources.default_bundle() / "golden.png").read_bytes()
MAKERS: dict[str, Callable[[Path], Bundle]] = {
    "explained": partial(make_bundle, explained=True),
    "judging": make_gate_bundle,
}
# The schema of each kind of document, where its keys are listed, and where else those of its parts are.
DOCUMENTS: dict[type, tuple[str, ...]] = {
    ResultDocument: (
        "sitegen.result/1",
        "docs/result.md",
        "docs/explanations.md",
        "docs/effects.md",
        "docs/projection.md",
    ),
    GradientDocument: ("sitegen.gradient/1", "docs/gradient-document.md", "docs/result.md"),
    BoxEffectsDocument: ("sitegen.box-effects/1", "docs/effects.md", "docs/result.md"),
    SecondLabelDocument: ("sitegen.second-label-effects/1", "docs/effects.md", "docs/result.md"),
    EffectsDocument: ("sitegen.effects/1", "docs/effects.md", "docs/result.md"),
    EvaluationDocument: ("sitegen.evaluation/1", "docs/evaluation.md"),
    GateStudyDocument: ("sitegen.gate-evaluation/1", "docs/gate-evaluation.md"),
    ExplanationStudyDocument: ("sitegen.explanation-evaluation/1", "docs/explanation-evaluation.md"),
    RobustnessDocument: ("sitegen.robustness/1", "docs/robustness.md"),
    AdversarialDocument: ("sitegen.adversarial/1", "docs/attacks.md"),
    ConceptsDocument: ("sitegen.concepts/1", "docs/concepts.md"),
    ImportDocument: ("sitegen.import/1", "docs/import.md"),
    AuditDocument: ("sitegen.data-audit/1", "docs/data.md"),
    PreparedDocument: ("sitegen.prepared/1", "docs/prepare.md"),
    AnomalyDocument: ("sitegen.anomaly/1", "docs/anomaly.md"),
    LocalisationStudyDocument: ("sitegen.anomaly-localisation/1", "docs/anomaly.md"),
    DifferencesDocument: ("sitegen.permutation/1", "docs/anomaly.md"),
    FrechetDocument: ("sitegen.frechet/1", "docs/anomaly.md"),
}
_INTERVENTIONS = [{"regions": [[0, 0, 64, 64]], "filling": filling} for filling in ("reconstruction", "nothing")]
OF_ANOTHER_SQUARE = ("SeenDocument", "gate")
OF_WEBGPU = ("EngineDocument", "note")  # where a graphics card was wanted and is not used


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Results of a gate with every score, with maps, with a correction, by force; and a failure."""
    folder = tmp_path_factory.mktemp("typed")
    predictor, judging = (Predictor(make(folder / name)) for name, make in MAKERS.items())
    wanted = [{"finding": "all", "method": method} for method in METHODS]
    return [
        predictor.explain(GOLDEN, [*wanted, {"finding": "nobody", "method": "cam"}], values=True).document,
        judging.what_if(GOLDEN, _INTERVENTIONS, force=True).document,
        predictor.what_if(GOLDEN, [{"attack": {"method": "fgsm"}}], force=True).document,
        judging.analyse(GOLDEN, "a.png", force=True, correction="invert").document,
        judging.analyse(noise(), "b.png").document,
        predictor.analyse(b"", "c.png").document,
        Predictor(known(folder / "near", gate_fraction=0.75)).analyse(GOLDEN, "d.png").document,
    ]


def test_results_are_as_their_type_says(results: list[Any]) -> None:
    elsewhere = [("ResultDocument", "projection"), *all_keys(ProjectionDocument)]  # tests/generation/test_way.py
    hold(ResultDocument, results, [OF_WEBGPU, *elsewhere])


def test_gradients_are_as_their_type_says(gradient_bundle: Bundle) -> None:
    predictor = Predictor(gradient_bundle)
    given = [
        predictor.gradient(GOLDEN, {"Effusion": 1}, correction="invert"),
        predictor.gradient(noise(), {"Effusion": 1}, force=True),
        predictor.gradient(GOLDEN, {}),
    ]
    in_gates = [key for key in all_keys(GateDocument) if key[0] != "GateDocument"]  # this gate has the SSIM alone
    in_parts = [("SeenPart", key) for key in ("share", "square")]
    hold(GradientDocument, [each.document for each in given], [OF_WEBGPU, OF_ANOTHER_SQUARE, *in_parts, *in_gates])


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_types_and_documentation_have_the_same_keys(kind: type) -> None:
    schema, *names = DOCUMENTS[kind]
    own, *others = map(read, names)
    keys = {key for _, key in all_keys(kind)}
    assert sorted(types_of(kind).keys() - words_in_code(own)) == []
    assert sorted(keys - words_in_code("\n".join([own, *others]))) == []
    assert sorted(documented_keys(own[own.index(schema) :]) - keys) == []


def test_evaluations_are_as_their_type_says() -> None:
    broken = ((Path("broken.png"), "It is damaged."),)
    given = scored_images(accepted=np.arange(120) % 4 > 0, unreadable=broken)
    document = evaluation_document(given, resamples=5, prevalences=[0.1], against=scored_images(seed=4))
    hold(EvaluationDocument, [document])
    for _ in used_keys(evaluation_document(scored_images(labels=("Mass",)), resamples=5), EvaluationDocument):
        pass


def test_audits_are_as_their_type_says(tmp_path: Path) -> None:
    records = [Record(Path("here.png"), "a", {"Mass": 1.0}, split, age=414.0) for split in ("train", "test")]
    report = audit([*records, *[Record(resources.default_bundle() / "golden.png", "a", {"Mass": 0.0})] * 2], workers=1)
    has = [number % 2 == 0 for number in range(60)]
    drawn = write_images(tmp_path, has, blurred=has)
    of_two = [replace(record, source="one" if number < 30 else "two") for number, record in enumerate(drawn)]
    hold(AuditDocument, [report, audit(of_two, 1, ShortcutQuestion())])
