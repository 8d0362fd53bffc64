"""What is known of a bundle beside its figures: how it was made, what it learned from, and whose its gate is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sitegen.bundle import Bundle, Description
from sitegen.site.help.measured import Measured, read_metrics


@dataclass(frozen=True)
class Facts:
    """A bundle with its figures, and the name of its card among the pages of the site."""

    bundle: Bundle
    card: str
    measured: Measured

    @property
    def description(self) -> Description:
        """The content of `bundle.json`."""
        return self.bundle.description

    @property
    def imported(self) -> bool:
        """Whether the model came from elsewhere, as it was."""
        return isinstance(self.description.provenance.get("import"), Mapping)

    def fitted_on(self, finding: str) -> tuple[int, int] | None:
        """On how many validation images an operating point was chosen, and how many of them have it; None if untold."""
        fit = _inside(self.description.provenance, "fitted", "labels", finding)
        images, positives = fit.get("images"), fit.get("positives")
        return (images, positives) if isinstance(images, int) and isinstance(positives, int) else None

    @property
    def false_alarms(self) -> float | None:
        """The share of images without findings that may be flagged, where that chose operating points, or None."""
        rule = _inside(self.description.provenance, "fitted", "rule")
        return rule["share"] if rule.get("kind") == "false-alarms" else None

    @property
    def specificity(self) -> float | None:
        """The share of the images without a finding that stay below, where that chose operating points, or None."""
        rule = _inside(self.description.provenance, "fitted", "rule")
        return rule["share"] if rule.get("kind") == "specificity" else None

    @property
    def learned_from(self) -> tuple[str, ...]:
        """The collections that training images are from; none where the bundle does not tell."""
        return tuple(name for name in _inside(self.description.provenance, "data", "images", "train") if name)

    @property
    def outside(self) -> tuple[str, ...] | None:
        """The collections of the figures that the model did not learn from; None where one or the other is untold."""
        measured = {group.images.source: None for group in self.measured.groups}
        if not self.learned_from or not measured or "" in measured:
            return None
        return tuple(name for name in measured if name not in self.learned_from)

    @property
    def borrowed_gate(self) -> str | None:
        """The name and version of the bundle that the gate was taken over from; None where it was not."""
        made = _inside(self.description.provenance, "gate")
        taken = {"name", "version"} <= made.keys() and "network" not in made
        return f"{made['name']} {made['version']}" if taken else None

    @property
    def own_gate(self) -> bool:
        """Whether the bundle tells that its gate was fitted to its own validation images."""
        return "passing" in _inside(self.description.provenance, "gate")


def facts_of(bundle: Bundle, card: str) -> Facts:
    """Return what the page needs to know of a bundle."""
    labels = {label.name for label in bundle.description.labels}
    return Facts(bundle, card, read_metrics(bundle.description.metrics, labels))


def _inside(fields: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The mapping at a path through free-form data; an empty one where there is none."""
    for key in keys:
        found = fields.get(key)
        if not isinstance(found, Mapping):
            return {}
        fields = found
    return fields
