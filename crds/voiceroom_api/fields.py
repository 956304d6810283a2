"""The reader of a resource's fields.

A spec is a tree of frozen dataclasses. A field's type is its rule: ``bool``, a ``Literal`` of
words, another such dataclass, or ``Annotated[..., rule]`` with a rule from ``rules``. ``read()``
turns parsed YAML into them and collects every ``Problem``. Keys are the camelCase of the field
names, or what ``named()`` says. As in Kubernetes, null means "not given".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from voiceroom_api.problems import Problem, shown
from voiceroom_api.rules import (
    AnyRule,
    Choice,
    Entries,
    Flag,
    Items,
    Refused,
    Relation,
    Rule,
    Section,
)

_PATH_CHARS = 200


class Spec(Protocol):
    """A dataclass that ``read()`` can make."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    RELATIONS: ClassVar[tuple[Relation, ...]]


S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a value stands, and where what is wrong with it goes."""

    path: str
    problems: list[Problem]

    def refuse(self, message: str) -> None:
        self.problems.append(Problem(self.path[:_PATH_CHARS], message))

    def at(self, step: str) -> _Found:
        return _Found(f"{self.path}{step}", self.problems)


def named(key: str, default: Any) -> Any:
    """A field whose name in YAML is ``key``, which is not the camelCase of its name here."""
    return field(default=default, metadata={"key": key})


@cache
def rules(spec: type[Any]) -> dict[str, AnyRule]:
    """The rule of each field, by the field's name. Raises ``TypeError`` for a type without one."""
    hints = get_type_hints(spec, include_extras=True)
    return {spec_field.name: _rule(hints[spec_field.name]) for spec_field in fields(spec)}


def _rule(hint: Any) -> AnyRule:
    if get_origin(hint) is Annotated:
        rule: AnyRule = hint.__metadata__[0]
        return rule
    plain = [part for part in get_args(hint) if part is not NoneType]
    if NoneType in get_args(hint) and len(plain) == 1:
        return _rule(plain[0])
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    if hint is bool:
        return Flag()
    if is_dataclass(hint) and isinstance(hint, type):
        return Section(hint)
    raise TypeError(f"no rule for a field of type {hint}")


def key_of(spec_field: Field[Any]) -> str:
    """The field's name in YAML."""
    if "key" in spec_field.metadata:
        return str(spec_field.metadata["key"])
    head, *rest = spec_field.name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def default_of(spec_field: Field[Any]) -> Any:
    """What the field holds when it is not given; ``MISSING`` where it must be."""
    if spec_field.default_factory is not MISSING:
        return spec_field.default_factory()
    return spec_field.default


def is_required(spec_field: Field[Any]) -> bool:
    """Whether the field has no default."""
    return default_of(spec_field) is MISSING


def read(into: type[S], value: object, path: str, problems: list[Problem]) -> S | None:
    """``value`` as an ``into``; None, with at least one new problem, when it is refused."""
    return _section(into, value, _Found(path, problems))


def _section(into: type[S], value: object, found: _Found) -> S | None:
    before = len(found.problems)
    if not isinstance(value, Mapping):
        found.refuse(f"must be a mapping (got {shown(value)})")
        return None
    by_key = {key_of(spec_field): spec_field for spec_field in fields(into)}
    found.problems.extend(unknown_keys(value, by_key.keys(), found.path))
    given = {}
    for key, spec_field in by_key.items():
        if value.get(key) is not None:
            rule = rules(into)[spec_field.name]
            given[spec_field.name] = _value(rule, value[key], found.at(f".{key}"))
        elif is_required(spec_field):
            found.at(f".{key}").refuse("is required")
    if len(found.problems) > before:
        return None
    spec = into(**given)
    return spec if _related(spec, spec.RELATIONS, found) else None


def _value(rule: AnyRule, value: object, found: _Found) -> Any:
    match rule:
        case Section():
            return _section(rule.into, value, found)
        case Items():
            return _items(rule, value, found)
        case Entries():
            return _entries(rule, value, found)
    return _single(rule, value, found)


def _single(rule: Rule, value: object, found: _Found) -> Any:
    try:
        return rule.read(value)
    except Refused as refused:
        found.refuse(f"{refused} (got {shown(value)})")
        return None


def _items(rule: Items, value: object, found: _Found) -> tuple[Any, ...] | None:
    before = len(found.problems)
    if not isinstance(value, list):
        found.refuse(f"must be a list (got {shown(value)})")
    elif not rule.low <= len(value) <= rule.high:
        found.refuse(f"must have {rule.low} to {rule.high} items (got {len(value)})")
    else:
        items = tuple(
            _value(rule.of, item, found.at(f"[{place}]")) for place, item in enumerate(value)
        )
        if len(found.problems) == before:
            _unlike(items, rule, found)
            return items if _related(items, rule.relations, found) else None
    return None


def _unlike(items: Iterable[Any], rule: Items, found: _Found) -> None:
    if not rule.unique:
        return
    keys = [tuple(to_dict(item)[key] for key in rule.unique) for item in items]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        found.refuse(f"has {', '.join(key)} twice; {' and '.join(rule.unique)} must differ")


def _entries(rule: Entries, value: object, found: _Found) -> dict[str, str] | None:
    before = len(found.problems)
    if not isinstance(value, Mapping):
        found.refuse(f"must be a mapping (got {shown(value)})")
        return None
    if len(value) > rule.high:
        found.refuse(f"must have at most {rule.high} entries (got {len(value)})")
        return None
    for key in value:
        if not isinstance(key, str):
            found.refuse(f'has the key {shown(key)}; quote it, as in "true"')
    entries = {
        str(key): _single(rule.of, text, found.at(f".{key}"))
        for key, text in value.items()
        if text is not None
    }
    good = len(found.problems) == before and _related(entries, rule.relations, found)
    return entries if good else None


def _related(value: object, relations: tuple[Relation, ...], found: _Found) -> bool:
    broken = [relation for relation in relations if not relation.holds(value)]
    for relation in broken:
        found.at(relation.at).refuse(relation.message)
    return not broken


def unknown_keys(
    value: Mapping[object, object], allowed: Collection[str], path: str
) -> Iterator[Problem]:
    """A problem for each key that is not ``allowed``, with the nearest one that is."""
    for key in value:
        if key not in allowed:
            where = f"{path}.{key}" if path else str(key)
            yield Problem(where[:_PATH_CHARS], _unknown(str(key)[:64], sorted(allowed)))


def _unknown(key: str, allowed: list[str]) -> str:
    from difflib import get_close_matches  # slow to import, seldom needed

    folded = {name.lower(): name for name in allowed}
    near = get_close_matches(key.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"unknown field; did you mean {folded[near[0]]}?"
    return f"unknown field; known are {', '.join(allowed)}"


def to_dict(spec: Spec) -> dict[str, Any]:
    """The inverse of ``read``: camelCase keys, defaults written out, what is not given left out."""
    return {
        key_of(spec_field): _plain(getattr(spec, spec_field.name))
        for spec_field in fields(spec)
        if not _is_unset(spec_field, getattr(spec, spec_field.name))
    }


def _is_unset(spec_field: Field[Any], value: object) -> bool:
    empty = isinstance(value, tuple | Mapping) and not value
    return value is None or (empty and default_of(spec_field) == value)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        spec: Any = value
        return to_dict(spec)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value
