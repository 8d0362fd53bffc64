"""The report of `sitegen verify` as tables for a terminal."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from sitegen.browser.parity import bin_names

EFFECTS = {
    "what_if": "what if: probability",
    "logits": "what if: logit",
    "gate": "what if: gate",
    "maps": "causal effect map",
}
_BLOCKS = " ▁▂▃▄▅▆▇█"


def as_tables(report: dict[str, Any]) -> Iterator[Table]:
    """Yield, for each bundle, a table of the checks, and one of the differences for each finding with histograms."""
    browser = report["browser"]
    for part in report["bundles"]:
        named = f"{part['name']} {part['version']}: " if len(report["bundles"]) > 1 else ""
        yield _checks(part, f"{named}{browser['name']} {browser['version']}, {part['images']} images")
        yield _differences(part, report["chester"])


def _checks(bundle: dict[str, Any], title: str) -> Table:
    table = Table("transport", "ready", "tensors identical", "errors, both sides", "requests outside", title=title)
    for transport, part in bundle["transports"].items():
        tensors = ", ".join(f"{kind} {n['identical']}/{n['total']}" for kind, n in sorted(part["tensors"].items()))
        errors = ", ".join(f"{code} {count}" for code, count in sorted(part["errors"].items()))
        outside = str(len(part["requests_outside"]))
        table.add_row(transport, f"{part['ready_ms']:.0f} ms", tensors or "none", errors or "none", outside)
    return table


def _rows(bundle: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for transport, part in bundle["transports"].items():
        for label, summary in part["findings"].items():
            yield transport, label, summary
        yield transport, "gate score", part["gate"]
        for metric, summary in part["scores"].items():
            yield transport, f"gate: {metric}", summary
        for kind, words in EFFECTS.items():
            yield transport, words, part["effects"][kind]


def _differences(bundle: dict[str, Any], chester: dict[str, float]) -> Table:
    caption = f"histogram bins: {', '.join(bin_names())}; counts are in the JSON report"
    table = Table("transport", "quantity", "images", "mean", "maximum", "histogram", caption=caption)
    table.title = "Differences between page and Python"
    for transport, label, summary in _rows(bundle):
        figures = str(summary["count"]), f"{summary['mean']:.1e}", f"{summary['max']:.1e}"
        table.add_row(transport, label, *figures, _bars(summary["histogram"]))
    table.add_section()
    table.add_row("", "Chester (2020)", "20", f"±{chester['mean']:.0%}", f"{chester['worst']:.0%}", "")
    return table


def _bars(counts: list[int]) -> str:
    most = max(counts) or 1
    return "│" + "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts) + "│"
