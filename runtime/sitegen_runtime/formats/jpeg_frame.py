"""The frame header of a JPEG file: size, components, sampling (ITU-T T.81, B.2.2)."""

from dataclasses import dataclass, field

from sitegen_runtime.errors import DamagedImage, UnsupportedType

_NEXT_STEP = "Save the image as plain JPEG or PNG and try again."
_DAMAGED = "The header of the JPEG file is damaged. Copy it again from its source."

_PROGRESSIVE = 0xC2
_HUFFMAN_CODED = (0xC0, 0xC1, _PROGRESSIVE)
_MAX_BLOCKS_IN_MCU = 10


@dataclass
class Component:
    """One component (grey, or a colour), and how far the scans so far have brought each coefficient."""

    number: int
    across: int
    """Horizontal sampling factor, 1 to 4."""
    down: int
    """Vertical sampling factor, 1 to 4."""
    quantisation: int
    low_bits: list[int] = field(default_factory=lambda: [-1] * 64)
    """For each coefficient: -1 while it is unknown, else how many of its low bits are still to come."""


@dataclass
class Frame:
    """A frame that libjpeg decodes: Huffman-coded, 8 bits, one or three components."""

    width: int
    height: int
    progressive: bool
    components: list[Component]

    @property
    def across(self) -> int:
        """The largest horizontal sampling factor."""
        return max(component.across for component in self.components)

    @property
    def most_intervals(self) -> int:
        """The most parts between restart markers that a scan may have: the 8 x 8 blocks, and some that are empty."""
        return -(-self.width // 8) * -(-self.height // 8) + 16

    @property
    def down(self) -> int:
        """The largest vertical sampling factor."""
        return max(component.down for component in self.components)

    def mcus(self, components: list[Component]) -> int:
        """How many minimum coded units a scan of these components has (T.81, A.2)."""
        if len(components) > 1:
            return -(-self.width // (8 * self.across)) * -(-self.height // (8 * self.down))
        (only,) = components
        columns = -(-self.width * only.across // self.across)
        rows = -(-self.height * only.down // self.down)
        return -(-columns // 8) * -(-rows // 8)


def read_frame(code: int, body: bytes) -> Frame:
    """The frame in the body of a segment with marker 0xFF, `code`.

    Raises UnsupportedType for the kinds of JPEG that are not read here, DamagedImage for what contradicts itself.
    """
    if code not in _HUFFMAN_CODED:
        raise UnsupportedType(f"This is {_other_process(code)}, which is not read here. {_NEXT_STEP}")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise DamagedImage(_DAMAGED)
    if body[0] != 8:
        raise UnsupportedType(f"This JPEG has {body[0]} bits per sample, and only 8 are read. {_NEXT_STEP}")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if height == 0:
        raise UnsupportedType(f"This JPEG states its height only after its image data. {_NEXT_STEP}")
    if body[5] not in (1, 3):
        colours = "CMYK colours" if body[5] == 4 else f"{body[5]} components"
        raise UnsupportedType(f"This JPEG has {colours}; only grey, RGB and YCbCr are read. {_NEXT_STEP}")
    components = [_component(body[position : position + 3]) for position in range(6, len(body), 3)]
    frame = Frame(width, height, code == _PROGRESSIVE, components)
    _check_sampling(frame)
    return frame


def _component(body: bytes) -> Component:
    """One component from its three bytes."""
    number, across, down, quantisation = body[0], body[1] >> 4, body[1] & 15, body[2]
    if not (1 <= across <= 4 and 1 <= down <= 4 and quantisation <= 3):
        raise DamagedImage(_DAMAGED)
    return Component(number, across, down, quantisation)


def _check_sampling(frame: Frame) -> None:
    """Raise DamagedImage for equal component numbers, UnsupportedType for sampling that libjpeg cannot undo."""
    components = frame.components
    if len({component.number for component in components}) < len(components):
        raise DamagedImage(_DAMAGED)
    fractional = any(frame.across % part.across or frame.down % part.down for part in components)
    blocks = sum(part.across * part.down for part in components)
    if fractional or (len(components) > 1 and blocks > _MAX_BLOCKS_IN_MCU):
        raise UnsupportedType(f"This JPEG samples its colours in a way that is not read here. {_NEXT_STEP}")


def _other_process(code: int) -> str:
    """What a frame marker that is not read stands for (T.81, table B.1), with its article."""
    if code in (0xC3, 0xC7):
        return "a lossless JPEG"
    if code in (0xC5, 0xC6):
        return "a hierarchical JPEG"
    return "a JPEG with arithmetic coding"
