"""Rules: which rows of a table pass. A language of comparisons, and nothing else: a rule cannot run anything.

    accepted and gate_ssim >= 0.8 and not copy_of is there
    view in ("PA", "AP") or type != "application/dicom"

    rule        =  every { "or" every }
    every       =  single { "and" single }
    single      =  "not" single | "(" rule ")" | comparison
    comparison  =  COLUMN [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) VALUE
                          | "in" "(" VALUE { "," VALUE } ")" | "is" ( "missing" | "there" ) ]
    VALUE       =  a number | a text in quotes | true | false

A column by itself must hold yes or no. Where a row has no value, every comparison with it is false, `!=` too; `not`
turns that round, so ask `is missing` where it matters.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sitegen.errors import SettingsError

Mask = NDArray[np.bool_]
Value = str | float | bool
_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign><=|>=|==|!=|<|>|\(|\)|,)|(?P<word>[A-Za-z_]\w*)|(?P<end>$))"
)
_DEEPEST = 50
_WORDS = frozenset({"and", "or", "not", "in", "is", "true", "false"})


def passing(rule: str, table: pa.Table) -> Mask:
    """Return which rows pass. Raises SettingsError, which says where, for what is no rule or names no column."""
    return _Reader(rule, table).read()


class _Reader:
    def __init__(self, rule: str, table: pa.Table) -> None:
        self._rule = rule
        self._table = table
        self._tokens = list(_tokens(rule))
        self._at = 0
        self._depth = 0

    def read(self) -> Mask:
        mask = self._any()
        if self._kind != "end":
            raise self._wrong("expected and, or, or the end")
        return mask

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _token(self) -> str:
        return self._tokens[self._at][1]

    def _take(self) -> str:
        token = self._token
        self._at += 1
        return token

    def _taken(self, *tokens: str) -> bool:
        if self._kind in ("word", "sign") and self._token in tokens:
            self._at += 1
            return True
        return False

    def _any(self) -> Mask:
        mask = self._every()
        while self._taken("or"):
            mask = mask | self._every()
        return mask

    def _every(self) -> Mask:
        mask = self._single()
        while self._taken("and"):
            mask = mask & self._single()
        return mask

    def _single(self) -> Mask:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong("it is nested too deeply")
        if self._taken("not"):
            mask = ~self._single()
        elif self._taken("("):
            mask = self._any()
            self._need(")")
        else:
            mask = self._comparison()
        self._depth -= 1
        return mask

    def _comparison(self) -> Mask:
        name, column = self._column()
        there = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
        if self._kind == "sign" and self._token in _COMPARED:
            return self._compared(column, there, _COMPARED[self._take()], self._value(name, column))
        if self._taken("in"):
            self._need("(")
            mask = np.zeros(len(there), bool)
            while True:
                mask |= self._compared(column, there, operator.eq, self._value(name, column))
                if not self._taken(","):
                    break
            self._need(")")
            return mask
        if self._taken("is"):
            if self._taken("missing"):
                return ~there
            self._need("there")
            return there
        if not pa.types.is_boolean(column.type):
            raise self._wrong(f"{name} holds no yes or no: compare it with something")
        return self._compared(column, there, operator.eq, True)

    def _column(self) -> tuple[str, pa.Array]:
        name = self._token
        if self._kind != "word" or name in _WORDS:
            raise self._wrong("expected the name of a column")
        if name not in self._table.column_names:
            known = ", ".join(self._table.column_names)
            raise SettingsError(f"The table has no column {name!r}. It has {known}.")
        self._at += 1
        return name, self._table[name].combine_chunks()

    def _compared(self, column: pa.Array, there: Mask, compare: Callable[[Any, Any], Any], value: Value) -> Mask:
        mask = np.zeros(len(there), bool)
        values = np.asarray(column.drop_null().to_numpy(zero_copy_only=False))
        mask[there] = compare(values, value).astype(bool)
        return mask

    def _value(self, name: str, column: pa.Array) -> Value:
        kind, token = self._tokens[self._at]
        found: Value
        if kind == "number":
            found = float(token)
        elif kind == "text":
            found = token[1:-1]
        elif token in ("true", "false") and kind == "word":
            found = token.startswith("t")
        else:
            raise self._wrong("expected a number, a text in quotes, true or false")
        if isinstance(found, _kind_of(column.type)) and isinstance(found, bool) == pa.types.is_boolean(column.type):
            self._at += 1
            return found
        raise self._wrong(f"{name} holds {_WHAT[_kind_of(column.type)]}")

    def _need(self, token: str) -> None:
        if not self._taken(token):
            raise self._wrong(f"expected {token}")

    def _wrong(self, what: str) -> SettingsError:
        where = f"at {self._token!r}" if self._token else "at its end"
        return SettingsError(f"The rule {self._rule!r} cannot be read {where}: {what}. See docs/curate.md.")


_WHAT: Mapping[type, str] = {str: "texts: write it in quotes", bool: "yes or no: true or false", float: "numbers"}


def _kind_of(kind: pa.DataType) -> type:
    if pa.types.is_boolean(kind):
        return bool
    return str if pa.types.is_string(kind) else float


def _tokens(rule: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while True:
        match = _TOKEN.match(rule, at)
        if match is None:
            raise SettingsError(f"The rule {rule!r} cannot be read at {rule[at:].strip()[:20]!r}. See docs/curate.md.")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        if kind == "end":
            return found
        at = match.end()
