"""Whether a frame of lossless JPEG (ITU-T T.81, process 14) has the data of all its pixels.

libjpeg fills up what is missing with zeros and says so nowhere. So a frame is decoded twice, the second time with bits
that are no zeros behind the data of each restart interval: where no pixel lacks data, nobody looks at them.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.wording.failures import UNDECODABLE

_BEHIND = bytes.fromhex("b6d5936bad5ab5ad") * 8
_END = re.compile(rb"\xff([\xd0-\xd7\xd9])")
"""What ends an interval: a restart, or the image's end. In data 0xFF is followed by 0."""
_SCAN, _RESTART_INTERVAL = 0xDA, 0xDD

Decoder = Callable[[bytes], Any]


def decode_whole(frame: bytes, columns: int, rows: int, decode: Decoder) -> NDArray[Any]:
    """Return the cells of a frame, as `decode` gives them.

    Raises DamagedImage where data are missing, and whatever `decode` does.
    """
    start, restart = _scan(frame)
    data = frame[start:]
    ends = _END.findall(data)
    if b"\xd9" not in ends or 8 * len(data) < columns * rows:  # no pixel takes less than a bit
        raise DamagedImage(UNDECODABLE)
    restarts = ends.index(b"\xd9")
    if restarts != (-(-columns * rows // restart) - 1 if restart else 0):
        raise DamagedImage(UNDECODABLE)
    cells = np.asarray(decode(frame))
    again = np.asarray(decode(frame[:start] + _END.sub(lambda end: _BEHIND + end[0], data)))
    if not np.array_equal(cells, again):
        raise DamagedImage(UNDECODABLE)
    return cells


def _scan(frame: bytes) -> tuple[int, int]:
    """Where the data of the scan begin, and how many pixels lie between restarts; 0 where there are none."""
    place, restart = 2, 0
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        if frame[place + 1] == 0xFF:  # a fill byte
            place += 1
            continue
        code, size = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4], "big")
        if code == _RESTART_INTERVAL:
            restart = int.from_bytes(frame[place + 4 : place + 6], "big")
        place += 2 + max(2, size)
        if code == _SCAN:
            return place, restart
    raise DamagedImage(UNDECODABLE)
