"""The newest version that was seen of every object that is watched."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import Kind

GRAVES: Final = 10_000
"""Deleted objects that are remembered, so that late news does not bring them back."""

OnChange = Callable[[Kind, str, str], None]
"""Told of each change: kind, namespace, name."""
_Key = tuple[str, str]


class Mirror:
    """Objects by kind, namespace and name. Bodies in it are never changed, only replaced."""

    def __init__(self, on_change: OnChange = lambda *_: None) -> None:
        self._objects: dict[Kind, dict[str, dict[str, Body]]] = defaultdict(dict)
        self._graves: OrderedDict[str, None] = OrderedDict()
        self._on_change = on_change
        self._expected: dict[tuple[Kind, _Key], Mapping[str, Any]] = {}

    @contextmanager
    def expecting(self, kind: Kind, body: Body, status: Mapping[str, Any]) -> Iterator[None]:
        """While the ``status`` of this object is being written: what comes of that is no news,
        be it the answer or the stream that brings it first."""
        key = (kind, _key(body))
        self._expected[key] = status
        try:
            yield
        finally:
            self._expected.pop(key, None)

    def put(self, kind: Kind, body: Body) -> None:
        """News of an object; older news than what is known is passed by."""
        namespace, name = _key(body)
        known = self.get(kind, namespace, name)
        if str(body["metadata"].get("uid", "")) in self._graves or not _is_newer(body, known):
            return
        slim = _slim(body)
        self._objects[kind].setdefault(namespace, {})[name] = slim
        expected = self._expected.get((kind, (namespace, name)))
        if known is None or expected is None or not _is_only(expected, known, slim):
            self._on_change(kind, namespace, name)

    def drop(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """The object with this ``uid`` is gone."""
        self._graves[uid] = None
        while len(self._graves) > GRAVES:
            self._graves.popitem(last=False)
        known = self.get(kind, namespace, name)
        if known is None or known["metadata"].get("uid") != uid:
            return
        del self._objects[kind][namespace][name]
        if not self._objects[kind][namespace]:
            del self._objects[kind][namespace]
        self._on_change(kind, namespace, name)

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object."""
        return self._objects[kind].get(namespace, {}).get(name)

    def all(self, kind: Kind, namespace: str = "") -> Iterable[Body]:
        """Of a namespace; those that are in none have the namespace ''."""
        return tuple(self._objects[kind].get(namespace, {}).values())

    def named(self, kind: Kind, namespace: str = "") -> dict[str, Body]:
        """The same, by name."""
        return dict(self._objects[kind].get(namespace, {}))

    def namespaces(self, *kinds: Kind) -> set[str]:
        """Those with objects of these kinds."""
        return {namespace for kind in kinds for namespace in self._objects[kind]}

    def keys(self, kind: Kind) -> Mapping[_Key, str]:
        """The resourceVersion of every object of the kind."""
        return {
            (namespace, name): str(body["metadata"].get("resourceVersion", ""))
            for namespace, bodies in self._objects[kind].items()
            for name, body in bodies.items()
        }

    def clear(self, kind: Kind) -> None:
        """Nothing is known of the kind any more."""
        self._objects.pop(kind, None)


def version(resource_version: str) -> int:
    """To compare two of one kind; -1 for what is no number."""
    return int(resource_version) if resource_version.isdecimal() else -1


def _key(body: Body) -> _Key:
    metadata = body["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _is_newer(body: Body, known: Body | None) -> bool:
    if known is None:
        return True
    new, old = (str(b["metadata"].get("resourceVersion", "")) for b in (body, known))
    return new != old and (version(new) < 0 or version(new) > version(old))


def _is_only(status: Mapping[str, Any], old: Body, new: Body) -> bool:
    """Whether nothing but the status was written, and it is this one."""
    return _but_status(old) == _but_status(new) and new.get("status") == status


def _but_status(body: Body) -> dict[str, Any]:
    metadata = {k: v for k, v in body["metadata"].items() if k != "resourceVersion"}
    return {k: v for k, v in body.items() if k != "status"} | {"metadata": metadata}


def _slim(body: Body) -> dict[str, Any]:
    """Without managedFields: they are most of an object, and nobody looks at them."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return dict(body) | {"metadata": metadata}
