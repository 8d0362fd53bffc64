"""Transfer syntaxes: how the cells of a frame are coded, and so who decodes them, or why nobody does.

One table of codings. The three codecs are names of `requests.DecodeFrame`: the page has JavaScript and WebAssembly for
them, CPython the package imagecodecs.
"""

import re

NATIVE = "native"
RLE = "rle"
JPEG = "jpeg"
"""8-bit JPEG, which goes the way of other JPEG images."""
JPEG_LOSSLESS = "jpeg-lossless"
JPEG_LS = "jpeg-ls"
JPEG_2000 = "jpeg-2000"
"""JPEG 2000, high-throughput JPEG 2000 included."""

CODECS = (JPEG_LOSSLESS, JPEG_LS, JPEG_2000)

_ROOT = "1.2.840.10008.1.2"
DEFLATED = f"{_ROOT}.1.99"
IN_FRAGMENTS = f"{_ROOT}.1.98"
"""Not compressed, and yet encapsulated."""

CODINGS: dict[str, str] = {
    "": NATIVE,  # as all files were before there was file meta information
    _ROOT: NATIVE,
    f"{_ROOT}.1": NATIVE,
    IN_FRAGMENTS: NATIVE,
    DEFLATED: NATIVE,
    f"{_ROOT}.2": NATIVE,
    f"{_ROOT}.5": RLE,
    f"{_ROOT}.4.50": JPEG,
    f"{_ROOT}.4.51": JPEG,
    f"{_ROOT}.4.57": JPEG_LOSSLESS,
    f"{_ROOT}.4.70": JPEG_LOSSLESS,
    f"{_ROOT}.4.80": JPEG_LS,
    f"{_ROOT}.4.81": JPEG_LS,
    f"{_ROOT}.4.90": JPEG_2000,
    f"{_ROOT}.4.91": JPEG_2000,
    f"{_ROOT}.4.201": JPEG_2000,
    f"{_ROOT}.4.202": JPEG_2000,
    f"{_ROOT}.4.203": JPEG_2000,
}
"""What is read, by the UID that file meta information has."""

LOSSY = frozenset(f"{_ROOT}.4.{number}" for number in (50, 51))
"""Syntaxes that always lose something; .81, .91 and .203 may."""

NAMES: dict[str, str] = {
    f"{_ROOT}.4.50": "JPEG Baseline (Process 1)",
    f"{_ROOT}.4.51": "JPEG Extended (Process 2 and 4)",
    f"{_ROOT}.4.52": "JPEG Extended (Process 3 and 5)",
    f"{_ROOT}.4.53": "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)",
    f"{_ROOT}.4.54": "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)",
    f"{_ROOT}.4.55": "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)",
    f"{_ROOT}.4.56": "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)",
    f"{_ROOT}.4.57": "JPEG Lossless, Non-Hierarchical (Process 14)",
    f"{_ROOT}.4.58": "JPEG Lossless, Non-Hierarchical (Process 15)",
    f"{_ROOT}.4.70": "JPEG Lossless, First-Order Prediction",
    f"{_ROOT}.4.80": "JPEG-LS Lossless",
    f"{_ROOT}.4.81": "JPEG-LS Near-Lossless",
    f"{_ROOT}.4.90": "JPEG 2000 Lossless",
    f"{_ROOT}.4.91": "JPEG 2000",
    f"{_ROOT}.4.92": "JPEG 2000 Part 2 Multi-component Lossless",
    f"{_ROOT}.4.93": "JPEG 2000 Part 2 Multi-component",
    f"{_ROOT}.4.94": "JPIP Referenced",
    f"{_ROOT}.4.95": "JPIP Referenced Deflate",
    f"{_ROOT}.4.100": "MPEG2 video",
    f"{_ROOT}.4.101": "MPEG2 video",
    f"{_ROOT}.4.102": "MPEG-4 AVC/H.264 video",
    f"{_ROOT}.4.103": "MPEG-4 AVC/H.264 video",
    f"{_ROOT}.4.104": "MPEG-4 AVC/H.264 video",
    f"{_ROOT}.4.105": "MPEG-4 AVC/H.264 video",
    f"{_ROOT}.4.106": "MPEG-4 AVC/H.264 video",
    f"{_ROOT}.4.107": "HEVC/H.265 video",
    f"{_ROOT}.4.108": "HEVC/H.265 video",
    f"{_ROOT}.4.110": "JPEG XL Lossless",
    f"{_ROOT}.4.111": "JPEG XL JPEG Recompression",
    f"{_ROOT}.4.112": "JPEG XL",
    f"{_ROOT}.4.201": "High-Throughput JPEG 2000 Lossless",
    f"{_ROOT}.4.202": "High-Throughput JPEG 2000 with RPCL Options Lossless",
    f"{_ROOT}.4.203": "High-Throughput JPEG 2000",
    f"{_ROOT}.4.204": "JPIP HTJ2K Referenced",
    f"{_ROOT}.4.205": "JPIP HTJ2K Referenced Deflate",
    f"{_ROOT}.7.1": "SMPTE ST 2110-20 video",
    f"{_ROOT}.7.2": "SMPTE ST 2110-20 video",
    f"{_ROOT}.7.3": "SMPTE ST 2110-30 audio",
    f"{_ROOT}.8.1": "Deflated Image Frame Compression",
}
"""What syntaxes are called: PS3.6, table A-1, some shortened."""

_STANDARD = re.compile(r"1\.2\.840\.10008\.1\.2(\.\d{1,3}){0,3}")


def syntax_name(uid: str) -> str:
    """Return what a syntax is called, with its UID where that is the standard's own: others may hold anything."""
    if not _STANDARD.fullmatch(uid):
        return "a private one"
    return f"{NAMES[uid]} ({uid})" if uid in NAMES else uid
