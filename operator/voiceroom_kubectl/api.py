"""The real cluster, by the official client."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64decode
from contextlib import suppress
from typing import Any, Final, cast

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import portforward

from voiceroom_api import names
from voiceroom_kubectl.cluster import ClusterError, NotFound, Object, Stream, event_time

_OURS: Final = f"/apis/{names.API_VERSION}"
_MIXERS: Final = "app.kubernetes.io/name=voiceroom,app.kubernetes.io/component=mixer"
_DOORS: Final = (
    f"app.kubernetes.io/name=voiceroom,app.kubernetes.io/component={names.CHAOS_COMPONENT}"
)
_MERGE_PATCH: Final = "application/merge-patch+json"
_PAGE: Final = 500
_TIMEOUT_S: Final = (5.0, 30.0)
"""To connect, and to answer."""
_NANO: Final = 1e-9
_SUFFIXES: Final = {"n": 1e-9, "u": 1e-6, "m": 1e-3}
_NAMESPACE_FILE: Final = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"


class ApiCluster:
    """Plain requests: the objects stay as the API server has them."""

    def __init__(self, api: client.ApiClient, namespace: str, *, inside: bool = False) -> None:
        self._api = api
        self._namespace = namespace
        self._inside = inside
        self._connecting = threading.Lock()

    @property
    def namespace(self) -> str:
        """Of the context, or of the pod."""
        return self._namespace

    @property
    def inside(self) -> bool:
        """Whether a service account was found instead of a kubeconfig."""
        return self._inside

    def rooms(self, namespace: str | None) -> list[Object]:
        """See ``Cluster``."""
        return self._list(_collection(_OURS, namespace, "voicerooms"))

    def room(self, namespace: str, name: str) -> Object:
        """See ``Cluster``."""
        return self._json("GET", f"{_collection(_OURS, namespace, 'voicerooms')}/{name}")

    def create_room(self, namespace: str, name: str) -> None:
        """See ``Cluster``."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.VOICE_ROOM,
            "metadata": {"name": name},
            "spec": {},
        }
        self._json("POST", _collection(_OURS, namespace, "voicerooms"), body)

    def patch_room(self, namespace: str, name: str, patch: Object) -> Object:
        """See ``Cluster``."""
        path = f"{_collection(_OURS, namespace, 'voicerooms')}/{name}"
        return self._json("PATCH", path, patch)

    def delete_room(self, namespace: str, name: str) -> None:
        """See ``Cluster``."""
        self._json("DELETE", f"{_collection(_OURS, namespace, 'voicerooms')}/{name}")

    def pools(self, namespace: str | None) -> list[Object]:
        """See ``Cluster``."""
        return self._list(_collection(_OURS, namespace, "mixerpools"))

    def patch_pool(self, namespace: str, name: str, patch: Object) -> Object:
        """See ``Cluster``."""
        path = f"{_collection(_OURS, namespace, 'mixerpools')}/{name}"
        return self._json("PATCH", path, patch)

    def mixers(self, namespace: str | None, selector: str = "") -> list[Object]:
        """See ``Cluster``."""
        labels = f"{_MIXERS},{selector}" if selector else _MIXERS
        return self._list(_collection("/api/v1", namespace, "pods"), labelSelector=labels)

    def node_doors(self, namespace: str) -> list[Object]:
        """See ``Cluster``."""
        return self._list(_collection("/api/v1", namespace, "pods"), labelSelector=_DOORS)

    def secret(self, namespace: str, name: str, key: str) -> bytes:
        """See ``Cluster``."""
        found = self._json("GET", f"{_collection('/api/v1', namespace, 'secrets')}/{name}")
        if key not in found.get("data", {}):
            raise NotFound(f"the Secret {namespace}/{name} has no entry {key}")
        return b64decode(found["data"][key])

    def events(self, namespace: str, uid: str) -> list[Object]:
        """See ``Cluster``."""
        path = _collection("/api/v1", namespace, "events")
        return sorted(self._list(path, fieldSelector=f"involvedObject.uid={uid}"), key=event_time)

    def pod_text(self, namespace: str, pod: str, port: int, path: str) -> str:
        """See ``Cluster``."""
        pods = _collection("/api/v1", namespace, "pods")
        return self._call("GET", f"{pods}/{pod}:{port}/proxy{path}").decode()

    def usage(self, namespace: str, pod: str, node: str) -> float | None:
        """By the metrics API, or else by the node's kubelet, which takes the right to
        ``nodes/proxy``."""
        with suppress(ClusterError):
            return self._measured(namespace, pod)
        with suppress(ClusterError):
            return self._summed(namespace, pod, node)
        return None

    def connect(self, namespace: str, pod: str, port: int) -> Stream:
        """See ``Cluster``."""
        core = client.CoreV1Api(self._api)
        try:
            # it exchanges a method of the client for the time of the call
            with self._connecting:
                forward = portforward(
                    core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port)
                )
        except (ApiException, OSError) as error:
            raise _refused(error, f"port {port} of the pod {pod}") from error
        stream = forward.socket(port)
        stream.setblocking(True)
        return cast(Stream, stream)

    def _measured(self, namespace: str, pod: str) -> float:
        path = _collection("/apis/metrics.k8s.io/v1beta1", namespace, "pods")
        containers = self._json("GET", f"{path}/{pod}")["containers"]
        return sum(cpus(container["usage"]["cpu"]) for container in containers)

    def _summed(self, namespace: str, pod: str, node: str) -> float | None:
        summary = self._json("GET", f"/api/v1/nodes/{node}/proxy/stats/summary")
        for entry in summary.get("pods", []):
            if entry["podRef"]["name"] == pod and entry["podRef"]["namespace"] == namespace:
                used = (part.get("cpu", {}) for part in entry.get("containers", []))
                return float(sum(cpu.get("usageNanoCores", 0) for cpu in used) * _NANO)
        return None

    def _list(self, path: str, **query: str) -> list[Object]:
        items: list[Object] = []
        more: dict[str, str] = {}
        while True:
            page = self._json("GET", path, query=query | more | {"limit": str(_PAGE)})
            items += page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return sorted(items, key=_place)
            more = {"continue": token}

    def _json(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: dict[str, str] | None = None,
    ) -> Object:
        parsed = json.loads(self._call(method, path, body, query))
        assert isinstance(parsed, dict)
        return parsed

    def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: dict[str, str] | None = None,
    ) -> bytes:
        headers = {"Accept": "application/json, text/plain"}
        headers["Content-Type"] = _MERGE_PATCH if method == "PATCH" else "application/json"
        prepared = self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response: Any = self._api.call_api(*prepared, _request_timeout=_TIMEOUT_S)
            data: bytes = response.read()
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _refused(error, path) from error
        if response.status >= 300:
            raise _answered(response.status, data, path)
        return data


def _collection(prefix: str, namespace: str | None, plural: str) -> str:
    return (
        f"{prefix}/{plural}" if namespace is None else f"{prefix}/namespaces/{namespace}/{plural}"
    )


def _place(thing: Object) -> tuple[str, str]:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def cpus(quantity: str) -> float:
    """``250m`` is 0.25."""
    scale = _SUFFIXES.get(quantity[-1:])
    return float(quantity[:-1]) * scale if scale else float(quantity)


def _refused(error: Exception, what: str) -> ClusterError:
    if isinstance(error, ApiException) and error.status:
        return _answered(int(error.status), (error.body or "").encode(), what)
    return ClusterError(f"the cluster cannot be reached: {getattr(error, 'reason', error)}")


def _answered(status: int, body: bytes, what: str) -> ClusterError:
    try:
        words = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        words = body.decode(errors="replace").strip()[:300] or f"{what}: {status}"
    return NotFound(words) if status == 404 else ClusterError(f"{words} (HTTP {status})")


def connected(kubeconfig: str | None, context: str | None) -> ApiCluster:
    """The cluster that kubectl would take, or the one that this pod runs in.

    Raises ``ClusterError``.
    """
    settings, untyped = client.Configuration(), cast(Any, config)
    try:
        if kubeconfig is None and context is None and _in_a_pod():
            untyped.load_incluster_config(client_configuration=settings)
            with open(_NAMESPACE_FILE, encoding="utf-8") as file:
                return ApiCluster(client.ApiClient(settings), file.read().strip(), inside=True)
        untyped.load_kube_config(kubeconfig, context, client_configuration=settings)
        return ApiCluster(client.ApiClient(settings), _namespace_of(kubeconfig, context))
    except (ConfigException, OSError, ValueError) as error:
        raise ClusterError(f"no cluster is known: {error}") from error


def _in_a_pod() -> bool:
    return "KUBECONFIG" not in os.environ and os.path.exists(_NAMESPACE_FILE)


def _namespace_of(kubeconfig: str | None, context: str | None) -> str:
    contexts, current = cast(Any, config).list_kube_config_contexts(kubeconfig)
    chosen = next((entry for entry in contexts if entry["name"] == context), current)
    return str(chosen["context"].get("namespace") or "default")
