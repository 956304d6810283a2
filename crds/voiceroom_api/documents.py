"""Reads the parts that every resource has: ``apiVersion``, ``kind``, ``metadata`` and ``spec``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from voiceroom_api.fields import S, read, unknown_keys
from voiceroom_api.names import API_VERSION
from voiceroom_api.problems import Problem, shown
from voiceroom_api.rules import Text
from voiceroom_api.texts import DNS_LABEL

R = TypeVar("R")

_METADATA_KEYS: Final = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


@dataclass(frozen=True, slots=True)
class Kind(Generic[S, R]):
    """What tells the documents of one kind from others."""

    kind: str
    name: Text
    spec: type[S]
    make: Callable[..., R]
    """A dataclass of name, spec, namespace, labels and annotations."""


def read_document(kind: Kind[S, R], document: object, problems: list[Problem]) -> R | None:
    """One parsed document; None, with at least one new problem, when it is refused."""
    before = len(problems)
    if not isinstance(document, Mapping):
        problems.append(Problem("", f"must be a {kind.kind} (got {shown(document)})"))
        return None
    _read_head(kind.kind, document, problems)
    metadata = document.get("metadata")
    name = _read_metadata(kind.name, metadata, problems)
    given = document.get("spec")
    spec = read(kind.spec, {} if given is None else given, "spec", problems)
    if len(problems) > before or spec is None or not isinstance(metadata, Mapping):
        return None
    return kind.make(
        name=name,
        spec=spec,
        namespace=metadata.get("namespace") or "",
        labels=dict(metadata.get("labels") or {}),
        annotations=dict(metadata.get("annotations") or {}),
    )


def _read_head(kind: str, document: Mapping[Any, Any], problems: list[Problem]) -> None:
    known = ("apiVersion", "kind", "metadata", "spec", "status")
    problems.extend(unknown_keys(document, known, ""))
    for key, wanted in (("apiVersion", API_VERSION), ("kind", kind)):
        if document.get(key) != wanted:
            problems.append(Problem(key, f"must be {wanted} (got {shown(document.get(key))})"))
    if not isinstance(document.get("status") or {}, Mapping):
        problems.append(Problem("status", "must be a mapping; leave it out"))


def _read_metadata(rule: Text, value: object, problems: list[Problem]) -> str:
    if not isinstance(value, Mapping):
        problems.append(Problem("metadata", f"must be a mapping with a name (got {shown(value)})"))
        return ""
    problems.extend(unknown_keys(value, _METADATA_KEYS, "metadata"))
    for key in ("labels", "annotations"):
        _check_strings(value.get(key), f"metadata.{key}", problems)
    if value.get("namespace") is not None:
        _read_text(DNS_LABEL, value["namespace"], "metadata.namespace", problems)
    if value.get("name") is None:
        problems.append(Problem("metadata.name", "is required"))
        return ""
    return _read_text(rule, value["name"], "metadata.name", problems)


def _read_text(rule: Text, value: object, path: str, problems: list[Problem]) -> str:
    try:
        return rule.read(value)
    except ValueError as refused:
        problems.append(Problem(path, f"{refused} (got {shown(value)})"))
        return ""


def _check_strings(value: object, path: str, problems: list[Problem]) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        problems.append(Problem(path, f"must be a mapping (got {shown(value)})"))
        return
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            message = f'must be a string (got {shown(text)}); quote it, as in "true"'
            problems.append(Problem(f"{path}.{key}"[:200], message))
