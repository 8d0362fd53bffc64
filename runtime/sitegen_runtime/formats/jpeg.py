"""Checks of JPEG files: every segment, and the whole of the entropy-coded data, before any decoder.

The format is ITU-T T.81; what libjpeg does with odd files is what browsers and Pillow do. What remains undetected:
changed bits that leave every count right (values of coefficients or of tables), and damage inside those scans of a
progressive file that refine AC coefficients, of which only the presence is checked. All decoders built on libjpeg then
still show the same pixels.
"""

import re

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.exif import orientation
from sitegen_runtime.formats.inspected import PLATFORM, TRUNCATED, InspectedImage, check_parts, check_size
from sitegen_runtime.formats.jpeg_cost import CheckingCost, Doubtful
from sitegen_runtime.formats.jpeg_entropy import block_counter
from sitegen_runtime.formats.jpeg_frame import Frame, read_frame
from sitegen_runtime.formats.jpeg_scan import ScanTables, check_complete, check_scan
from sitegen_runtime.formats.jpeg_tables import STANDARD_CODES, huffman_segment, huffman_tables, quantisation_tables
from sitegen_runtime.formats.sniff import JPEG
from sitegen_runtime.formats.told import Tell, Told

_FILL = re.compile(rb"\xff*")
_COPY_AGAIN = "Copy it again from its source."

_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
"""JFIF 1.1 without density or thumbnail: three components are YCbCr."""

_ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\0"
"""Adobe's marker with colour transform 0: three components are RGB."""

_SURPLUS = "The file holds bytes or restart markers that belong to no part of the image. They were left out."
_STANDARD = "The file lacks tables that its image data needs. The JPEG standard's own were taken, as other programs do."

_RST0, _RST7 = 0xD0, 0xD7
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_DHT, _DQT, _DNL, _DRI = 0xC4, 0xDB, 0xDC, 0xDD
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_DAC = 0xCC
_FRAMES = set(range(0xC0, 0xD0)) - {_DHT, _DAC, 0xC8}

_MAX_SCANS = 100
"""More than any encoder writes (a progressive colour image has about ten); a file of thousands would stall decoders."""

_MAX_CODES = 10_000
"""Huffman tables: eight for each of the most scans there may be are 800."""


def inspect_jpeg(data: bytes, max_pixels: int, tell: Tell | None = None) -> InspectedImage:
    """Check a JPEG file that starts with its start-of-image marker.

    Raises DamagedImage, UnsupportedType or TooLarge. The payload keeps tables, frame and scans up to the end of the
    image, behind one marker that states the colour space as libjpeg would have guessed it.
    """
    told = Told(tell, len(data))
    walk = _Walk(data, max_pixels, CheckingCost(told))
    try:
        frame = walk.run()
    except Doubtful:
        block_counter.cache_clear()
        walk = _Walk(data, max_pixels, CheckingCost(told, cold=True))
        frame = walk.run()
    return InspectedImage(
        media_type=JPEG,
        width=frame.width,
        height=frame.height,
        bits=8,
        grey=len(frame.components) == 1,
        orientation=walk.orientation or 1,
        decoder=PLATFORM,
        payload=b"".join([b"\xff\xd8", walk.colour_marker(frame), *walk.kept, b"\xff\xd9"]),
        notes=tuple(walk.notes),
    )


class _Walk:
    """One walk from marker to marker, with the tables defined so far and the segments to keep."""

    def __init__(self, data: bytes, max_pixels: int, cost: CheckingCost) -> None:
        self._cost = cost
        self.kept: list[bytes] = []
        self.notes: dict[str, None] = {}
        self.orientation = 0
        self._data = data
        self._unstuffed = b""
        self._max_pixels = max_pixels
        self._frame: Frame | None = None
        self._tables = ScanTables()
        self._scans = 0
        self._parts = 0
        self._codes = 0
        self._jfif = False
        self._adobe_transform: int | None = None

    def run(self) -> Frame:
        """Walk to the end of the image; the frame is returned, the segments are in `kept`."""
        position = 2
        while True:
            code, position = self._marker(position)
            if code == _EOI:
                break
            self._parts += 1
            check_parts(self._parts, len(self._data))
            if _RST0 <= code <= _RST7:
                self.notes[_SURPLUS] = None
                continue
            body, position = self._segment(code, position)
            if code == _SOS:
                position = self._scan(body, position)
            else:
                self._take(code, body)
        if self._frame is None or not self._scans:
            raise DamagedImage(f"The file holds no image data. {_COPY_AGAIN}")
        check_complete(self._frame)
        return self._frame

    def _marker(self, position: int) -> tuple[int, int]:
        """The code of the marker at `position`, after any fill bytes (T.81, B.1.1.2), and the place behind it."""
        data = self._data
        if data[position : position + 1] not in (b"\xff", b""):
            raise DamagedImage(f"The file is damaged after its first {position:,} bytes. {_COPY_AGAIN}")
        fill = _FILL.match(data, position)
        position = fill.end() if fill else position
        if position >= len(data):
            raise DamagedImage(TRUNCATED)
        return data[position], position + 1

    def _segment(self, code: int, position: int) -> tuple[bytes, int]:
        """The body of the segment whose length stands at `position`, and the place behind it."""
        if code < 0xC0 or _SOI > code >= 0xD0 or code == _SOI:
            raise DamagedImage(f"The file is damaged after its first {position:,} bytes. {_COPY_AGAIN}")
        length = int.from_bytes(self._data[position : position + 2], "big")
        end = position + length
        if end > len(self._data) or position + 2 > len(self._data):
            raise DamagedImage(TRUNCATED)
        if length < 2:
            raise DamagedImage(f"The file is damaged after its first {position:,} bytes. {_COPY_AGAIN}")
        return self._data[position + 2 : end], end

    def _take(self, code: int, body: bytes) -> None:
        """Check a segment other than a scan, and keep it where decoders need it."""
        if code in _FRAMES:
            self._take_frame(code, body)
        elif code == _DQT:
            self._tables.quantisation.update(quantisation_tables(body))
        elif code == _DHT:
            self._take_codes(body)
        elif code == _DRI:
            if len(body) != 2:
                raise DamagedImage(f"The restart interval of the JPEG file is damaged. {_COPY_AGAIN}")
            self._tables.restart_interval = int.from_bytes(body, "big")
        elif _APP0 <= code <= _APP15:
            self._take_application_data(code, body)
            return
        elif code in (_COM, _DNL, _DAC):
            return
        else:
            raise UnsupportedType(
                "The JPEG file uses an extension (JPEG-LS or a hierarchy of frames) that is not read here. "
                "Save it as plain JPEG or PNG."
            )
        self.kept.append(_segment_bytes(code, body))

    def _take_codes(self, body: bytes) -> None:
        """Note the Huffman tables of a segment."""
        for kind, number, code in huffman_tables(body):
            self._tables.huffman[kind, number] = code
            self._codes += 1
            if self._codes > _MAX_CODES:
                raise UnsupportedType(
                    f"The JPEG file has more than {_MAX_CODES:,} Huffman tables. Save it as plain JPEG or PNG."
                )

    def _take_frame(self, code: int, body: bytes) -> None:
        """Read the frame header, of which there must be one."""
        if self._frame is not None:
            raise DamagedImage(f"The file holds two frame headers. {_COPY_AGAIN}")
        self._frame = read_frame(code, body)
        check_size(self._frame.width, self._frame.height, self._max_pixels)
        self._cost.pixels(self._frame, len(self._data))

    def _take_application_data(self, code: int, body: bytes) -> None:
        """Note orientation and colour space; libjpeg settles the latter at the first scan."""
        if self._scans:
            return
        if code == _APP0 and len(body) >= 14 and body.startswith(b"JFIF\0"):
            self._jfif = True
        elif code == _APP14 and len(body) >= 12 and body.startswith(b"Adobe"):
            self._adobe_transform = body[11]
        elif code == _APP1 and body.startswith(b"Exif\0") and not self.orientation:
            self.orientation = orientation(b"Exif\0\0" + body[6:])

    def _scan(self, header: bytes, position: int) -> int:
        """Check a scan whose entropy-coded data starts at `position`; the place of the marker after it is returned."""
        if self._frame is None:
            raise DamagedImage(f"The file's image data comes before its header. {_COPY_AGAIN}")
        self._scans += 1
        if self._scans > _MAX_SCANS:
            raise UnsupportedType(f"The JPEG file has more than {_MAX_SCANS} scans. Save it as plain JPEG or PNG.")
        intervals: list[bytes] = []
        restarts = bytearray()
        start, most = position, self._frame.most_intervals
        while True:
            if len(intervals) > most:
                raise DamagedImage(f"The JPEG file's image data is cut into too many parts. {_COPY_AGAIN}")
            end, code, after = self._marker_in_scan(start)
            intervals.append(self._data[start:end])
            if not _RST0 <= code <= _RST7:
                break
            restarts.append(code)
            start = after
        self._take_standard_codes(header)
        kept = self._data[position:end]
        if check_scan(self._frame, self._tables, header, intervals, bytes(restarts), self._cost):
            kept = _scan_bytes(intervals)
            self.notes[_SURPLUS] = None
        self.kept += [_segment_bytes(_SOS, header), kept]
        return end

    def _marker_in_scan(self, start: int) -> tuple[int, int, int]:
        """Where the next marker's first byte is, its code, and where it ends; a run of 0xFF before zero is none.

        It is looked for where stuffed bytes are gone, which takes a fifth of a regular expression's time.
        """
        data = self._data
        if not self._unstuffed:
            self._unstuffed = data.replace(b"\xff\0", b"\0\0")
        while (found := self._unstuffed.find(b"\xff", start)) >= 0:
            run = _FILL.match(data, found)
            start = run.end() if run else found
            if start < len(data) and data[start]:
                return found, data[start], start + 1
        raise DamagedImage(TRUNCATED)

    def _take_standard_codes(self, header: bytes) -> None:
        """Define the standard's Huffman codes where a sequential scan asks for some that the file lacks."""
        if self._frame is None or self._frame.progressive:
            return
        for numbers in header[2:-3:2]:
            for key in ((0, numbers >> 4), (1, numbers & 15)):
                if key in STANDARD_CODES and key not in self._tables.huffman:
                    code = self._tables.huffman[key] = STANDARD_CODES[key]
                    self.kept.append(_segment_bytes(_DHT, huffman_segment(*key, code)))
                    self.notes[_STANDARD] = None

    def colour_marker(self, frame: Frame) -> bytes:
        """One marker for the colour space that libjpeg's `default_decompress_parms` (jdapimin.c) would choose."""
        rgb = False
        if len(frame.components) == 3 and not self._jfif:
            if self._adobe_transform is not None:
                rgb = self._adobe_transform == 0
            else:
                rgb = bytes(component.number for component in frame.components) == b"RGB"
        return _ADOBE_RGB if rgb else _JFIF


def _scan_bytes(intervals: list[bytes]) -> bytes:
    """Intervals without byte stuffing as they stand in a file, with restart markers between them."""
    parts = [intervals[0].replace(b"\xff", b"\xff\0")]
    for number, interval in enumerate(intervals[1:]):
        parts += [bytes((0xFF, _RST0 + number % 8)), interval.replace(b"\xff", b"\xff\0")]
    return b"".join(parts)


def _segment_bytes(code: int, body: bytes) -> bytes:
    """A segment as it stands in a file."""
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body
