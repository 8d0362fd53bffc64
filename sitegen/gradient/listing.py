"""The table of operators in the documentation, written from the rules themselves.

python -m sitegen.gradient.listing docs/gradients.md      write it again
"""

import re
import sys
from pathlib import Path

from sitegen.gradient.rules import RULES

BEGIN, END = "<!-- operators: begin -->", "<!-- operators: end -->"


def operator_table() -> str:
    """Return a Markdown table of all operators with their rules' formulas, in the order of the alphabet."""
    names: dict[str, list[str]] = {}
    for operator, rule in RULES.items():
        formula = (rule.__doc__ or "").strip().splitlines()[0].strip()
        names.setdefault(formula, []).append(operator)
    rows = sorted((", ".join(sorted(operators)), formula) for formula, operators in names.items())
    lines = [f"| {operators} | {_escaped(formula)} |" for operators, formula in rows]
    return "\n".join(["| operator | gradient |", "|---|---|", *lines])


def with_table(page: str) -> str:
    """Return a page with the table between its marks made anew."""
    between = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    if not between.search(page):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return between.sub(lambda _: f"{BEGIN}\n{operator_table()}\n{END}", page)


def _escaped(formula: str) -> str:
    return re.sub(r"([|*_<\[\]])", r"\\\1", formula)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_table(path.read_text("utf-8")), "utf-8")
