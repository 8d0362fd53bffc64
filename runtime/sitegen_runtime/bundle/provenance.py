"""How a bundle came about, as far as it tells: what it learned from, who chose its borders, and whose its gate is.

A reading of `provenance`, which is free-form: what is missing there, or has another form, is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Borrowed:
    """The bundle that a gate was taken over from: its name and version, and what its own model was trained on.

    `trained_on` are collections, none where that is not told.
    """

    bundle: str
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """What is known of how a bundle came about."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def imported(self) -> bool:
        """Whether the model came from elsewhere, as it was."""
        return isinstance(self.fields.get("import"), Mapping)

    def fitted_on(self, finding: str) -> tuple[int, int] | None:
        """On how many validation images an operating point was chosen, and how many of them have it; None if untold."""
        fit = _inside(self.fields, "fitted", "labels", finding)
        images, positives = fit.get("images"), fit.get("positives")
        return (images, positives) if isinstance(images, int) and isinstance(positives, int) else None

    @property
    def false_alarms(self) -> float | None:
        """The share of images without findings that may be flagged, where that chose operating points, or None."""
        return self._rule("false-alarms")

    @property
    def specificity(self) -> float | None:
        """The share of the images without a finding that stay below, where that chose operating points, or None."""
        return self._rule("specificity")

    @property
    def whole_numbers(self) -> bool:
        """Whether the classifier computes with whole numbers, and graphs of gradients are of the network before."""
        return _inside(self.fields, "weights").get("form") == "static-int8"

    def _rule(self, kind: str) -> float | None:
        rule = _inside(self.fields, "fitted", "rule")
        share = rule.get("share")
        return share if rule.get("kind") == kind and isinstance(share, float) else None

    @property
    def learned_from(self) -> tuple[str, ...]:
        """The sources that training images are from; none where the bundle does not tell."""
        return tuple(name for name in _inside(self.fields, "data", "images", "train") if name)

    @property
    def collections(self) -> tuple[str, ...]:
        """The same, as people call them."""
        known = _inside(self.fields, "data", "collections")
        names = (_inside(known, source).get("collection") or source for source in self.learned_from)
        return tuple(dict.fromkeys(map(str, names)))

    @property
    def borrowed_gate(self) -> Borrowed | None:
        """Which bundle the gate was taken over from; None where it was not."""
        made = _inside(self.fields, "gate")
        if not {"name", "version"} <= made.keys() or "network" in made:
            return None
        trained_on = made.get("trained_on")
        names = trained_on if isinstance(trained_on, list) else []
        return Borrowed(f"{made['name']} {made['version']}", tuple(map(str, names)))

    @property
    def own_gate(self) -> bool:
        """Whether the bundle tells that its gate was trained for it."""
        return "network" in _inside(self.fields, "gate")

    @property
    def fitted_gate(self) -> bool:
        """Whether the bundle tells that its gate's limits were set on its own validation images."""
        return "passing" in _inside(self.fields, "gate")


def _inside(fields: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The mapping at a path through free-form data; an empty one where there is none."""
    for key in keys:
        found = fields.get(key)
        if not isinstance(found, Mapping):
            return {}
        fields = found
    return fields
