"""A copy of a site against its manifest: whatever was changed, removed or added is named, with the tool and without."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import SiteError
from sitegen.site.integrity.check import check_site
from sitegen.site.integrity.checksums import POWERSHELL_LINE, SHELL_LINE, read_checksums

ZEROS = "0" * 64


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site, tmp_path / "a stick"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A site of three files, with what vouches for them, written by hand."""
    folder = tmp_path / "small"
    contents = {"index.html": b"<p>page", "assets/a.js": b"1", "licences/Ü b.txt": b""}
    entries = {}
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        entries[name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    seal(folder, json.dumps({"schema": "sitegen.site/1", "bundle": {"name": "m", "version": "1"}, "files": entries}))
    return folder


def seal(folder: Path, manifest: str) -> None:
    """Write a manifest, and the SHA256SUMS that follows from it."""
    (folder / "manifest.json").write_bytes(manifest.encode())
    hashes = {name: entry["sha256"] for name, entry in json.loads(manifest)["files"].items()}
    hashes["manifest.json"] = sha256(manifest.encode()).hexdigest()
    lines = [f"{hashes[name]}  {name}\n" for name in sorted(hashes)]
    (folder / "SHA256SUMS").write_bytes("".join(lines).encode())


def findings(folder: Path, *, told: str | None = None) -> list[tuple[str, str]]:
    return [(finding.kind, finding.name) for finding in check_site(folder, told).findings]


def flip_a_bit(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_copy_that_is_whole(copy: Path) -> None:
    report = check_site(copy)
    assert report.passed
    assert report.findings == ()
    manifest = (copy / "manifest.json").read_bytes()
    assert report.files == len(json.loads(manifest)["files"]) > 25
    assert report.digests["manifest.json"] == sha256(manifest).hexdigest()
    assert report.digests["SHA256SUMS"] == sha256((copy / "SHA256SUMS").read_bytes()).hexdigest()
    assert not report.signed


def test_one_flipped_bit_in_any_file_is_found(copy: Path) -> None:
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    assert {path.name for path in files} >= {"index.html", "manifest.json", "SHA256SUMS", "security.html", "sbom.json"}
    for number, path in enumerate(files):
        size = path.stat().st_size
        flip_a_bit(path, (0, size // 2, size - 1)[number % 3], number % 8)
        found = {name for _, name in findings(copy)}
        flip_a_bit(path, (0, size // 2, size - 1)[number % 3], number % 8)
        assert found & {path.relative_to(copy).as_posix(), "SHA256SUMS"}, path
    assert findings(copy) == []


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS", "index.html"])
def test_any_bit_of_the_files_that_vouch_is_found(small: Path, name: str) -> None:
    path = small / name
    for place in range(path.stat().st_size):
        flip_a_bit(path, place, place % 8)
        assert findings(small), (name, place)
        flip_a_bit(path, place, place % 8)
    assert findings(small) == []


def test_every_finding_is_listed(small: Path) -> None:
    (small / "index.html").write_bytes(b"<p>PAGE")
    (small / "assets" / "a.js").write_bytes(b"12")
    (small / "licences" / "Ü b.txt").unlink()
    (small / "licences" / ".hidden").write_bytes(b"")
    (small / "autorun.inf").write_bytes(b"[autorun]")
    report = check_site(small)
    assert [(finding.kind, finding.name) for finding in report.findings] == [
        ("changed", "index.html"),
        ("changed", "assets/a.js"),
        ("missing", "licences/Ü b.txt"),
        ("added", "autorun.inf"),
        ("added", "licences/.hidden"),
    ]
    assert str(report.findings[1]) == "changed: assets/a.js (2 bytes, not 1)"
    assert sha256(b"<p>PAGE").hexdigest() in str(report.findings[0])


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ("manifest.json", [("missing", "manifest.json"), ("changed", "assets/a.js")]),
        ("SHA256SUMS", [("missing", "SHA256SUMS"), ("changed", "assets/a.js")]),
    ],
)
def test_where_the_list_is_gone_the_other_one_serves(small: Path, gone: str, expected: list[tuple[str, str]]) -> None:
    (small / gone).unlink()
    (small / "assets" / "a.js").write_bytes(b"2")
    assert findings(small) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs rights there")
def test_links_and_devices_are_no_files(small: Path, tmp_path: Path) -> None:
    (small / "assets" / "a.js").replace(tmp_path / "elsewhere.js")
    (small / "assets" / "a.js").symlink_to(tmp_path / "elsewhere.js")
    (small / "more").symlink_to(tmp_path)
    (small / "index.html").unlink()
    os.mkfifo(small / "index.html")
    assert findings(small) == [("changed", "index.html"), ("changed", "assets/a.js"), ("added", "more")]


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "a/../../secret", "C:\\secret", "\\\\host\\share", ""])
def test_nothing_outside_the_folder_is_read(small: Path, name: str) -> None:
    (small.parent / "secret").write_bytes(b"1")
    fields = json.loads((small / "manifest.json").read_bytes())
    fields["files"][name] = {"bytes": 1, "sha256": sha256(b"1").hexdigest()}
    (small / "manifest.json").write_text(json.dumps(fields))
    report = check_site(small)
    (refused,) = (finding for finding in report.findings if finding.name == "manifest.json" and finding.detail)
    assert "outside the site" in refused.detail


def test_who_rewrites_all_lists_is_found_by_the_number_alone(small: Path) -> None:
    before = {name: sha256((small / name).read_bytes()).hexdigest() for name in ("manifest.json", "SHA256SUMS")}
    for told in (*before.values(), before["SHA256SUMS"].upper()):
        assert findings(small, told=told) == []
    (small / "index.html").write_bytes(b"<p>other")
    fields = json.loads((small / "manifest.json").read_bytes())
    fields["files"]["index.html"] = {"bytes": 8, "sha256": sha256(b"<p>other").hexdigest()}
    seal(small, json.dumps(fields))
    assert findings(small) == []
    for told in before.values():
        assert findings(small, told=told) == [("replaced", "manifest.json")]


@pytest.mark.parametrize("told", ["", "abc", ZEROS[1:], ZEROS + "0", "g" * 64])
def test_a_number_that_is_none_is_wrong_use(small: Path, told: str) -> None:
    with pytest.raises(SiteError, match="is not a SHA-256"):
        check_site(small, told)


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"name": "web app"}', '{"schema": "sitegen.site/1"}'])
def test_a_folder_that_is_no_site(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "index.html").write_text("page")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(SiteError, match="is not a site that sitegen built"):
        check_site(tmp_path)


def test_the_verb_prints_every_finding_and_both_numbers(small: Path) -> None:
    code, output = run("verify", "--site", small, "--integrity")
    assert code == 0
    digest = sha256((small / "SHA256SUMS").read_bytes()).hexdigest()
    assert f"SHA-256 of SHA256SUMS: {digest}\n" in output
    assert "All 3 files are there and unchanged, and there are no others." in output
    assert run("verify", "--site", small, "--integrity", "--sha256", digest)[0] == 0
    (small / "assets" / "a.js").write_bytes(b"2")
    (small / "more.txt").write_bytes(b"")
    code, output = run(
        "verify", "--site", small, "--integrity", "--sha256", ZEROS, "--json", small.parent / "report.json"
    )
    assert code == 1
    assert [line.split(" (")[0] for line in output.splitlines() if line.startswith("FAILED")] == [
        "FAILED: changed: assets/a.js",
        "FAILED: added: more.txt",
        "FAILED: replaced: manifest.json",
    ]
    report = json.loads((small.parent / "report.json").read_text("utf-8"))
    assert report["schema"] == "sitegen.integrity/1"
    assert not report["passed"]
    assert [found["name"] for found in report["findings"]] == ["assets/a.js", "more.txt", "manifest.json"]


def test_wrong_use_of_the_verb(tmp_path: Path, small: Path) -> None:
    for arguments in (["--site", tmp_path / "nothing", "--integrity"], ["--site", small, "--sha256", ZEROS]):
        command = [sys.executable, "-m", "sitegen.cli", "verify", *map(str, arguments)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 2, arguments


needs_sha256sum = pytest.mark.skipif(not shutil.which("sha256sum"), reason="this system has no sha256sum")


def shell(folder: Path) -> tuple[bool, str]:
    done = subprocess.run(["sh", "-c", SHELL_LINE], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode == 0) == (done.stdout.splitlines()[-1:] == ["whole"])
    return done.returncode == 0, done.stdout + done.stderr


@needs_sha256sum
def test_the_shell_finds_what_the_tool_finds(copy: Path) -> None:
    whole, output = shell(copy)
    assert whole
    assert output.count(": OK\n") == len([path for path in copy.rglob("*") if path.is_file()]) - 1
    (copy / "manifest.json.minisig").write_text("somebody's signature")
    assert shell(copy)[0]
    for name in ("index.html", "manifest.json", "security.html"):
        flip_a_bit(copy / name, 40, 3)
        whole, output = shell(copy)
        assert not whole
        assert f"{name}: FAILED" in output
        flip_a_bit(copy / name, 40, 3)
    for name in ("more.txt", ".hidden", "assets/more.js", "assets/manifest.json.minisig", "two\nlines", "card"):
        (copy / name).write_bytes(b"")
        whole, output = shell(copy)
        assert not whole
        assert name.split("\n")[0] in output
        (copy / name).unlink()
    (copy / "card.html").unlink()
    assert "card.html: FAILED open or read" in shell(copy)[1]


@needs_sha256sum
def test_sha256sum_checks_the_site_as_it_is(site: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=site, capture_output=True, text=True, check=True)
    listed = read_checksums((site / "SHA256SUMS").read_text("utf-8"))
    assert listed.keys() == {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert listed.keys() == there - {"SHA256SUMS"}


@pytest.mark.skipif(not shutil.which("pwsh"), reason="PowerShell is not installed, so its line is not tested")
def test_powershell_finds_what_the_tool_finds(small: Path) -> None:
    def lines() -> list[str]:
        command = ["pwsh", "-NoProfile", "-Command", POWERSHELL_LINE]
        return sorted(
            subprocess.run(command, cwd=small, capture_output=True, text=True, check=True).stdout.splitlines()
        )

    assert lines() == []
    (small / "index.html").write_bytes(b"<p>PAGE")
    (small / "assets" / "a.js").unlink()
    (small / "more.txt").write_bytes(b"")
    assert lines() == ["added: more.txt", "missing or changed: assets/a.js", "missing or changed: index.html"]


def test_lines_of_another_form_are_refused() -> None:
    assert read_checksums(f"{ZEROS}  a b\n") == {"a b": ZEROS}
    for line in (ZEROS, f"{ZEROS} a", f"{ZEROS}  ", f"{'x' * 64}  a", "# comment"):
        with pytest.raises(ValueError, match="no hash and name"):
            read_checksums(f"{line}\n")


def test_the_documented_lines_and_fields_are_those_that_are_tested(small: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "security.md").read_text("utf-8")
    assert f"    {SHELL_LINE}\n" in text
    (small / "index.html").unlink()
    report = check_site(small)
    document = report.document()
    names = [name for name in (*document, *document["findings"][0]) if name != "schema"]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert f"`{document['schema']}`" in text
