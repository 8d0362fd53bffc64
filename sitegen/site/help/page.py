"""The page as Markdown: what is the same for all models, and a section for each, made of what its bundle knows."""

from collections.abc import Iterator, Sequence
from typing import Any

from sitegen import __version__
from sitegen.bundle import Bundle
from sitegen.site.bundle_assets import card_page
from sitegen.site.help.facts import Facts
from sitegen.site.help.mistakes import flagged_anyway, headline, remarks, rows, worth_of_a_flag
from sitegen.site.help.percentages import borders, example, meanings
from sitegen.site.help.refusals import refusals
from sitegen.site.help.unmeasured import unmeasured
from sitegen.site.options import SiteOptions
from sitegen.site.prose import fill_markdown, plain
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.wording.explanations import describe_methods
from sitegen_runtime.wording.localisation import worth_of_maps
from sitegen_runtime.wording.shares import listed

TITLE = "How to read a result"


def help_text(bundles: Sequence[Bundle], options: SiteOptions | None = None) -> str:
    """Return the page of a site with these bundles, in the order in which they stand there."""
    options = options or SiteOptions()
    models = [_model(Facts(bundle, card_page(number, bundle))) for number, bundle in enumerate(bundles)]
    return fill_markdown(
        "help.md.j2",
        title=TITLE,
        models=models,
        level="###" if len(models) > 1 else "##",
        gated=any(bundle.description.gate for bundle in bundles),
        methods=list(dict.fromkeys(method for model in models for method in model["methods"])),
        served=options.service_worker,
        contact=options.contact,
        version=__version__,
    )


def _model(facts: Facts) -> dict[str, Any]:
    """What the template says of one model: all of it Markdown."""
    methods = dict(_methods(facts))
    return {
        "title": plain(facts.description.title),
        "named": plain(f"{facts.description.name} {facts.description.version}"),
        "card": facts.card,
        "headline": headline(facts),
        "meanings": list(meanings(facts)),
        "borders": borders(facts),
        "example": example(facts),
        "rows": rows(facts),
        "related": any(group.images.relation for group in facts.measured.groups),
        "several": len(facts.description.labels) > 1,
        "remarks": " ".join(remarks(facts)),
        "flagged_anyway": flagged_anyway(facts),
        "weak": [f"*{plain(label.name)}* ({plain(label.weak)})" for label in facts.description.labels if label.weak],
        "flag": worth_of_a_flag(facts),
        "refusals": list(refusals(facts)),
        "methods": list(methods.values()),
        "maps": listed(list(methods)),
        "worth": [f"**{METHODS[method].name}.** {plain(told)}" for method, told in worth_of_maps(facts.bundle.model)],
        "unmeasured": list(unmeasured(facts, maps=bool(methods))),
    }


def _methods(facts: Facts) -> Iterator[tuple[str, str]]:
    """The maps that a model can give: the name of each, and what it shows and what to beware of."""
    for method in describe_methods(facts.bundle.model)["methods"]:
        if not method["reason"]:
            warning = f" {method['warning']}" if method["warning"] else ""
            yield plain(method["name"]), f"**{plain(method['name'])}.** {plain(method['sentence'] + warning)}"
