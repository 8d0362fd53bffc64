"""What a served site needs to be installed and to go on without its server: a service worker, a web manifest, icons.

The service worker is the same for every site: it reads `manifest.json`, which lists the site's files with their
SHA-256. The icons are in the web manifest itself: as files they would need a policy that lets the page load images from
its host, by which a script could tell that host something. None of these files is used on file://.
"""

import json
from base64 import b64encode
from pathlib import Path

from sitegen import resources
from sitegen.site.serving.icons import GROUND, SIZES, icon

SERVICE_WORKER = "service_worker.js"
WEB_MANIFEST = "manifest.webmanifest"
_SHORT_NAME = 12  # characters that fit below an icon
_PAPER = "#f6f7f9"


def write_offline_files(folder: Path, title: str, language: str) -> None:
    """Write the files into a site's folder."""
    script = (resources.templates() / SERVICE_WORKER).read_text("utf-8")
    (folder / SERVICE_WORKER).write_text(script, encoding="utf-8", newline="\n")
    (folder / WEB_MANIFEST).write_text(web_manifest(title, language), encoding="utf-8", newline="\n")


def web_manifest(title: str, language: str) -> str:
    """Return the manifest of the installed page (a JSON document as in the W3C's "Web Application Manifest")."""
    fields = {
        "name": title,
        "short_name": _short(title),
        "lang": language,
        "id": "index.html",
        "start_url": "index.html",
        "scope": "./",
        "display": "standalone",
        "background_color": _PAPER,
        "theme_color": GROUND,
        "icons": [
            {"src": _address(icon(size)), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for size in SIZES
            for purpose in ("any", "maskable")
        ],
    }
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _short(title: str) -> str:
    """As many whole words as fit, one at least."""
    words = title.split() or ["sitegen"]
    short = words[0]
    for word in words[1:]:
        if len(f"{short} {word}") > _SHORT_NAME:
            break
        short = f"{short} {word}"
    return short
