"""The software bill of materials: every part of a site with version, licence and hashes, as CycloneDX 1.6 (ECMA-424).

Every file that ships is listed under the part that it comes from, with the hash that the manifest has of it. It holds
no time and no random number: the serial number comes from the content, so that equal sites have equal bills.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from sitegen import __version__, resources
from sitegen.bundle import Bundle
from sitegen.site.engines.assets import WEBGPU_FOLDER
from sitegen.site.engines.codecs import CODECS, Codec, package_of
from sitegen.site.engines.compiled_libraries import COMPILED_INTO_PYODIDE, INSIDE_CPYTHON, Library
from sitegen.site.engines.files import EngineFiles
from sitegen.site.inspection.vulnerabilities import answers

PREFIX = "sitegen:"  # of our own properties
ROOT = "site"
# Parts whose own parts are not all known: what else is compiled into them is in the notices.
INCOMPLETE = ("pyodide", "onnxruntime-web", "cpython", *(codec.package for codec in CODECS.values() if codec.inside))


@dataclass(frozen=True)
class ShippedFiles:
    """The files of a site: their hashes by name, and the names of those that hold each asset (`Asset.name`)."""

    hashes: Mapping[str, str]
    assets: Mapping[str, Sequence[str]]
    owners: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        named = {file: asset for asset, files in self.assets.items() for file in files}
        object.__setattr__(self, "owners", {file: _owner(named.get(file, "")) for file in self.hashes})

    def of(self, part: str) -> list[Component]:
        """Return the files of a part, as components."""
        return [_file(name, self.hashes[name]) for name, owner in self.owners.items() if owner == part]

    def of_assets(self, names: Iterable[str]) -> list[Component]:
        """Return the files that hold these assets, as components."""
        return [_file(file, self.hashes[file]) for name in names for file in self.assets[name]]


def bill_of_materials(
    files: ShippedFiles,
    engines: EngineFiles,
    lock: str,
    bundles: Sequence[tuple[Bundle, Sequence[str]]],
    wheels: Mapping[str, str] | None = None,
) -> str:
    """Return the bill as JSON.

    `lock` is Pyodide's, with the wheels that are packed; `wheels` has the licences of those that a user added, by name;
    each bundle comes with the names of the assets that hold its files.
    """
    parts = [*_own(files), *_engines(files, engines), *_wheels(files, json.loads(lock), wheels or {})]
    first = {name: number for number, (_, names) in reversed(list(enumerate(bundles))) for name in names}
    for number, (bundle, names) in enumerate(bundles):  # an asset that bundles share is listed with the first of them
        parts.append(_model(bundle, files.of_assets(name for name in names if first[name] == number)))
    descriptions = [bundle.description for bundle, _ in bundles]
    root = Component(
        name=" + ".join(description.name for description in descriptions),
        version=" + ".join(description.version for description in descriptions),
        type=ComponentType.APPLICATION,
        bom_ref=ROOT,
        description="A site: a folder that classifies medical images in a browser, offline. Not for diagnostic use.",
    )
    tool = Component(name="sitegen", version=__version__, type=ComponentType.APPLICATION, bom_ref="tool")
    metadata = BomMetaData(component=root, tools=ToolRepository(components=[tool]))
    bom = Bom(components=parts, metadata=metadata, vulnerabilities=answers(has_wheels=bool(wheels)))
    bom.serial_number = UUID(int=0)
    bom.register_dependency(root, parts)
    return _finished(json.loads(JsonV1Dot6(bom).output_as_string()))


def _finished(fields: dict[str, Any]) -> str:
    """The bill without time, with what is known of its completeness, and with a serial number of its content."""
    fields["metadata"].pop("timestamp", None)
    fields["compositions"] = [{"aggregate": "incomplete", "assemblies": list(INCOMPLETE)}]
    fields.pop("serialNumber")
    digest = sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    fields["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, f'sha256:{digest}')}"
    return json.dumps(fields, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _owner(asset: str) -> str:
    """The part that an asset comes from: the page's own program, where it is none of somebody else's."""
    if asset.startswith("pyodide.asm") or asset == "snapshot.bin":
        return "pyodide"
    if asset == "python_stdlib.zip":
        return "cpython"
    if asset.startswith(("ort", f"{WEBGPU_FOLDER}/")):
        return "onnxruntime-web"
    if asset.startswith("bundles/"):
        return "a bundle"
    if codec := package_of(asset):
        return codec
    return asset if asset.endswith(".whl") else "sitegen"


def _own(files: ShippedFiles) -> Iterator[Component]:
    contains = {"index.html": "js-sha256", "worker.js": "pyodide, onnxruntime-web, onnxruntime-common"}
    yield Component(
        name="sitegen",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="sitegen",
        purl=PackageURL("pypi", name="offline-sitegen", version=__version__),
        licenses=_licences("Apache-2.0"),
        description="The page, its worker, and what is written of the others",
        properties=[Property(name=f"{PREFIX}{name} contains", value=parts) for name, parts in contains.items()],
        components=files.of("sitegen"),
    )


def _engines(files: ShippedFiles, engines: EngineFiles) -> Iterator[Component]:
    changed = "pyodide.asm.mjs was made a classic script, part of worker.js: see licences/source/CHANGES.txt"
    libraries = [_library(one) for one in COMPILED_INTO_PYODIDE]
    yield _npm("pyodide", "MPL-2.0", engines, [*libraries, *files.of("pyodide")], changed)
    python = str(json.loads(engines.read("pyodide", "pyodide-lock.json"))["info"]["python"])
    yield Component(
        name="cpython",
        version=python,
        type=ComponentType.PLATFORM,
        bom_ref="cpython",
        cpe=f"cpe:2.3:a:python:python:{python}:*:*:*:*:*:*:*",
        purl=PackageURL("generic", name="cpython", version=python),
        licenses=_licences("PSF-2.0"),
        description="The interpreter, inside pyodide.asm.wasm, and its standard library",
        components=[*(_library(one) for one in INSIDE_CPYTHON), *files.of("cpython")],
    )
    changed = "ort.wasm.bundle.min.mjs was made a classic script, part of worker.js: see licences/source/CHANGES.txt"
    yield _npm("onnxruntime-web", "MIT", engines, files.of("onnxruntime-web"), changed)
    yield _npm("onnxruntime-common", "MIT", engines)
    yield _npm("js-sha256", "MIT", engines)
    yield from (_codec(codec, files, engines) for codec in CODECS.values())


def _codec(codec: Codec, files: ShippedFiles, engines: EngineFiles) -> Component:
    inside = [_library(codec.inside)] if codec.inside else []
    changed = "its script has that of a worker behind it, which is sitegen's"
    return _npm(codec.package, "MIT", engines, [*inside, *files.of(codec.package)], changed)


def _npm(
    name: str, licence: str, engines: EngineFiles, inside: Iterable[Component] = (), changed: str | None = None
) -> Component:
    version = engines.version(name)
    scope, _, plain = name.rpartition("/")
    purl = PackageURL("npm", namespace=scope or None, name=plain, version=version)
    package = json.loads((resources.engines() / "package-lock.json").read_bytes())["packages"][f"node_modules/{name}"]
    algorithm, _, digest = package["integrity"].partition("-")
    if algorithm != "sha512":
        raise ValueError(f"the lock has no SHA-512 of {name}")
    archive = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="The package as it was fetched",
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())],
    )
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=name,
        purl=purl,
        licenses=_licences(licence),
        external_references=[archive],
        pedigree=Pedigree(notes=changed) if changed else None,
        components=inside,
    )


def _wheels(files: ShippedFiles, lock: dict[str, Any], licences: Mapping[str, str]) -> Iterator[Component]:
    """The wheels that Pyodide's lock names; the hash is of the wheel itself, as it is unpacked in the page."""
    for name, package in lock["packages"].items():
        own = package["file_name"].startswith("sitegen_runtime-")
        yield Component(
            name=name,
            version=package["version"],
            type=ComponentType.LIBRARY,
            bom_ref=name,
            purl=None if own else PackageURL("pypi", name=name, version=package["version"]),
            licenses=_licences("Apache-2.0" if own else licences.get(name, "")),
            hashes=[_sha256(package["sha256"])],
            components=files.of(package["file_name"]),
        )


def _model(bundle: Bundle, files: list[Component]) -> Component:
    description = bundle.description
    return Component(
        name=description.name,
        version=description.version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model:{description.name}",
        description=f"{description.title}; the hash is of its bundle.json",
        licenses=_licences(description.licence.weights),
        hashes=[_sha256(bundle.model.sha256)],
        properties=[Property(name=f"{PREFIX}training data", value=description.licence.data)],
        pedigree=_began_with(description.provenance.get("initial"), f"model:{description.name}"),
        components=files,
    )


def _began_with(initial: Any, model: str) -> Pedigree | None:
    """The published weights that a training began with: an ancestor of the model, of other terms and other data."""
    if not isinstance(initial, Mapping):
        return None
    ancestor = Component(
        name=str(initial["name"]),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"{model}:initial",
        description="the published weights that the training began with" + _of_package(initial),
        licenses=_licences(str(initial.get("licence", ""))),
        hashes=[_sha256(str(initial["sha256"]))],
        properties=[Property(name=f"{PREFIX}training data", value=str(initial.get("data", "not stated")))],
    )
    return Pedigree(ancestors=[ancestor])


def _of_package(initial: Mapping[str, Any]) -> str:
    return f", of the package {initial['package']}" if "package" in initial else ""


def _library(library: Library) -> Component:
    return Component(
        name=library.name,
        version=library.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"inside:{library.name}",
        cpe=library.cpe,
        licenses=_licences(library.licence),
    )


def _file(name: str, digest: str) -> Component:
    return Component(name=name, type=ComponentType.FILE, bom_ref=f"file:{name}", hashes=[_sha256(digest)])


def _licences(text: str) -> list[Any]:
    """An SPDX identifier or expression where it is one, else the words."""
    return [LicenseFactory().make_from_string(text)] if text else []


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
