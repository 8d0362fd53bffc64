"""The tables of the documentation that are written from tables of the code, so that they cannot fall behind.

    python -m sitegen.listing docs/*.md      write them again

A page says where: <!-- NAME: begin --> and <!-- NAME: end -->, with a NAME of TABLES.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from sitegen.bundle.gate import ALWAYS_GIVEN
from sitegen.calibration.fit import FITS
from sitegen.gradient.listing import operator_table
from sitegen_runtime.attacks.table import ATTACKS
from sitegen_runtime.calibration import CALIBRATIONS
from sitegen_runtime.gate.metrics import COMBINED, METRICS, SSIM
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

_OF_GRAPH = {
    "gate": "the gate's output `{}`",
    "classifier": "the classifier's output `{}`",
    "features": "the features graph with `{}`",
}


def metric_table() -> str:
    """Return a Markdown table of the gate's metrics: stage, direction, value."""
    rows = (
        (f"`{name}`", str(row.stage or "as its parts"), row.higher, _escaped(row.value))
        for name, row in METRICS.items()
    )
    return _table(("`metric`", "stage", "higher is", "value"), rows)


def needs_table() -> str:
    """Return a Markdown table of what metrics need beyond what every bundle with a gate has."""
    metrics: dict[str, list[str]] = {}
    for name in METRICS:
        if name != SSIM:
            metrics.setdefault("; ".join(_needs(name)) or "nothing more", []).append(f"`{name}`")
    return _table(("`metric`", "needs"), ((", ".join(names), needs) for needs, names in metrics.items()))


def calibration_table() -> str:
    """Return a Markdown table of the calibrations: the numbers of each, and what they make."""
    rows = ((f'`"{name}"`', _numbers(row.numbers), _escaped(row.value)) for name, row in CALIBRATIONS.items())
    return _table(
        ("`method`", "beside it", "what people read, from the logit z or the probability p = 1 / (1 + e^−z)"), rows
    )


def fit_table() -> str:
    """Return a Markdown table of how each calibration is fitted."""
    rows = ((f'`"{name}"`', _escaped(_first_paragraph(fit))) for name, fit in FITS.items())
    return _table(("`method`", "fitted by"), rows)


def method_table() -> str:
    """Return a Markdown table of the methods of explanation: the map, and whose it is."""
    rows = ((f"`{name}`", row.value, row.source) for name, row in METHODS.items())
    return _table(("method", "map", "of"), rows)


def attack_table() -> str:
    """Return a Markdown table of the attacks along the gradient: their steps, and whose they are."""
    rows = ((f"`{name}`", row.name, row.value, row.source) for name, row in ATTACKS.items())
    return _table(("attack", "in words", "steps", "of"), rows)


def correction_table() -> str:
    """Return a Markdown table of the corrections: what each does to an image."""
    rows = ((f"`{name}`", row.noted) for name, row in CORRECTIONS.items())
    return _table(("`correction`", "the image is"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "operators": operator_table,
    "metrics": metric_table,
    "needs": needs_table,
    "calibrations": calibration_table,
    "fits": fit_table,
    "methods": method_table,
    "corrections": correction_table,
    "attacks": attack_table,
}


def with_tables(page: str) -> str:
    """Return a page with all tables between their marks made anew; a page without marks stays as it is."""
    marked = re.compile(f"(<!-- ({'|'.join(TABLES)}): begin -->\n).*?(<!-- \\2: end -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [f"| {' | '.join(cells)} |" for cells in (names, *rows)]
    return "\n".join([lines[0], "|---" * len(names) + "|", *lines[1:]])


def _needs(metric: str) -> Iterator[str]:
    row = METRICS[metric]
    if metric == COMBINED:
        yield "`combination`, and what its parts need"
    for graph, output in row.needs:
        if (graph, output) not in ALWAYS_GIVEN:
            yield _OF_GRAPH[graph].format(output)
    yield from (f"`{setting}`" for setting in row.settings)


def _numbers(numbers: Mapping[str, str]) -> str:
    told = [f"`{name}`, {bound}" if bound else f"`{name}`" for name, bound in numbers.items()]
    return "; ".join(told) or "nothing"


def _first_paragraph(fit: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(fit) or "").split("\n\n")[0].split())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")
