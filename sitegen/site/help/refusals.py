"""What the gate of a bundle refuses: whose it is, how often it refuses, and what is not known of it."""

from collections.abc import Iterator

from sitegen.site.help.facts import Facts
from sitegen.site.help.frequencies import count_failed, failed, named
from sitegen.site.prose import plain
from sitegen_runtime.wording.shares import listed

NO_GATE = (
    "**This model has no gate.** Nothing checks whether an image is of the right kind: a photograph of a street gets "
    "percentages, too. Look at the image yourself before you read the bars."
)
NOT_TOLD = "How many images of other kinds it lets pass is not in the model's description: look at the image yourself."


def refusals(facts: Facts) -> Iterator[str]:
    """Yield paragraphs in Markdown."""
    if facts.description.gate is None:
        yield NO_GATE
        return
    yield " ".join(_how_often(facts))
    yield NOT_TOLD


def _how_often(facts: Facts) -> Iterator[str]:
    gate = facts.description.gate
    borrowed = facts.made.borrowed_gate
    if borrowed:
        yield (
            f"The gate was taken over from another model, *{plain(borrowed.bundle)}*: what it calls unlike is unlike "
            "the images that it was made with there."
        )
    elif not facts.made.fitted_gate:
        yield "How the gate was set is not told."
    if gate and gate.share is not None and facts.made.fitted_gate:
        passing = f"{100 * gate.share:g} or more pass"
        yield f"The gate's limits were set so that of 100 validation images {passing}: it refuses good ones, too."
    if not facts.measured.accepted:
        yield "How often it refuses images that are right for this model nobody has measured here."
        return
    told = sorted(facts.measured.accepted, key=lambda each: each[1].value)
    images, share = told[0]
    others = [f"{count_failed(rate, 100)} of 100 {named(which)}" for which, rate in told[1:]]
    yield f"Of 100 {named(images)} it refused {failed(share)}{f'; {listed(others)}' if others else ''}."
