"""How long the runtime would need for a JPEG, counted as it goes: bytes, transitions of the automaton, and pixels.

It counts work, not time, so that every machine, and the page, refuses the same files. What was kept of files before
makes a file cheaper, though: where that could decide, the automata are forgotten and the file is counted anew.
"""

from collections.abc import Collection
from typing import Protocol

from sitegen_runtime.errors import TooLarge
from sitegen_runtime.formats.jpeg_frame import Frame
from sitegen_runtime.formats.told import Told

BYTE, INTERVAL, TRANSITION = 120, 4_000, 4_000
"""Nanoseconds in CPython for a byte of image data, for what stands between two restart markers, and for a transition of
the automaton that was not met before."""

GREY_PIXEL, COLOUR_PIXEL = 10, 18
"""Nanoseconds in CPython for a pixel that is decoded and averaged."""

LIMIT = 12_000_000_000
"""In the same unit. Three times what a PNG may take (see `png.cost`): a radiograph of 12 megapixels that was saved in
colour, and a photograph of one, come to 5 s, and people have those."""


_MOST_SCANS = 100


class Doubtful(Exception):
    """What was kept of other files may decide whether this one is too much."""


class Walked(Protocol):
    """An automaton: how many transitions it has made in all, and how many it knows now."""

    made: int
    transitions: int


class CheckingCost:
    """Adds up what one file costs, and tells how far it has come. With `cold`, no automaton knows files before."""

    def __init__(self, told: Told | None = None, cold: bool = False) -> None:
        self.is_sure_to_fit = False
        """Whether the file fits even if each of its bytes is a new transition, so that none need be counted."""
        self._told = told or Told(None, 1)
        self._cold = cold
        self._frame: Frame | None = None
        self._cost = 0
        self._bytes = 0
        self._transitions = 0
        self._walked = 0
        self._spared = 0
        self._begun: set[int] = set()
        self._made = 0

    def pixels(self, frame: Frame, size: int) -> None:
        """Count the pixels of the image, in a file of so many bytes."""
        self._frame = frame
        self._cost += frame.width * frame.height * (GREY_PIXEL if len(frame.components) == 1 else COLOUR_PIXEL)
        # A restart marker takes two bytes, which are not walked over: an interval costs less than those would.
        self.is_sure_to_fit = self._cost + size * (BYTE + TRANSITION) + _MOST_SCANS * INTERVAL <= LIMIT

    def begin(self, counter: Walked, intervals: Collection[bytes]) -> None:
        """Count the bytes of a scan before an automaton walks over them. Raises as `made` does."""
        if id(counter) not in self._begun:  # a later one of the same number was made for this file, and knows nothing
            self._spared += counter.transitions * TRANSITION
            self._begun.add(id(counter))
        size = sum(map(len, intervals))
        self._made = counter.made
        self._bytes += size
        self._cost += size * BYTE + len(intervals) * INTERVAL
        self._check()

    def made(self, counter: Walked, walked: int) -> None:
        """Count transitions since the last call, over so many bytes.

        Raises TooLarge beyond the limit; Doubtful where what was kept of files before may matter.
        """
        new = (counter.made - self._made) * TRANSITION
        self._cost += new
        self._transitions += new
        self._walked += walked
        self._told.at(self._walked)
        self._made = counter.made
        self._check()

    def _check(self) -> None:
        if not self._cold and self._cost + self._spared > LIMIT:
            raise Doubtful
        if self._cost > LIMIT and self._frame:
            width, height = self._frame.width, self._frame.height
            fitting = max(1, int(width * height * LIMIT / self._foreseen() / 1e6))
            raise TooLarge(
                f"Reading this JPEG of {width:,} x {height:,} pixels, with {self._bytes / 1e6:.1f} MB of image data, "
                f"would take too long. Save it with more compression, or with at most {fitting} million pixels."
            )

    def _foreseen(self) -> float:
        """What all would cost, if the bytes to come had as many new transitions as those before."""
        share = self._walked / self._bytes if self._walked else 1
        return self._cost + self._transitions * (1 / share - 1)
