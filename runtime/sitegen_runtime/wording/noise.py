"""Words of adversarial noise in the what-if tool: what is offered, and what was done."""

from collections.abc import Iterator
from typing import Any

from sitegen_runtime.attacks.table import ATTACKS, SMALL, STEPS, STRENGTH
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import AttackDocument

MOST_STEPS_IN_THE_PAGE = 50
_SIZES = ((STRENGTH, "Large: 30 % of the range"), (SMALL, "Hardly seen: 0.8 % of the range"))


def describe_noise(model: Model) -> dict[str, Any]:
    """Return what the page offers: `reason` (why there is no noise to be had, or None), `kinds`, `sizes`, `steps`,
    `findings`.

    A kind has `value`, `name`, `sentence` and `several` (whether steps can be chosen); sizes and findings have `value`
    and `name`, where the value None stands for all findings; `steps` has `value`, `least` and `most`.
    """
    kinds = [
        {"value": value, "name": _named(value), "sentence": row.sentence, "several": row.several}
        for value, row in ATTACKS.items()
    ]
    return {
        "reason": None if "gradient" in model.graphs else _WITHOUT,
        "kinds": kinds,
        "sizes": [{"value": value, "name": name} for value, name in _SIZES],
        "steps": {"value": STEPS, "least": 1, "most": MOST_STEPS_IN_THE_PAGE},
        "findings": [{"value": name, "name": said} for name, said in _findings(model)],
    }


_WITHOUT = "This model has no network of its gradient, along which such noise is made."


def _named(method: str) -> str:
    name = ATTACKS[method].name
    return f"{method.upper()}: {name}"


def _findings(model: Model) -> Iterator[tuple[str | None, str]]:
    yield None, "All findings"
    for label in model.labels:
        yield label.name, label.name


def told_noise(attack: AttackDocument) -> tuple[str, str]:
    """Return what was done, in a line and for narrow columns."""
    method = attack["method"]
    row = ATTACKS.get(method)
    share = f"{100 * attack['strength']:.3g} %"
    steps = f", {attack['steps']} {'step' if attack['steps'] == 1 else 'steps'}" if row and row.several else ""
    aim = attack["finding"] or "all findings"
    title = f"Adversarial noise by {method.upper()} against {aim}, up to {share} of the range{steps}"
    return title, f"{method.upper()}, {share}{steps}"
