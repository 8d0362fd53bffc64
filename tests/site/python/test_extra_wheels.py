"""Wheels for the page's Python: which are taken, what is read of them, and why others are refused."""

import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.site import build_site
from sitegen.site.engines.files import install_engines
from sitegen.site.options import SiteOptions
from sitegen.site.python.extra_wheels import check_wheels, read_wheel
from sitegen.site.python.runtime_wheel import build_wheel, lock
from tests.helpers.wheels import make_wheel

PYTHON, ABI = "3.14.2", "2026_0"


def test_what_is_read_of_a_wheel(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, requires=("other>=2",), files={"a_module.py": "", "our_package/data.bin": "x"})
    wheel = read_wheel(path)
    assert (wheel.name, wheel.version, wheel.file) == ("our-package", "1.0", "our_package-1.0-py3-none-any.whl")
    assert wheel.content == path.read_bytes()
    assert wheel.imports == ("a_module", "our_package")
    assert wheel.requires == ("other>=2",)
    assert (wheel.licence, wheel.notices) == ("MIT", {"LICENSE": b"Do what you like."})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "our_package-1.0-cp314-cp314-manylinux_2_28_x86_64.whl",
            "is compiled for manylinux_2_28_x86_64, and a browser",
        ),
        ("our_package-1.0-cp313-cp313-win_amd64.whl", "is compiled for win_amd64"),
        ("our_package.zip", "is not named as wheels are"),
        ("our_package-1.0.whl", "is not named as wheels are"),
    ],
)
def test_what_no_browser_runs_is_refused(tmp_path: Path, name: str, message: str) -> None:
    path = make_wheel(tmp_path).rename(tmp_path / name)
    with pytest.raises(SettingsError, match=re.escape(message)):
        read_wheel(path)


def test_a_wheel_that_only_says_that_it_is_pure_is_refused(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, files={"our_package/fast.cpython-314-x86_64-linux-gnu.so": "ELF"})
    with pytest.raises(SettingsError, match="calls itself pure Python, but holds our_package/fast"):
        read_wheel(path)


def test_a_damaged_or_missing_wheel_is_refused(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SettingsError, match="cannot be read as a wheel"):
        read_wheel(path)
    path.unlink()
    with pytest.raises(SettingsError, match=r"cannot be read as a wheel: .*No such file"):
        read_wheel(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("our_package/__init__.py", "")
    with pytest.raises(SettingsError, match=r"has no \.dist-info folder"):
        read_wheel(path)


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py314-none-any", True),
        ("cp314-cp314-pyemscripten_2026_0_wasm32", True),
        ("cp314-cp314-pyodide_2026_0_wasm32", True),
        ("cp312-abi3-pyemscripten_2026_0_wasm32", True),
        ("cp313-cp313-pyodide_2025_0_wasm32", False),
        ("cp314-cp314-pyemscripten_2027_0_wasm32", False),
        ("py2-none-any", False),
    ],
)
def test_only_wheels_for_this_python_are_taken(tmp_path: Path, tag: str, fits: bool) -> None:
    wheel = read_wheel(make_wheel(tmp_path, tag=tag))
    if fits:
        assert check_wheels([wheel], PYTHON, ABI) == {"our-package": []}
        return
    with pytest.raises(SettingsError, match=r"is for another Python than the page's, which is 3\.14\.2"):
        check_wheels([wheel], PYTHON, ABI)


def test_what_a_wheel_requires_must_be_there(tmp_path: Path) -> None:
    other = read_wheel(make_wheel(tmp_path, "other", version="2.1"))
    ours = read_wheel(
        make_wheel(tmp_path, requires=("Other >=2", "windows; sys_platform == 'win32'", "x; extra == 'y'"))
    )
    assert check_wheels([ours, other], PYTHON, ABI) == {"our-package": ["other"], "other": []}
    with pytest.raises(SettingsError, match="requires Other >=2, which is not among the wheels"):
        check_wheels([ours], PYTHON, ABI)
    newer = read_wheel(make_wheel(tmp_path, requires=("other>=3",)))
    with pytest.raises(SettingsError, match=r"requires other>=3, but the wheel of other is 2\.1"):
        check_wheels([newer, other], PYTHON, ABI)


def test_each_name_once(tmp_path: Path) -> None:
    first, second = (read_wheel(make_wheel(tmp_path, version=version)) for version in ("1.0", "2.0"))
    with pytest.raises(SettingsError, match="is the second wheel of our-package"):
        check_wheels([first, second], PYTHON, ABI)
    runtime = read_wheel(make_wheel(tmp_path, "sitegen_runtime"))
    with pytest.raises(SettingsError, match="is the second wheel of sitegen-runtime"):
        check_wheels([runtime], PYTHON, ABI)


def test_the_lock_names_all_wheels(tmp_path: Path) -> None:
    other = read_wheel(make_wheel(tmp_path, "other"))
    ours = read_wheel(make_wheel(tmp_path, requires=("other",)))
    packages = json.loads(lock(install_engines(), build_wheel(), [ours, other]))["packages"]
    assert set(packages) == {"sitegen-runtime", "our-package", "other"}
    entry = packages["our-package"]
    assert (entry["file_name"], entry["sha256"]) == (ours.file, sha256(ours.content).hexdigest())
    assert (entry["imports"], entry["depends"]) == (["our_package"], ["other"])


def test_a_site_ships_wheels_with_their_notices(bundle: Bundle, tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path))
    site = build_site(bundle, tmp_path / "dist", options=SiteOptions(wheels=(wheel,))).folder
    assert [path for path in (site / "assets").iterdir() if path.name.startswith(wheel.file)]
    assert (site / "licences" / "our-package.LICENSE.txt").read_text() == "Do what you like."
    index = (site / "licences" / "index.html").read_text("utf-8")
    assert '<td>our-package</td>\n<td>1.0</td>\n<td>MIT</td>\n<td><a href="our-package.LICENSE.txt">' in index
    approved = (site / "security.html").read_text("utf-8")
    assert "<h2>Code that was added</h2>" in re.sub(r'<h2 id="[^"]*">', "<h2>", approved)
    row = f"<td>our-package 1.0</td>\n<td>{wheel.file}</td>\n<td><code>{sha256(wheel.content).hexdigest()}</code></td>"
    assert row in approved


def test_a_wheel_that_unpacks_to_more_than_anything_is_refused_unread(tmp_path: Path) -> None:
    long = make_wheel(tmp_path / "long", files={"our_package-1.0.dist-info/LICENCE": " " * (17 << 20)})
    with pytest.raises(SettingsError, match=r"LICENCE in .* has 17,825,792 bytes, and such texts"):
        read_wheel(long)
    bomb = make_wheel(tmp_path / "bomb", files={"our_package/data.bin": "x" * 1000})
    content = bomb.read_bytes()
    entry = content.rindex(b"our_package/data.bin") - 46 + 24  # of the central directory (APPNOTE 4.3.12)
    assert content[entry : entry + 4] == (1000).to_bytes(4, "little")
    bomb.write_bytes(content[:entry] + (3 << 30).to_bytes(4, "little") + content[entry + 4 :])
    with pytest.raises(SettingsError, match=r"unpacks to 3,221,2\d\d,\d\d\d bytes, and a page has room for"):
        read_wheel(bomb)


def test_a_wheel_with_a_password_or_an_odd_method_is_an_error_that_names_it(tmp_path: Path) -> None:
    for place, value in ((8, 1), (10, 99)):  # flags and method of an entry of the central directory
        path = make_wheel(tmp_path / str(place))
        content = bytearray(path.read_bytes())
        entry = content.rindex(b"our_package-1.0.dist-info/METADATA") - 46
        content[entry + place] = value
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="cannot be read as a wheel"):
            read_wheel(path)
