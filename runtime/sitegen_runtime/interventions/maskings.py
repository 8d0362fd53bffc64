"""The one table of maskings: distributions of interventions that change a share of the image, drawn from a seed.

A mask has a byte for each cell of a grid (rows, columns), row-major: 1 where the cell is changed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import sqrt

from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.pixels.grids import Shape

SHARE = 0.1  # of the image, as in Yang et al. 2019


@dataclass(frozen=True)
class Masking:
    """A row: what gives masks without end, and what one is in the documents' words."""

    draw: Callable[[Shape, float, Draws], Iterator[bytes]]
    value: str


def draw_masks(name: str, grid: Shape, share: float, runs: int, seed: int) -> list[bytes]:
    """Return `runs` masks of one of MASKINGS, each of about that share of the cells.

    Raises BadIntervention where there is no such masking, the share is not above 0 and at most 0.5, or there are not
    two runs at least.
    """
    if name not in MASKINGS:
        raise BadIntervention(f"There is no masking {name!r}. There are {', '.join(map(repr, MASKINGS))}.")
    if not 0 < share <= 0.5:
        raise BadIntervention(f"The share must be above 0 and at most 0.5 of the image, not {share!r}.")
    if runs < 2:
        raise BadIntervention(f"Two runs at least are needed to tell how sure an effect is, not {runs!r}.")
    return list(islice(MASKINGS[name].draw(grid, share, Draws(seed)), runs))


def _pixels(grid: Shape, share: float, draws: Draws) -> Iterator[bytes]:
    cells = grid[0] * grid[1]
    count = max(1, int(share * cells + 0.5))
    while True:
        mask = bytearray(cells)
        for place in draws.places(count, cells):
            mask[place] = 1
        yield bytes(mask)


def _squares(grid: Shape, share: float, draws: Draws) -> Iterator[bytes]:
    rows, columns = grid
    down, across = (max(1, int(sqrt(share) * cells + 0.5)) for cells in grid)
    while True:
        left, top = draws.below(columns - across + 1), draws.below(rows - down + 1)
        yield _rectangle(grid, (top, top + down), (left, left + across))


def _grid(grid: Shape, share: float, draws: Draws) -> Iterator[bytes]:
    across = min(*grid, max(2, int(1 / sqrt(share) + 0.5)))
    down, right = ([number * cells // across for number in range(across + 1)] for cells in grid)
    while True:
        for place in draws.places(across * across, across * across):
            row, column = divmod(place, across)
            yield _rectangle(grid, (down[row], down[row + 1]), (right[column], right[column + 1]))


def _rectangle(grid: Shape, rows: tuple[int, int], columns: tuple[int, int]) -> bytes:
    mask, line, cells = bytearray(grid[0] * grid[1]), b"\1" * (columns[1] - columns[0]), grid[1]
    for row in range(*rows):
        mask[row * cells + columns[0] : row * cells + columns[1]] = line
    return bytes(mask)


MASKINGS: Mapping[str, Masking] = {
    "pixels": Masking(_pixels, "so many single cells, each set of them as likely as the others"),
    # Of an input that is no square, a rectangle of its form.
    "squares": Masking(_squares, "one square of so many cells, as likely at each place where it fits"),
    "grid": Masking(
        _grid, "one block of a grid of 1/√share by 1/√share blocks, each once, in a random order, before any again"
    ),
}
