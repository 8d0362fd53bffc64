"""Drawing at random, the same everywhere: whole numbers of the Mersenne Twister that starts with a seed."""

from random import Random


class Draws:
    """A stream of random whole numbers; the same seed gives the same numbers, in CPython and in the page."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 (these numbers keep no secret)

    def bits(self, count: int) -> int:
        """Return a whole number of so many random bits."""
        return self._random.getrandbits(count)

    def below(self, limit: int) -> int:
        """Return one of the whole numbers 0 to limit - 1, each as likely as the others."""
        bits = limit.bit_length()
        while (number := self._random.getrandbits(bits)) >= limit:
            pass
        return number

    def places(self, count: int, of: int) -> list[int]:
        """Return `count` different numbers of 0 to `of` - 1, in a random order: a shuffle that stops early."""
        numbers = list(range(of))
        for place in range(count):
            other = place + self.below(of - place)
            numbers[place], numbers[other] = numbers[other], numbers[place]
        return numbers[:count]
