"""How long the page takes for a radiograph of 3000 x 2500 pixels as DICOM, by the way its pixels are compressed.

    python benchmarks/dicom_in_page.py [--site dist] [--rounds 6] [--json FILE]

In every round each file has its turn, in a fresh headless Chromium, over file:// and so with one thread: the first
image of a visit, which loads what reads DICOM and the codec, and the median of the two that follow it; milliseconds
from handing the file over to its result, measured in the page. The peak of the renderer's memory is that above a blank
page (Linux only). Ratios are to the uncompressed file of the same round. The picture is synthetic, of 12 bits with
noise, so that it compresses as radiographs do; a PNG of its upper eight bits stands beside it.
"""

import argparse
import io
import json
import statistics
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from handed_over import analysed, hand_over
from median_interval import median_interval
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from renderer_memory import renderer_memory, watched
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from samples import ratios, summarise

from sitegen.browser.chromium import chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom

ROWS, COLUMNS = 3000, 2500
REFERENCE = "uncompressed"
QUANTITIES = {"first, ms": "first", "following, ms": "following", "peak, MB": "peak"}
Cells = np.ndarray[Any, np.dtype[np.uint16]]
Visit = dict[str, float]


def radiograph() -> Cells:
    """Return cells of 12 bits: a smooth picture with the noise of a detector."""
    small = Image.fromarray(phantom(seed=1, size=512)).resize((COLUMNS, ROWS), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 12, (ROWS, COLUMNS))
    return np.clip(np.asarray(small) * 16.0 + noise, 0, 4095).astype(np.uint16)


def files(cells: Cells) -> dict[str, bytes]:
    """Return the picture as a file of each kind; the first is what the others are compared with."""
    upper = (cells >> 4).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(upper).save(png, "PNG")
    wavelets = imagecodecs.jpeg2k_encode(cells, codecformat="j2k", bitspersample=12, level=0, reversible=True)
    lossless = imagecodecs.jpeg8_encode(cells, lossless=True, predictor=1, bitspersample=12)
    run_lengths = _dataset(cells, ExplicitVRLittleEndian, cells.tobytes())
    run_lengths.compress(RLELossless, generate_instance_uid=False)
    framed = {
        "JPEG lossless": (JPEGLosslessSV1, lossless),
        "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode(cells)),
        "JPEG 2000": (JPEG2000Lossless, wavelets),
        "high-throughput JPEG 2000": (HTJ2KLossless, imagecodecs.htj2k_encode(cells, reversible=True)),
    }
    return {
        REFERENCE: _bytes(_dataset(cells, ExplicitVRLittleEndian, cells.tobytes())),
        "deflated": _bytes(_dataset(cells, DeflatedExplicitVRLittleEndian, cells.tobytes())),
        "RLE": _bytes(run_lengths),
        **{
            name: _bytes(_dataset(cells, syntax, encapsulate([bytes(frame)])))
            for name, (syntax, frame) in framed.items()
        },
        "JPEG baseline, 8 bits": _framed(upper, JPEGBaseline8Bit, imagecodecs.jpeg8_encode(upper, level=92)),
        "PNG, 8 bits, no DICOM": png.getvalue(),
    }


def _framed(cells: np.ndarray[Any, Any], syntax: str, frame: bytes | bytearray) -> bytes:
    return _bytes(_dataset(cells, syntax, encapsulate([bytes(frame)])))


def _dataset(cells: np.ndarray[Any, Any], syntax: str, data: bytes) -> Dataset:
    bits = 8 if cells.dtype == np.uint8 else 12
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    dataset.Rows, dataset.Columns = cells.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * cells.itemsize, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 1 << bits - 1, 1 << bits
    dataset.PixelData = data
    return dataset


def _bytes(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def visit(site: Path, data: bytes) -> Visit:
    """Open the site in a fresh browser, and the file three times in it."""
    with chromium() as driver, site_address(site, "file") as url:
        blank = renderer_memory(driver)
        SitePage(driver, url).wait_until_ready()
        hand_over(driver, data)
        with watched(driver, seconds=0.05) as peak:
            times = [analysed(driver).milliseconds for _ in range(3)]
        peak.see(renderer_memory(driver))
    found = {"first": times[0], "following": statistics.median(times[1:])}
    return found | ({"peak": peak.megabytes - blank.resident} if blank else {})


def benchmark(site: Path, rounds: int) -> dict[str, list[Visit]]:
    """Return the visits by kind of file, one a round, in turns that go forwards and backwards."""
    kinds = files(radiograph())
    results: dict[str, list[Visit]] = {name: [] for name in kinds}
    with Progress(console=Console(stderr=True)) as progress:
        for number in progress.track(range(rounds), description="Measuring"):
            for name in kinds if number % 2 == 0 else reversed(kinds):
                results[name].append(visit(site, kinds[name]))
    return results


def table(results: dict[str, list[Visit]]) -> Table:
    """Return medians with ranges, and the ratio to the uncompressed file with its 95 % interval."""
    shown = Table("file", *QUANTITIES, "following, beside uncompressed", box=MARKDOWN)
    reference = [one["following"] for one in results[REFERENCE]]
    for name, visits in results.items():
        columns = [[one.get(key) for one in visits] for key in QUANTITIES.values()]
        texts = [summarise(column).text() if None not in column else "" for column in columns]
        compared = median_interval(ratios([one["following"] for one in visits], reference))
        shown.add_row(name, *texts, compared.text() if name != REFERENCE else "")
    return shown


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", type=Path, help="also write all visits here")
    options = parser.parse_args()
    results = benchmark(options.site, options.rounds)
    Console(width=140).print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
