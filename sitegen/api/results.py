"""What a model says of an image, typed: findings, the gate's decision, or what went wrong.

All of it is read from the result document (docs/result.md), and every word comes from `sitegen_runtime.wording`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from sitegen.api.notebook import result_html
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import Finding as FindingDocument
from sitegen_runtime.document_types import GateDocument, ResultDocument
from sitegen_runtime.wording.explanations import NOT_FOR_DIAGNOSIS
from sitegen_runtime.wording.results import describe

T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """What the model says of one label.

    `probability` is the sigmoid of `logit`, and `above` says whether it reaches `operating_point`. `calibrated`, and
    the operating point on that scale, are None where the bundle does not calibrate. All but `logit` lie in 0..1.
    `percent` and `verdict` are what the page shows, and `weak`: how badly the model tells the finding, where it is
    hardly better than chance.
    """

    label: str
    probability: float
    logit: float
    operating_point: float
    above: bool
    calibrated: float | None
    calibrated_operating_point: float | None
    calibration: str | None
    percent: str
    verdict: str
    weak: str | None = None

    def __str__(self) -> str:
        weak = f". {self.weak}" if self.weak else ""
        return f"{self.label}: {self.percent}, {self.verdict}{weak}"


@dataclass(frozen=True)
class GateScore:
    """One score of the gate beside its first, as in `gate.scores` of a result document."""

    metric: str
    value: float
    threshold: float
    higher: str
    passed: bool
    position: float | None


@dataclass(frozen=True)
class GateCheck:
    """What was found in the picture itself, in a sentence, and the `correction` that may put it right, or None."""

    check: str
    message: str
    correction: str | None


@dataclass(frozen=True)
class GateDecision:
    """Whether the image is like those that the model knows.

    `score` is the value of `metric`, which must reach `threshold`; `reason` is None where the image was accepted;
    `position` is the share of reference images that are less unlike, or None.
    """

    accepted: bool
    reason: str | None
    metric: str
    score: float
    threshold: float
    position: float | None
    scores: tuple[GateScore, ...]
    checks: tuple[GateCheck, ...]
    measures: tuple[str, ...] = field(repr=False)  # what was measured, a line each, as the page shows it

    def __str__(self) -> str:
        return "\n".join([*([self.reason] if self.reason else []), *self.measures])


@dataclass(frozen=True)
class Failure:
    """Why an image has no result: a stable `code` (docs/result.md), and a sentence."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a model says of one image.

    `gate` is None where the model has none, or the image failed; `error` is None where it did not fail. An image that
    the gate refused has no findings, unless it was forced. `document` is the result document, as
    `sitegen predict --json` prints it; `words` are what the page shows, see `describe`.
    """

    document: ResultDocument
    findings: tuple[Finding, ...]
    gate: GateDecision | None
    error: Failure | None
    words: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the image was called."""
        return str(self.document["image"]["name"])

    @property
    def accepted(self) -> bool:
        """Whether the model may judge the image: it could be read, and no gate refuses it."""
        return self.error is None and (self.gate is None or self.gate.accepted)

    @property
    def forced(self) -> bool:
        """Whether the gate refused the image, and it was analysed all the same."""
        return bool(self.document.get("forced"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was unusual."""
        return tuple(self.document["notes"])

    def __getitem__(self, label: str) -> Finding:
        """Return the finding of a label. Raises KeyError where there is none, as of a refused image."""
        for finding in self.findings:
            if finding.label == label:
                return finding
        raise KeyError(label)

    def __str__(self) -> str:
        findings = [f"  {finding}" for finding in self.findings]
        return "\n".join([self._heading(), *findings, *self._sentences(), NOT_FOR_DIAGNOSIS])

    def __repr__(self) -> str:
        return f"<Result {'; '.join([self._heading(), *map(str, self.findings)])}>"

    def _repr_html_(self) -> str:
        return result_html(self.name, self.words, self._sentences(), self.document["bundle"])

    def _heading(self) -> str:
        return f"{self.name}: {self.words['headline']}"

    def _sentences(self) -> list[str]:
        offers = self.words["gate"]["offers"] if self.words["gate"] else []
        tries = [f"{offer['message']} Try correction={offer['correction']!r}." for offer in offers]
        badge = [f"{self.words['badge']['long']}."] if self.words["badge"] else []
        return [*badge, *self.words["details"], *tries]


def read_result(document: ResultDocument, model: Model) -> Result:
    """Return the typed form of a result document, which this model made."""
    words = describe(document, model)
    error, judged = document.get("error"), document.get("gate")
    return Result(
        document=document,
        findings=tuple(map(_finding, document.get("findings", ()), words["findings"])),
        gate=_decision(judged, words["gate"]) if judged else None,
        error=Failure(error["code"], error["message"]) if error else None,
        words=words,
    )


def _finding(entry: FindingDocument, words: Mapping[str, Any]) -> Finding:
    return _read(Finding, {**words, **entry})


def _decision(judged: GateDocument, words: Mapping[str, Any]) -> GateDecision:
    nested = {
        "scores": tuple(_read(GateScore, score) for score in judged["scores"]),
        "checks": tuple(_read(GateCheck, check) for check in judged["checks"]),
        "measures": tuple(f"{part['label']}: {part['text']}" for part in words["measures"]),
    }
    return _read(GateDecision, {**judged, **nested})


def _read(kind: type[T], entry: Mapping[str, Any]) -> T:
    """Return a dataclass of the keys that it has: documents may get more of them."""
    return kind(**{each.name: entry[each.name] for each in fields(kind)})  # type: ignore[arg-type]
