"""The page's codecs, each in its worker, under the site's policy: the cells that imagecodecs decodes, or a code."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sitegen.browser.driver import Driver
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen.site.engines.codecs import CODECS
from tests.helpers.browser.codec_worker import decode
from tests.helpers.browser.dicom_frames import Frame, cells_of, frames

pytest.importorskip("imagecodecs")
EVERY_ENGINE = [pytest.param(name, marks=pytest.mark.browser(name)) for name in ENGINES]
COUNTS = {"jpeg-lossless": 280, "jpeg-ls": 140, "jpeg-2000": 420}
ELSEWHERE = 5  # of so many frames, other engines than Chromium decode one: a worker takes them long to start


@pytest.fixture(scope="module", params=EVERY_ENGINE)
def driver_on_site(request: pytest.FixtureRequest, site: Path) -> Iterator[Driver]:
    with site_address(site, "file") as url, ENGINES[request.param].start() as driver:
        SitePage(driver, url).wait_until_ready()
        yield driver


@pytest.mark.parametrize("codec", CODECS)
def test_each_cell_is_that_of_imagecodecs(driver_on_site: Driver, codec: str) -> None:
    every = list(frames(codec))
    assert len(every) == COUNTS[codec]
    wanted = every[:: 1 if driver_on_site.engine == "chromium" else ELSEWHERE]
    found = decode(driver_on_site, codec, wanted)
    assert [frame.name for frame, answer in zip(wanted, found, strict=True) if answer.cells != frame.stored] == []


@pytest.fixture(scope="module")
def samples() -> dict[str, Frame]:
    """One frame a codec, of 61 x 64 cells."""
    return {codec: next(one for one in frames(codec) if one.cells.shape == (64, 61)) for codec in CODECS}


def changed(frame: Frame, data: bytes) -> Frame:
    return dataclasses.replace(frame, data=data)


@pytest.mark.parametrize("codec", CODECS)
def test_frames_cut_short_are_refused(driver_on_site: Driver, samples: dict[str, Frame], codec: str) -> None:
    frame = samples[codec]
    lengths = [0, 1, 30, *(len(frame.data) * percent // 100 for percent in (10, 50, 90, 95))]
    answers = decode(driver_on_site, codec, [changed(frame, frame.data[:length]) for length in lengths])
    assert {answer.code for answer in answers} == {"damaged-image"}


@pytest.mark.parametrize("codec", CODECS)
def test_frames_of_another_size_or_depth_are_refused(
    driver_on_site: Driver, samples: dict[str, Frame], codec: str
) -> None:
    frame = samples[codec]
    others = [
        dataclasses.replace(frame, cells=np.zeros((61, 64))),
        dataclasses.replace(frame, cells=np.zeros((64, 60))),
        dataclasses.replace(frame, precision=frame.precision + 1),
    ]
    assert {answer.code for answer in decode(driver_on_site, codec, others)} == {"damaged-image"}


@pytest.mark.parametrize("codec", CODECS)
def test_flipped_bits_give_cells_or_a_code(driver_on_site: Driver, samples: dict[str, Frame], codec: str) -> None:
    frame, chance = samples[codec], np.random.default_rng(5)
    flipped = []
    for place in [*range(0, 480, 17), *chance.integers(0, 8 * len(frame.data), 12)]:
        data = bytearray(frame.data)
        data[place // 8] ^= 1 << (place % 8)
        flipped.append(changed(frame, bytes(data)))
    answers = decode(driver_on_site, codec, flipped)
    assert {answer.code for answer in answers} <= {
        None,
        "damaged-image",
    }  # nothing has a checksum: a changed value may pass
    assert {len(answer.cells) for answer in answers if answer.cells} <= {len(frame.stored)}
    assert sum(answer.code is not None for answer in answers) >= 10


def test_the_frames_after_a_damaged_one_are_decoded(driver_on_site: Driver, samples: dict[str, Frame]) -> None:
    for codec, frame in samples.items():
        first, second = decode(driver_on_site, codec, [changed(frame, frame.data[:99]), frame])
        assert (first.code, second.cells) == ("damaged-image", frame.stored), codec


def test_a_frame_of_nine_megapixels_is_decoded(driver_on_site: Driver) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    cells = cells_of(3000, 3000, 12)
    data = imagecodecs.jpegls_encode(cells)
    (answer,) = decode(driver_on_site, "jpeg-ls", [Frame("large", "jpeg-ls", data, cells, 16)])
    assert answer.cells == cells.tobytes()
