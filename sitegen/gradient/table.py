"""The one table: operator -> rule.

A rule is a function of a node and of the gradient that arrives at its first output. It returns the gradients of the
node's inputs, in their order: one tensor where only the first input has one, else a list with None for inputs that take
none. The first line of its docstring is the formula, and becomes a line of the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sitegen.gradient.tensor import Tensor

if TYPE_CHECKING:
    from sitegen.gradient.node import Node

Gradients = Tensor | Sequence[Tensor | None]
Rule = Callable[["Node", Tensor], Gradients]

RULES: dict[str, Rule] = {}
ALL_OUTPUTS: set[str] = set()
"""Operators whose rule reads the gradients of all outputs (`node.gradients`), not of the first alone."""


def pullback(*operators: str, all_outputs: bool = False) -> Callable[[Rule], Rule]:
    """Enter a rule into the table, for one operator or for several that share it."""

    def enter(rule: Rule) -> Rule:
        for operator in operators:
            if operator in RULES:
                raise ValueError(f"{operator} has a rule already")
            RULES[operator] = rule
        if all_outputs:
            ALL_OUTPUTS.update(operators)
        return rule

    return enter
