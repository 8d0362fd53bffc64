"""The table of attacks along the gradient, and what is taken where nothing is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

STRENGTH, STEPS = 0.3, 10  # Yang et al. 2019, section 4
SMALL = 2 / 255  # hardly seen
MOST_STEPS = 1000


@dataclass(frozen=True)
class Attack:
    """A row: whether it goes `steps` steps or one, each of which share of ε, whether it starts anywhere, its words.

    In the documentation stand `name`, `value` and `source` (Markdown), in the page `name` and `sentence`.
    """

    several: bool
    share: Callable[[int], float]
    from_anywhere: bool
    name: str
    value: str
    source: str
    sentence: str


ATTACKS: Mapping[str, Attack] = {
    "fgsm": Attack(
        False,
        lambda steps: 1.0,
        False,
        name="fast gradient sign method",
        value="one step of ε in the sign of the gradient",
        source="Goodfellow et al. 2015",
        sentence="One step, each value as far as it may go.",
    ),
    "bim": Attack(
        True,
        lambda steps: 1 / steps,
        False,
        name="basic iterative method",
        value="`steps` steps of ε / `steps`, each held within ε and the range",
        source="Kurakin et al. 2017",
        sentence="Several small steps, each in the direction that is worst there.",
    ),
    "pgd": Attack(
        True,
        lambda steps: min(1.0, 2.5 / steps),
        True,
        name="projected gradient descent",
        value="`steps` steps of 2.5 ε / `steps`, at most ε, from a random image within ε",
        source="Madry et al. 2018",
        sentence="Several steps from a random start within the limit: mostly the strongest of the three.",
    ),
}
