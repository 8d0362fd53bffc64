"""ES modules made classic scripts: literal results, and a stop where an update looks different."""

import re

import pytest

from sitegen.errors import AssetError
from sitegen.site.engines.classic import classic_ort, classic_pyodide, classic_webgpu_ort
from sitegen.site.engines.files import install_engines

PYODIDE = "var a=import.meta.url,b=import.meta.url;c(import.meta.url);export default _createPyodideModule;"
ORT = "var x=1,y=import.meta.url;export{x as InferenceSession,z as default,env};\n//# sourceMappingURL=ort.map\n"


def test_pyodide() -> None:
    assert classic_pyodide(PYODIDE) == (
        "var a=globalThis.location.href,b=globalThis.location.href;c(globalThis.location.href);"
        "globalThis._createPyodideModule = _createPyodideModule;"
    )


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (PYODIDE.replace("export default", "export"), "export default _createPyodideModule; occurs 0 times, not 1"),
        (PYODIDE + PYODIDE, "occurs 2 times, not 1"),
        (PYODIDE + "d(import.meta.url)", "import.meta.url occurs 4 times, not 3"),
    ],
)
def test_another_pyodide_stops_the_build(module: str, named: str) -> None:
    with pytest.raises(AssetError, match=r"pyodide\.asm\.mjs is not as expected") as caught:
        classic_pyodide(module)
    assert named in str(caught.value)


def test_ort() -> None:
    assert classic_ort(ORT) == (
        "(() => {\nvar x=1,y=(globalThis.ortModuleAddress ?? globalThis.location.href);\n"
        "globalThis.ort = { InferenceSession: x, env: env };\n})();\n"
    )


@pytest.mark.parametrize(
    ("module", "named"),
    [
        ("var x=import.meta.url;", "a final export{…} occurs 0 times"),
        ("var x=1;export{x};", "import.meta.url occurs 0 times"),
        ("var x=import.meta.url,y=import.meta.env;export{x};", "other uses of import.meta occurs 1 times"),
    ],
)
def test_another_ort_stops_the_build(module: str, named: str) -> None:
    with pytest.raises(AssetError) as caught:
        classic_ort(module)
    assert named in str(caught.value)


def test_the_pinned_engines_lose_every_trace_of_modules() -> None:
    engines = install_engines()
    pyodide = classic_pyodide(engines.read("pyodide", "pyodide.asm.mjs").decode())
    ort = classic_ort(engines.read("onnxruntime-web", "dist/ort.wasm.bundle.min.mjs").decode())
    for script in (pyodide, ort):
        assert "import.meta" not in script
        assert "\nexport " not in script
    assert "globalThis._createPyodideModule" in pyodide
    assert "InferenceSession: " in ort


def test_the_webgpu_build_makes_no_code_of_text() -> None:
    original = install_engines().read("onnxruntime-web", "dist/ort.webgpu.bundle.min.mjs").decode()
    assert original.count("new Function(") == 1
    script = classic_webgpu_ort(original)
    assert re.findall(r"new Function|\bFunction\(|\beval\(", script) == []
    assert "import.meta" not in script
    assert "InferenceSession: " in script


@pytest.mark.parametrize("times", [0, 2])
def test_another_webgpu_build_stops_the_build(times: int) -> None:
    with pytest.raises(AssetError, match=rf"new Function\( occurs {times} times, not 1"):
        classic_webgpu_ort("new Function();" * times + ORT)
