"""The pages of a site, with their content-security policy.

All of the page's own code and style is inline and allowed by hash, so that `index.html` can say what is wrong with the
other files. The policy names only what is used; `default-src 'none'` stops the rest, connections above all.
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from markupsafe import Markup

from sitegen import __version__, resources
from sitegen.bundle import Description
from sitegen.bundle.headline import first_words
from sitegen.site.options import SiteOptions
from sitegen.site.prose import as_html
from sitegen.site.templating import render
from sitegen_runtime.bundle.provenance import Provenance
from sitegen_runtime.document_types import Document
from sitegen_runtime.wording.failures import describe_page
from sitegen_runtime.wording.gate import whose_gate
from sitegen_runtime.wording.results import percent_means

SHARED_SCRIPTS = ("memory",)
PAGE_SCRIPTS = (
    *(
        "host",
        "elements",
        "assets",
        "failure",
        "threads",
        "engine_settings",
        "offline",
        "adapter",
        "codecs",
        "engine",
        "api",
    ),
    *("list/work_list", "list/kept_results", "list/work_queue", "list/batch", "list/list_row", "list/list_view"),
    *("whatif/regions", "whatif/changes", "whatif/region_editor", "whatif/noise", "whatif/what_if"),
    *(
        "list/list_head",
        "list/intake",
        "list/kept_list",
        "viewer/drawing",
        "viewer/explanation_drawing",
        "viewer/viewer_lens",
    ),
    *("viewer/viewer_tone", "viewer/viewer_stage", "viewer/viewer_gestures", "viewer/viewer_bar"),
    *("viewer/viewer_layers", "viewer/other_models", "viewer/viewer", "viewer/map_view", "viewer/explanation"),
    *(
        "result/gate",
        "result/meaning",
        "result/findings",
        "result/actions",
        "result/projection",
        "result/card",
        "result/desk",
    ),
    *("panes", "main"),
    *("report/source", "report/picture", "report/tries", "report/sheet", "report/document", "report/files"),
    *("report/note", "session/session", "report/dialogue", "teaching/lesson", "teaching/places", "teaching/answer"),
    "teaching/revealed",
)
WORKER_SCRIPTS = (
    "embedded",
    "python",
    "decoder",
    "cell_sums",
    "jpeg_blocks",
    "codecs",
    "shades",
    "threads",
    "webgpu",
    "weights",
    "networks",
    "work",
    "warming",
    "main",
)


LABELS_NAMED = 4  # where a model is chosen; the others are counted


@dataclass(frozen=True)
class PageData:
    """What the page's program knows when it starts (the constant SITE): no numbers that Python should compute.

    `assets` are all there are, `common` the names of those that every visit needs, `providers` of those that
    one way of running networks needs, `codecs` of those that one kind of compressed frames needs, with its title.
    `report_style` is the style of reports that the page makes. `failures` are the error documents of jobs of which
    nothing is known, by kind, for where the worker cannot make one, and `words` what is said then (see
    `wording.failures`). `bundles` are entries as `bundle_assets.page_entry` makes them, `examples` have an `asset`
    and a `name`. `offline` is whether the site has a service worker, `keeps_list`
    whether it offers to keep the list of images; `teaching` are cases (see `site.teaching`),
    None where the page does not teach.
    """

    assets: dict[str, Any]
    common: list[str]
    boot: dict[str, Any]
    failures: dict[str, Document]
    bundles: list[dict[str, Any]]
    examples: list[dict[str, str]]
    offline: bool = True
    keeps_list: bool = True
    providers: dict[str, list[str]] = field(default_factory=dict)
    codecs: dict[str, dict[str, Any]] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=describe_page)
    teaching: list[dict[str, Any]] | None = None
    version: str = __version__
    report_style: str = field(default_factory=lambda: _template("report.css"))

    def script(self) -> str:
        """Return the JavaScript that defines SITE."""
        # "<" must not appear in an inline script as part of a closing tag.
        return f"const SITE = {json.dumps(vars(self), ensure_ascii=True)};\n".replace("<", "\\u003c")


def render_index(
    descriptions: Sequence[Description], data: PageData, sha256_library: str, options: SiteOptions | None = None
) -> str:
    """Return index.html, with the descriptions of the bundles in the order of `data.bundles`."""
    options = options or SiteOptions()
    own = data.script() + _scripts("shared", SHARED_SCRIPTS) + _scripts("page", PAGE_SCRIPTS)
    script = f'{sha256_library}\n(() => {{\n"use strict";\n{own}}})();\n'
    if re.search(r"</script", script, re.IGNORECASE):
        raise ValueError("the page's program contains a closing script tag")
    return _render(
        "index.html.j2",
        options,
        title=options.title or " · ".join(description.title for description in descriptions),
        script=Markup(script),  # noqa: S704 - our own code, allowed by its hash
        policy=index_policy(script, _style(options), service_worker=options.service_worker),
        bundles=list(zip(descriptions, data.bundles, strict=True)),
        findings=_findings,
        meanings=_meanings(descriptions),
        gate_words=_gate_words,
        first_words=lambda description: first_words(description.metrics),
        logo=options.logo,
        intro=as_html(options.intro),
        contact=as_html(options.contact),
        examples=options.examples,
        teaching=data.teaching,
        teaching_words=data.words["teaching"],
        offline=options.service_worker,
        version=__version__,
    )


def render_document(title: str, markdown: str, home: str, options: SiteOptions | None = None) -> str:
    """Return a page of prose from Markdown, without any script. Raw HTML in the Markdown is shown as text."""
    options = options or SiteOptions()
    policy = (
        f"default-src 'none'; style-src {_hash_source(_style(options))}; img-src data:; form-action 'none'; "
        "base-uri 'none'"
    )
    return _render("document.html.j2", options, title=title, content=as_html(markdown), home=home, policy=policy)


def index_policy(script: str, style: str, *, service_worker: bool = True) -> str:
    """Return the content-security policy of index.html.

    `'self'` lets the asset scripts in, which are checked by hash before use; a worker comes from a blob and inherits
    all this; `'wasm-unsafe-eval'` compiles WebAssembly and evaluates no text. A `service_worker`, and the
    manifest by which browsers install the page, are files of the site.
    """
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {_hash_source(script)} 'wasm-unsafe-eval'",
        "style-src": _hash_source(style),
        "img-src": "data:",
        "worker-src": "'self' blob:" if service_worker else "blob:",
        **({"manifest-src": "'self'"} if service_worker else {}),
        "connect-src": "'none'",
        "form-action": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def worker_script(pyodide_module: str, pyodide_loader: str, ort: str) -> str:
    """Return the worker's whole program, from classic scripts in the order in which they need each other."""
    # Pyodide refuses to start where `importScripts` exists, as it does in every classic worker.
    prelude = "self.importScripts = undefined;\n"
    own = _scripts("shared", SHARED_SCRIPTS) + _scripts("worker", WORKER_SCRIPTS)
    return "\n;\n".join([prelude, pyodide_module, pyodide_loader, ort, own])


def _findings(description: Description) -> str:
    """What a model looks for, in a few words."""
    names = [label.name for label in description.labels if label.name]
    others = len(names) - LABELS_NAMED
    return ", ".join(names[:LABELS_NAMED]) + (f" and {others} more" if others > 0 else "")


def _gate_words(description: Description) -> str:
    """Whose images the gate knows, as far as the bundle tells."""
    return whose_gate(Provenance(description.provenance), has_gate=description.gate is not None)


def _meanings(descriptions: Sequence[Description]) -> list[tuple[str | None, str]]:
    """What a bar shows, with the model's title where the models do not agree."""
    meanings = [_bar_meaning(description) for description in descriptions]
    if len(set(meanings)) == 1:
        return [(None, meanings[0])]
    return [(description.title, meaning) for description, meaning in zip(descriptions, meanings, strict=True)]


def _bar_meaning(description: Description) -> str:
    made = Provenance(description.provenance)
    labels: dict[str, list[str]] = {}
    for label in description.labels:
        method = label.calibration.method if label.calibration else None
        labels.setdefault(percent_means(method, told=made.fitted_on(label.name) is not None), []).append(label.name)
    if len(labels) == 1:
        return next(iter(labels))
    parts = (f"{', '.join(names)}: {meaning}" for meaning, names in labels.items())
    return " ".join(["a percentage, which is not the same for all.", *parts])


def _scripts(folder: str, names: tuple[str, ...]) -> str:
    return "\n".join((resources.templates() / folder / f"{name}.js").read_text("utf-8") for name in names)


def _style(options: SiteOptions) -> str:
    return _template("style.css") + options.colours


def _template(name: str) -> str:
    return (resources.templates() / name).read_text("utf-8")


def _hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _render(template: str, options: SiteOptions, **values: Any) -> str:
    style = Markup(_style(options))  # noqa: S704 - our own, and colours that were checked
    return render(template, style=style, language=options.language, **values)
