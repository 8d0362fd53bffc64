"""The runtime as a wheel, and the lock through which Pyodide finds it.

Zip entries have a fixed date and order and are stored as they are, so that equal sources give an equal wheel whatever
zlib the machine has, and with it an equal snapshot. (The wheel is compressed when it is packed.)
"""

import base64
import io
import json
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pyodide_lock import InfoSpec, PackageSpec, PyodideLockSpec

from sitegen import __version__, resources
from sitegen.site.engine_files import EngineFiles

PACKAGE = "sitegen_runtime"
DISTRIBUTION = "sitegen-runtime"
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


def lock(engines: EngineFiles, wheel: RuntimeWheel) -> str:
    """Return the JSON of a Pyodide lock whose only package is the runtime."""
    distributed = json.loads((engines.pyodide / "pyodide-lock.json").read_bytes())["info"]
    information = InfoSpec(**(distributed | {"version": engines.version("pyodide")}))
    package = PackageSpec(
        name=DISTRIBUTION,
        version=__version__,
        file_name=wheel.name,
        install_dir="site",
        sha256=sha256(wheel.content).hexdigest(),
        imports=[PACKAGE],
    )
    specification = PyodideLockSpec(info=information, packages={DISTRIBUTION: package})
    specification.check_wheel_filenames()
    return json.dumps(specification.model_dump(), sort_keys=True)


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
