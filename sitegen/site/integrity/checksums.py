"""SHA256SUMS: a site's hashes in the form that the systems' own tools check, and the lines that make them do so."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from sitegen.site.integrity.site_files import CHECKSUMS, MANIFEST, SIGNATURES

_BESIDE = (CHECKSUMS, *SIGNATURES)

# One line for both: are all files there and unchanged, and are there no others? It prints what is wrong. Only where
# nothing is, the exit code is 0 and the last word `whole`. (`cut -c67-` is the name, after 64 digits and two blanks.)
SHELL_LINE = (
    f"sha256sum -c {CHECKSUMS} && ! find . ! -type d {' '.join(f'! -path ./{name}' for name in _BESIDE)} | cut -c3- | "
    f'grep -vxF "$(cut -c67- {CHECKSUMS})" && echo whole'
)
POWERSHELL_LINE = (
    f"$w = @{{}}; Get-Content {CHECKSUMS} -Encoding UTF8 | % {{ $w[$_.Substring(66)] = $_.Substring(0, 64) }}; "
    "$h = @{}; Get-ChildItem -Recurse -File -Force | % { "
    "$h[(Resolve-Path -Relative -LiteralPath $_.FullName).Substring(2).Replace('\\', '/')] = "
    "(Get-FileHash -LiteralPath $_.FullName).Hash }; "
    '$w.Keys | ? { $h[$_] -ne $w[$_] } | % { "missing or changed: $_" }; '
    f"$h.Keys | ? {{ !$w.ContainsKey($_) -and $_ -notin {', '.join(repr(name) for name in _BESIDE)} }} | "
    '% { "added: $_" }'
)


def checksums_text(hashes: Mapping[str, str]) -> str:
    """Return the content of SHA256SUMS from names and their SHA-256 in hexadecimal digits, sorted by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))


def read_checksums(text: str) -> dict[str, str]:
    """Return names and hashes from the content of SHA256SUMS. Raises ValueError where a line is not of its form."""
    hashes = {}
    for line in text.splitlines():
        digest, blanks, name = line[:64], line[64:66], line[66:]
        if blanks != "  " or not name or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"no hash and name: {line!r}")
        hashes[name] = digest
    return hashes


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of a site's manifest.json and SHA256SUMS: each stands for all of the site's files."""
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in (MANIFEST, CHECKSUMS)}


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS into a site whose manifest is written, from what that lists."""
    manifest = (folder / MANIFEST).read_bytes()
    hashes = {name: entry["sha256"] for name, entry in json.loads(manifest)["files"].items()}
    text = checksums_text({**hashes, MANIFEST: sha256(manifest).hexdigest()})
    (folder / CHECKSUMS).write_text(text, encoding="utf-8", newline="\n")
