"""An API server in memory: ``Api`` as the operator knows it. ``contract/apisuite.py`` holds it and
the real one to the same behaviour."""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from voiceroom_operator.cluster.api import FIELD_MANAGER, ApiError, Body, Listing
from voiceroom_operator.cluster.kinds import PODS, POOLS, ROOMS, SERVICES, Kind, selector_of

Watcher = Callable[[Kind, str | None, Body], None]
Fault = Callable[[str, Kind, str], None]
"""Called before each call with verb, kind and name; may raise ``ApiError``."""
_Key = tuple[Kind, str, str]


class FakeApi:
    """Objects, versions, preconditions, finalizers, field ownership by server-side apply."""

    def __init__(self, unix_s: Callable[[], float]) -> None:
        self._unix_s = unix_s
        self._objects: dict[_Key, dict[str, Any]] = {}
        self._applied: dict[tuple[_Key, str], dict[str, Any]] = {}
        self._version = 100
        self._made = 0
        self.watchers: list[Watcher] = []
        self.before: Fault = lambda *_: None
        self.after: Fault = lambda *_: None
        """Called after each write that was made."""
        self.calls: list[tuple[str, str, str]] = []
        self.used: set[tuple[str, str, str]] = set()
        """Group, resource and verb: the rights that the calls took."""
        self.subresource = ""
        """Of the call that is being made."""
        self.refuse_pods = ""
        """Words with which new pods are refused."""
        self.terminating: set[str] = set()
        """Namespaces that are going: nothing new gets in."""

    # What the operator calls

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        self._call("get", kind, name)
        return _copied(self._there((kind, namespace, name)))

    async def list(self, kind: Kind, namespace: str, *, metadata_only: bool = False) -> Listing:
        self._call("list", kind, "")
        wanted = dict(part.split("=") for part in selector_of(kind).split(",") if part)
        found = (
            {"metadata": body["metadata"]} if metadata_only else body
            for (of, within, _), body in self._objects.items()
            if of == kind and namespace in ("", within) and _labels(body).items() >= wanted.items()
        )
        return Listing(tuple(map(_copied, found)), str(self._version))

    async def create(self, kind: Kind, namespace: str, body: Body) -> Body:
        self._call("create", kind, body["metadata"]["name"])
        key = (kind, namespace, body["metadata"]["name"])
        if namespace in self.terminating:
            raise ApiError(403, "Forbidden", f"namespace {namespace} is being terminated")
        if kind is PODS and self.refuse_pods:
            raise ApiError(403, "Forbidden", self.refuse_pods)
        if key in self._objects:
            raise ApiError(409, "AlreadyExists", f"{kind.plural} {key[2]} already exists")
        made = self._new(key, body)
        self._done("create", kind, key[2])
        return made

    async def apply(
        self, kind: Kind, namespace: str, name: str, body: Body, subresource: str = ""
    ) -> Body:
        self._call("patch", kind, name, subresource)
        key = (kind, namespace, name)
        if key not in self._objects:
            if subresource or body["metadata"].get("uid"):
                raise self._missing(key)
            self.used.add((kind.group, kind.plural, "create"))
            made = self._new(key, {"kind": kind.kind, "apiVersion": kind.api_version} | dict(body))
            self._applied[key, subresource] = json.loads(json.dumps(body))
            self._done("patch", kind, name)
            return made
        self._check(key, body["metadata"])
        changed = _copied(self._objects[key])
        part = _part(body, subresource)
        before = self._applied.get((key, subresource), {})
        merged = _applied(changed, _without(part), _without(before))
        _keeps_its_quality(self._objects[key], merged)
        self._applied[key, subresource] = json.loads(json.dumps(part))
        written = self._write(key, merged)
        self._done("patch", kind, name)
        return written

    async def merge(self, kind: Kind, namespace: str, name: str, patch: Body) -> Body:
        self._call("patch", kind, name)
        key = (kind, namespace, name)
        self._check(key, patch.get("metadata", {}))
        changed = _copied(self._objects[key])
        sent = json.loads(json.dumps(patch))
        sent.get("metadata", {}).pop("resourceVersion", None)
        written = self._write(key, _merged(changed, sent))
        self._done("patch", kind, name)
        return written

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str, resource_version: str
    ) -> None:
        self._call("delete", kind, name)
        key = (kind, namespace, name)
        self._check(key, {"uid": uid, "resourceVersion": resource_version})
        self.remove(kind, namespace, name)
        self._done("delete", kind, name)

    # What people and other parts of a cluster do

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """As ``kubectl delete``: what has a finalizer, and a pod on a node, stays for a while."""
        key = (kind, namespace, name)
        body = _copied(self._there(key))
        stays = body["metadata"].get("finalizers") or (
            kind is PODS and (body.get("spec") or {}).get("nodeName")
        )
        if stays:
            if "deletionTimestamp" not in body["metadata"]:
                body["metadata"]["deletionTimestamp"] = self._now()
                self._write(key, body)
            return
        self.vanish(kind, namespace, name)

    def vanish(self, kind: Kind, namespace: str, name: str) -> None:
        """It is gone, whatever holds it, and with it what it owns."""
        body = self._objects.pop((kind, namespace, name))
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        self._tell(kind, "DELETED", body)
        uid = body["metadata"]["uid"]
        for owned, child in tuple(self._objects.items()):
            owners = child["metadata"].get("ownerReferences") or ()
            if owned in self._objects and any(owner["uid"] == uid for owner in owners):
                self.vanish(*owned)

    def put(self, kind: Kind, namespace: str, name: str, **parts: Any) -> None:
        """A new object; ``parts``: spec, status, metadata."""
        body = {"apiVersion": kind.api_version, "kind": kind.kind} | parts
        metadata = {"name": name} | parts.get("metadata", {})
        self._new((kind, namespace, name), body | {"metadata": metadata})

    def change(self, kind: Kind, namespace: str, name: str, patch: Body) -> None:
        """A merge patch of somebody else's, the status as well."""
        key = (kind, namespace, name)
        self._write(key, _merged(_copied(self._there(key)), json.loads(json.dumps(patch))))

    def bodies(self, kind: Kind, namespace: str = "") -> dict[str, dict[str, Any]]:
        """By name."""
        return {
            name: _copied(body)
            for (of, within, name), body in self._objects.items()
            if of == kind and namespace in ("", within)
        }

    def writes(self) -> int:
        """How many were asked for, those of Events and Leases apart."""
        return sum(
            verb in ("create", "patch", "delete") and plural not in ("events", "leases")
            for verb, plural, _ in self.calls
        )

    # Inside

    def _call(self, verb: str, kind: Kind, name: str, subresource: str = "") -> None:
        self.calls.append((verb, kind.plural, name))
        self.subresource = subresource
        self.used.add((kind.group, "/".join(filter(None, (kind.plural, subresource))), verb))
        self.before(verb, kind, name)

    def _done(self, verb: str, kind: Kind, name: str) -> None:
        self.after(verb, kind, name)

    def _new(self, key: _Key, body: Mapping[str, Any]) -> dict[str, Any]:
        kind, namespace, name = key
        self._made += 1
        made: dict[str, Any] = json.loads(json.dumps(body))
        made["metadata"] |= {
            "name": name,
            "uid": f"uid-{self._made:04d}",
            "creationTimestamp": self._now(),
            "generation": 1,
        } | ({"namespace": namespace} if kind.namespaced else {})
        if kind is SERVICES:
            made["spec"].setdefault("clusterIP", "10.96.0.10")
        self._objects[key] = {}
        return self._write(key, made, event="ADDED")

    def _write(self, key: _Key, body: dict[str, Any], event: str = "MODIFIED") -> dict[str, Any]:
        old = self._objects[key]
        if old and _plain(old) == _plain(body):
            return _copied(old)
        metadata = body["metadata"]
        if old and key[0] in (ROOMS, POOLS) and old.get("spec") != body.get("spec"):
            metadata["generation"] = old["metadata"]["generation"] + 1
        self._version += 1
        metadata["resourceVersion"] = str(self._version)
        metadata["managedFields"] = [{"manager": FIELD_MANAGER}]
        self._objects[key] = body
        had = old.get("metadata", {}).get("finalizers")
        if "deletionTimestamp" in metadata and had and not metadata.get("finalizers"):
            self.vanish(*key)
            return _copied(body)
        self._tell(key[0], event, body)
        return _copied(body)

    def _tell(self, kind: Kind, event: str, body: Body) -> None:
        for watcher in tuple(self.watchers):
            watcher(kind, event, _copied(body))

    def _there(self, key: _Key) -> dict[str, Any]:
        if key not in self._objects:
            raise self._missing(key)
        return self._objects[key]

    def _check(self, key: _Key, wanted: Mapping[str, Any]) -> None:
        metadata = self._there(key)["metadata"]
        for field in ("uid", "resourceVersion"):
            if wanted.get(field, metadata[field]) != metadata[field]:
                raise ApiError(409, "Conflict", f"{field} is {metadata[field]} by now")

    def _missing(self, key: _Key) -> ApiError:
        return ApiError(404, "NotFound", f"{key[0].plural} {key[2]} not found")

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self._unix_s()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _copied(body: Body) -> dict[str, Any]:
    """Of JSON; many times as quick as ``deepcopy``."""
    copy: dict[str, Any] = marshal.loads(marshal.dumps(dict(body)))
    return copy


def _part(body: Body, subresource: str) -> dict[str, Any]:
    """What a subresource takes of an object; of a pod's ``resize`` its containers' resources."""
    if subresource == "resize":
        containers = body["spec"]["containers"]
        kept = [{key: one[key] for key in ("name", "resources")} for one in containers]
        return {"spec": {"containers": kept}}
    return {"status": body.get("status", {})} if subresource else dict(body)


def _keeps_its_quality(old: Body, new: Body) -> None:
    """A pod's quality of service never changes."""
    if old["kind"] == "Pod" and _is_guaranteed(old) != _is_guaranteed(new):
        raise ApiError(422, "Invalid", "spec: Pod QOS Class may not change as a result of resizing")


def _is_guaranteed(pod: Body) -> bool:
    resources = [one.get("resources") or {} for one in pod["spec"].get("containers") or ()]
    return all("limits" in one and one["limits"] == one.get("requests") for one in resources)


def _by_name(into: list[Any], part: list[Any], before: list[Any]) -> None:
    """A list that is a map: entries that are named are changed where they are."""
    earlier = {entry["name"]: entry for entry in before}
    for entry in part:
        found = next((one for one in into if one["name"] == entry["name"]), None)
        if found is None:
            into.append(json.loads(json.dumps(entry)))
        else:
            _applied(found, entry, earlier.get(entry["name"], {}))


def _labels(body: Body) -> dict[str, str]:
    return body["metadata"].get("labels") or {}


def _plain(body: Body) -> dict[str, Any]:
    metadata = {k: v for k, v in body["metadata"].items() if k != "resourceVersion"}
    return dict(body) | {"metadata": metadata}


def _without(part: Body) -> dict[str, Any]:
    """What an apply sends beside the object's identity and preconditions."""
    kept = {k: v for k, v in part.items() if k not in ("metadata", "apiVersion", "kind")}
    marks = {
        k: v
        for k, v in part.get("metadata", {}).items()
        if k in ("labels", "annotations", "ownerReferences")
    }
    return kept | ({"metadata": marks} if marks else {})


def _applied(into: dict[str, Any], part: Body, before: Body) -> dict[str, Any]:
    """Fields of ``part`` are set, fields that were applied before and are not any more go."""
    for key in before.keys() - part.keys():
        into.pop(key, None)
    for key, value in part.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            earlier = before.get(key)
            _applied(into[key], value, earlier if isinstance(earlier, Mapping) else {})
        elif key == "containers":
            _by_name(into[key], value, before.get(key) or [])
        else:
            into[key] = json.loads(json.dumps(value))
    return into


def _merged(into: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396."""
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, Mapping):
            below = into.get(key)
            into[key] = _merged(below if isinstance(below, dict) else {}, value)
        else:
            into[key] = value
    return into
