"""What the bill says of libraries' vulnerabilities: each once, of a part that it lists, and for reasons that hold."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from sitegen import resources
from sitegen.site.inspection.vulnerabilities import ANSWERS, answers


@pytest.fixture(scope="module")
def bill(site: Path) -> dict[str, Any]:
    return json.loads((site / "sbom.json").read_text("utf-8"))


def test_each_is_answered_of_a_part_that_the_bill_lists(bill: dict[str, Any]) -> None:
    listed = {one["bom-ref"]: one for part in bill["components"] for one in part.get("components", [])}
    answered = {each["id"]: each for each in bill["vulnerabilities"]}
    assert len(answered) == len(bill["vulnerabilities"]) == 38
    assert all(place["ref"] in listed for each in answered.values() for place in each["affects"])
    assert listed["inside:sqlite"]["version"] == "3.39.0"
    assert answered["CVE-2025-6965"]["affects"] == [{"ref": "inside:sqlite"}]
    assert answered["CVE-2025-6965"]["analysis"] == {
        "state": "not_affected",
        "justification": "code_not_reachable",
        "detail": "The page opens no database and runs no SQL: nothing imports sqlite3, which is not even loaded.",
    }
    assert {each["analysis"]["state"] for each in answered.values()} == {"not_affected", "in_triage"}
    assert [each for each, said in answered.items() if said["analysis"]["state"] == "in_triage"] == ["CVE-2026-85091"]


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return {name.split(".")[0] for name in names | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}}


def test_no_module_of_the_runtime_imports_what_would_call_those_libraries() -> None:
    """Nor anything of the standard library that takes such data: archives, XML, databases."""
    called = {answer.module for answer in ANSWERS if answer.module}
    assert called == {"sqlite3", "bz2", "lzma", "pyexpat"}
    sources = list(resources.runtime_source().rglob("*.py"))
    assert len(sources) > 100
    used = set().union(*map(imported, sources))
    assert "zlib" in used
    ways = {"shutil", "tarfile", "zipfile", "xml", "plistlib", "xmlrpc", "dbm", "shelve", "compression", "ctypes"}
    assert used & (called | ways) == set()


def test_where_wheels_were_added_nothing_is_promised_of_what_they_may_call() -> None:
    states = {each.id: each.analysis.state.value for each in answers(has_wheels=True)}
    assert states["CVE-2025-6965"] == "in_triage"
    assert states["CVE-2016-3189"] == "not_affected"  # a program that is not there
