"""What nobody has measured of a model, as far as its bundle tells."""

from collections.abc import Iterator

from sitegen.site.help.facts import Facts
from sitegen.site.prose import plain
from sitegen_runtime.wording.shares import listed

NOTHING = (
    "**Anything.** Its description holds no figure of how often it is right. Before you believe it, try it on images "
    "of your own whose findings are known: `sitegen evaluate classifier` measures that, with ranges."
)
INSIDE = (
    "**Images from anywhere else.** All rows above are of collections that it also learned from ({names}). Do not "
    "expect them to hold elsewhere: hospitals differ in machines, patients and habits, and a model can learn those in "
    "place of the finding."
)
OUTSIDE = (
    "**More of elsewhere.** It did not learn from {names}: look at those rows first. Of other places nothing is known."
)
FARTHER = (
    "**{}** Do not expect the rows above to hold there: hospitals differ in machines, patients and habits, and a model "
    "can learn those in place of the finding."
)
MEASURED_ELSEWHERE = (
    "**More of elsewhere.** Rows that end in *elsewhere* are of hospitals that it did not learn from: look at those "
    "first. Of other places nothing is known."
)
UNTOLD = (
    "**Whether the rows above are of strangers.** Its description does not say which collections it learned from. If "
    "it learned from the same ones, do not expect the rows to hold elsewhere."
)
ALWAYS = (
    "**Groups of people.** The rows above are not told by age, sex or machine.",
    "**Patients.** The figures are of stored images with known answers, and of nobody's care.",
)
MAPS = "**Maps.** Its description holds no figure on whether its maps point at the right places."


def unmeasured(facts: Facts, *, maps: bool) -> Iterator[str]:
    """Yield entries of a list, in Markdown; `maps` is whether the model can give any."""
    names = [label.name for label in facts.description.labels]
    without = [f"*{plain(name)}*" for name in names if not facts.measured.of(name)]
    if len(without) == len(names):
        yield NOTHING
    else:
        yield _elsewhere(facts)
        if without:
            yield f"**How well it finds {listed(without)}.** No row above is about that."
        yield from ALWAYS
    if maps and facts.bundle.model.localisation is None:
        yield MAPS


def strangers(facts: Facts) -> str:
    """Return a sentence for beside the headline: whether figures are from collections that the model learned from."""
    outside = facts.outside
    if outside is None:
        return "Whether it learned from the same collections is not told."
    if outside:
        return f"Of the collections below, it did not learn from {listed([plain(name) for name in outside])}."
    return "It learned from the same collections: expect more mistakes on images from elsewhere."


def _elsewhere(facts: Facts) -> str:
    first = facts.measured.headline
    if first:
        return FARTHER.format(plain(first.not_measured)) if first.not_measured else MEASURED_ELSEWHERE
    outside = facts.outside
    if outside is None:
        return UNTOLD
    return (OUTSIDE if outside else INSIDE).format(
        names=listed([plain(name) for name in outside or facts.made.learned_from])
    )
