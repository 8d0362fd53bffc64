"""Is a copy of a site what was built: every file there, unchanged, and none besides?

The manifest says what must be there, and SHA256SUMS follows from it, so a change of either shows. Somebody who changes
files *and* writes both anew can be noticed only from outside: by the hash that the build printed, or by a signature.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from sitegen.errors import SiteError
from sitegen.site.integrity.checksums import checksums_text, read_checksums
from sitegen.site.integrity.minisign import PublicKey, last_day, signature_problem
from sitegen.site.integrity.revoked import told_of
from sitegen.site.integrity.site_files import CHECKSUMS, MANIFEST, NOT_IN_THE_MANIFEST, SIGNATURES, SIGNED

SCHEMA = "sitegen.integrity/1"
_HEX = set("0123456789abcdef")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: `name` is the file, with "/" between folders."""

    kind: Literal["missing", "changed", "added", "unreadable", "replaced", "signature", "revoked"]
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class IntegrityReport:
    """What a check found. `digests` are the SHA-256 of manifest.json and SHA256SUMS, as far as they can be read."""

    files: int
    digests: dict[str, str]
    signed: bool
    signature_checked: bool
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def document(self) -> dict[str, Any]:
        """Return the report as a document of schema `sitegen.integrity/1`."""
        found = [vars(finding) for finding in self.findings]
        return {"schema": SCHEMA, **vars(self), "findings": found, "passed": self.passed}


def check_site(
    folder: Path,
    told: str | None = None,
    public_key: PublicKey | None = None,
    revoked: Mapping[str, str] | None = None,
    today: date | None = None,
) -> IntegrityReport:
    """Compare a site's folder with its manifest.

    `told` is the SHA-256 of manifest.json or of SHA256SUMS (64 hexadecimal digits), as it was told by another way than
    the copy; `public_key` is of the key that signed the site; `revoked` is what its maker has taken back (see the
    module of that name); `today` is the day in UTC on which signatures have to hold, by this machine's clock where it
    is not given. Raises SiteError where the folder is no site, or `told` no such number.
    """
    if told is not None and (len(told) != 64 or set(told.lower()) - _HEX):
        raise SiteError(f"{told!r} is not a SHA-256: give the 64 hexadecimal digits that `sitegen build` printed.")
    held = {name: content for name in SIGNED if (content := _read(folder / name)) is not None}
    wanted, findings = _wanted(folder, held)
    there = dict(_files(folder))
    findings += _differences(wanted, there)
    digests = {name: sha256(content).hexdigest() for name, content in held.items()}
    if told is not None and told.lower() not in digests.values():
        findings.append(Finding("replaced", MANIFEST, f"neither it nor {CHECKSUMS} has the SHA-256 {told.lower()}"))
    if public_key:
        findings += _signatures(folder, held, public_key, today or datetime.now(UTC).date())
    findings += _taken_back(digests, public_key, revoked or {})
    signed = any(name in there for name in SIGNATURES)
    return IntegrityReport(len(wanted), digests, signed, public_key is not None, tuple(findings))


def listed_files(manifest: bytes) -> dict[str, dict[str, Any]]:
    """Return `bytes` and `sha256` of the files that a manifest lists. Raises ValueError where it is no manifest."""
    fields = json.loads(manifest)
    if not isinstance(fields, dict) or not str(fields.get("schema", "")).startswith("sitegen.site/"):
        raise ValueError("it is not the manifest of a site")
    files = fields.get("files")
    if not isinstance(files, dict) or not all(isinstance(entry, dict) for entry in files.values()):
        raise ValueError("it lists no files")
    for name in files:
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or {"..", ""} & set(name.split("/")):
            raise ValueError(f"it lists {name!r}, which is outside the site")
    return files


def _wanted(folder: Path, held: dict[str, bytes]) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """What must be there, and what is wrong so far: from the manifest, or from SHA256SUMS where that cannot be read.

    Raises SiteError where neither tells.
    """
    findings = [Finding("missing", name) for name in SIGNED if name not in held]
    try:
        files = listed_files(held[MANIFEST])
    except KeyError:
        problem = ""
    except (ValueError, RecursionError) as error:
        problem = f"{error}"
        findings.append(Finding("changed", MANIFEST, problem))
    else:
        if CHECKSUMS in held and held[CHECKSUMS] != _checksums_of(files, held[MANIFEST]):
            findings.append(Finding("changed", CHECKSUMS, f"or {MANIFEST}: the one does not say what the other says"))
        return files, findings
    try:
        sums = read_checksums(held[CHECKSUMS].decode())
        sums.pop(MANIFEST)
    except (KeyError, ValueError):
        raise SiteError(
            f"{folder} is not a site that sitegen built: it has no {MANIFEST} that can be read"
            + (f" ({problem})" if problem else "")
            + ". Name the folder that holds the site's index.html."
        ) from None
    return {name: {"sha256": digest} for name, digest in sums.items()}, findings


def _checksums_of(files: dict[str, dict[str, Any]], manifest: bytes) -> bytes:
    hashes = {name: str(entry.get("sha256")) for name, entry in files.items()}
    return checksums_text({**hashes, MANIFEST: sha256(manifest).hexdigest()}).encode()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that is in a folder and is no folder. Links are not followed: a copy holds none."""
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for path in (Path(root) / name for name in [*files, *links]):
            yield path.relative_to(folder).as_posix(), path


def _differences(wanted: dict[str, dict[str, Any]], there: dict[str, Path]) -> list[Finding]:
    findings = []
    for name, entry in wanted.items():
        if name not in there:
            findings.append(Finding("missing", name))
        elif difference := _difference(there[name], entry):
            findings.append(Finding(*difference[:1], name, *difference[1:]))
    added = sorted(there.keys() - wanted.keys() - set(NOT_IN_THE_MANIFEST))
    return findings + [Finding("added", name) for name in added]


def _difference(path: Path, entry: dict[str, Any]) -> tuple[Literal["changed", "unreadable"], str] | None:
    if path.is_symlink() or not path.is_file():
        return "changed", "a link or a device, not a file"
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:  # a stick that is failing
        return "unreadable", error.strerror or type(error).__name__
    if size != entry.get("bytes", size):
        return "changed", f"{size} bytes, not {entry['bytes']}"
    return None if digest == entry.get("sha256") else ("changed", f"its SHA-256 is {digest}")


def _taken_back(
    digests: Mapping[str, str], public_key: PublicKey | None, revoked: Mapping[str, str]
) -> Iterator[Finding]:
    numbers = {**digests, **({"the key": public_key.name} if public_key else {})}
    for name, number in numbers.items():
        if said := told_of(revoked, number):
            yield Finding("revoked", name, said)


def _signatures(folder: Path, held: dict[str, bytes], public_key: PublicKey, today: date) -> Iterator[Finding]:
    for name, signature in zip(SIGNED, SIGNATURES, strict=True):
        text = _read(folder / signature)
        if text is None:
            yield Finding("signature", signature, "the file is missing: this copy is not signed")
        elif name in held and (problem := signature_problem(text, held[name], public_key) or _outlived(text, today)):
            yield Finding("signature", signature, problem)


def _outlived(signature: bytes, today: date) -> str:
    try:
        last = last_day(signature)
    except ValueError:
        return "the day until which it holds is no date"
    return f"it held until {last}: ask the site's maker for a newer one" if last and last < today else ""


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
