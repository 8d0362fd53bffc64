"""What is known of a bundle for the page: its figures, how it came about, and where its card stands."""

from dataclasses import dataclass

from sitegen.bundle import Bundle, Description
from sitegen_runtime.bundle.figures import Measured
from sitegen_runtime.bundle.provenance import Provenance


@dataclass(frozen=True)
class Facts:
    """A bundle, and the name of its card among the pages of the site."""

    bundle: Bundle
    card: str

    @property
    def description(self) -> Description:
        """The content of `bundle.json`."""
        return self.bundle.description

    @property
    def measured(self) -> Measured:
        """How often the model was right."""
        return self.bundle.model.measured

    @property
    def made(self) -> Provenance:
        """How the bundle came about."""
        return self.bundle.model.provenance

    @property
    def outside(self) -> tuple[str, ...] | None:
        """The collections of the figures that the model did not learn from; None where one or the other is untold."""
        measured = {group.images.source: None for group in self.measured.groups}
        if not self.made.learned_from or not measured or "" in measured:
            return None
        return tuple(name for name in measured if name not in self.made.learned_from)
