"""A search for files that cost too much for their length: pieces of good files, repeated where decoders look.

`python -m tests.helpers.runtime.slow_inputs --minutes 5` prints the slowest, in seconds of CPU for each MB, and each
that a file of four times the length makes slower still; `--size` says how long the files are, `--save` keeps them.
"""

import argparse
import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import decode_png, inspect_image
from tests.helpers.runtime.images import chunk, encode_png, picture, random_samples, saved

RUNTIME = "sitegen_runtime"

_TABLE = b"\0\1" + bytes(15) + b"\0"
_ATOMS = {
    "png": [chunk(b"teXt", b""), chunk(b"IDAT", b""), chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff"), chunk(b"acTL", b"")],
    "jpeg": [
        *(
            b"\xff",
            b"\0",
            b"\xff\0",
            b"\xff\xff\0",
            b"\xff\xfe\0\2",
            b"\xff\xdd\0\4\0\1",
            b"\xff\xdb\0\2",
            b"\xff\xc4\0\2",
        ),
        b"\xff\xc4" + (2 + 50 * len(_TABLE)).to_bytes(2, "big") + 50 * _TABLE,
        b"".join(bytes((0xFF, 0xD0 + number)) for number in range(8)),
        b"\xff\xe1\0\x12Exif\0\0II*\0\x08\0\0\0",
    ],
    "webp": [b"EXIF\0\0\0\0", b"ABCD\0\0\0\0", b"ANMF\0\0\0\0", b"\0"],
}


def seeds() -> dict[str, bytes]:
    """Good files by name, the first word of which is their kind."""
    return {
        "png grey16": encode_png(random_samples(1, 33, 21, 0, 16), 0, 16, interlaced=True),
        "png palette": encode_png(random_samples(1, 33, 21, 3, 4), 3, 4, before=chunk(b"PLTE", bytes(range(48)))),
        "png alpha": saved(picture(mode="RGBA"), "PNG"),
        "jpeg colour": saved(picture(), "JPEG", quality=95, restart_marker_blocks=2),
        "jpeg progressive": saved(picture(), "JPEG", progressive=True),
        "jpeg flat": saved(picture(16, 16).resize((1_000, 1_000)), "JPEG", quality=95),
        "webp lossy": saved(picture(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
        "webp animated": saved(picture(), "WEBP", save_all=True, append_images=[picture(seed=1)]),
    }


def recipes(seed: int) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Endless names of files, and what makes each at about a number of bytes."""
    choose = random.Random(seed)
    files = seeds()
    while True:
        name = choose.choice(list(files))
        data, kind = files[name], name.split()[0]
        places = (
            [at for at in range(len(data) - 1) if data[at] == 0xFF and data[at + 1] > 0xBF] if kind == "jpeg" else []
        )
        at = choose.choice([*places, *([12, 33, len(data) - 12, len(data)] * 2), choose.randrange(len(data))])
        start = choose.randrange(len(data))
        own = data[start : start + choose.choice((1, 2, 3, 8, 40, 500))]
        atom = choose.choice([*_ATOMS[kind], own, _noise(choose)])
        name = f"{name}, {atom[:8].hex()} ({len(atom)} bytes) at {at}"
        yield name, lambda size, data=data, at=at, atom=atom, kind=kind: _flooded(data, at, atom, kind, size)  # type: ignore[misc]


def _noise(choose: random.Random) -> bytes:
    """Random bytes, of which a JPEG's scan may be made."""
    return choose.randbytes(choose.choice((2, 5, 4_000, 100_000))).replace(b"\xff", b"\xfe")


def _flooded(data: bytes, at: int, atom: bytes, kind: str, size: int) -> bytes:
    flooded = data[:at] + atom * max(1, size // len(atom)) + (data[at:] if at % 4 else b"\0")
    return flooded[:4] + (len(flooded) - 8).to_bytes(4, "little") + flooded[8:] if kind == "webp" else flooded


def read(data: bytes) -> None:
    """Do to a file all that the runtime alone does to it; what it refuses, it refuses."""
    with contextlib.suppress(ImageError):
        image = inspect_image(data, max_pixels=1_000_000)
        if image.decoder == "python":
            for _ in decode_png(image).pieces():
                pass


@contextlib.contextmanager
def lines_of_the_runtime() -> Iterator[Counter[str]]:
    """Counts the lines of the runtime that are run within: what work there is, on a machine of any speed."""
    count: Counter[str] = Counter()

    def line(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        count["lines"] += 1
        return line

    def call(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        return line if RUNTIME in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield count
    finally:
        sys.settrace(before)


def seconds(data: bytes) -> float:
    """Seconds of this process for a file."""
    begin = time.process_time()
    read(data)
    return time.process_time() - begin


def main() -> None:
    """Search for as long as was asked, then print the slowest files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--size", type=int, default=250_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    end, found = time.monotonic() + 60 * options.minutes, []
    for name, make in recipes(options.seed):
        if time.monotonic() > end:
            break
        data = make(options.size)
        found.append((seconds(data) / len(data) * 1e6, name, make))
    found.sort(key=lambda each: -each[0])
    print(f"{len(found)} files")
    for number, (cost, name, make) in enumerate(found[:10]):
        longer = make(4 * options.size)
        print(f"{cost:6.2f} s/MB, at four times the length {seconds(longer) / len(longer) * 1e6:6.2f}: {name}")
        if options.save:
            options.save.mkdir(parents=True, exist_ok=True)
            (options.save / f"slow-{number}").write_bytes(make(options.size))


if __name__ == "__main__":
    main()
