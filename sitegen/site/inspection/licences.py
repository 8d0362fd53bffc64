"""The notices of everything that a site ships, and the source of what was modified."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from sitegen import __version__, resources
from sitegen.bundle import Bundle
from sitegen.site.engines.codecs import CODECS, Codec
from sitegen.site.engines.files import EngineFiles
from sitegen.site.options import SiteOptions
from sitegen.site.page import render_document
from sitegen.site.prose import plain
from sitegen.site.python.extra_wheels import ExtraWheel

FOLDER = "licences"
_ADDRESS = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]+")


@dataclass(frozen=True)
class Part:
    """One third-party (or own) part of a site."""

    name: str
    version: str
    licence: str
    home: str
    files: tuple[str, ...]
    remark: str = ""


def _parts(engines: EngineFiles, bundles: Sequence[Bundle], wheels: Sequence[ExtraWheel]) -> Iterator[Part]:
    yield Part("sitegen", __version__, "Apache-2.0", "", ("Apache-2.0.txt",), "page, worker and Python runtime")
    for description in (bundle.description for bundle in bundles):
        weights = description.licence.weights
        yield Part(description.title, description.version, weights, "", (), "weights; see the model card")
    for wheel in wheels:
        texts = tuple(_notice_file(wheel, name) for name in wheel.notices)
        yield Part(wheel.name, wheel.version, wheel.licence, wheel.home, texts, "added to the page's Python")
    version = engines.version("pyodide")
    changed = "`pyodide.asm.mjs` was modified; its original and a list of the changes are in `source/`"
    yield Part("Pyodide", version, "MPL-2.0", "https://github.com/pyodide/pyodide", ("MPL-2.0.txt",), changed)
    yield Part("CPython, inside Pyodide", "3.14", "PSF-2.0", "https://www.python.org", ("Python.txt",))
    yield Part("libraries compiled into Pyodide", "", "see the file", "", ("compiled-in.txt", "MIT.txt"))
    yield Part(
        "ONNX Runtime Web",
        engines.version("onnxruntime-web"),
        "MIT",
        "https://github.com/microsoft/onnxruntime",
        ("onnxruntime.txt", "onnxruntime-third-party.txt"),
        "`ort.wasm.bundle.min.mjs` and `ort.webgpu.bundle.min.mjs` were made classic scripts; see `source/CHANGES.txt`",
    )
    yield Part(
        "js-sha256", engines.version("js-sha256"), "MIT", "https://github.com/emn178/js-sha256", ("js-sha256.txt",)
    )
    for codec in CODECS.values():
        texts = ((_codec_file(codec),) if codec.notice else ("MIT.txt",)) + (("codecs.txt",) if codec.inside else ())
        remark = f"decodes {codec.title} in DICOM files" + (f"; contains {codec.inside.name}" if codec.inside else "")
        yield Part(codec.package, engines.version(codec.package), "MIT", codec.home, texts, remark)


CHANGES = """What was changed in files of others

pyodide.asm.mjs (Pyodide {pyodide}, MPL-2.0; the unmodified file is beside this text)
    "export default _createPyodideModule;" became "globalThis._createPyodideModule = _createPyodideModule;"
    "import.meta.url" became "globalThis.location.href" (3 places)
    The source from which Pyodide makes this file is at https://github.com/pyodide/pyodide, tag {pyodide}.

ort.wasm.bundle.min.mjs, ort.webgpu.bundle.min.mjs (ONNX Runtime Web {ort}, MIT)
    The final "export{{...}}" became an assignment to "globalThis.ort", the whole wrapped in a function.
    "import.meta.url" became "globalThis.location.href".

    In the second file "new Function(" became a function that refuses: the page makes no code of text.

lossless-min.js (jpeg-lossless-decoder-js {lossless}, MIT)
    The final "export{{...}}" became an assignment to "globalThis.JpegLossless", the whole wrapped in a function.

These changes make ES modules classic scripts, the only kind that browsers load from file://. Each file is then part of
the asset worker.js; the second of ONNX Runtime Web of the asset webgpu/ort.js, and the last one of an asset in codecs/,
where every script of others has one of sitegen behind it. Nothing else was modified.
"""


def write_licences(folder: Path, engines: EngineFiles, bundles: Sequence[Bundle], options: SiteOptions) -> list[Path]:
    """Write licence texts, an index of them, and the source of what was modified; return the paths."""
    contents = _texts(engines)
    for wheel in options.wheels:
        contents |= {_notice_file(wheel, name): text for name, text in wheel.notices.items()}
    parts = list(_parts(engines, bundles, options.wheels))
    contents["index.html"] = render_document("Licences", _index(parts), "../index.html", options).encode()
    named = {"pyodide": "pyodide", "ort": "onnxruntime-web", "lossless": CODECS["jpeg-lossless"].package}
    versions = {name: engines.version(package) for name, package in named.items()}
    contents["source/CHANGES.txt"] = CHANGES.format(**versions).encode()
    contents["source/pyodide.asm.mjs"] = engines.read("pyodide", "pyodide.asm.mjs")
    paths = []
    for name, content in contents.items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


def _notice_file(wheel: ExtraWheel, name: str) -> str:
    """A name that every browser and host takes for text: a page would lie beside the site's own, without a policy."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", f"{wheel.name}.{name}")
    return safe if safe.endswith(".txt") else f"{safe}.txt"


def _texts(engines: EngineFiles) -> dict[str, bytes]:
    source = resources.templates() / FOLDER
    native = Path(onnxruntime.__file__).parent  # the same sources, compiled for this machine, with the notices
    return {path.name: path.read_bytes() for path in sorted(source.glob("*.txt"))} | {
        "onnxruntime.txt": (native / "LICENSE").read_bytes(),
        "onnxruntime-third-party.txt": (native / "ThirdPartyNotices.txt").read_bytes(),
        "js-sha256.txt": engines.read("js-sha256", "LICENSE.txt"),
        **{_codec_file(one): engines.read(one.package, one.notice) for one in CODECS.values() if one.notice},
    }


def _codec_file(codec: Codec) -> str:
    return f"{codec.package.rsplit('/', 1)[-1]}.txt"


def _index(parts: list[Part]) -> str:
    lines = [
        "# Licences",
        "",
        "Everything that this folder ships.",
        "",
        "| part | version | licence | texts | remarks |",
    ]
    lines.append("|---|---|---|---|---|")
    for part in parts:
        # Of bundles and wheels, too: what they say is one line of text, and no row, heading or link of its own.
        name, version, licence = plain(part.name), plain(part.version), plain(part.licence)
        if _ADDRESS.fullmatch(part.home):
            name = f"[{name}]({part.home})"
        texts = ", ".join(f"[{file}]({file})" for file in part.files)
        lines.append(f"| {name} | {version} | {licence} | {texts} | {part.remark} |")
    return "\n".join([*lines, "", "[Changes to files of others](source/CHANGES.txt)"])
