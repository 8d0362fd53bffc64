"""What `bundle.json` keeps of a label's calibration: a method, and the numbers that this method needs.

The runtime applies it (`sitegen_runtime.calibration`), `sitegen.calibration.fit` fits it.
"""

from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from sitegen.bundle.names import one_of
from sitegen_runtime.calibration import CALIBRATIONS

Method = Annotated[str, one_of(CALIBRATIONS)]
Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
NUMBERS = {name for method in CALIBRATIONS.values() for name in method.numbers}


class Calibration(BaseModel):
    """How the probability of a finding is mapped for people; documented in docs/bundle.md."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)

    method: Method
    temperature: Positive | None = None
    slope: Positive | None = None
    intercept: float | None = None
    table: Annotated[list[tuple[Probability, Probability]], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Calibration":
        needed = set(CALIBRATIONS[self.method].numbers)
        given = {name for name in NUMBERS if getattr(self, name) is not None}
        if given != needed:
            wanted = ", ".join(sorted(needed)) or "nothing"
            raise ValueError(f"the method {self.method!r} needs {wanted} beside it, not {sorted(given)}")
        for (left, low), (right, high) in pairwise(self.table or []):
            if left >= right or low > high:
                raise ValueError(f"table must rise: [{right}, {high}] may not follow [{left}, {low}]")
        return self

    @model_serializer(mode="wrap")
    def _what_applies(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if value is not None}
