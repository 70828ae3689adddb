"""The language in which runs are looked for: a useful part of Temporal's list filters.

    WorkflowType = 'Order' AND ExecutionStatus IN ('Running', 'Failed') AND StartTime > '2030-01-01T00:00:00Z'
    (CustomerId = 'c-7' OR WorkflowId STARTS_WITH 'vip-') ORDER BY StartTime DESC

    filter     = [ disjunction ] [ "ORDER" "BY" name [ "ASC" | "DESC" ] { "," name [ "ASC" | "DESC" ] } ]
    disjunction= conjunction { "OR" conjunction }
    conjunction= negation { "AND" negation }
    negation   = "NOT" negation | "(" disjunction ")" | comparison
    comparison = name ( "=" | "!=" | ">" | ">=" | "<" | "<=" ) value
               | name [ "NOT" ] ( "IN" "(" value { "," value } ")" | "BETWEEN" value "AND" value | "STARTS_WITH" value )
               | name "IS" [ "NOT" ] "NULL"

This module knows the language; what the names mean is `visibility`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from playhead_engine.record import record

Lookup = Callable[[str], Any]
"""Gives the value of a name; None where there is none, a list where there are several."""

Condition = Callable[[Lookup], bool]

ReadLiteral = Callable[[str, Any], Any]
"""Turns what stands in a filter beside a name into what can be compared with the values of that name."""

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<operator>!=|<>|>=|<=|=|>|<|\(|\)|,)
    |(?P<name>`[^`]+`|[A-Za-z_][A-Za-z0-9_.-]*))""",
    re.VERBOSE,
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<>": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


class BadFilter(ValueError):
    """A list filter that cannot be read.

    Attributes:
        text: The filter.
        position: Where, counted from 0.
        problem: What is wrong there.
    """

    def __init__(self, text: str, position: int, problem: str) -> None:
        super().__init__(text, position, problem)
        self.text = text
        self.position = position
        self.problem = problem

    def __str__(self) -> str:
        return f"cannot read the list filter: {self.problem}\n  {self.text}\n  {' ' * self.position}^"


@record
class ListFilter:
    """A filter, ready to be applied.

    Attributes:
        accepts: Whether a run is looked for.
        order: Names to sort by, each with whether it descends.
    """

    accepts: Condition
    order: tuple[tuple[str, bool], ...]


def parse(text: str, read: ReadLiteral) -> ListFilter:
    """Read a filter.

    Args:
        text: The filter; empty accepts everything.
        read: Turns literals into values.

    Raises:
        BadFilter: It is none; the message points at the place.
    """
    return _Parser(text, read).filter()


@record
class _Token:
    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind in ("name", "operator") and not self.text.startswith("`") else ""


class _Parser:
    def __init__(self, text: str, read: ReadLiteral) -> None:
        self._text = text
        self._read = read
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while position < len(self._text.rstrip()):
            found = _TOKEN.match(self._text, position)
            if found is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                raise BadFilter(self._text, start, f"unexpected {self._text[start]!r}")
            kind = found.lastgroup or ""
            tokens.append(_Token(kind, found.group(kind), found.start(kind)))
            position = found.end()
        tokens.append(_Token("end", "", len(self._text.rstrip())))
        return tokens

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _skip(self, *words: str) -> bool:
        """Take these words if they come next."""
        if [token.word for token in self._tokens[self._at : self._at + len(words)]] != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._error(f"expected {word}")

    def _error(self, problem: str) -> BadFilter:
        token = self._next
        return BadFilter(self._text, token.position, f"{problem}, found {token.text or 'the end'}")

    def filter(self) -> ListFilter:
        accepts: Condition = _everything
        if self._next.kind != "end" and self._next.word != "ORDER":
            accepts = self._disjunction()
        order: list[tuple[str, bool]] = []
        if self._skip("ORDER", "BY"):
            order.append(self._sort_key())
            while self._skip(","):
                order.append(self._sort_key())
        if self._next.kind != "end":
            raise self._error("expected AND, OR, ORDER BY or the end")
        return ListFilter(accepts, tuple(order))

    def _sort_key(self) -> tuple[str, bool]:
        name = self._name()
        return name, self._skip("DESC") or (self._skip("ASC") and False)

    def _disjunction(self) -> Condition:
        parts = [self._conjunction()]
        while self._skip("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda look: any(part(look) for part in parts)

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._skip("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda look: all(part(look) for part in parts)

    def _negation(self) -> Condition:
        if self._skip("NOT"):
            return _negated(self._negation())
        if self._skip("("):
            inner = self._disjunction()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._name()
        if self._skip("IS", "NOT", "NULL"):
            return lambda look: look(name) is not None
        if self._skip("IS", "NULL"):
            return lambda look: look(name) is None
        is_negated = self._skip("NOT")
        if self._skip("IN"):
            condition = self._one_of(name)
        elif self._skip("BETWEEN"):
            low = self._value(name)
            self._expect("AND")
            high = self._value(name)
            condition = _holds(name, lambda value: low <= value <= high)
        elif self._skip("STARTS_WITH"):
            prefix = self._value(name)
            condition = _holds(name, lambda value: str(value).startswith(str(prefix)))
        elif self._next.text in _COMPARE and not is_negated:
            operator = self._take().text
            compare, wanted = _COMPARE[operator], self._value(name)
            if operator in ("!=", "<>"):
                return _negated(_holds(name, lambda value: bool(value == wanted)))
            condition = _holds(name, lambda value: compare(value, wanted))
        else:
            raise self._error(f"expected a comparison after {name}")
        return _negated(condition) if is_negated else condition

    def _one_of(self, name: str) -> Condition:
        self._expect("(")
        wanted = [self._value(name)]
        while self._skip(","):
            wanted.append(self._value(name))
        self._expect(")")
        return _holds(name, lambda value: value in wanted)

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._error("expected a name")
        return self._take().text.strip("`")

    def _value(self, name: str) -> Any:
        token = self._next
        literal: Any
        if token.kind == "string":
            quote = token.text[0]
            literal = token.text[1:-1].replace(quote * 2, quote)
        elif token.kind == "number":
            literal = float(token.text) if "." in token.text else int(token.text)
        elif token.word in ("TRUE", "FALSE"):
            literal = token.word == "TRUE"
        else:
            raise self._error("expected a value: 'text', a number, true or false")
        self._at += 1
        try:
            return self._read(name, literal)
        except (KeyError, ValueError) as error:
            raise BadFilter(self._text, token.position, str(error.args[0] if error.args else error)) from None


def _everything(look: Lookup) -> bool:
    del look
    return True


def _negated(condition: Condition) -> Condition:
    return lambda look: not condition(look)


def _holds(name: str, test: Callable[[Any], bool]) -> Condition:
    """Whether a test holds for the value of a name, or for one of several. Values of another type never pass."""

    def condition(look: Lookup) -> bool:
        value = look(name)
        if value is None:
            return False
        try:
            return any(map(test, value)) if isinstance(value, list) else test(value)
        except TypeError:
            return False

    return condition
