"""The codecs of compressed frames in DICOM files, as assets: the page loads those of a codec with the first file of it.

The names are those of `sitegen_runtime.requests.DecodeFrame`. Each codec is the script of a worker, made of the
library's own script as it was published, or as a classic script, and of ours (`templates/codecs/`); compiled ones have
their WebAssembly beside it. No published script makes code of text, and none connects where it is given its program.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sitegen import resources
from sitegen.site.engines.classic import LOSSLESS, classic_lossless
from sitegen.site.engines.compiled_libraries import CHARLS, OPENJPEG, Library
from sitegen.site.engines.files import EngineFiles
from sitegen.site.packing import Asset

FOLDER = "codecs"  # among the assets
SCRIPTS = ("lossless", "main")


@dataclass(frozen=True)
class Codec:
    """A codec: its `title` in sentences, the npm package (MIT) with its `home`, the files there, and what is inside.

    `made_classic` makes a classic script of its script; `notice` is its licence's text there, where it has one.
    """

    title: str
    package: str
    home: str
    script: str
    program: str | None = None
    notice: str | None = None
    inside: Library | None = None
    made_classic: Callable[[str], str] = str

    @property
    def stem(self) -> str:
        """The name of its assets, without endings."""
        return f"{FOLDER}/{self.package.rsplit('/', 1)[-1]}"


_CORNERSTONE = "https://github.com/cornerstonejs/codecs"
CODECS = {
    "jpeg-lossless": Codec(
        "JPEG lossless",
        "jpeg-lossless-decoder-js",
        "https://github.com/rii-mango/JPEGLosslessDecoderJS",
        f"release/{LOSSLESS}",
        notice="LICENSE",
        made_classic=classic_lossless,
    ),
    "jpeg-ls": Codec(
        "JPEG-LS",
        "@cornerstonejs/codec-charls",
        _CORNERSTONE,
        "dist/charlswasm_decode.js",
        "dist/charlswasm_decode.wasm",
        notice="LICENSE",
        inside=CHARLS,
    ),
    "jpeg-2000": Codec(
        "JPEG 2000",
        "@cornerstonejs/codec-openjpeg",
        _CORNERSTONE,
        "dist/openjpegwasm_decode.js",
        "dist/openjpegwasm_decode.wasm",
        inside=OPENJPEG,
    ),
}


def package_of(asset: str) -> str | None:
    """Return the npm package that an asset comes from, by the asset's name; None for one that is no codec's."""
    return next((one.package for one in CODECS.values() if asset.startswith(f"{one.stem}.")), None)


def codec_assets(engines: EngineFiles) -> dict[str, tuple[Asset, ...]]:
    """Return the assets of each codec: its worker's script, and its program where it is compiled."""
    own = "\n".join((resources.templates() / FOLDER / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return {name: tuple(_assets(codec, engines, own)) for name, codec in CODECS.items()}


def _assets(codec: Codec, engines: EngineFiles, own: str) -> Iterator[Asset]:
    library = codec.made_classic(engines.read(codec.package, codec.script).decode())
    yield Asset(f"{codec.stem}.js", "\n;\n".join([library, own]).encode())
    if codec.program:
        yield Asset(f"{codec.stem}.wasm", engines.read(codec.package, codec.program))
