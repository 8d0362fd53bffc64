"""What the percentage of a finding means with the calibration of a bundle, and where the mark on its bar comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

from sitegen.bundle import Label
from sitegen.site.help.facts import Facts
from sitegen.site.prose import plain
from sitegen_runtime.bundle.model import Label as RuntimeLabel
from sitegen_runtime.calibration import calibrate, calibrated_operating_point, sigmoid
from sitegen_runtime.wording.known import threshold_chosen
from sitegen_runtime.wording.shares import listed

STRETCHED = (
    "The bar shows the model's own number, stretched so that the operating point lies at 50 %. So **50 % means: right "
    "on the border**. It does not mean that half of such images have the finding, and 90 % does not mean nine in ten. "
    "Read it as how far an image lies on which side of the border."
)
OWN_NUMBER = (
    "The bar shows the model's own number. **50 % is half of its scale, and no more**: that about half of such images "
    "have the finding is not known. The border is where the mark is."
)
CALIBRATED = (
    "The bar shows a probability that was fitted on validation images (by the method *{method}*). **50 % means: of "
    "the validation images shown near 50 %, about half had the finding**. Where the finding is rarer than there, "
    "fewer have it. The border is where the mark is, and need not be 50 %."
)
UNTOLD = (
    "The bar shows a probability that was fitted (by the method *{method}*). **On which images is not told**, so "
    "nobody can say whether of the images shown at 50 % half have the finding. The border is where the mark is."
)


@dataclass(frozen=True)
class Border:
    """The operating point of a finding, as cells: the place of the mark, the model's own number there, its origin."""

    finding: str
    mark: str
    own: str
    origin: str


def meanings(facts: Facts) -> Iterator[str]:
    """Yield what the bars show: a sentence or two for each way in which a finding's percentage is made."""
    labels: dict[str, list[str]] = {}
    for label in facts.description.labels:
        labels.setdefault(_meaning(facts, label), []).append(f"*{plain(label.name)}*")
    for meaning, names in labels.items():
        yield meaning if len(labels) == 1 else f"For {listed(names)}: {meaning[0].lower()}{meaning[1:]}"


def borders(facts: Facts) -> list[Border]:
    """Return the operating point of each finding."""
    return [
        Border(plain(label.name), f"{100 * _mark(label):.0f} %", f"{label.operating_point:.3g}", _origin(facts, label))
        for label in facts.bundle.model.labels
    ]


def example(facts: Facts) -> str | None:
    """Return what the model says of its own example image, which is synthetic; None where there is none."""
    golden = facts.description.golden
    shown = [
        (_shown(golden.logits[label.name], label), label)
        for label in facts.bundle.model.labels
        if golden and label.name in golden.logits
    ]
    if not shown:
        return None
    share, label = max(shown, key=lambda each: each[0])
    most = "" if len(shown) == 1 else "its highest percentage, "
    return (
        "The example image that comes with the model is synthetic: a program drew it, and it shows nobody. It "
        f"gets {most}{100 * share:.0f} % for *{plain(label.name)}*. A percentage is what a calculation gave, and no "
        "knowledge of a patient."
    )


def _meaning(facts: Facts, label: Label) -> str:
    if label.calibration is None:
        return OWN_NUMBER
    if label.calibration.method == "piecewise-linear":
        return STRETCHED
    sentence = CALIBRATED if facts.made.fitted_on(label.name) else UNTOLD
    return sentence.format(method=label.calibration.method)


def _origin(facts: Facts, label: RuntimeLabel) -> str:
    return threshold_chosen(facts.bundle.model, label, measured=bool(facts.measured.of(label.name)))


def _mark(label: RuntimeLabel) -> float:
    calibrated = calibrated_operating_point(label)
    return label.operating_point if calibrated is None else calibrated


def _shown(logit: float, label: RuntimeLabel) -> float:
    probability = sigmoid(logit)
    calibrated = calibrate(logit, probability, label)
    return probability if calibrated is None else calibrated
