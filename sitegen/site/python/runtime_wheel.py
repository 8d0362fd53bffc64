"""The runtime as a wheel, and the lock through which Pyodide finds it.

Zip entries have a fixed date and order and are stored as they are, so that equal sources give an equal wheel whatever
zlib the machine has, and with it an equal snapshot. (The wheel is compressed when it is packed.)
"""

import base64
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pyodide_lock import InfoSpec, PackageSpec, PyodideLockSpec

from sitegen import __version__, resources
from sitegen.site.engines.files import EngineFiles
from sitegen.site.python.extra_wheels import RUNTIME, ExtraWheel, check_wheels

PACKAGE = "sitegen_runtime"
DISTRIBUTION = RUNTIME
_EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class RuntimeWheel:
    """A wheel in memory."""

    name: str
    content: bytes


def build_wheel() -> RuntimeWheel:
    """Return the wheel of `sitegen_runtime`, as the runtime lies in this checkout or installation."""
    source = resources.runtime_source()
    files = {
        f"{PACKAGE}/{path.relative_to(source).as_posix()}": path.read_bytes() for path in sorted(source.rglob("*.py"))
    }
    information = f"{PACKAGE}-{__version__}.dist-info"
    files[f"{information}/METADATA"] = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {__version__}\n".encode()
    files[f"{information}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: sitegen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_record_hash(content)},{len(content)}" for name, content in files.items()]
    files[f"{information}/RECORD"] = "\n".join([*record, f"{information}/RECORD,,", ""]).encode()
    return RuntimeWheel(f"{PACKAGE}-{__version__}-py3-none-any.whl", _zip(files))


def lock(engines: EngineFiles, wheel: RuntimeWheel, extra: Sequence[ExtraWheel] = ()) -> str:
    """Return the JSON of a Pyodide lock whose packages are the runtime and, where there are some, further wheels.

    Raises SettingsError where the further wheels do not fit this Pyodide, or each other.
    """
    distributed = json.loads(engines.read("pyodide", "pyodide-lock.json"))["info"]
    information = InfoSpec(**(distributed | {"version": engines.version("pyodide")}))
    depends = check_wheels(extra, information.python, str(information.abi_version))
    packages = [_package(DISTRIBUTION, __version__, wheel.name, wheel.content, (PACKAGE,), [])]
    packages += [
        _package(one.name, one.version, one.file, one.content, one.imports, depends[one.name]) for one in extra
    ]
    specification = PyodideLockSpec(info=information, packages={package.name: package for package in packages})
    specification.check_wheel_filenames()
    return _written(specification, information.version)


def _written(specification: PyodideLockSpec, version: str) -> str:
    """The lock as its library writes it: newer ones leave out the version, by which Pyodide tells a lock of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pyodide-lock.json"
        specification.to_json(path)
        document = json.loads(path.read_bytes())
    document["info"]["version"] = version
    return json.dumps(document, sort_keys=True)


def _package(
    name: str, version: str, file: str, content: bytes, imports: tuple[str, ...], depends: list[str]
) -> PackageSpec:
    return PackageSpec(
        name=name,
        version=version,
        file_name=file,
        install_dir="site",
        sha256=sha256(content).hexdigest(),
        imports=list(imports),
        depends=depends,
    )


def write_wheel(wheel: RuntimeWheel, folder: Path) -> Path:
    """Write the wheel into a folder under its own name."""
    path = folder / wheel.name
    path.write_bytes(wheel.content)
    return path


def _record_hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EARLIEST_ZIP_DATE)
            entry.create_system = 3  # Unix, on Windows too
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
