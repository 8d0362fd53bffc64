"""Assets as gzip + base64 in classic scripts: the one form that loads from file:// and from any static host.

Each script calls `sitegenAsset(file, holder)`, which the page defines. The base64 is a comment in the function
`holder`, because browsers keep a literal of megabytes beside the text of its script. The page checks the SHA-256 of the
packed bytes before it unpacks them; over http the browser checks that of each script, too, before it runs, which no
browser does on file://. Names carry the hash, so that a copy half updated cannot mix versions unnoticed.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import deflate

from sitegen.site.cache import cached_file, key_of

FOLDER = "assets"
# Hosts and sticks take any size, but some refuse files above 25 MB: 12 MiB become 16 MiB of base64.
PART_BYTES = 12 * 1024 * 1024


@dataclass(frozen=True)
class Asset:
    """A named piece of a site, as the page will see it once unpacked."""

    name: str
    content: bytes


@dataclass(frozen=True)
class PackedAsset:
    """An asset as scripts: file name -> text, and its entry in the page's list of assets."""

    name: str
    scripts: dict[str, str]
    entry: dict[str, Any]


def pack(asset: Asset) -> PackedAsset:
    """Return the scripts of an asset. Equal content gives equal scripts."""
    packed = cached_file("packed", key_of([b"libdeflate 12", asset.content]), lambda: _gzip(asset.content))
    digest = sha256(packed).hexdigest()
    parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
    scripts = {}
    for number, part in enumerate(parts, 1):
        suffix = f".{number}of{len(parts)}" if len(parts) > 1 else ""
        file = f"{FOLDER}/{asset.name}.{digest[:12]}{suffix}.js"
        scripts[file] = f"sitegenAsset({json.dumps(file)},()=>{{/*{base64.b64encode(part).decode()}*/}});\n"
    sums = [base64.b64encode(sha256(text.encode()).digest()).decode() for text in scripts.values()]
    fields = {"bytes": len(asset.content), "packed": len(packed), "parts": list(scripts), "scripts": sums}
    entry = {"sha256": digest, **fields}
    return PackedAsset(asset.name, scripts, entry)


def _gzip(content: bytes) -> bytes:
    """Return bytes as gzip, whose header tells neither time nor system.

    By libdeflate at its highest level: 2.4 % less to load than by zlib, and the same bytes whatever zlib a machine's
    Python was built with.
    """
    return bytes(deflate.gzip_compress(content, 12))


def write_scripts(folder: Path, packed: PackedAsset) -> Iterator[Path]:
    """Write the scripts of an asset below a site's folder; yield their paths."""
    for file, text in packed.scripts.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii", newline="\n")
        yield path
