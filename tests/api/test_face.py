"""`import sitegen`: what it offers, and that it loads nothing before it is asked."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import sitegen
from sitegen import errors
from tests.helpers.documents import read

SOURCE = Path(sitegen.__file__)
NAMES = [name for name in sitegen.__all__ if name != "__version__"]
METHODS = {
    "Predictor": ("predict", "predict_many", "explain", "what_if", "gradient", "attack"),
    "Explanation": ("image", "save"),
    "Server": ("stop",),
}


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_it_loads_nothing_else() -> None:
    program = (
        "import sys, importlib, typing; before = set(sys.modules); import sitegen\n"
        "dir(sitegen); print(sorted(set(sys.modules) - before))"
    )
    assert run(program) == "['sitegen']"


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("load_bundle", ["PIL", "rich", "selenium", "torch"]),
        ("Predictor", ["selenium", "torch", "scipy", "sitegen.site", "sitegen.importing"]),
        ("import_onnx", ["torch", "scipy", "selenium"]),
        ("build_site", ["torch", "scipy", "sitegen.importing"]),
        ("SitegenError", ["numpy", "onnx", "sitegen_runtime"]),
    ],
)
def test_a_name_loads_what_it_needs_alone(name: str, absent: list[str]) -> None:
    assert (
        run(f"import sys, sitegen; sitegen.{name}; print([name for name in {absent} if name in sys.modules])") == "[]"
    )


def re_exported() -> dict[str, str]:
    """Where type checkers are told that names come from."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def test_type_checkers_are_told_the_same_names_from_the_same_places() -> None:
    told = re_exported()
    assert sorted(told) == sorted(NAMES)
    for name, module in told.items():
        expected = import_module(f"sitegen.{name}") if module == "sitegen" else getattr(import_module(module), name)
        assert getattr(sitegen, name) is expected


def test_every_name_is_there_and_is_listed() -> None:
    assert len(NAMES) == len(set(NAMES)) > 35
    assert set(sitegen.__all__) <= set(dir(sitegen))
    before = len(vars(sitegen))
    assert [getattr(sitegen, name) for name in NAMES] == [getattr(sitegen, name) for name in NAMES]
    assert len(vars(sitegen)) == before  # by now all of them are kept
    with pytest.raises(AttributeError, match="no attribute 'Preditcor'"):
        _ = sitegen.Preditcor


def test_a_module_of_a_room_is_the_room() -> None:
    from sitegen import gradient

    assert sitegen.gradient is gradient
    assert (
        run("import sitegen; print(sitegen.gradient.compile.__name__, sitegen.metrics.auc.__name__)") == "compile auc"
    )
    assert run("from sitegen import gradient; print(gradient.compile.__module__)") == "sitegen.gradient.compiler"


def test_every_error_is_a_name_and_is_in_the_tree() -> None:
    classes = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    assert {name for name in NAMES if name.endswith("Error")} == set(classes)
    tree = re.findall(r"^    (?:[├└]── )?(\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(tree) == sorted(classes)
    assert all(issubclass(each, errors.SitegenError) for each in classes.values())


def signature_of(function: Any) -> str:
    """A signature without types, as the documents have it: where a call begins, not what it all takes."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    return str(inspect.Signature(parameters)).replace("'", '"')


def documented_calls() -> dict[str, str]:
    found = re.findall(r"^\| `((?:\w+\.)?\w+)(\(.*?\))` \|", read("docs/python.md"), re.MULTILINE)
    return dict(found)


def test_every_signature_is_documented_as_it_is() -> None:
    calls = {name: getattr(sitegen, name) for name in NAMES if inspect.isfunction(getattr(sitegen, name))}
    calls["Predictor"] = sitegen.Predictor
    for kind, names in METHODS.items():
        calls |= {f"{kind}.{name}": getattr(getattr(sitegen, kind), name) for name in names}
    assert documented_calls() == {name: signature_of(call) for name, call in calls.items()}


def test_every_name_is_documented() -> None:
    text = read("docs/python.md")
    assert [name for name in NAMES if f"`{name}" not in text and f"sitegen.{name}" not in text] == []


@pytest.mark.parametrize("kind", ["Finding", "GateDecision", "GateScore", "GateCheck", "Failure"])
def test_every_field_is_documented(kind: str) -> None:
    text = read("docs/python.md")
    assert [name for name in getattr(sitegen, kind).__dataclass_fields__ if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", ["Result", "Explanation", "GradientResult", "Verification", "BuiltSite"])
def test_every_public_attribute_is_documented(kind: str) -> None:
    text = read("docs/python.md")
    made = getattr(sitegen, kind)
    properties = {name for name, value in vars(made).items() if isinstance(value, property)}
    public = {name for name in {*made.__dataclass_fields__, *properties} if not name.startswith("_")}
    assert [name for name in sorted(public) if f"`{name}`" not in text] == []
