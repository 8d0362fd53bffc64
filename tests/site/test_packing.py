"""Assets in scripts: decoded again they are what was packed, and every name carries a hash."""

import base64
import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from sitegen.site import packing
from sitegen.site.packing import Asset, PackedAsset, pack, write_scripts


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEGEN_CACHE", str(tmp_path / "cache"))


def noise(size: int) -> bytes:
    """Bytes that gzip cannot make smaller."""
    return np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()


def calls(packed: PackedAsset) -> list[tuple[str, bytes]]:
    """The file name and the bytes of each script, read as JavaScript would."""
    found = []
    for text in packed.scripts.values():
        match = re.fullmatch(r'sitegenAsset\(("[^"]*"),\(\)=>\{/\*([A-Za-z0-9+/=]*)\*/\}\);\n', text)
        assert match
        found.append((json.loads(match[1]), base64.b64decode(match[2], validate=True)))
    return found


def unpacked(packed: PackedAsset) -> bytes:
    whole = b"".join(content for _, content in calls(packed))
    assert sha256(whole).hexdigest() == packed.entry["sha256"]
    assert len(whole) == packed.entry["packed"]
    return gzip.decompress(whole)


@pytest.mark.parametrize("content", [b"x", b"text " * 10_000, noise(50_000)], ids=["small", "text", "noise"])
def test_one_part(content: bytes) -> None:
    packed = pack(Asset("name.bin", content))
    assert unpacked(packed) == content
    assert calls(packed)[0][1][4:10] == b"\0\0\0\0\x02\xff"  # RFC 1952: no time, slowest, system unknown
    (file,) = packed.scripts
    assert file == f"assets/name.bin.{packed.entry['sha256'][:12]}.js"
    assert packed.entry["parts"] == [file]
    assert packed.entry["bytes"] == len(content)
    assert calls(packed)[0][0] == file


def test_large_assets_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_BYTES", 1000)
    content = noise(2500)
    packed = pack(Asset("big", content))
    digest = packed.entry["sha256"][:12]
    assert packed.entry["parts"] == [f"assets/big.{digest}.{number}of3.js" for number in (1, 2, 3)]
    assert [file for file, _ in calls(packed)] == packed.entry["parts"]
    sums = [base64.b64encode(sha256(packed.scripts[file].encode()).digest()).decode() for file in packed.entry["parts"]]
    assert packed.entry["scripts"] == sums
    assert [len(part) for _, part in calls(packed)][:2] == [1000, 1000]
    assert unpacked(packed) == content


def test_a_part_stays_below_what_any_host_takes() -> None:
    assert len(base64.b64encode(bytes(packing.PART_BYTES))) <= 16 * 1024 * 1024


def test_equal_content_gives_equal_scripts_without_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pack(Asset("a", noise(9000)))
    monkeypatch.setenv("SITEGEN_CACHE", str(tmp_path / "another"))
    assert pack(Asset("a", noise(9000))) == first


def test_other_content_gives_other_names() -> None:
    first, second = (pack(Asset("a", content)) for content in (b"1", b"2"))
    assert first.scripts.keys().isdisjoint(second.scripts)


def test_scripts_are_written(tmp_path: Path) -> None:
    packed = pack(Asset("a.onnx", b"network"))
    (path,) = write_scripts(tmp_path, packed)
    assert path.relative_to(tmp_path).as_posix() == packed.entry["parts"][0]
    assert path.read_bytes() == next(iter(packed.scripts.values())).encode("ascii")
