"""What the page needs of each bundle: its files as assets, equal ones once, and its entry in the page's program."""

from collections.abc import Iterator, Sequence
from typing import Any

from sitegen.bundle import DESCRIPTION, Bundle, Role
from sitegen.errors import SiteError
from sitegen.graphs.signature import StoredTensor, stored_tensors
from sitegen.site.packing import Asset
from sitegen.site.weight_layout import PLAIN, lay_out, layout_of

ROLES_AT_THE_START: tuple[Role, ...] = ("classifier", "gate")  # the other sessions are made when first asked for
ROLES_IN_THE_PAGE: tuple[Role, ...] = (*ROLES_AT_THE_START, "gradient", "features", "cam", "guided", "generator")

AssetNames = dict[str, str]


def asset_names(bundles: Sequence[Bundle]) -> dict[str, AssetNames]:
    """Return, for each bundle by its name, the asset that holds each of its files.

    Files of equal content share an asset, named after the first of them; names of weights tell how they are
    laid out. Raises SiteError where two bundles have one name.
    """
    names: dict[str, AssetNames] = {}
    by_content: dict[tuple[str, str], str] = {}  # SHA-256 and layout
    for bundle in bundles:
        name = bundle.description.name
        if name in names:
            raise SiteError(
                f"Two of the bundles are called {name!r} ({bundle.folder} is the second), and the page chooses by "
                'name. Give one of them another "name" in its bundle.json.'
            )
        hashes = {DESCRIPTION: bundle.model.sha256} | {
            file: bundle.description.files[file].sha256 for file in _bundle_files(bundle)
        }
        layouts = _layouts(bundle)
        names[name] = {
            file: by_content.setdefault((sha, layout), f"bundles/{name}/{file}{layout}")
            for file, sha in hashes.items()
            for layout in [layouts.get(file, "")]
        }
    return names


def bundle_assets(bundles: Sequence[Bundle], names: dict[str, AssetNames]) -> Iterator[Asset]:
    """Yield the assets of all bundles, each once."""
    done: set[str] = set()
    for bundle in bundles:
        name = bundle.description.name
        for file, asset in names[name].items():
            if asset not in done:
                layout = asset.removeprefix(f"bundles/{name}/{file}")
                yield Asset(asset, lay_out(_content(bundle, file), layout, _tensors(bundle, file)))
            done.add(asset)


def _content(bundle: Bundle, file: str) -> bytes:
    """Return what a page gets of a file: graphs as WebAssembly runs them fastest, all else as it is."""
    if file == DESCRIPTION:
        return bundle.description_bytes
    content = bundle.path(file).read_bytes()
    if file not in {graph.file for graph in bundle.description.graphs.values()}:
        return content
    from sitegen.graphs.passes.table import for_page  # onnx takes a while to import, and only building needs it

    return for_page(content)


def page_entry(bundle: Bundle, names: AssetNames, card: str) -> dict[str, Any]:
    """Return what the page's program knows of a bundle (an entry of SITE.bundles).

    `start` are the assets that its first sessions are made of, `assets` are all of its own.
    """
    description = bundle.description
    graphs = {
        role: {
            "file": names[description.graphs[role].file],
            "weights": {place: names[path] for place, path in bundle.weights(role).items()},
        }
        for role in ROLES_IN_THE_PAGE
        if role in description.graphs
    }
    roles = [role for role in ROLES_AT_THE_START if role in graphs]
    at_the_start = [file for role in roles for file in _graph_files(bundle, role)]
    golden = description.golden
    return identity(bundle) | {
        "title": description.title,
        "card": card,
        "labels": [label.name for label in description.labels],
        "description": names[DESCRIPTION],
        "graphs": graphs,
        "files": {name: names[name] for name in _files_to_read(bundle)},
        "roles": roles,
        "start": list(dict.fromkeys(names[file] for file in (DESCRIPTION, *at_the_start))),
        "assets": list(dict.fromkeys(names.values())),
        "example": {"asset": names[golden.image], "name": golden.image.rsplit("/", 1)[-1]} if golden else None,
    }


def identity(bundle: Bundle) -> dict[str, str]:
    """Return what documents and the manifest call a bundle."""
    return {
        "name": bundle.description.name,
        "version": bundle.description.version,
        "sha256": bundle.model.sha256,
    }


def card_page(number: int, bundle: Bundle) -> str:
    """Return the name of a bundle's card among the pages of a site; bundles are counted from 0."""
    return f"card.{bundle.description.name}.html" if number else "card.html"


def _graph_files(bundle: Bundle, role: Role) -> list[str]:
    return [bundle.description.graphs[role].file, *bundle.weights(role).values()]


def _bundle_files(bundle: Bundle) -> list[str]:
    """The files of a bundle that the page needs, each once."""
    roles = [role for role in ROLES_IN_THE_PAGE if role in bundle.description.graphs]
    names = [file for role in roles for file in _graph_files(bundle, role)]
    names += _files_to_read(bundle)
    return list(dict.fromkeys(names))


def _layouts(bundle: Bundle) -> dict[str, str]:
    """How the files of weights that graphs name are laid out; the runtime, too, reads some of them, as they are."""
    roles = [role for role in ROLES_IN_THE_PAGE if role in bundle.description.graphs]
    files = {path for role in roles for path in bundle.weights(role).values()}
    read = _files_to_read(bundle)
    return {
        file: PLAIN if file in read else layout_of(bundle.path(file).read_bytes(), _tensors(bundle, file))
        for file in sorted(files)
    }


def _tensors(bundle: Bundle, file: str) -> list[StoredTensor]:
    """The tensors of a file of weights, as the first graph that keeps any there lays them out; none of other files."""
    for role in ROLES_IN_THE_PAGE:
        if role in bundle.description.graphs and file in (places := bundle.weights(role)).values():
            graph = bundle.path(bundle.description.graphs[role].file)
            return [tensor for tensor in stored_tensors(graph) if places[tensor.location] == file]
    return []


def _files_to_read(bundle: Bundle) -> list[str]:
    """The files of a bundle that the runtime reads itself when it first needs them."""
    weights = [bundle.description.feature_map.weights] if bundle.description.feature_map else []
    return [*weights, bundle.description.golden.image] if bundle.description.golden else weights
