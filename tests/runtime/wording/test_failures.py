"""What the page says before Python can, or without it: literal words, and every stage that the runtime reports."""

import ast
from pathlib import Path
from typing import Any

import sitegen_runtime
from sitegen_runtime.wording.failures import describe_page
from sitegen_runtime.wording.results import describe
from sitegen_runtime.wording.stages import ANALYSIS, EXPLANATION, NAMES, describe_stages

RUNTIME = Path(sitegen_runtime.__file__).parent
OUTSIDE_THE_PAGE = {"gradient", "attack"}  # jobs that the page shows no bar for


def test_failures_say_what_happened_and_leave_room_for_what_the_page_knows() -> None:
    failures = describe_page()["failures"]
    assert {name: failure["error"] for name, failure in failures.items()} == {
        "cancelled": {"code": "cancelled", "message": "The analysis was cancelled."},
        "unreadable": {
            "code": "unreadable-file",
            "message": "The file {name} cannot be read: it was moved, changed or locked. Choose it again.",
        },
        "given-up": {
            "code": "engine-failed",
            "message": "{reason}. The image was given up; others can follow.",
        },
        "failed": {"code": "engine-failed", "message": "{reason}"},
    }
    assert failures["cancelled"]["wording"]["headline"] == "Cancelled"
    assert failures["unreadable"]["wording"]["headline"] == "This image could not be analysed"
    for failure in failures.values():
        document: Any = {"error": failure["error"], "timings": {}, "notes": []}
        assert failure["wording"] == describe(document)
        assert failure["wording"]["details"] == [failure["error"]["message"]]


def test_stages_follow_each_other_and_fill_the_whole() -> None:
    assert list(describe_stages({"check": 0.25, "done": 1.0})) == [
        {"stage": "check", "name": "Checking the file", "begins": 0.0, "ends": 0.25},
        {"stage": "done", "name": "Done", "begins": 0.25, "ends": 1.0},
    ]
    for ends in (ANALYSIS, EXPLANATION):
        assert list(ends.values()) == sorted(ends.values())
        assert ends["done"] == 1.0


def test_every_stage_that_the_runtime_reports_has_a_name() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in RUNTIME.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    progress = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Progress"]
    reported = {call.args[0].value for call in progress if isinstance(call.args[0], ast.Constant)}
    assert {"check", "pixels", "gate", "classifier", "explanation", "done"} <= reported
    assert reported - OUTSIDE_THE_PAGE <= NAMES.keys()
    assert reported - OUTSIDE_THE_PAGE - {"session", "explanation"} <= ANALYSIS.keys()
    assert reported - OUTSIDE_THE_PAGE <= EXPLANATION.keys()
