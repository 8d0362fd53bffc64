"""The whole build: from bundles to a folder, in stages that report themselves.

The site is made in a folder beside the target and swapped in at the end: a build that fails leaves the old site as it
was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.bundle import CARD, Bundle
from sitegen.errors import SiteError
from sitegen.replacing import check_place, in_place_of, recover
from sitegen.site.bundle_assets import AssetNames, asset_names, bundle_assets, card_page, page_entry
from sitegen.site.engines.assets import provider_assets
from sitegen.site.engines.classic import ORT, classic_ort, classic_pyodide
from sitegen.site.engines.codecs import CODECS, codec_assets
from sitegen.site.engines.files import EngineFiles, install_engines
from sitegen.site.help import TITLE as HELP
from sitegen.site.help import help_text
from sitegen.site.inspection import licences
from sitegen.site.inspection.written import write_inspection_files
from sitegen.site.integrity.checksums import write_checksums
from sitegen.site.integrity.site_files import HELP_PAGE, MANIFEST
from sitegen.site.options import ExampleImage, SiteOptions
from sitegen.site.packing import Asset, PackedAsset, pack, write_scripts
from sitegen.site.page import PageData, render_document, render_index, worker_script
from sitegen.site.python.runtime_wheel import RuntimeWheel, build_wheel, lock
from sitegen.site.python.snapshot import make_snapshot
from sitegen.site.serving.offline import write_offline_files
from sitegen.site.target import built_files, manifest_text, refuse_foreign
from sitegen.site.teaching import case_assets, page_cases
from sitegen_runtime.document import Draft, ResultDraft
from sitegen_runtime.document_types import Document
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.gradient import GradientDraft

ENGINE = {"runtime": "pyodide", "provider": "wasm", "threads": 1}  # until a worker says what it started with
STAGES = ("engines", "snapshot", "packing", "pages")
Report = Callable[[str], None]


@dataclass(frozen=True)
class BuiltSite:
    """What a build made; as a path it is its folder."""

    folder: Path
    bytes_loaded: int  # until the first result of a first visit, from a host that does not compress
    largest_file: int

    def __fspath__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True)
class _Parts:
    """All that the pages of a site are made of.

    `common` are the assets that every visit needs, `providers` those that one way of running networks needs, `codecs`
    those that one kind of compressed frames needs.
    """

    bundles: tuple[Bundle, ...]
    options: SiteOptions
    engines: EngineFiles
    names: dict[str, AssetNames]
    common: tuple[str, ...]
    providers: dict[str, tuple[str, ...]]
    codecs: dict[str, tuple[str, ...]]
    assets: tuple[PackedAsset, ...]
    boot: dict[str, Any]


def build_site(
    bundles: Bundle | Sequence[Bundle],
    out: Path,
    report: Report = lambda stage: None,
    options: SiteOptions | None = None,
) -> BuiltSite:
    """Build the site of a bundle, or of several, in the folder `out`, replacing the site that is there.

    The first bundle is the one that the page begins with. `report` is called with the name of each stage of STAGES as
    it begins. Raises SiteError where `out` holds something that is not a site or two bundles have one name, AssetError
    where a part cannot be had, SettingsError where the wheels of `options` do not fit, or `out` is the current folder.
    """
    chosen = (bundles,) if isinstance(bundles, Bundle) else tuple(bundles)
    if not chosen:
        raise SiteError("A site needs at least one bundle: name one with --bundle.")
    check_place(out)
    recover(out)
    refuse_foreign(out)
    parts = _parts(chosen, options or SiteOptions(), report)
    report("pages")
    out = out.resolve()
    with in_place_of(out, built_files(out)) as folder:
        _write(folder, parts)
    index = (out / "index.html").stat().st_size
    start = page_entry(chosen[0], parts.names[chosen[0].description.name], "")["start"]
    first = {*parts.common, *parts.providers["wasm"], *start}
    scripts = [(out / file).stat().st_size for asset in parts.assets if asset.name in first for file in asset.scripts]
    largest = max(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return BuiltSite(out, index + sum(scripts), largest)


def _parts(bundles: tuple[Bundle, ...], options: SiteOptions, report: Report) -> _Parts:
    names = asset_names(bundles)
    report("engines")
    engines = install_engines()
    report("snapshot")
    wheel = build_wheel()
    lock_json = lock(engines, wheel, options.wheels)
    # Further wheels are unpacked after the snapshot is restored: one snapshot serves every site.
    snapshot = make_snapshot(engines, wheel, lock(engines, wheel))
    report("packing")
    common = [pack(asset) for asset in _common_assets(engines, wheel, snapshot, options)]
    providers = {name: [pack(asset) for asset in own] for name, own in provider_assets(engines).items()}
    codecs = {name: [pack(asset) for asset in own] for name, own in codec_assets(engines).items()}
    others = [pack(asset) for asset in bundle_assets(bundles, names)]
    examples = [pack(asset) for asset in _example_assets(options.examples)]
    cases = [pack(asset) for asset in case_assets(options.teaching or ())]
    boot = {
        "wheel": wheel.name,
        "lock": lock_json,
        "snapshot": True,
        "decoder": "worker",
        "engine": ENGINE,
        "packages": {extra.name: extra.file for extra in options.wheels},
    }
    shared = tuple(asset.name for asset in common)
    on_demand = [asset for own in codecs.values() for asset in own]
    assets = (*common, *providers["wasm"], *providers["webgpu"], *on_demand, *others, *examples, *cases)
    return _Parts(bundles, options, engines, names, shared, _names(providers), _names(codecs), assets, boot)


def _names(assets: dict[str, list[PackedAsset]]) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(asset.name for asset in own) for kind, own in assets.items()}


def _common_assets(engines: EngineFiles, wheel: RuntimeWheel, snapshot: bytes, options: SiteOptions) -> Iterator[Asset]:
    pyodide = classic_pyodide(engines.read("pyodide", "pyodide.asm.mjs").decode())
    loader = engines.read("pyodide", "pyodide.js").decode()
    ort = classic_ort(engines.read("onnxruntime-web", f"dist/{ORT}").decode())
    yield Asset("worker.js", worker_script(pyodide, loader, ort).encode())
    yield Asset("pyodide.asm.wasm", engines.read("pyodide", "pyodide.asm.wasm"))
    yield Asset("python_stdlib.zip", engines.read("pyodide", "python_stdlib.zip"))
    yield Asset(wheel.name, wheel.content)
    for extra in options.wheels:
        yield Asset(extra.file, extra.content)
    yield Asset("snapshot.bin", snapshot)


def _example_assets(images: Sequence[ExampleImage]) -> list[Asset]:
    return [Asset(f"examples/{number}/{image.name}", image.content) for number, image in enumerate(images, 1)]


def _page_data(parts: _Parts) -> PageData:
    examples = parts.options.examples
    return PageData(
        assets={asset.name: asset.entry for asset in parts.assets},
        common=list(parts.common),
        providers={name: list(own) for name, own in parts.providers.items()},
        codecs={name: {"title": CODECS[name].title, "assets": list(own)} for name, own in parts.codecs.items()},
        boot=parts.boot,
        failures=_failures(parts.bundles[0]),
        bundles=[
            page_entry(bundle, parts.names[bundle.description.name], card_page(number, bundle))
            for number, bundle in enumerate(parts.bundles)
        ],
        examples=[
            {"asset": asset.name, "name": image.name}
            for asset, image in zip(_example_assets(examples), examples, strict=True)
        ],
        offline=parts.options.service_worker,
        keeps_list=parts.options.keep_list,
        teaching=page_cases(parts.options.teaching, parts.bundles[0]),
    )


def _failures(bundle: Bundle) -> dict[str, Document]:
    """The error document of each kind of job, as far as it is known before anything was done."""
    drafts: dict[str, type[Draft[Any]]] = {"analyse": ResultDraft, "explain": ResultDraft, "gradient": GradientDraft}
    return {kind: draft("", bundle.model, ENGINE).failure(AnalysisError("")) for kind, draft in drafts.items()}


def _write(folder: Path, parts: _Parts) -> None:
    for asset in parts.assets:
        list(write_scripts(folder, asset))
    descriptions = [bundle.description for bundle in parts.bundles]
    digest = parts.engines.read("js-sha256", "build/sha256.min.js").decode()
    index = render_index(descriptions, _page_data(parts), digest, parts.options)
    (folder / "index.html").write_text(index, encoding="utf-8", newline="\n")
    for number, bundle in enumerate(parts.bundles):
        title, text = f"Model card: {bundle.description.title}", bundle.path(CARD).read_text("utf-8")
        card = render_document(title, text, "index.html", parts.options)
        (folder / card_page(number, bundle)).write_text(card, encoding="utf-8", newline="\n")
    guide = render_document(HELP, help_text(parts.bundles, parts.options), "index.html", parts.options)
    (folder / HELP_PAGE).write_text(guide, encoding="utf-8", newline="\n")
    licences.write_licences(folder, parts.engines, parts.bundles, parts.options)
    if parts.options.service_worker:
        title = parts.options.title or descriptions[0].title
        write_offline_files(folder, title, parts.options.language)
    owned = [(bundle, list(dict.fromkeys(parts.names[bundle.description.name].values()))) for bundle in parts.bundles]
    write_inspection_files(folder, parts.engines, parts.boot["lock"], parts.assets, owned, parts.options)
    (folder / MANIFEST).write_text(manifest_text(folder, parts.bundles), encoding="utf-8", newline="\n")
    write_checksums(folder)
