"""The libraries that are compiled into others' WebAssembly, which names none of them to scanners.

A test asks this Pyodide for the versions that it can tell; the others come from its build's recipes. CharLS tells its
own; which version of OpenJPEG a codec was made of, its package does not say. Notices: `templates/licences/`.
"""

from dataclasses import dataclass

PYODIDE = "314.0.7"  # of which what follows was told


@dataclass(frozen=True)
class Library:
    """A library inside another part: `licence` as SPDX or in words, `vendor` and `product` as CPEs name them."""

    name: str
    version: str
    licence: str
    vendor: str = ""
    product: str = ""

    @property
    def cpe(self) -> str | None:
        """The name under which databases of vulnerabilities know it (CPE 2.3), where it has one."""
        if not self.vendor or not self.version:
            return None
        return f"cpe:2.3:a:{self.vendor}:{self.product or self.name}:{self.version}:*:*:*:*:*:*:*"


COMPILED_INTO_PYODIDE = (
    Library("emscripten", "5.0.3", "MIT OR NCSA"),
    Library("musl", "", "MIT"),
    Library("dlmalloc", "", "CC0-1.0"),
    Library("llvm-runtimes", "", "Apache-2.0 WITH LLVM-exception"),
    Library("libffi", "", "MIT"),
    Library("zlib", "1.3.1", "Zlib", "zlib"),
    Library("bzip2", "1.0.6", "bzip2-1.0.6", "bzip"),
    Library("xz", "5.2.2", "public domain", "tukaani"),
    Library("zstd", "1.5.7", "BSD-3-Clause", "facebook", "zstandard"),
    Library("sqlite", "3.39.0", "blessing", "sqlite"),
)
INSIDE_CPYTHON = (
    Library("expat", "2.7.3", "MIT", "libexpat_project", "libexpat"),
    Library("libmpdec", "2.5.1", "BSD-2-Clause"),
    Library("HACL*", "", "MIT"),
)
CHARLS = Library("charls", "2.4.4", "BSD-3-Clause")
OPENJPEG = Library("openjpeg", "", "BSD-2-Clause", "uclouvain")
