"""What the audit of a recipe's data lets pass: `[audit]`.

limit       of the lower end of an AUC's interval, above which a label is told too well by what is no anatomy
accepted    { "Label: family" = "why a person who looked at it takes responsibility" }
"""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, StringConstraints

from sitegen.settings.reading import STRICT

LIMIT, TOGETHER = 0.65, 0.75
"""Of the lower end of the interval; chance is 0.5, and 1 lets everything pass. docs/data.md says why they are these."""

Limit = Annotated[float, Field(ge=0.5, le=1)]

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@dataclass(frozen=True)
class AuditSettings:
    """When a label counts as told by what is no anatomy, and which of it is accepted, each with a reason in words."""

    __pydantic_config__ = STRICT
    limit: Limit = LIMIT
    together: Limit = TOGETHER
    accepted: dict[str, Reason] = field(default_factory=dict)
