"""The API server by ``kubernetes.aio``: its configuration, TLS and token refresh; plain JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aiohttp import ClientError

from voiceroom_operator.cluster.api import FIELD_MANAGER, ApiError, Body, Listing
from voiceroom_operator.cluster.kinds import Kind, selector_of

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient, Configuration

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
TIMEOUT_S: Final = 15.0
CONNECTIONS: Final = 16
_CONFLICT: Final = 409
_INVALID: Final = 422
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Observe = Callable[[str, str, int], None]
"""Told of every call: verb, resource, HTTP status (0 = no answer)."""


async def load_configuration() -> Configuration:
    """In a cluster the pod's service account, else the kubeconfig that kubectl would take.

    Raises ``ConfigException`` of ``kubernetes.aio.config`` when there is neither.
    """
    from kubernetes.aio import config
    from kubernetes.aio.client import Configuration

    found = Configuration()
    try:
        config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        await config.load_kube_config(client_configuration=found)  # type: ignore[no-untyped-call]
    found.retries = None  # the queue tries again, and counts
    found.connection_pool_maxsize = CONNECTIONS
    return found


class HttpApi:
    """``Api`` of a real API server."""

    def __init__(self, client: ApiClient, observe: Observe = lambda *_: None) -> None:
        self._client = client
        self._observe = observe

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        """One object."""
        return await self._call("get", kind, kind.path(namespace, name))

    async def list(self, kind: Kind, namespace: str, *, metadata_only: bool = False) -> Listing:
        """From the API server's cache: as new as its watches are."""
        query = {"resourceVersion": "0"}
        if selector_of(kind):
            query["labelSelector"] = selector_of(kind)
        accept = _METADATA if metadata_only else "application/json"
        path = kind.path(namespace)
        body = await self._call("list", kind, path, query=query, headers={"Accept": accept})
        metadata = body.get("metadata") or {}
        return Listing(tuple(body.get("items") or ()), str(metadata.get("resourceVersion", "")))

    async def create(self, kind: Kind, namespace: str, body: Body) -> Body:
        """A new object."""
        query = {"fieldManager": FIELD_MANAGER}
        return await self._call("create", kind, kind.path(namespace), query=query, body=body)

    async def apply(
        self, kind: Kind, namespace: str, name: str, body: Body, subresource: str = ""
    ) -> Body:
        """Server-side apply, with force: these fields are the operator's."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = kind.path(namespace, name, subresource)
        head = {"apiVersion": kind.api_version, "kind": kind.kind}
        headers = {"Content-Type": APPLY}
        return await self._call(
            "patch", kind, path, query=query, headers=headers, body=head | dict(body)
        )

    async def merge(self, kind: Kind, namespace: str, name: str, patch: Body) -> Body:
        """JSON merge patch."""
        query, headers = {"fieldManager": FIELD_MANAGER}, {"Content-Type": MERGE}
        path = kind.path(namespace, name)
        return await self._call("patch", kind, path, query=query, headers=headers, body=patch)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str, resource_version: str
    ) -> None:
        """With the pod's own grace period."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self._call("delete", kind, kind.path(namespace, name), body=options)

    async def _call(
        self,
        verb: str,
        kind: Kind,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> dict[str, Any]:
        from kubernetes.aio.client.exceptions import ApiException

        try:
            status, fields, raw = await self._ask(_METHODS[verb], path, query, headers, body)
        except (ClientError, TimeoutError, OSError, ApiException) as error:
            self._observe(verb, kind.plural, 0)
            text = str(error) or type(error).__name__
            raise ApiError(0, "Unreachable", f"{verb} {kind.plural}: {text}") from error
        self._observe(verb, kind.plural, status)
        if status >= 400:
            raise _error(status, fields, raw)
        return _json(raw, status)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: Body | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        sent = {"Accept": "application/json", "Content-Type": "application/json"}
        sent |= dict(headers or {})
        client = self._client
        await client.update_params_for_auth(sent, [], ["BearerToken"], path, method, body)
        url = client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        response = await client.rest_client.request(  # type: ignore[no-untyped-call]
            method, url, headers=sent, body=body, _request_timeout=TIMEOUT_S
        )
        raw: bytes = await response.read()
        return response.status, response.headers, raw


_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}


def _json(raw: bytes, status: int) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(status, "NotJSON", f"the answer is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(status, "NotJSON", "the answer is not a JSON object")
    return body


def _error(status: int, fields: Mapping[str, str], raw: bytes) -> ApiError:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    told = body if isinstance(body, dict) else {}
    message = str(told.get("message") or raw[:200].decode(errors="replace"))
    if status == _INVALID and _is_of_another(told):
        return ApiError(_CONFLICT, "Conflict", message)
    return ApiError(status, str(told.get("reason") or ""), message, _seconds(fields))


def _is_of_another(told: Mapping[str, Any]) -> bool:
    """A merge patch whose uid is another's is called an attempt to change the uid."""
    details = told.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    fields = {cause.get("field") for cause in causes or () if isinstance(cause, dict)}
    return fields == {"metadata.uid"}


def _seconds(fields: Mapping[str, str]) -> float | None:
    text = fields.get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < 6 else None
