"""The whole build: from a bundle to a folder, in stages that report themselves.

The site is made in a folder beside the target and swapped in at the end: a build that fails leaves the old site as it
was.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sitegen import __version__
from sitegen.bundle import CARD, DESCRIPTION, Bundle, Role
from sitegen.errors import SiteError
from sitegen.site import licences
from sitegen.site.checksums import write_checksums
from sitegen.site.classic import classic_ort, classic_pyodide
from sitegen.site.engine_files import EngineFiles, install_engines
from sitegen.site.inspection import write_inspection_files
from sitegen.site.packing import Asset, PackedAsset, pack, write_scripts
from sitegen.site.page import PageData, render_document, render_index, worker_script
from sitegen.site.runtime_wheel import RuntimeWheel, build_wheel, lock
from sitegen.site.site_files import MANIFEST, NOT_IN_THE_MANIFEST
from sitegen.site.snapshot import make_snapshot
from sitegen_runtime.document import Document, ResultDraft
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.gradient import GradientDraft

MANIFEST_SCHEMA = "sitegen.site/1"
ROLES_AT_THE_START: tuple[Role, ...] = ("classifier", "gate")  # the other sessions are made when first asked for
ROLES_IN_THE_PAGE: tuple[Role, ...] = (*ROLES_AT_THE_START, "gradient", "features", "cam", "guided")
ENGINE = {"runtime": "pyodide", "provider": "wasm", "threads": 1}
STAGES = ("engines", "snapshot", "packing", "pages")
Report = Callable[[str], None]


@dataclass(frozen=True)
class BuiltSite:
    """What a build made."""

    folder: Path
    bytes_loaded: int  # by a page that is opened for the first time, from a host that does not compress
    largest_file: int


def build_site(bundle: Bundle, out: Path, report: Report = lambda stage: None) -> BuiltSite:
    """Build the site of a bundle in the folder `out`, replacing the site that is there.

    `report` is called with the name of each stage of STAGES as it begins. Raises SiteError where `out` holds something
    that is not a site, AssetError where a part cannot be had.
    """
    _refuse_foreign(out)
    report("engines")
    engines = install_engines()
    report("snapshot")
    wheel = build_wheel()
    lock_json = lock(engines, wheel)
    snapshot = make_snapshot(engines, wheel, lock_json)
    report("packing")
    assets = [pack(asset) for asset in _assets(bundle, engines, wheel, snapshot)]
    report("pages")
    out = out.resolve()  # "." has no parent that a folder could be made in
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".sitegen-") as name:
        folder = Path(name) / "site"
        folder.mkdir()
        _write(folder, bundle, engines, assets, PageBoot(wheel.name, lock_json))
        _swap(folder, out, Path(name) / "old")
    index = (out / "index.html").stat().st_size
    scripts = [(out / file).stat().st_size for asset in assets for file in asset.scripts]
    largest = max(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return BuiltSite(out, index + sum(scripts), largest)


@dataclass(frozen=True)
class PageBoot:
    """What the worker needs to start Pyodide."""

    wheel: str
    lock: str


def _assets(bundle: Bundle, engines: EngineFiles, wheel: RuntimeWheel, snapshot: bytes) -> Iterator[Asset]:
    pyodide = classic_pyodide(engines.read("pyodide", "pyodide.asm.mjs").decode())
    loader = engines.read("pyodide", "pyodide.js").decode()
    ort = classic_ort(engines.read("onnxruntime-web", "dist/ort.wasm.bundle.min.mjs").decode())
    yield Asset("worker.js", worker_script(pyodide, loader, ort).encode())
    yield Asset("pyodide.asm.wasm", engines.read("pyodide", "pyodide.asm.wasm"))
    yield Asset("python_stdlib.zip", engines.read("pyodide", "python_stdlib.zip"))
    yield Asset(wheel.name, wheel.content)
    yield Asset("snapshot.bin", snapshot)
    wasm = "ort-wasm-simd-threaded.wasm"
    yield Asset(wasm, engines.read("onnxruntime-web", f"dist/{wasm}"))
    yield Asset(_asset_name(DESCRIPTION), bundle.description_bytes)
    for name in _bundle_files(bundle):
        yield Asset(_asset_name(name), bundle.path(name).read_bytes())


def _asset_name(bundle_file: str) -> str:
    """The name, among all assets, of a file of the bundle: what models call their files must not meet our own names."""
    return f"bundle/{bundle_file}"


def _bundle_files(bundle: Bundle) -> list[str]:
    """The files of a bundle that the page needs, each once."""
    names: list[str] = []
    for role in ROLES_IN_THE_PAGE:
        if role in bundle.description.graphs:
            names += [bundle.description.graphs[role].file, *bundle.weights(role).values()]
    names += _files_to_read(bundle)
    if bundle.description.golden:
        names.append(bundle.description.golden.image)
    return list(dict.fromkeys(names))


def _files_to_read(bundle: Bundle) -> list[str]:
    """The files of a bundle that the runtime reads itself when it first needs them."""
    return [bundle.description.feature_map.weights] if bundle.description.feature_map else []


def _page_data(bundle: Bundle, assets: list[PackedAsset], boot: PageBoot) -> PageData:
    description = bundle.description
    graphs = {
        role: {
            "file": _asset_name(description.graphs[role].file),
            "weights": {place: _asset_name(path) for place, path in bundle.weights(role).items()},
        }
        for role in ROLES_IN_THE_PAGE
        if role in description.graphs
    }
    return PageData(
        assets={asset.name: asset.entry for asset in assets},
        boot={
            "wheel": boot.wheel,
            "lock": boot.lock,
            "snapshot": True,
            "decoder": "worker",
            "engine": ENGINE,
            "graphs": graphs,
            "files": {name: _asset_name(name) for name in _files_to_read(bundle)},
            "roles": [role for role in ROLES_AT_THE_START if role in graphs],
        },
        failures=_failures(bundle),
        bundle={"name": description.name, "version": description.version, "sha256": bundle.model.sha256},
        labels=[label.name for label in description.labels],
        example=_asset_name(description.golden.image) if description.golden else None,
    )


def _failures(bundle: Bundle) -> dict[str, Document]:
    """The error document of each kind of job, as far as it is known before anything was done."""
    drafts = {"analyse": ResultDraft, "explain": ResultDraft, "gradient": GradientDraft}
    return {kind: draft("", bundle.model, ENGINE).failure(AnalysisError("")) for kind, draft in drafts.items()}


def _write(folder: Path, bundle: Bundle, engines: EngineFiles, assets: list[PackedAsset], boot: PageBoot) -> None:
    for asset in assets:
        list(write_scripts(folder, asset))
    description = bundle.description
    digest = engines.read("js-sha256", "build/sha256.min.js").decode()
    index = render_index(description, _page_data(bundle, assets, boot), digest)
    (folder / "index.html").write_text(index, encoding="utf-8", newline="\n")
    card = render_document(f"Model card: {description.title}", bundle.path(CARD).read_text("utf-8"), "index.html")
    (folder / "card.html").write_text(card, encoding="utf-8", newline="\n")
    licences.write_licences(folder, engines, bundle)
    ours = [_asset_name(name) for name in (DESCRIPTION, *_bundle_files(bundle))]
    write_inspection_files(folder, engines, boot.lock, assets, [(bundle, ours)])
    (folder / MANIFEST).write_text(_manifest(folder, bundle), encoding="utf-8", newline="\n")
    write_checksums(folder)


def _manifest(folder: Path, bundle: Bundle) -> str:
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    named = {"name": bundle.description.name, "version": bundle.description.version, "sha256": bundle.model.sha256}
    fields = {"schema": MANIFEST_SCHEMA, "sitegen": __version__, "bundle": named, "files": files}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def _refuse_foreign(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not _is_site(out):
        raise SiteError(f"{out} is not empty and is not a site that sitegen built: name another folder with --out.")
    if out.exists() and not out.is_dir():
        raise SiteError(f"{out} is a file: name a folder with --out.")


def _is_site(folder: Path) -> bool:
    """Whether sitegen built what is in a folder: many web projects have a `manifest.json`, of another kind."""
    try:
        fields = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(fields, dict) and str(fields.get("schema", "")).startswith("sitegen.site/")


def _swap(new: Path, out: Path, old: Path) -> None:
    """Put the new site in the old one's place, with the files that people added there; put the old back on failure."""
    if not out.exists():
        new.replace(out)
        return
    _keep_added_files(out, new)
    out.replace(old)
    try:
        new.replace(out)
    except OSError:
        old.replace(out)
        raise


def _keep_added_files(old: Path, new: Path) -> None:
    if not _is_site(old):
        return
    built = json.loads((old / MANIFEST).read_bytes())["files"].keys() | {*NOT_IN_THE_MANIFEST}
    for path in old.rglob("*"):
        name = path.relative_to(old).as_posix()
        if path.is_file() and name not in built and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)
