"""What a field of a resource may hold. ``fields.read()`` holds to these; the CRDs say the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from voiceroom_api.duration import format_duration, parse_duration
from voiceroom_api.quantity import parse_quantity


class Refused(ValueError):
    """What is allowed, in words; ``read()`` adds path and value."""


class Rule(Protocol):
    """Reads one value that is not null; raises ``Refused``."""

    def read(self, value: object) -> Any: ...


@dataclass(frozen=True, slots=True)
class Relation:
    """What a value must fulfil as a whole; the same as a CEL rule in the CRD."""

    cel: str
    message: str
    holds: Callable[[Any], bool]
    at: str = ""
    """The field that is to blame, such as ``.limits.cpu``; empty, the value as a whole."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``low`` to ``high``, or one of ``allowed``."""

    low: int = 0
    high: int = 0
    allowed: tuple[int, ...] = ()

    def read(self, value: object) -> int:
        """20 and 20.0 are the same number, as in JSON; true is none."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
            raise Refused(self._words())
        inside = value in self.allowed if self.allowed else self.low <= value <= self.high
        if not inside:
            raise Refused(self._words())
        return int(value)

    def _words(self) -> str:
        if self.allowed:
            return f"must be one of {', '.join(map(str, self.allowed))}"
        return f"must be a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high``."""

    low: int
    high: int

    def read(self, value: object) -> float:
        """Any number of JSON; true is none."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and self.low <= value <= self.high:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        raise Refused(f"must be a number from {self.low} to {self.high}")


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, value: object) -> bool:
        """YAML's yes, no, on and off have become booleans before."""
        if not isinstance(value, bool):
            raise Refused("must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    allowed: tuple[str, ...]

    def read(self, value: object) -> str:
        """Case counts."""
        if isinstance(value, str) and value in self.allowed:
            return value
        words = f"must be one of {', '.join(self.allowed)}"
        if isinstance(value, bool) and {"Off", "On"} & set(self.allowed):
            words += '; YAML takes an unquoted Off for false, so write "Off"'
        raise Refused(words)


@dataclass(frozen=True, slots=True)
class Text:
    """A string of ``low`` to ``high`` characters that matches ``pattern`` as a whole."""

    words: str
    high: int
    low: int = 1
    pattern: str = ""
    """As in the CRD, with ^ and $."""
    relations: tuple[Relation, ...] = ()

    def read(self, value: object) -> str:
        """The string as it is."""
        if not isinstance(value, str) or not self.low <= len(value) <= self.high:
            raise Refused(self.words)
        if self.pattern and not re.search(self.pattern.replace("$", r"\Z"), value):
            raise Refused(self.words)
        for relation in self.relations:
            if not relation.holds(value):
                raise Refused(relation.message)
        return value


@dataclass(frozen=True, slots=True)
class Span:
    """A duration from ``low_s`` to ``high_s`` seconds."""

    low_s: int
    high_s: int

    def read(self, value: object) -> str:
        """The duration as it was written."""
        try:
            if isinstance(value, str) and self.low_s <= parse_duration(value) <= self.high_s:
                return value
        except ValueError as error:
            raise Refused(self._words()) from error
        raise Refused(self._words())

    def _words(self) -> str:
        low, high = format_duration(self.low_s), format_duration(self.high_s)
        return f"must be a duration from {low} to {high}, such as 90s, 15m or 1h30m"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A share of a node, such as 500m CPU or 512Mi memory: at least ``least``."""

    pattern: str
    """With ^ and $; it allows less than Kubernetes reads: memory in thousandths is a mistake."""
    least: str
    example: str

    @property
    def cel(self) -> str:
        """The CEL rule: a ``pattern`` of the schema would be refused without words."""
        least = f"quantity(string(self)).compareTo(quantity('{self.least}')) >= 0"
        return f"string(self).matches('{self.pattern}') && {least}"

    @property
    def message(self) -> str:
        """What is allowed, in words; the same in the CRD."""
        return f"must be {self.least} or more, written as in {self.example}"

    def read(self, value: object) -> str:
        """As a string, whether it was written as one or as a whole number."""
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        text = str(int(value)) if whole else value  # type: ignore[call-overload]
        if not isinstance(text, str) or not re.search(self.pattern.replace("$", r"\Z"), text):
            raise Refused(self.message)
        if parse_quantity(text) < parse_quantity(self.least):
            raise Refused(self.message)
        return text


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping that is read into a dataclass of its own."""

    into: type[Any]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of ``low`` to ``high`` items, each of which has the rule ``of``."""

    of: Rule | Section
    high: int
    low: int = 0
    unique: tuple[str, ...] = ()
    """Keys that tell the items, which are Sections, apart: no two may agree in all of them."""
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping of at most ``high`` strings to what has the rule ``of``."""

    of: Text
    high: int
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Opaque:
    """A mapping that only Kubernetes looks into."""

    def read(self, value: object) -> dict[Any, Any]:
        """As it is."""
        if not isinstance(value, dict):
            raise Refused("must be a mapping")
        return value


AnyRule = Rule | Section | Items | Entries
