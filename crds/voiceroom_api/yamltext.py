"""YAML from people: no tags, no duplicate keys, bounded in every direction.

Scalars mean what they mean to Kubernetes, but numbers that YAML 1.1 reads in surprising ways
(``010``, ``1:30``, ``1_000``) and dates stay strings, so that a field that wants a number
refuses them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode

MAX_CHARS: Final = 256 * 1024
MAX_DEPTH: Final = 40
MAX_ALIASES: Final = 64
MAX_MERGED: Final = 1000
"""Keys of one mapping after ``<<``."""

_BOOL: Final = re.compile(
    r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"
)
_INT: Final = re.compile(r"^(?:0|[-+]?[1-9][0-9]{0,17})$")
_FLOAT: Final = re.compile(
    r"^[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,3})?$"
)
_NULL: Final = re.compile(r"^(?:~|null|Null|NULL|)$")
_MERGE: Final = re.compile(r"^<<$")


class YamlError(ValueError):
    """The text is refused; the message has line and column where they are known."""


class _Loader(yaml.SafeLoader):
    """The implicit types are set below the class."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._aliases = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Bounds depth and aliases, refuses tags."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
        elif event.tag is not None:
            raise yaml.MarkedYAMLError(
                problem=f"the tag {event.tag} is not understood: leave it out",
                problem_mark=event.start_mark,
            )
        self._depth += 1
        if self._depth > MAX_DEPTH or self._aliases > MAX_ALIASES:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {MAX_DEPTH}, or more than {MAX_ALIASES} aliases",
                problem_mark=event.start_mark,
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """Refuses keys that come twice, which YAML forbids and PyYAML lets pass."""
        node: MappingNode = Composer.compose_mapping_node(self, anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a plain word", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value[:64]!r} comes twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return node

    def flatten_mapping(self, node: MappingNode) -> None:
        """Bounds what merging may grow to."""
        super().flatten_mapping(node)
        if len(node.value) > MAX_MERGED:
            raise yaml.MarkedYAMLError(
                problem=f"a mapping of more than {MAX_MERGED} keys", problem_mark=node.start_mark
            )


def _construct_int(loader: _Loader, node: ScalarNode) -> int:
    return int(node.value)


def _construct_float(loader: _Loader, node: ScalarNode) -> float:
    return float(node.value)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
for _tag, _pattern, _first in (
    ("bool", _BOOL, "yYnNtTfFoO"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", _MERGE, "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list(_first))


def load_all(text: str) -> list[Any]:
    """The documents of ``text`` as plain dicts, lists, strings, numbers, booleans and None.

    Raises ``YamlError``, and nothing else.
    """
    if len(text) > MAX_CHARS:
        raise YamlError(f"longer than {MAX_CHARS} characters")
    try:
        return list(yaml.load_all(text, _Loader))
    except yaml.MarkedYAMLError as error:
        raise YamlError(_words(error)) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {str(error).splitlines()[0]}") from error


def _words(error: yaml.MarkedYAMLError) -> str:
    what = error.problem or error.context or "not YAML"
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else what
