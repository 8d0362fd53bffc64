"""Calibrations in `bundle.json`: what each method needs, and that the runtime reads what is written."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from sitegen.bundle import Calibration, Label
from sitegen_runtime.bundle import model
from sitegen_runtime.bundle.model import read_label, read_model
from tests.helpers.runtime.models import description

TABLE = [(0.0, 0.0), (0.25, 0.5), (0.5, 0.5), (1.0, 1.0)]
WHOLE: list[dict[str, Any]] = [
    {"method": "piecewise-linear"},
    {"method": "temperature", "temperature": 2.5},
    {"method": "platt", "slope": 0.5, "intercept": -1.0},
    {"method": "beta", "table": TABLE},
    {"method": "isotonic", "table": TABLE},
]


@pytest.mark.parametrize("fields", WHOLE, ids=lambda fields: str(fields["method"]))
def test_what_is_written_is_what_the_method_needs(fields: dict[str, Any]) -> None:
    assert Calibration(**fields).model_dump() == fields


@pytest.mark.parametrize("fields", WHOLE, ids=lambda fields: str(fields["method"]))
def test_the_runtime_reads_what_is_written(fields: dict[str, Any]) -> None:
    written = Label(name="Mass", operating_point=0.25, calibration=Calibration(**fields)).model_dump_json()
    numbers = {name: value for name, value in fields.items() if name != "table"}
    expected = model.Calibration(**numbers, table=tuple(fields.get("table", ())))
    assert read_label(json.loads(written)) == model.Label("Mass", 0.25, expected)


def test_numbers_that_are_null_are_absent() -> None:
    fields = json.loads(description())
    fields["labels"][0]["calibration"] = {"method": "temperature", "temperature": 2.0, "slope": None, "table": None}
    assert Calibration(**fields["labels"][0]["calibration"]).model_dump() == {
        "method": "temperature",
        "temperature": 2.0,
    }
    assert read_model(json.dumps(fields).encode()).labels[0].calibration == model.Calibration("temperature", 2.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "magic"}, "method"),
        ({"method": "temperature"}, "the method 'temperature' needs temperature beside it, not []"),
        ({"method": "platt", "slope": 1.0}, "needs intercept, slope beside it, not ['slope']"),
        ({"method": "piecewise-linear", "slope": 1.0}, "needs nothing beside it, not ['slope']"),
        ({"method": "isotonic"}, "needs table beside it, not []"),
        ({"method": "temperature", "temperature": 0.0}, "greater than 0"),
        ({"method": "temperature", "temperature": float("inf")}, "finite"),
        ({"method": "platt", "slope": -1.0, "intercept": 0.0}, "greater than 0"),
        ({"method": "platt", "slope": 1.0, "intercept": float("nan")}, "finite"),
        ({"method": "beta", "table": [(0.0, 0.0)]}, "at least 2 items"),
        ({"method": "beta", "table": [(0.0, 0.0), (1.5, 1.0)]}, "less than or equal to 1"),
        ({"method": "beta", "table": [(0.0, -0.5), (1.0, 1.0)]}, "greater than or equal to 0"),
        ({"method": "isotonic", "table": [(0.5, 0.0), (0.5, 1.0)]}, "[0.5, 1.0] may not follow [0.5, 0.0]"),
        ({"method": "isotonic", "table": [(0.0, 0.5), (1.0, 0.25)]}, "[1.0, 0.25] may not follow [0.0, 0.5]"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Calibration(**fields)
    assert message in str(caught.value)
