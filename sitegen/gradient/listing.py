"""The table of operators in the documentation, written from the rules themselves (see `sitegen.listing`)."""

import re

from sitegen.gradient.rules import RULES


def operator_table() -> str:
    """Return a Markdown table of all operators with their rules' formulas, in the order of the alphabet."""
    names: dict[str, list[str]] = {}
    for operator, rule in RULES.items():
        formula = (rule.__doc__ or "").strip().splitlines()[0].strip()
        names.setdefault(formula, []).append(operator)
    rows = sorted((", ".join(sorted(operators)), formula) for formula, operators in names.items())
    lines = [f"| {operators} | {_escaped(formula)} |" for operators, formula in rows]
    return "\n".join(["| operator | gradient |", "|---|---|", *lines])


def _escaped(formula: str) -> str:
    return re.sub(r"([|*_<\[\]])", r"\\\1", formula)
