"""ES modules made into classic scripts.

On file:// no browser imports a module, in a page or in a worker. Pyodide, ONNX Runtime Web and a codec come as modules
that import nothing, so an assignment in place of the export, and another address in place of `import.meta.url`, is all
it takes. Each replacement is counted: an update that looks different stops the build instead of shipping something
broken.
"""

import re

from sitegen.errors import AssetError

ORT, ORT_WEBGPU = "ort.wasm.bundle.min.mjs", "ort.webgpu.bundle.min.mjs"
LOSSLESS = "lossless-min.js"
_REFUSAL = '() => { throw new EvalError("This page makes no code of text."); }'


def classic_pyodide(module: str) -> str:
    """Return `pyodide.asm.mjs` as a script that defines `globalThis._createPyodideModule`."""
    export = "export default _createPyodideModule;"
    _expect("pyodide.asm.mjs", export, module.count(export), 1)
    _expect("pyodide.asm.mjs", "import.meta.url", module.count("import.meta.url"), 3)
    module = module.replace(export, "globalThis._createPyodideModule = _createPyodideModule;")
    return module.replace("import.meta.url", "globalThis.location.href")


def classic_ort(module: str, name: str = ORT) -> str:
    """Return `ort.wasm.bundle.min.mjs`, or another of these bundles, as a script that defines `globalThis.ort`.

    Its threads load the module at `globalThis.ortModuleAddress`, which has to be set before they are started.
    """
    body, members = _parted(module, name)
    addresses = body.count("import.meta.url")
    if not addresses:
        _expect(name, "import.meta.url", addresses, 1)
    body = body.replace("import.meta.url", "(globalThis.ortModuleAddress ?? globalThis.location.href)")
    _expect(name, "other uses of import.meta", body.count("import.meta"), 0)
    return f"(() => {{\n{body}\nglobalThis.ort = {{ {members} }};\n}})();\n"


def classic_webgpu_ort(module: str) -> str:
    """Return `ort.webgpu.bundle.min.mjs` as `classic_ort` does, without the one place that makes code of text.

    The page's policy would stop it there anyway. No network runs through that place: it serves WebNN.
    """
    making = "new Function("
    _expect(ORT_WEBGPU, making, module.count(making), 1)
    return classic_ort(module.replace(making, f"({_REFUSAL})("), ORT_WEBGPU)


def classic_lossless(module: str) -> str:
    """Return `lossless-min.js` of jpeg-lossless-decoder-js as a script that defines `globalThis.JpegLossless`."""
    body, members = _parted(module, LOSSLESS)
    _expect(LOSSLESS, "import.meta", body.count("import.meta"), 0)
    return f"(() => {{\n{body}\nglobalThis.JpegLossless = {{ {members} }};\n}})();\n"


def _parted(module: str, name: str) -> tuple[str, str]:
    """The module without its final export, and what that exports, as members of an object."""
    module = re.sub(r"//# sourceMappingURL=\S*\s*$", "", module)
    exports = list(re.finditer(r"export\{([^}]*)\};?\s*$", module))
    _expect(name, "a final export{…}", len(exports), 1)
    members = []
    for entry in exports[0].group(1).split(","):
        local, _, public = entry.strip().partition(" as ")
        if public != "default":
            members.append(f"{public or local}: {local}")
    return module[: exports[0].start()], ", ".join(members)


def _expect(name: str, what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise AssetError(
            f"{name} is not as expected: {what} occurs {found} times, not {wanted}. "
            "It was updated; look at the new file and adapt sitegen/site/engines/classic.py."
        )
